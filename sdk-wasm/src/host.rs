//! What the page does for the engine, at once: randomness.

use trailmark_core::Entropy;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const HOST: &str = r#"
/** What the page does for the engine, at once. A method that throws kills the engine. */
export interface Host {
  /** Fills these bytes, which are the engine's own memory, with unpredictable ones. */
  random(bytes: Uint8Array): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The page.
    #[wasm_bindgen(typescript_type = "Host")]
    #[derive(Debug, Clone)]
    pub type Host;

    #[wasm_bindgen(method, js_name = random)]
    fn js_random(this: &Host, bytes: &mut [u8]);
}

impl Entropy for Host {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.js_random(bytes);
    }
}

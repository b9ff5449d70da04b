//! What the page does for the engine, at once: randomness, and files.

use trailmark_core::{Entropy, Storage, StorageError};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const HOST: &str = r#"
/** What the page does for the engine, at once. A method that throws kills the engine. */
export interface Host {
  /** Fills these bytes, which are the engine's own memory, with unpredictable ones. */
  random(bytes: Uint8Array): void;
  /** The names of the log's files. */
  list(): string[];
  /** A file's content; undefined: no such file. */
  read(file: string): Uint8Array | undefined;
  /**
   * Adds bytes at the end of a file, which is made if it is not there. They are the engine's own memory: copy them before
   * you return. Returns what went wrong.
   */
  append(file: string, bytes: Uint8Array): string | undefined;
  remove(file: string): void;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The page.
    #[wasm_bindgen(typescript_type = "Host")]
    #[derive(Debug, Clone)]
    pub type Host;

    /// An array of strings. Joined it comes over in one piece, with half of the code.
    type Names;
    #[wasm_bindgen(method)]
    fn join(this: &Names, between: &str) -> String;

    #[wasm_bindgen(method, js_name = random)]
    fn js_random(this: &Host, bytes: &mut [u8]);
    #[wasm_bindgen(method, js_name = list)]
    fn js_list(this: &Host) -> Names;
    #[wasm_bindgen(method, js_name = read)]
    fn js_read(this: &Host, file: &str) -> Option<Vec<u8>>;
    #[wasm_bindgen(method, js_name = append)]
    fn js_append(this: &Host, file: &str, bytes: &[u8]) -> Option<String>;
    #[wasm_bindgen(method, js_name = remove)]
    fn js_remove(this: &Host, file: &str);
}

impl Entropy for Host {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.js_random(bytes);
    }
}

impl Storage for Host {
    fn list(&mut self) -> Result<Vec<String>, StorageError> {
        Ok(lines(&self.js_list().join("\n")))
    }

    fn read(&mut self, file: &str) -> Result<Vec<u8>, StorageError> {
        self.js_read(file)
            .ok_or_else(|| StorageError("no such file".to_owned()))
    }

    fn append(&mut self, file: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.js_append(file, bytes)
            .map_or(Ok(()), |error| Err(StorageError(error)))
    }

    fn remove(&mut self, file: &str) -> Result<(), StorageError> {
        self.js_remove(file);
        Ok(())
    }
}

/// The lines of a text. (`str::lines` looks for any line end in any text, and is ten times this code.)
fn lines(text: &str) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for character in text.chars() {
        match character {
            '\n' => lines.push(std::mem::take(&mut line)),
            other => line.push(other),
        }
    }
    lines.push(line);
    lines
}

//! `trailmark-wasm-bindgen WASM FOLDER`: what the program wasm-bindgen does with `--target web`. That program has a test
//! runner and a server in it, and takes eight times as long to compile (256 seconds of a processor, not 31).

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, folder] = arguments.as_slice() else {
        return Err("usage: trailmark-wasm-bindgen WASM FOLDER".into());
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name("trailmark")
        .web(true)?
        .typescript(true);
    Ok(bindgen.generate(folder)?)
}

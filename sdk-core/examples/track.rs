//! What one `track` costs in Rust, to compare the bindings with: a client in memory that reaches nobody, 200,000 calls
//! with three properties as JSON text, after 20,000 that are not counted.

use std::time::Instant;

use trailmark_core::{BuildError, Client, Properties};

const CALLS: u32 = 200_000;
const WARM_UP: u32 = 20_000;
const PROPERTIES: &str = r#"{"total":12.5,"currency":"EUR","items":3}"#;

fn main() -> Result<(), BuildError> {
    let starting = Instant::now();
    // Nobody listens there.
    let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    track(&client, 1);
    println!(
        "rust: {:.2} ms to the first track returned",
        starting.elapsed().as_secs_f64() * 1e3
    );
    track(&client, WARM_UP);
    let began = Instant::now();
    track(&client, CALLS);
    let nanos = began.elapsed().as_nanos() / u128::from(CALLS);
    println!("rust: {:.2} µs per track", nanos as f64 / 1000.0);
    Ok(())
}

fn track(client: &Client, calls: u32) {
    for _ in 0..calls {
        client.track("checkout", Properties::accept(PROPERTIES));
    }
}

//! The README's snippet: `TRAILMARK_WRITE_KEY=tm_pk_… cargo run --bin quickstart [URL]`, with a server running.

use std::error::Error;
use std::time::Duration;

use trailmark_core::{Client, Properties};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:7700".to_owned());
    let key = std::env::var("TRAILMARK_WRITE_KEY").map_err(|_| "set TRAILMARK_WRITE_KEY: trailmark key create")?;

    let client = Client::builder(&url, &key).build()?;
    client.track("checkout", Properties::new().with("total", 12.5));
    client.identify("u_7", Properties::new().with("plan", "pro"));
    let report = client.flush_blocking(Duration::from_secs(5));

    println!("{report:?}");
    if report.pending == 0 {
        Ok(())
    } else {
        Err(client.stats().last_error.unwrap_or_default().into())
    }
}

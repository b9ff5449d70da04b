//! The README's snippet: `TRAILMARK_WRITE_KEY=tm_pk_… cargo run --bin quickstart [URL]`, with a server running.

use std::process::ExitCode;
use std::time::Duration;

use trailmark_core::{BuildError, Client, FlushReport, Properties};

fn send(url: &str, key: &str) -> Result<FlushReport, BuildError> {
    let client = Client::builder(url, key).build()?;
    client.track("checkout", Properties::new().with("total", 12.5));
    client.identify("u_7", Properties::new().with("plan", "pro"));
    Ok(client.flush_blocking(Duration::from_secs(5)))
}

fn main() -> ExitCode {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:7700".to_owned());
    let key = std::env::var("TRAILMARK_WRITE_KEY").unwrap_or_default();
    match send(&url, &key) {
        Ok(report) => {
            let (delivered, pending) = (report.delivered, report.pending);
            println!(
                "{delivered} delivered, {pending} pending, {} dropped",
                report.dropped_total()
            );
            ExitCode::from(u8::from(pending > 0 || report.dropped_total() > 0))
        }
        Err(error) => {
            eprintln!("error: {error}\n hint: set TRAILMARK_WRITE_KEY to a key of `trailmark key create`");
            ExitCode::from(2)
        }
    }
}

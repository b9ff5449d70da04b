//! How long after its 202 an event can be read through the API.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::child::get;
use crate::connection::Connection;
use crate::event::Template;
use crate::request::{Request, Source};
use crate::{Failure, Outcome};

/// The name of the events that are looked for.
const NAME: &str = "bench_probe";

/// Between two looks: what is measured is this exact.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// An event that cannot be read after this time is lost.
const LOST: Duration = Duration::from_secs(10);

/// For `time`, sends single events, each once the one before was seen, and measures how long after its 202 each is read back.
///
/// # Errors
/// One was refused, or never seen.
pub fn probe(address: SocketAddr, write_key: &str, secret_key: &str, time: Duration) -> Outcome<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let mut request = Request::new(write_key, &[Template::probe(NAME)]);
    let mut source = Source::new(u64::MAX);
    let look = get(&format!("/api/analytics/events?event={NAME}&limit=1"), Some(secret_key));
    let (began, mut latencies) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        // Spread over the writer's rhythm, and not in step with it.
        std::thread::sleep(Duration::from_millis(7 * (latencies.len() as u64 % 9)));
        let (status, body) = connection.ask(request.renew(&mut source))?;
        if status != 202 {
            return Err(refused(status, &body));
        }
        latencies.push(until_seen(&mut connection, &look, request.first_id())?);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

fn until_seen(connection: &mut Connection, look: &[u8], id: &str) -> Outcome<Duration> {
    let accepted = Instant::now();
    loop {
        let (status, body) = connection.ask(look)?;
        if status != 200 {
            return Err(refused(status, &body));
        }
        if body.windows(id.len()).any(|window| window == id.as_bytes()) {
            return Ok(accepted.elapsed());
        }
        if accepted.elapsed() > LOST {
            return Err(format!("event {id} was accepted but is not visible").into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn refused(status: u16, body: &[u8]) -> Failure {
    format!("{status} {}", String::from_utf8_lossy(body)).into()
}

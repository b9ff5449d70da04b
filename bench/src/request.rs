//! Prebuilt HTTP/1.1 requests, made new by writing over a few places.

use trailmark_protocol::Timestamp;
use trailmark_server::clock::{Clock, SystemClock};

use crate::event::{DIGITS, Field, Template};

/// Events per device: a session's worth.
const EVENTS_PER_DEVICE: u64 = 40;

/// Where the values of events come from. Two sources with different seeds never make the same id or device.
#[derive(Debug)]
pub struct Source {
    random: u64,
    /// Tells the devices of one run from those of another.
    run: u64,
    events: u64,
    now: Timestamp,
    now_text: String,
}

impl Source {
    /// A source for run number `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut source = Self {
            random: seed,
            run: mix(seed),
            events: 0,
            now: Timestamp::default(),
            now_text: String::new(),
        };
        source.random = mix(seed ^ SystemClock.now().micros().cast_unsigned());
        source
    }

    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.random)
    }

    /// Reads the clock; call it once per request.
    fn tick(&mut self) {
        let now = SystemClock.now();
        if now.millis() != self.now.millis() {
            // Whole milliseconds, as the SDKs send: microseconds would make the text longer.
            self.now = Timestamp::from_millis(now.millis());
            self.now_text = self.now.to_string();
        }
    }

    /// One of the devices of this run, whose number grows with the events sent, as an app's installs do.
    fn device(&mut self) -> u64 {
        self.next() % (self.events / EVENTS_PER_DEVICE + 1)
    }

    fn id(&mut self) -> [u8; 16] {
        let (high, low) = (self.next(), self.next());
        let id = (u128::from(self.now.millis().cast_unsigned()) << 80)
            | (7 << 76)
            | (u128::from(high & 0xfff) << 64)
            | (2 << 62)
            | u128::from(low >> 2);
        id.to_be_bytes()
    }

    fn fill(&mut self, json: &mut [u8], places: &[(usize, Field)]) {
        self.events += 1;
        let device = self.device();
        for (at, field) in places {
            let place = &mut json[*at..];
            match field {
                Field::Id => write_uuid(place, &self.id()),
                Field::Device => write_uuid(place, &device_id(self.run, device)),
                Field::User => write_digits(place, device ^ (self.run & 0xffff)),
                Field::Number => write_digits(place, self.random >> 20),
                Field::Time => place[..24].copy_from_slice(self.now_text.as_bytes()),
            }
        }
    }
}

/// SplitMix64's finaliser (<https://prng.di.unimi.it/splitmix64.c>).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn device_id(run: u64, device: u64) -> [u8; 16] {
    (u128::from(mix(run ^ device)) << 64 | u128::from(mix(device.wrapping_add(run)))).to_be_bytes()
}

fn write_uuid(out: &mut [u8], bytes: &[u8; 16]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out[at] = b'-';
            at += 1;
        }
        out[at] = HEX[usize::from(byte >> 4)];
        out[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
}

fn write_digits(out: &mut [u8], mut number: u64) {
    for digit in out[..DIGITS].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// A request to `/v1/batch` that can be made new in place.
#[derive(Debug, Clone)]
pub struct Request {
    bytes: Vec<u8>,
    events: Vec<(usize, Vec<(usize, Field)>)>,
}

impl Request {
    /// A batch of these events.
    #[must_use]
    pub fn new(key: &str, templates: &[Template]) -> Self {
        let (mut body, mut events) = (br#"{"install_id":"bench","batch":["#.to_vec(), Vec::new());
        for (index, template) in templates.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            events.push((body.len(), template.places.clone()));
            body.extend_from_slice(&template.json);
        }
        body.extend_from_slice(b"]}");
        let mut bytes = head(key, body.len());
        let start = bytes.len();
        bytes.append(&mut body);
        events.iter_mut().for_each(|(at, _)| *at += start);
        Self { bytes, events }
    }

    /// How many events it carries.
    #[must_use]
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// Writes new values over the old ones.
    pub fn renew(&mut self, source: &mut Source) -> &[u8] {
        source.tick();
        for (at, places) in &self.events {
            source.fill(&mut self.bytes[*at..], places);
        }
        &self.bytes
    }

    /// The id of the first event.
    #[must_use]
    pub fn first_id(&self) -> &str {
        let (at, places) = &self.events[0];
        let id = places
            .iter()
            .find(|(_, field)| *field == Field::Id)
            .map_or(0, |(offset, _)| at + offset);
        std::str::from_utf8(&self.bytes[id..id + 36]).unwrap_or_default()
    }
}

fn head(key: &str, length: usize) -> Vec<u8> {
    format!(
        "POST /v1/batch HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_renewed_request_is_a_batch_of_new_valid_events() {
        let templates: Vec<_> = (0..50).map(Template::new).collect();
        let (mut request, mut source) = (Request::new("k", &templates), Source::new(1));
        let mut ids = HashSet::new();
        for _ in 0..20 {
            let text = String::from_utf8(request.renew(&mut source).to_vec()).unwrap();
            let body = text.split_once("\r\n\r\n").unwrap().1;
            let incoming = trailmark_server::ingest::decode::decode(
                body.as_bytes(),
                trailmark_server::ingest::decode::Shapes::Batch,
            );
            for raw in incoming.unwrap().events {
                let event = trailmark_server::ingest::validate::validate(raw).unwrap();
                assert!(ids.insert(event.id.unwrap().to_string()));
                assert!(event.timestamp.is_some());
            }
        }
        assert_eq!(ids.len(), 1_000);
        let id = trailmark_protocol::Uuid::try_parse(request.first_id()).unwrap();
        assert!(trailmark_protocol::id::is_v7(id) && ids.contains(request.first_id()));
    }
}

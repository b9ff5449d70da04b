//! Every bound of the wire, in one place, each with its arithmetic.

/// Longest event, in bytes of its JSON: 64 KiB. A stack trace with source lines is 10–40 KiB; Segment allows 32 KB.
pub const EVENT_BYTES: usize = 64 * 1024;

/// Most events in one batch: 1,000. At the usual 500 bytes an event this is half of [`BODY_BYTES`] uncompressed.
pub const BATCH_EVENTS: usize = 1_000;

/// Longest request body as sent, in bytes: 1 MiB. A batch of 50 events is about 25 KiB, so this is forty of them.
pub const BODY_BYTES: usize = 1024 * 1024;

/// Longest request body once decompressed, in bytes: 8 MiB. Event JSON compresses about 8:1, so an honest
/// [`BODY_BYTES`] body stays below; a bomb (1000:1) is stopped here.
pub const DECODED_BYTES: usize = 8 * BODY_BYTES;

/// Longest event name, in characters.
pub const NAME_CHARS: usize = 200;

/// Longest `anonymous_id`, `user_id` or `session_id`, in characters. Twice a UUID, an e-mail address and a URL slug fit.
pub const ID_CHARS: usize = 200;

/// Most keys in one event's `properties` or `context`, nested ones counted.
pub const KEYS: u32 = 512;

/// Deepest nesting in one JSON value, the outermost object being 1. Below 64, so that the scanner's stack is one `u64`.
pub const DEPTH: u32 = 32;

/// Longest JSON number, in characters. The longest exact `f64` in plain decimals needs 325 before the point or after it.
pub const NUMBER_CHARS: usize = 400;

/// How far after the server's receipt a client's time may lie, in milliseconds: 24 h. Beyond it the clock is absurd.
pub const FUTURE_MS: i64 = 24 * 60 * 60 * 1000;

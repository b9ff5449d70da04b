//! The `trailmark` command.
//!
//! 1. [`args`]: what can be typed; together with file and environment it becomes the server's configuration.
//! 2. [`commands`]: one file per command, which finds out or does something.
//! 3. [`import`]: a web server's log becomes events, sent through the client SDK; used by `import` and `demo`.
//! 4. [`output`]: reports on stdout, talk on stderr; [`failure`]: one sentence, a hint and an exit code.

pub mod args;
pub mod logging;
pub mod http;
pub mod import;
pub mod commands;
pub mod output;
pub mod failure;

//! The demo's default log is one that the import reads: every line but one.

use std::collections::HashSet;

use trailmark_cli::import::combined::{Malformed, RequestLine, parse_line};
use trailmark_cli::import::event::visitor;
use trailmark_examples::log::{Recipe, write};

#[test]
fn every_line_of_the_generated_log_is_read_but_the_one_that_is_cut_off() {
    let mut log = Vec::new();
    write(Recipe::default(), &mut log).unwrap();
    let (mut devices, mut refused) = (HashSet::new(), Vec::new());
    for (number, line) in (1..).zip(log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
        match parse_line(line) {
            Ok(request) => {
                assert!(matches!(request.line, RequestLine::Http { .. }), "line {number}");
                devices.insert(visitor(&request));
            }
            Err(why) => refused.push((number, why)),
        }
    }
    assert_eq!(refused, [(9755, Malformed::BadQuote("user agent"))]);
    assert!(devices.len() > 500, "{} devices", devices.len());
}

//! The parser of web server logs: what it reads, what it refuses, and that nothing makes it panic.

use proptest::prelude::*;
use trailmark_cli::import::combined::{Malformed, Request, RequestLine, parse_line};
use trailmark_protocol::Timestamp;

const APACHE: &str = r#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a/b.png?x=1&y=?2 HTTP/1.1" 200 203023 "http://example.com/" "Mozilla/5.0 (X11)""#;

fn parse(line: &str) -> Request<'_> {
    parse_line(line.as_bytes()).unwrap_or_else(|why| panic!("{why}: {line}"))
}

fn refusal(line: &str) -> Malformed {
    parse_line(line.as_bytes()).expect_err(line)
}

/// `APACHE` with one field replaced.
fn with(old: &str, new: &str) -> String {
    assert!(APACHE.contains(old));
    APACHE.replace(old, new)
}

#[test]
fn a_line_of_a_real_server_is_read_field_by_field() {
    let request = parse(APACHE);
    assert_eq!(request.host, "83.149.9.216");
    assert_eq!(request.at.to_string(), "2015-05-17T10:05:03.000Z");
    let RequestLine::Http {
        method,
        path,
        query,
        protocol,
    } = request.line
    else {
        panic!("no HTTP")
    };
    assert_eq!((&*method, &*path), ("GET", "/a/b.png"));
    assert_eq!(
        (query.as_deref(), protocol.as_deref()),
        (Some("x=1&y=?2"), Some("HTTP/1.1"))
    );
    assert_eq!((request.status, request.bytes), (200, Some(203_023)));
    assert_eq!(request.referrer.as_deref(), Some("http://example.com/"));
    assert_eq!(request.user_agent.as_deref(), Some("Mozilla/5.0 (X11)"));
}

#[test]
fn a_dash_is_an_absent_value() {
    let request = parse(r#"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 - "-" "-""#);
    assert_eq!(
        (request.bytes, request.referrer, request.user_agent),
        (None, None, None)
    );
}

#[test]
fn the_common_format_has_no_referrer_and_no_user_agent() {
    let request = parse(r#"h - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#);
    assert_eq!(request.at.to_string(), "2000-10-10T20:55:36.000Z");
    assert_eq!((request.referrer, request.user_agent), (None, None));
}

#[test]
fn both_ways_to_escape_a_quote_are_read() {
    for escaped in [r#"a \"quoted\" agent"#, r"a \x22quoted\x22 agent"] {
        let line = with("Mozilla/5.0 (X11)", escaped);
        assert_eq!(parse(&line).user_agent.as_deref(), Some(r#"a "quoted" agent"#));
    }
    let line = with("Mozilla/5.0 (X11)", r"back\\slash \t \xC3\xBC \q end\\");
    assert_eq!(parse(&line).user_agent.as_deref(), Some("back\\slash \t ü \\q end\\"));
}

#[test]
fn bytes_that_are_not_utf8_become_replacement_characters() {
    let line = [&APACHE.as_bytes()[..APACHE.len() - 2], b"\xff\xfe\"\r"].concat();
    assert_eq!(
        parse_line(&line).unwrap().user_agent.as_deref(),
        Some("Mozilla/5.0 (X11\u{fffd}\u{fffd}")
    );
}

#[test]
fn ipv6_host_names_users_with_spaces_and_extra_fields_are_read() {
    assert_eq!(parse(&with("83.149.9.216", "2001:db8::1")).host, "2001:db8::1");
    assert_eq!(
        parse(&with("83.149.9.216", "crawl-66-249-66-1.googlebot.com")).host,
        "crawl-66-249-66-1.googlebot.com"
    );
    assert_eq!(parse(&with("- - [", "- john doe [")).status, 200);
    let line = format!("{APACHE} \"10.0.0.1, 10.0.0.2\" 0.003");
    assert_eq!(parse(&line).user_agent.as_deref(), Some("Mozilla/5.0 (X11)"));
}

#[test]
fn what_is_no_http_request_is_kept_as_it_is() {
    for junk in [
        "-",
        r"\x16\x03\x01\x02",
        "GET",
        "get / HTTP/1.1",
        "GET / HTTP/1.1 extra",
        "GET  HTTP/1.1",
    ] {
        let line = with("GET /a/b.png?x=1&y=?2 HTTP/1.1", junk);
        assert!(matches!(parse(&line).line, RequestLine::Other(_)), "{junk}");
    }
    let old = with("GET /a/b.png?x=1&y=?2 HTTP/1.1", "GET /old");
    assert!(matches!(parse(&old).line, RequestLine::Http { protocol: None, .. }));
}

#[test]
fn a_refusal_names_the_first_thing_that_is_wrong() {
    let time = "17/May/2015:10:05:03 +0000";
    for (line, expected) in [
        (" \t".to_owned(), Malformed::Empty),
        ("hello".to_owned(), Malformed::Missing("time")),
        ("hello world".to_owned(), Malformed::Missing("time")),
        (with(time, "32/May/2015:10:05:03 +0000"), Malformed::BadTime),
        (with(time, "30/Feb/2015:10:05:03 +0000"), Malformed::BadTime),
        (with(time, "17/Mai/2015:10:05:03 +0000"), Malformed::BadTime),
        (with(time, "17/May/2015:25:05:03 +0000"), Malformed::BadTime),
        (with(time, "17/May/2015:10:05:03"), Malformed::BadTime),
        (with(time, "17/May/20155:10:05:03 +0000"), Malformed::BadTime),
        (with(time, "17/May/1915:10:05:03 +0000"), Malformed::BeforeTheWeb),
        (with("+0000] ", "+0000 "), Malformed::BadTime),
        (
            APACHE.split('"').next().unwrap().to_owned(),
            Malformed::Missing("request"),
        ),
        (with("HTTP/1.1\"", "HTTP/1.1"), Malformed::BadQuote("request")),
        (with(" 200 ", " 20 "), Malformed::BadStatus),
        (with(" 200 ", " ok! "), Malformed::BadStatus),
        (with("203023", "-1"), Malformed::BadBytes),
        (with("203023", "99999999999999999999999"), Malformed::BadBytes),
        (with(" \"Mozilla/5.0 (X11)\"", ""), Malformed::Missing("user agent")),
        (with("(X11)\"", "(X11)"), Malformed::BadQuote("user agent")),
        (with("Mozilla", "Moz\"illa"), Malformed::BadQuote("user agent")),
    ] {
        assert_eq!(refusal(&line), expected, "{line}");
    }
}

#[test]
fn the_malformed_line_of_a_real_log_is_refused_for_its_cut_user_agent() {
    let line = r#"8899:46.118.127.106 - - [20/May/2015:12:05:17 +0000] "GET /scripts/configlib.py HTTP/1.1" 200 235 "-" "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html"#;
    assert_eq!(refusal(line), Malformed::BadQuote("user agent"));
}

/// Writes a text inside quotes as Apache does.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |out, c| match c {
        '"' => out + "\\\"",
        '\\' => out + "\\\\",
        c if c.is_control() && c.is_ascii() => out + &format!("\\x{:02x}", u32::from(c)),
        c => out + &c.to_string(),
    })
}

fn format_time(at: Timestamp) -> String {
    let text = at.to_string();
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months[text[5..7].parse::<usize>().unwrap() - 1];
    format!("{}/{month}/{}:{} +0000", &text[8..10], &text[..4], &text[11..19])
}

proptest! {
    #[test]
    fn whatever_the_bytes_the_parser_answers(line in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_line(&line);
    }

    #[test]
    fn a_real_line_cut_or_changed_anywhere_never_panics(at in 0..APACHE.len(), byte: u8, cut in 0..APACHE.len()) {
        let mut line = APACHE.as_bytes().to_vec();
        line[at] = byte;
        let _ = parse_line(&line);
        let _ = parse_line(&line[..cut]);
        let _ = parse_line(&line[cut..]);
    }

    #[test]
    fn what_is_written_is_read_back(
        host in "[0-9a-f:.]{1,39}",
        seconds in 631_152_000i64..4_102_444_800,
        method in "[A-Z]{3,7}",
        path in "/[!-;=@-~]{0,40}",
        query in proptest::option::of("[!-~]{0,40}"),
        status in 100u16..600,
        bytes: Option<u64>,
        referrer in proptest::option::of("[^\\p{Cc}-][^\\u{80}-\\u{9f}]{0,40}"),
        user_agent in proptest::option::of("[^\\p{Cc}-][^\\u{80}-\\u{9f}]{0,40}"),
    ) {
        let at = Timestamp::from_millis(seconds * 1000);
        let path = path.replace('?', "");
        let target = query.as_ref().map_or(path.clone(), |query| format!("{path}?{query}"));
        let text = |field: &Option<String>| field.as_deref().map_or("-".to_owned(), escape);
        let line = format!(
            r#"{host} - - [{}] "{}" {status} {} "{}" "{}""#,
            format_time(at), escape(&format!("{method} {target} HTTP/1.1")),
            bytes.map_or("-".to_owned(), |bytes| bytes.to_string()), text(&referrer), text(&user_agent),
        );
        let request = parse(&line);
        prop_assert_eq!(&request.host, &host);
        prop_assert_eq!(request.at, at);
        let expected = RequestLine::Http { method, path, query, protocol: Some("HTTP/1.1".to_owned()) };
        prop_assert_eq!(request.line, expected);
        prop_assert_eq!((request.status, request.bytes), (status, bytes));
        prop_assert_eq!(request.referrer.as_deref(), referrer.as_deref());
        prop_assert_eq!(request.user_agent.as_deref(), user_agent.as_deref());
    }
}

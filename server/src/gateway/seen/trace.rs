//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>): a trace that came is continued, else one begins here. Each
//! hop has a span id of its own, which the next hop gets as its parent.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

/// The header that carries trace, parent and flags.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The header that carries what tracing systems add for themselves.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The trace is recorded.
const SAMPLED: u8 = 0b01;

/// The trace id is random (level 2 §3.2.2.5.2).
const RANDOM: u8 = 0b10;

/// `00-` trace `-` parent `-` flags: 2 + 1 + 32 + 1 + 16 + 1 + 2.
const LENGTH: usize = 55;

/// Most entries of a `tracestate` (§3.3.1.1).
const STATES: usize = 32;

/// Longest key or value in it, in bytes (§3.3.1.3).
const STATE_BYTES: usize = 256;

/// `[trace]`: what becomes of traces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceConfig {
    /// The share of traces begun here that are marked as recorded, from 0 to 1. Services that follow the mark record
    /// those and no others. Of a trace that came, the mark is kept.
    pub sample: f64,
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { sample: 1.0 }
    }
}

impl TraceConfig {
    /// What is wrong with it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        super::share_problem("sample", self.sample).into_iter().collect()
    }
}

/// Where a request stands in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace, never zero.
    pub trace_id: [u8; 16],
    /// The caller's span, if the trace did not begin here.
    pub parent: Option<[u8; 8]>,
    /// The span of this hop, never zero: the parent of the next.
    pub span_id: [u8; 8],
    flags: u8,
}

impl Traceparent {
    /// Continues the trace of `headers`, or begins one that is recorded with a probability of `sample`.
    pub fn of(headers: &HeaderMap, ids: &TraceIds, sample: f64) -> Self {
        let mut given = headers.get_all(TRACEPARENT).iter();
        let first = given.next().and_then(|value| parse(value.as_bytes()));
        match (first, given.next()) {
            (Some((trace_id, parent, flags)), None) => Self {
                trace_id,
                parent: Some(parent),
                span_id: ids.span(),
                flags,
            },
            _ => ids.begin(sample),
        }
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The header for the next hop, in version 00.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        write_hex(&self.trace_id, &mut text[3..35]);
        write_hex(&self.span_id, &mut text[36..52]);
        write_hex(&[self.flags], &mut text[53..]);
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static(""))
    }

    /// Puts the trace into the headers for the next hop. `tracestate` goes along as it came, if it belongs to this trace
    /// and is well-formed.
    pub fn pass_on(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.header_value());
        if headers.contains_key(TRACESTATE) && (self.parent.is_none() || !is_tracestate(headers)) {
            headers.remove(TRACESTATE);
        }
    }
}

/// Makes ids for traces and spans: unlike those of other processes, evenly spread, and not secret. Random bytes from the
/// kernel for each would cost a system call.
#[derive(Debug)]
pub struct TraceIds {
    seed: u64,
    next: AtomicU64,
}

impl Default for TraceIds {
    fn default() -> Self {
        let (seed, first) = uuid::Uuid::new_v4().as_u64_pair();
        Self {
            seed: mix(seed),
            next: AtomicU64::new(first),
        }
    }
}

impl TraceIds {
    fn begin(&self, sample: f64) -> Traceparent {
        let low = self.number();
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&mix(low ^ self.seed).to_be_bytes());
        trace_id[8..].copy_from_slice(&low.to_be_bytes());
        Traceparent {
            trace_id,
            parent: None,
            span_id: self.span(),
            flags: RANDOM | u8::from(super::is_sampled((low >> 32) as u32, sample)),
        }
    }

    fn span(&self) -> [u8; 8] {
        self.number().to_be_bytes()
    }

    /// The next number; no two are alike, and none is zero.
    fn number(&self) -> u64 {
        match mix(self.next.fetch_add(1, Ordering::Relaxed)) {
            0 => self.number(),
            number => number,
        }
    }
}

/// splitmix64 (Steele, Lea, Flood 2014): one to one, so that distinct inputs stay distinct.
const fn mix(input: u64) -> u64 {
    let z = input.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

type Parts = ([u8; 16], [u8; 8], u8);

/// Reads a `traceparent` of version 00, or the beginning of a later one's (§4.2, §3.2.2). Flags not known here are dropped.
fn parse(value: &[u8]) -> Option<Parts> {
    let (known, rest) = value.trim_ascii().split_at_checked(LENGTH)?;
    let [version] = hex(&known[..2])?;
    let ends_well = match version {
        0 => rest.is_empty(),
        0xff => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let is_divided = [2, 35, 52].iter().all(|at| known[*at] == b'-');
    let (trace_id, parent) = (hex(&known[3..35])?, hex(&known[36..52])?);
    let [flags] = hex(&known[53..])?;
    let is_there = trace_id != [0; 16] && parent != [0; 8];
    (ends_well && is_divided && is_there).then_some((trace_id, parent, flags & (SAMPLED | RANDOM)))
}

/// `N` bytes from small hexadecimal digits; `digits` are twice as many.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn write_hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

fn is_tracestate(headers: &HeaderMap) -> bool {
    let mut members = 0;
    headers.get_all(TRACESTATE).iter().all(|value| {
        let mut each = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        each.all(|member| {
            members += usize::from(!member.is_empty());
            members <= STATES && (member.is_empty() || is_member(member))
        })
    })
}

fn is_member(member: &[u8]) -> bool {
    let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let (key, value) = (&member[..equals], &member[equals + 1..]);
    let in_key = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(byte);
    let begins = key
        .first()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let in_value = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
    begins
        && key.len() <= STATE_BYTES
        && key.iter().all(in_key)
        && (1..=STATE_BYTES).contains(&value.len())
        && value.iter().all(in_value)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn of(lines: &[&str]) -> Traceparent {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACEPARENT, HeaderValue::from_str(line).unwrap());
        }
        Traceparent::of(&headers, &TraceIds::default(), 0.0)
    }

    fn continues(lines: &[&str]) -> bool {
        let trace = of(lines);
        assert!(trace.trace_id != [0; 16] && trace.span_id != [0; 8]);
        assert!(
            trace.parent.is_none() || Some(trace.trace_id) == hex(TRACE.as_bytes()),
            "another trace is continued"
        );
        trace.parent.is_some()
    }

    /// The cases of the specification and of its test suite (w3c/trace-context, `test/test.py`).
    #[test]
    fn only_what_the_specification_allows_is_continued() {
        let line = |version: &str, trace: &str, parent: &str, rest: &str| format!("{version}-{trace}-{parent}-{rest}");
        for (given, valid) in [
            (line("00", TRACE, PARENT, "01"), true),
            (line("00", TRACE, PARENT, "00"), true),
            (line("00", TRACE, PARENT, "ff"), true),
            (format!(" {}\t", line("00", TRACE, PARENT, "01")), true),
            (line("00", TRACE, PARENT, "01-what-the-future-will-be-like"), false),
            (line("00", TRACE, PARENT, "01."), false),
            (line("cc", TRACE, PARENT, "01"), true),
            (line("cc", TRACE, PARENT, "01-what-the-future-will-be-like"), true),
            (line("cc", TRACE, PARENT, "01.what-the-future-will-be-like"), false),
            (line("ff", TRACE, PARENT, "01"), false),
            (line("0", TRACE, PARENT, "01"), false),
            (line("000", TRACE, PARENT, "01"), false),
            (line(".0", TRACE, PARENT, "01"), false),
            (line("00", &"0".repeat(32), PARENT, "01"), false),
            (line("00", &TRACE.to_uppercase(), PARENT, "01"), false),
            (line("00", &TRACE[1..], PARENT, "01"), false),
            (line("00", &format!("{TRACE}0"), PARENT, "01"), false),
            (line("00", &TRACE.replace('4', "."), PARENT, "01"), false),
            (line("00", TRACE, &"0".repeat(16), "01"), false),
            (line("00", TRACE, &PARENT[1..], "01"), false),
            (line("00", TRACE, &PARENT.replace('a', "A"), "01"), false),
            (line("00", TRACE, PARENT, "0"), false),
            (line("00", TRACE, PARENT, "0x"), false),
            (line("00", TRACE, PARENT, ""), false),
            (line("00", TRACE, PARENT, "01").replace('-', "_"), false),
            (String::new(), false),
        ] {
            assert_eq!(continues(&[&given]), valid, "{given}");
        }
    }

    #[test]
    fn two_parents_are_no_parent() {
        let line = format!("00-{TRACE}-{PARENT}-01");
        assert!(continues(&[&line]) && !continues(&[&line, &line]));
    }

    #[test]
    fn the_next_hop_gets_this_ones_span_and_the_callers_mark() {
        for (flags, sampled, passed) in [("01", true, "01"), ("00", false, "00"), ("ff", true, "03")] {
            let trace = of(&[&format!("00-{TRACE}-{PARENT}-{flags}")]);
            assert_eq!(trace.parent, hex(PARENT.as_bytes()));
            assert_ne!(Some(trace.span_id), trace.parent);
            assert_eq!(trace.is_sampled(), sampled);
            let mut span = String::new();
            crate::gateway::digits::push_hex(&mut span, &trace.span_id);
            assert_eq!(trace.header_value(), format!("00-{TRACE}-{span}-{passed}"));
        }
    }

    #[test]
    fn a_trace_that_begins_here_is_recorded_as_often_as_asked() {
        let ids = TraceIds::default();
        let sampled = |share| (0..10_000).filter(|_| ids.begin(share).is_sampled()).count();
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 10_000));
        assert!((800..1_200).contains(&sampled(0.1)));
    }

    #[test]
    fn ids_made_here_are_distinct() {
        let ids = TraceIds::default();
        let made: Vec<_> = (0..10_000).map(|_| ids.begin(0.5)).collect();
        let traces: HashSet<_> = made.iter().map(|trace| trace.trace_id).collect();
        let spans: HashSet<_> = made.iter().map(|trace| trace.span_id).collect();
        assert_eq!((traces.len(), spans.len()), (10_000, 10_000));
    }

    fn state_after(parent: bool, states: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        if parent {
            headers.insert(TRACEPARENT, format!("00-{TRACE}-{PARENT}-01").parse().unwrap());
        }
        for state in states {
            headers.append(TRACESTATE, HeaderValue::from_str(state).unwrap());
        }
        let trace = Traceparent::of(&headers, &TraceIds::default(), 1.0);
        trace.pass_on(&mut headers);
        let texts = headers
            .get_all(TRACESTATE)
            .iter()
            .map(|value| value.to_str().unwrap().to_owned());
        texts.collect()
    }

    #[test]
    fn a_state_goes_along_only_with_its_trace_and_only_well_formed() {
        let long = "a".repeat(256);
        let many: Vec<_> = (0..32).map(|n| format!("k{n}=v")).collect();
        for good in [
            "congo=t61rcWkgMzE",
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "foo=1 \t,, \t bar=2",
            "fw529a3039@dt=FfAfA,0tenant@x=1",
            &format!("{long}={long}"),
            &many.join(","),
        ] {
            assert_eq!(state_after(true, &[good]), [good]);
            assert!(
                state_after(false, &[good]).is_empty(),
                "it belongs to another trace: {good}"
            );
        }
        for bad in [
            "foo",
            "foo=",
            "=1",
            "foo =1",
            "FOO=1",
            "foo.bar=1",
            "foo=1=2",
            &format!("{long}a=1"),
            &format!("k={long}a"),
            &format!("{},k32=v", many.join(",")),
        ] {
            assert!(state_after(true, &[bad]).is_empty(), "{bad}");
        }
        assert_eq!(state_after(true, &["a=1", "b=2"]), ["a=1", "b=2"]);
        assert!(state_after(true, &["a=1", "b"]).is_empty(), "one bad line spoils it");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&value);
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let headers = HeaderMap::from_iter([(TRACESTATE, value)]);
                let _ = is_tracestate(&headers);
            }
        }

        #[test]
        fn what_is_written_reads_back(flags in 0u8..4) {
            let trace = Traceparent { flags, ..TraceIds::default().begin(0.5) };
            prop_assert_eq!(parse(trace.header_value().as_bytes()), Some((trace.trace_id, trace.span_id, flags)));
        }
    }
}

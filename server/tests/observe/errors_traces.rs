//! Stack traces written by hand, read as the SDKs read them, and several made of each.

use serde_json::{Map, Value, json};

const FILES: [(&str, &str); 5] = [
    ("javascript", include_str!("traces/javascript.txt")),
    ("dart", include_str!("traces/dart.txt")),
    ("kotlin", include_str!("traces/kotlin.txt")),
    ("python", include_str!("traces/python.txt")),
    ("rust", include_str!("traces/rust.txt")),
];

/// How many are made of each trace that was written.
const OF_EACH: u64 = 5;

/// A trace.
pub(crate) struct Trace {
    /// The group that it is of, by hand.
    pub(crate) group: String,
    /// As it was printed.
    pub(crate) text: String,
    /// As an SDK sends it.
    pub(crate) properties: Value,
}

/// Every trace.
pub(crate) fn all() -> Vec<Trace> {
    let mut traces = Vec::new();
    for (language, file) in FILES {
        for group in file.split("=== ").skip(1) {
            let (name, body) = group.split_once('\n').unwrap();
            for (written, text) in body.split("---\n").enumerate() {
                for made in 0..OF_EACH {
                    let mut chance = Chance::of(&format!("{language} {name} {written} {made}"));
                    let text = filled(text.trim_end(), &mut chance);
                    traces.push(Trace {
                        group: format!("{language}: {name}"),
                        properties: properties(language, &text, made, &mut chance),
                        text,
                    });
                }
            }
        }
    }
    traces
}

/// Numbers that look random, and are the same for the same text.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// A number below `end` (SplitMix64).
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let chars: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| chars[self.below(chars.len() as u64) as usize])
            .collect()
    }

    /// One of some.
    pub(crate) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

fn filled(text: &str, chance: &mut Chance) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out += before;
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        let value = match name {
            "n" => (1 + chance.below(9_999)).to_string(),
            // Ids have digits and letters: one in a million of 8 has not.
            "id" => chance.text("0123456789", 1) + &chance.text("0123456789abcdef", 6) + &chance.text("abcdef", 1),
            "hash" => chance.text("ABCDXYZ", 2) + &chance.text("0123456789", 2) + &chance.text("abcxyz_-", 4),
            "uuid" => {
                let hex = "0123456789abcdef";
                [8, 4, 4, 4, 12].map(|length| chance.text(hex, length)).join("-")
            }
            "word" => chance
                .one(&["shoes", "red shirt", "7", "ab-12", "Größe", "x"])
                .to_owned(),
            "user" => chance.one(&["ann", "bob", "ci", "j.doe", "runner2"]).to_owned(),
            "email" => chance.one(&["ann@example.com", "b.o+b@mail.example.org"]).to_owned(),
            "time" => format!(
                "2026-11-{:02}T{:02}:00:0{}.123Z",
                1 + chance.below(28),
                chance.below(24),
                chance.below(9)
            ),
            other => format!("{{{other}}}"),
        };
        out += &value;
        rest = after;
    }
    out + rest
}

fn properties(language: &str, text: &str, made: u64, chance: &mut Chance) -> Value {
    let thrown = match language {
        "python" => python(text),
        _ => chain(language, text),
    };
    let listed = thrown.into_iter().map(|(kind, message, mut frames)| {
        if made > 0 {
            vary(language, &mut frames, chance);
        }
        json!({"type": kind, "value": message, "mechanism": {"handled": made.is_multiple_of(2)}, "stacktrace": {"frames": frames}})
    });
    json!({"$exception_list": listed.collect::<Vec<_>>(), "$exception_level": "error"})
}

/// Another release: other lines; another version of a library: its frames in between.
fn vary(language: &str, frames: &mut Vec<Value>, chance: &mut Chance) {
    for frame in frames.iter_mut() {
        for key in ["lineno", "colno"] {
            if !frame[key].is_null() {
                frame[key] = json!(1 + chance.below(5_000));
            }
        }
    }
    let library = match language {
        "javascript" => {
            json!({"function": "dispatch", "filename": "https://shop.example/node_modules/react-dom/client.js", "lineno": 7, "in_app": true})
        }
        "dart" => json!({"function": "_rootRun", "filename": "dart:async/zone.dart", "lineno": 1399, "in_app": false}),
        "kotlin" => {
            json!({"function": "android.os.Handler.handleCallback", "filename": "Handler.java", "lineno": 938, "in_app": false})
        }
        "python" => {
            json!({"function": "wrapper", "filename": "/usr/lib/python3.11/contextlib.py", "lineno": 81, "in_app": false})
        }
        _ => {
            json!({"function": "std::panicking::try", "filename": "/rustc/9fc6b431/library/std/src/panicking.rs", "lineno": 557})
        }
    };
    if (1..6).contains(&frames.len()) {
        for _ in 0..chance.below(3) {
            let at = chance.below(frames.len() as u64 + 1) as usize;
            frames.insert(at, library.clone());
        }
    }
}

type Thrown = (String, String, Vec<Value>);

/// `Type: message`, its frames, and the same of its causes.
fn chain(language: &str, text: &str) -> Vec<Thrown> {
    let mut thrown: Vec<Thrown> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let head = line
            .strip_prefix("[cause]: ")
            .or_else(|| line.strip_prefix("Caused by: "));
        if let Some(head) = head.or((thrown.is_empty()).then_some(line)) {
            let (kind, message) = match line.starts_with("thread '") {
                true => ("panic", lines.next().unwrap()),
                false => head.split_once(": ").unwrap_or((head, "")),
            };
            thrown.push((kind.to_owned(), message.to_owned(), Vec::new()));
            continue;
        }
        let frame = match language {
            "javascript" => javascript(line),
            "dart" => dart(line),
            "kotlin" => kotlin(line),
            _ => {
                let place = lines.next_if(|next| next.trim_start().starts_with("at "));
                rust(line, place)
            }
        };
        thrown.last_mut().unwrap().2.extend(frame);
    }
    thrown
}

fn frame(function: &str, place: Option<&str>, in_app: Option<bool>) -> Value {
    let mut frame = Map::new();
    if !function.is_empty() {
        frame.insert("function".into(), function.into());
    }
    if let Some(place) = place {
        let mut numbers = Vec::new();
        let mut file = place;
        while let Some((before, number)) = file.rsplit_once(':').filter(|_| numbers.len() < 2) {
            let Ok(number) = number.parse::<u32>() else { break };
            numbers.insert(0, number);
            file = before;
        }
        frame.insert("filename".into(), file.split('?').next().unwrap().into());
        for (key, number) in ["lineno", "colno"].into_iter().zip(numbers) {
            frame.insert(key.into(), number.into());
        }
    }
    if let Some(in_app) = in_app {
        frame.insert("in_app".into(), in_app.into());
    }
    frame.into()
}

/// As sdk-wasm's `stack.ts` reads it; what is no page's is as a server's SDK tells it, which says nothing of `in_app`.
fn javascript(line: &str) -> Option<Value> {
    let line = line.trim();
    let (function, place) = if let Some(at) = line.strip_prefix("at ") {
        let at = at.strip_prefix("async ").unwrap_or(at);
        at.strip_suffix(')')
            .and_then(|at| at.split_once(" ("))
            .unwrap_or(("", at))
    } else if let Some((function, place)) = line.split_once('@') {
        (function.trim_start_matches("async*"), place)
    } else {
        ("", line)
    };
    let is_place = place.contains('/') || place.contains('\\') || place.starts_with("node:");
    let in_app = if place.starts_with('/') || place.starts_with("C:") || place.starts_with("node:") {
        None
    } else {
        Some(place.starts_with("https://shop.example/"))
    };
    Some(frame(function, is_place.then_some(place), in_app))
}

/// As sdk-ffi's `stack_trace.dart` reads it.
fn dart(line: &str) -> Option<Value> {
    let rest = line.trim().strip_prefix('#')?;
    let (_, rest) = rest.split_once(' ')?;
    let rest = rest.trim();
    if let Some(address) = rest.strip_prefix("abs ") {
        return Some(frame(address.split_once(' ')?.1, None, None));
    }
    let (function, place) = rest.strip_suffix(')')?.split_once(" (")?;
    let foreign = ["dart:", "org-dartlang-sdk:", "package:flutter/"];
    let in_app = !foreign.iter().any(|begin| place.starts_with(begin));
    Some(frame(function, Some(place), Some(in_app)))
}

/// As sdk-ffi's `Thrown.kt` tells it.
fn kotlin(line: &str) -> Option<Value> {
    let (function, place) = line.trim().strip_prefix("at ")?.strip_suffix(')')?.split_once('(')?;
    let system = [
        "java.",
        "javax.",
        "jdk.",
        "sun.",
        "com.sun.",
        "kotlin.",
        "kotlinx.",
        "android.",
        "androidx.",
        "com.android.",
        "dalvik.",
        "libcore.",
    ];
    let in_app = !system.iter().any(|begin| function.starts_with(begin));
    let has_file = !place.starts_with("Native Method") && !place.starts_with("Unknown Source");
    Some(frame(function, has_file.then_some(place), Some(in_app)))
}

/// As a backtrace is told that says nothing of `in_app`.
fn rust(line: &str, place: Option<&str>) -> Option<Value> {
    let (_, function) = line.trim().split_once(": ")?;
    let place = place.map(|place| place.trim().trim_start_matches("at "));
    Some(frame(function, place, None))
}

/// As Python prints it: the cause first, and of each the innermost frame last; told as `_exceptions.py` does.
fn python(text: &str) -> Vec<Thrown> {
    let handled = "During handling of the above exception, another exception occurred:";
    let text = text.replace(
        handled,
        "The above exception was the direct cause of the following exception:",
    );
    let blocks = text.split("The above exception was the direct cause of the following exception:");
    let mut thrown: Vec<Thrown> = blocks.map(python_one).collect();
    thrown.reverse();
    thrown
}

fn python_one(block: &str) -> Thrown {
    let mut frames = Vec::new();
    let mut head = "";
    for line in block.trim().lines() {
        if let Some(rest) = line.strip_prefix("  File \"") {
            let (file, rest) = rest.split_once("\", line ").unwrap();
            let (line, function) = rest.split_once(", in ").unwrap();
            let library = ["site-packages", "/lib/python3", "<frozen"];
            let in_app = !library.iter().any(|part| file.contains(part));
            frames.insert(0, frame(function, Some(&format!("{file}:{line}")), Some(in_app)));
        } else {
            head = line;
        }
    }
    let (kind, message) = head.split_once(": ").unwrap_or((head, ""));
    (kind.to_owned(), message.to_owned(), frames)
}

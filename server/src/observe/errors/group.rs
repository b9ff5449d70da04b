//! Which errors are one issue.
//!
//! What the app says decides first: its fingerprint. Else its type and the places of the app's own code; else its type and
//! what of its message is no value. Of a chain of causes
//! - both ends name the issue: the outer type is what went wrong for the person, the root's is why. The same wrapper
//!   around another root is another bug, and so is the same root (a timeout, say) that breaks another thing;
//! - the places are those of the error nearest to the root that has any of the app's own. A root that was thrown on a
//!   library's thread has none, and the wrapper's are the next best;
//! - what only passes an error on (`ExecutionException`) counts for nothing, and a copy of its cause (Kotlin's recovered
//!   stacks) is its cause;
//! - an error of several (`AggregateError`) has no cause: it stands alone.

use sha2::{Digest, Sha256};

use super::frames::{Place, compared, own_places, repeated};
use super::message::{first_line, normal_message};
use super::read::{Occurred, Thrown, UNKNOWN};

/// Version of the rules here. Other rules make other groups, so it is part of the key and stored with the issue.
pub const ALGORITHM: i16 = 1;

/// Longest title and culprit that are kept, in characters: two lines of a list.
const TITLE_CHARS: usize = 300;

/// Types that only pass on what another thread or a reflected call has thrown.
const PASSED_ON: [&str; 5] = [
    "java.util.concurrent.ExecutionException",
    "java.util.concurrent.CompletionException",
    "java.lang.reflect.InvocationTargetException",
    "java.lang.reflect.UndeclaredThrowableException",
    "kotlinx.coroutines.JobCancellationException",
];

/// Types of errors that hold several.
const SEVERAL: [&str; 4] = [
    "AggregateError",
    "ExceptionGroup",
    "BaseExceptionGroup",
    "ParallelWaitError",
];

/// What tells a group from all others: SHA-256 of the algorithm's version and its text.
pub type Key = [u8; 32];

/// The issue that an error is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What tells it from all others.
    pub key: Key,
    /// The type, for a person.
    pub kind: String,
    /// What it says, for a person.
    pub title: String,
    /// Where it was thrown, for a person; empty if that is not known.
    pub culprit: String,
}

/// The key of a group with this text.
#[must_use]
pub fn key_of(text: &str) -> Key {
    let mut hash = Sha256::new();
    hash.update(ALGORITHM.to_be_bytes());
    hash.update(text.as_bytes());
    hash.finalize().into()
}

/// The issue of an error.
#[must_use]
pub fn group(occurred: &Occurred) -> Group {
    let chain = chain(&occurred.thrown);
    let places = chain.iter().rev().map(|thrown| own_places(&thrown.frames));
    let places = places.into_iter().find(|places| says_where(places)).unwrap_or_default();
    let outer = chain.first();
    Group {
        key: key_of(&text(occurred.fingerprint.as_deref(), &chain, &places)),
        kind: short(outer.map_or(UNKNOWN, |thrown| &thrown.kind)),
        title: short(outer.map_or("", |thrown| first_line(&thrown.message))),
        culprit: short(&culprit(&places)),
    }
}

/// The errors that count, the outermost first.
fn chain(thrown: &[Thrown]) -> Vec<&Thrown> {
    let is_several = |thrown: &Thrown| SEVERAL.contains(&thrown.kind.as_str());
    if let Some(outer) = thrown.first().filter(|outer| is_several(outer)) {
        return vec![outer];
    }
    let passed_on = |thrown: &&Thrown| PASSED_ON.contains(&thrown.kind.as_str());
    let told: Vec<&Thrown> = thrown.iter().filter(|thrown| !passed_on(thrown)).collect();
    if told.is_empty() { thrown.iter().collect() } else { told }
}

/// Whether places say enough to be compared: one at least has a name.
fn says_where(places: &[Place]) -> bool {
    places.iter().any(|place| !place.function.is_empty())
}

fn text(fingerprint: Option<&str>, chain: &[&Thrown], places: &[Place]) -> String {
    if let Some(fingerprint) = fingerprint {
        return format!("fingerprint\n{fingerprint}");
    }
    let (Some(outer), Some(root)) = (chain.first(), chain.last()) else {
        return "unknown".to_owned();
    };
    let round = if is_endless(root) { repeated(places) } else { Vec::new() };
    let (kind, cause) = if round.is_empty() {
        (normal_kind(&outer.kind), normal_kind(&root.kind))
    } else {
        ("endless".to_owned(), "endless".to_owned())
    };
    let mut text = format!("type {kind}");
    if cause != kind {
        text += &format!("\ncause {cause}");
    }
    if places.is_empty() {
        text + &format!("\nmessage {}", normal_message(&outer.message))
    } else {
        let round = if round.is_empty() { compared(places) } else { round };
        let line = |place: &Place| format!("\nat {} in {}", place.function, place.file);
        text + &round.iter().map(line).collect::<String>()
    }
}

/// A stack without end, as each platform calls it. Firefox has a type of its own for it.
fn is_endless(thrown: &Thrown) -> bool {
    let says = |begin: &str| thrown.message.starts_with(begin);
    match thrown.kind.as_str() {
        "RangeError" => says("Maximum call stack"),
        "InternalError" => says("too much recursion"),
        kind => kind.ends_with("StackOverflowError") || kind == "RecursionError",
    }
}

/// A type without the numbers of anonymous classes and without what dart2js makes up.
fn normal_kind(kind: &str) -> String {
    let kind = kind.trim();
    if kind.starts_with("minified:") {
        return "minified".to_owned();
    }
    let parts = kind
        .split('$')
        .filter(|part| !part.chars().all(|char| char.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("$")
}

/// The innermost place that has a name.
fn culprit(places: &[Place]) -> String {
    let Some(place) = places.iter().find(|place| !place.function.is_empty()) else {
        return String::new();
    };
    if place.file.is_empty() {
        place.function.clone()
    } else {
        format!("{} ({})", place.function, place.file)
    }
}

fn short(text: &str) -> String {
    text.chars().take(TITLE_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::read::read;
    use super::*;

    fn of(properties: &Value) -> Group {
        group(&read(properties))
    }

    fn thrown(kind: &str, message: &str, functions: &[&str]) -> Value {
        let frame = |function: &&str| json!({"function": function, "filename": if function.starts_with("lib") { "/venv/site-packages/x.py" } else { "src/cart.py" }, "in_app": !function.starts_with("lib")});
        json!({"type": kind, "value": message, "stacktrace": {"frames": functions.iter().map(frame).collect::<Vec<_>>()}})
    }

    fn list(thrown: &[Value]) -> Key {
        of(&json!({"$exception_list": thrown})).key
    }

    #[test]
    fn a_fingerprint_decides_alone_and_exactly() {
        let with = |fingerprint: &str, kind: &str| {
            of(&json!({"$exception_list": [thrown(kind, "", &[])], "$exception_fingerprint": fingerprint})).key
        };
        assert_eq!(with("cards", "A"), with("cards", "B"));
        assert_ne!(with("cards 1", "A"), with("cards 2", "A"));
        assert_ne!(with("cards", "A"), list(&[thrown("A", "", &[])]));
    }

    #[test]
    fn without_anything_readable_it_is_one_unknown_error() {
        let nothing = of(&json!({"cart": 3}));
        assert_eq!((nothing.kind.as_str(), nothing.title.as_str()), (UNKNOWN, ""));
        assert_eq!(nothing, of(&json!({"$exception_list": "what"})));
    }

    #[test]
    fn both_ends_of_a_chain_and_the_places_nearest_to_the_root_make_the_issue() {
        let outer = |message: &str| thrown("PaymentFailed", message, &["pay", "main"]);
        let timeout = thrown("TimeoutError", "after 3 s", &["call"]);
        let chain = list(&[outer("a"), timeout.clone()]);
        assert_eq!(
            chain,
            list(&[outer("b"), timeout.clone()]),
            "the message does not matter where there are places"
        );
        assert_ne!(
            chain,
            list(&[thrown("SearchFailed", "", &["pay", "main"]), timeout.clone()])
        );
        assert_ne!(chain, list(&[outer("a"), thrown("DiskFull", "", &["call"])]));
        assert_ne!(chain, list(&[outer("a"), thrown("TimeoutError", "", &["other"])]));
        let of_library = thrown("TimeoutError", "", &["lib.poll"]);
        assert_eq!(
            list(&[outer("a"), of_library.clone()]),
            list(&[outer("a"), thrown("TimeoutError", "", &["lib.wait"])])
        );
        let passed = thrown("java.util.concurrent.ExecutionException", "", &["lib.get"]);
        assert_eq!(list(&[passed, timeout.clone()]), list(std::slice::from_ref(&timeout)));
        assert_eq!(
            list(&[timeout.clone(), timeout.clone()]),
            list(&[timeout]),
            "a copy of its cause"
        );
    }

    #[test]
    fn an_error_of_several_stands_alone() {
        let several = |inner: &str| list(&[thrown("AggregateError", "all", &["any"]), thrown(inner, "", &["x"])]);
        assert_eq!(several("A"), several("B"));
    }

    #[test]
    fn places_without_a_name_leave_it_to_the_message() {
        let at = |message: &str| {
            let frames = json!({"frames": [{"filename": "https://shop.example/app.js", "lineno": 1}]});
            list(&[json!({"type": "Error", "value": message, "stacktrace": frames})])
        };
        assert_eq!(at("order 7 failed"), at("order 8 failed"));
        assert_ne!(at("order 7 failed"), at("no card"));
    }

    #[test]
    fn a_stack_without_end_is_known_by_where_it_goes_round() {
        let of = |kind: &str, message: &str, functions: &[&str]| list(&[thrown(kind, message, functions)]);
        let chromium = of(
            "RangeError",
            "Maximum call stack size exceeded",
            &["walk", "visit", "walk", "visit", "walk"],
        );
        assert_eq!(
            chromium,
            of(
                "InternalError",
                "too much recursion",
                &["visit", "walk", "visit", "walk", "visit", "walk"]
            )
        );
        assert_ne!(
            chromium,
            of("RangeError", "Maximum call stack size exceeded", &["walk", "walk"])
        );
        assert_ne!(
            chromium,
            of(
                "RangeError",
                "Invalid array length",
                &["walk", "visit", "walk", "visit"]
            )
        );
    }

    #[test]
    fn a_person_reads_what_and_where() {
        let group =
            of(&json!({"$exception_list": [thrown("ValueError", "no card\nin cart 7", &["lib.get", "Cart.pay"])]}));
        assert_eq!((group.kind.as_str(), group.title.as_str()), ("ValueError", "no card"));
        assert_eq!(group.culprit, "pay (src/cart.py)");
    }

    proptest! {
        #[test]
        fn lines_and_library_frames_never_matter(line in 0u32.., other in 0u32.., library in prop::collection::vec("lib\\.[a-z]{1,5}", 0..4)) {
            let at = |line: u32, library: &[String]| {
                let mut frames: Vec<Value> = library.iter().map(|name| json!({"function": name, "filename": "x.py", "in_app": false})).collect();
                frames.push(json!({"function": "pay", "filename": "src/cart.py", "lineno": line, "in_app": true}));
                list(&[json!({"type": "E", "value": line, "stacktrace": {"frames": frames}})])
            };
            prop_assert_eq!(at(line, &library), at(other, &[]));
        }

        #[test]
        fn nothing_makes_it_panic(kind in "\\PC{0,20}", message in "\\PC{0,40}", function in "\\PC{0,20}") {
            let group = of(&json!({"$exception_list": [thrown(&kind, &message, &[&function])]}));
            prop_assert!(group.title.chars().count() <= TITLE_CHARS);
        }
    }
}

//! Which frames of a stack are the app's own, and what of them is compared.

use super::file::{is_library, is_script, normal_file};
use super::function::{Tongue, normal_function, tongue};
use super::read::Frame;

/// Most places that are compared, from the innermost on: 5. A chain of 8 errors leaves 6 frames for each (sdk-core's 48),
/// and who calls the caller of a caller does not make another error.
pub const PLACES: usize = 5;

/// Frames of JavaScript that are looked at: 10, as many as V8 writes. Firefox and Safari write more, which would make
/// another issue of the same error.
const SCRIPT_FRAMES: usize = 10;

/// A place of the app's own code, as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Empty if it has no name.
    pub function: String,
    /// Empty if the function says where it is.
    pub file: String,
}

/// The places of the app's own code, from the innermost on, however often each of them is on the stack.
///
/// A frame is the app's own if the SDK says so and its names are no known library's: SDKs take for the app's what is served
/// from the page's host, or whatever is not the platform's. If there is none such, because nothing was said or the scripts
/// are on another host, the names decide alone.
#[must_use]
pub fn own_places(frames: &[Frame]) -> Vec<Place> {
    let looked_at = looked_at(frames);
    let has_own_names = |frame: &&Frame| !is_foreign(frame);
    let said = looked_at.iter().copied().filter(|frame| frame.in_app == Some(true));
    let mut own: Vec<&Frame> = said.filter(has_own_names).collect();
    if own.is_empty() {
        own = looked_at.into_iter().filter(has_own_names).collect();
    }
    own.into_iter().filter_map(place).collect()
}

fn looked_at(frames: &[Frame]) -> Vec<&Frame> {
    let is_script = |frame: &&Frame| frame.file.as_deref().is_some_and(is_script);
    if frames.iter().any(|frame| is_script(&frame)) {
        let placed = frames.iter().filter(|frame| frame.file.is_some());
        placed.take(SCRIPT_FRAMES).collect()
    } else {
        frames.iter().collect()
    }
}

/// What classes and crates of languages and their frameworks begin with.
const FOREIGN: &[&str] = &[
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
    "_COROUTINE.",
    "okhttp3.",
    "retrofit2.",
    "io.reactivex.",
    "io.netty.",
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "org.junit.",
    "io.ktor.",
    "com.google.android.",
    "com.google.firebase.",
    "com.google.common.",
    "com.google.gson.",
    "okio.",
    "com.zaxxer.",
    "std::",
    "core::",
    "alloc::",
    "<alloc::",
    "<core::",
    "<std::",
    "tokio::",
    "<tokio::",
    "futures_util::",
    "<futures_util::",
    "futures_core::",
    "rust_begin_unwind",
    "__rust_",
    "_start",
    "__libc_start",
    "clone3",
    "start_thread",
    "main::{{closure}}::std::",
    "hyper::",
    "<hyper::",
    "axum::",
    "<axum::",
    "tower::",
    "<tower::",
    "serde_json::",
    "<serde_json::",
];

fn is_foreign(frame: &Frame) -> bool {
    let function = frame.function.as_deref().unwrap_or_default();
    let has_no_place = frame.file.is_none() && function.is_empty();
    // Engines' own functions (`Array.map`) have a name and no file; so have those of apps without symbols.
    let is_engines = frame.file.is_none() && frame.in_app == Some(false);
    has_no_place
        || is_engines
        || frame.file.as_deref().is_some_and(is_library)
        || FOREIGN.iter().any(|begin| function.starts_with(begin))
}

fn place(frame: &Frame) -> Option<Place> {
    let function = frame.function.as_deref().unwrap_or_default();
    let tongue = tongue(frame.file.as_deref(), function);
    let function = normal_function(tongue, function)?;
    // A class or a module says where its functions are, and an app without symbols has no files.
    let is_whole = match tongue {
        Tongue::Jvm => function.contains('.'),
        Tongue::Rust => function.contains("::"),
        _ => false,
    };
    let file = frame.file.as_deref().filter(|_| !is_whole).map(normal_file);
    let file = file.unwrap_or_default();
    (!function.is_empty() || !file.is_empty()).then_some(Place { function, file })
}

/// The first of each, at most [`PLACES`]: recursion, whatever its depth, is where it goes round.
#[must_use]
pub fn compared(places: &[Place]) -> Vec<Place> {
    let mut first = Vec::new();
    for place in places {
        if first.len() < PLACES && !first.contains(place) {
            first.push(place.clone());
        }
    }
    first
}

/// The places that a stack without end goes round, in an order of their own: where it ended is chance, and so is who called
/// first, whom a deep stack may still name. Empty if nothing repeats.
#[must_use]
pub fn repeated(places: &[Place]) -> Vec<Place> {
    let times = |place: &Place| places.iter().filter(|other| *other == place).count();
    let mut round: Vec<Place> = places.iter().filter(|place| times(place) > 1).cloned().collect();
    round.sort();
    round.dedup();
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str, in_app: Option<bool>) -> Frame {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Frame {
            function: some(function),
            file: some(file),
            in_app,
        }
    }

    fn functions(frames: &[Frame]) -> Vec<String> {
        own_places(frames).into_iter().map(|place| place.function).collect()
    }

    #[test]
    fn what_the_sdk_says_decides_and_else_the_names() {
        let said = [
            frame("pay", "lib/a.py", Some(true)),
            frame("get", "lib/b.py", Some(false)),
            frame("x", "c.py", None),
        ];
        assert_eq!(functions(&said), ["pay"]);
        let unsaid = said.clone().map(|frame| Frame { in_app: None, ..frame });
        assert_eq!(functions(&unsaid), ["pay", "get", "x"]);
        let library = [
            frame("get", "/venv/lib/python3.11/site-packages/requests/api.py", None),
            frame("pay", "a.py", None),
        ];
        assert_eq!(functions(&library), ["pay"]);
        let crates = [
            frame("std::panicking::begin_panic", "", None),
            frame("shop::pay", "src/pay.rs", None),
        ];
        assert_eq!(functions(&crates), ["shop::pay"]);
    }

    #[test]
    fn scripts_on_another_host_are_still_the_apps_and_bundled_libraries_are_not() {
        let other_host = [
            frame("pay", "https://cdn.example/app.js", Some(false)),
            frame("Array.map", "", Some(false)),
        ];
        assert_eq!(functions(&other_host), ["pay"]);
        let bundled = [
            frame("dispatch", "https://shop.example/js/vendors~main.js", Some(true)),
            frame("pay", "https://shop.example/js/app.js", Some(true)),
        ];
        assert_eq!(functions(&bundled), ["pay"]);
    }

    #[test]
    fn of_scripts_only_as_many_frames_are_looked_at_as_every_engine_writes() {
        let deep: Vec<Frame> = (0..30)
            .map(|n| frame(&format!("f{n}"), "https://shop.example/app.js", None))
            .collect();
        assert_eq!(own_places(&deep).len(), SCRIPT_FRAMES);
    }

    #[test]
    fn recursion_is_where_it_goes_round() {
        let places = |names: &str| -> Vec<Place> {
            let place = |name: char| Place {
                function: name.to_string(),
                file: String::new(),
            };
            names.chars().map(place).collect()
        };
        assert_eq!(compared(&places("ababababm")), places("abm"));
        assert_eq!(compared(&places("abcdefgh")), places("abcde"));
        assert_eq!(repeated(&places("xbabababm")), places("ab"));
        assert_eq!(repeated(&places("abc")), places(""));
    }
}

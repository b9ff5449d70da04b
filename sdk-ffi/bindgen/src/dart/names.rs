//! Rust's names and comments, as Dart has them.

/// What cannot be a name in Dart, or not of an enum's value. <https://dart.dev/language/keywords>
const TAKEN: [&str; 48] = [
    "assert",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "enum",
    "extends",
    "external",
    "factory",
    "false",
    "final",
    "finally",
    "for",
    "get",
    "hashCode",
    "if",
    "in",
    "index",
    "is",
    "late",
    "new",
    "null",
    "operator",
    "required",
    "rethrow",
    "return",
    "runtimeType",
    "super",
    "switch",
    "sync",
    "this",
    "throw",
    "toString",
    "true",
    "try",
    "typedef",
    "values",
    "var",
    "void",
    "while",
    "with",
];

/// `flush_at` → `flushAt`; `EveryEvent` → `everyEvent`; `default` → `default_`.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default();
    let camel = lower_first(first) + &words.map(upper_first).collect::<String>();
    match TAKEN.contains(&&*camel) {
        true => camel + "_",
        false => camel,
    }
}

/// The name of an argument, which must not be one that the generated body gives.
pub(crate) fn argument(name: &str) -> String {
    match camel(name) {
        own if ["status", "to"].contains(&&*own) => own + "_",
        name => name,
    }
}

/// The private name of a symbol: `uniffi_trailmark_ffi_fn_method_client_track` → `_methodClientTrack`.
pub(crate) fn native(symbol: &str, crate_name: &str) -> String {
    let of_crate = symbol.trim_start_matches("uniffi_").trim_start_matches("ffi_");
    let of_item = of_crate.trim_start_matches(crate_name).trim_start_matches("_fn");
    format!(
        "_{}",
        lower_first(&of_item.split('_').map(upper_first).collect::<String>())
    )
}

/// A comment, as far as it is one. Links to Rust's items become their text: dartdoc would not find them.
pub(crate) fn comment(docs: Option<&str>, indent: &str) -> String {
    let docs = docs.map(unlinked).unwrap_or_default();
    let line = |line: &str| format!("{indent}/// {}", line.trim_end()).trim_end().to_owned() + "\n";
    docs.trim().lines().map(line).collect()
}

/// `` [`flush`](Self::flush) `` and `` [`flush`] `` → `` `flush` ``. Other links stay.
fn unlinked(docs: &str) -> String {
    let mut parts = docs.split("[`");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("`]") {
            Some((item, rest)) => out += &format!("`{item}`{}", after_target(rest)),
            None => out += &format!("[`{part}"),
        }
    }
    out
}

/// What follows on a link's target, if there is one.
fn after_target(rest: &str) -> &str {
    let target = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    target.map_or(rest, |(_, rest)| rest)
}

/// `client` → `Client`.
pub(crate) fn upper_first(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect()
}

fn lower_first(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(chars)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_dart_s_case() {
        assert_eq!(camel("flush_interval_ms"), "flushIntervalMs");
        assert_eq!(camel("EveryEvent"), "everyEvent");
        assert_eq!(camel("url"), "url");
    }

    #[test]
    fn what_dart_or_the_binding_uses_itself_gets_an_underscore() {
        assert_eq!(camel("default"), "default_");
        assert_eq!(camel("to_string"), "toString_");
        assert_eq!(
            (camel("status"), argument("status")),
            ("status".to_owned(), "status_".to_owned())
        );
        assert!(TAKEN.is_sorted());
    }

    #[test]
    fn symbols_lose_what_is_the_same_in_all() {
        let native = |symbol| native(symbol, "trailmark_ffi");
        assert_eq!(
            native("uniffi_trailmark_ffi_fn_method_client_opt_in"),
            "_methodClientOptIn"
        );
        assert_eq!(
            native("uniffi_trailmark_ffi_checksum_method_client_set"),
            "_checksumMethodClientSet"
        );
        assert_eq!(native("ffi_trailmark_ffi_rustbuffer_alloc"), "_rustbufferAlloc");
        assert_eq!(native("trailmark_dart_wake"), "_trailmarkDartWake");
    }

    #[test]
    fn links_to_rust_become_their_text() {
        let links = "See [`a::B`]. [`flush`](Self::flush) waits; [here](https://a.b) and a[0] stay.";
        assert_eq!(
            unlinked(links),
            "See `a::B`. `flush` waits; [here](https://a.b) and a[0] stay."
        );
        assert_eq!(
            comment(Some("One.\n\n Two. "), "  "),
            "  /// One.\n  ///\n  ///  Two.\n"
        );
        assert_eq!(comment(None, ""), "");
    }
}

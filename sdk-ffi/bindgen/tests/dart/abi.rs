//! The committed Dart binding against uniffi's own C header of the same library, symbol by symbol.

use std::collections::BTreeMap;

use crate::source::{header_of, library};

const BINDING: &str = include_str!("../../../flutter/lib/src/generated/trailmark.g.dart");

/// `sdk-ffi/src/dart.rs`, which uniffi does not know.
const WAKE: &str = "
    uint32_t trailmark_dart_register(void *_Nonnull post, int64_t port);
    void trailmark_dart_wake(uint64_t data, int8_t code);
    RustCallStatus *_Nonnull trailmark_dart_status(void);
";

/// A symbol's types, the result first, in C's words.
type Signatures = BTreeMap<String, Vec<String>>;

/// `ret name(type arg, …);`, also over several lines.
fn c_signatures(header: &str) -> Signatures {
    let code: String = header
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let code = code.replace(['\n', '\t'], " ");
    code.split(';').filter_map(c_signature).collect()
}

fn c_signature(statement: &str) -> Option<(String, Vec<String>)> {
    let (head, arguments) = statement.split_once('(')?;
    let (result, name) = split_name(head.trim())?;
    let ours = name.starts_with("uniffi_") || name.starts_with("ffi_") || name.starts_with("trailmark_");
    let typed = |argument: &str| split_name(argument.trim()).map(|(of, _)| of);
    let arguments = arguments.trim().trim_end_matches(')').split(',').filter_map(typed);
    ours.then(|| (name, std::iter::once(result).chain(arguments).collect()))
}

/// `uint64_t handle` → `uint64_t`, `handle`. A pointer's star belongs to the type.
fn split_name(declared: &str) -> Option<(String, String)> {
    let declared = declared.replace("_Nonnull ", "").replace("_Nonnull", "");
    let at = declared.rfind([' ', '*'])? + 1;
    let (of, name) = declared.split_at(at);
    Some((of.replace(' ', ""), name.trim().to_owned()))
}

/// `@Native<Ret Function(A, B)>(symbol: 'name'…`.
fn dart_signatures(binding: &str) -> Signatures {
    binding.split("@Native<").skip(1).filter_map(dart_signature).collect()
}

fn dart_signature(native: &str) -> Option<(String, Vec<String>)> {
    let (types, rest) = native.split_once(")>(symbol: '")?;
    let (result, arguments) = types.split_once(" Function(")?;
    let name = rest.split('\'').next()?;
    let arguments = arguments.split(", ").filter(|argument| !argument.is_empty());
    Some((
        name.to_owned(),
        std::iter::once(result).chain(arguments).map(in_c).collect(),
    ))
}

fn in_c(dart: &str) -> String {
    match dart {
        "Void" => "void",
        "Int8" => "int8_t",
        "Uint16" => "uint16_t",
        "Uint32" => "uint32_t",
        "Int64" => "int64_t",
        "Uint64" => "uint64_t",
        "Pointer<Void>" => "void*",
        "_RustBuffer" => "RustBuffer",
        "_Status" => "RustCallStatus*",
        "_Continuation" => "UniffiRustFutureContinuationCallback",
        other => other,
    }
    .to_owned()
}

/// What of the binding the header does not say in the same words.
fn differences(binding: &str, header: &Signatures) -> Vec<String> {
    let said = dart_signatures(binding);
    assert_eq!(
        said.len(),
        binding.matches("@Native<").count(),
        "every @Native is understood"
    );
    let differs = |(symbol, dart): (&String, &Vec<String>)| {
        let c = header.get(symbol);
        (c != Some(dart)).then(|| format!("{symbol}: {dart:?} in Dart, {c:?} in C"))
    };
    said.iter().filter_map(differs).collect()
}

fn header() -> Signatures {
    let mut header = c_signatures(&header_of(&library()));
    header.extend(c_signatures(WAKE));
    header
}

#[test]
fn every_symbol_of_the_binding_is_in_the_header_with_the_same_types() {
    assert_eq!(differences(BINDING, &header()), Vec::<String>::new());
    assert!(dart_signatures(BINDING).len() > 70, "all of them were read");
}

#[test]
fn a_type_that_differs_is_found() {
    let header = header();
    let injected = |from: &str, to: &str| {
        assert!(BINDING.contains(from), "{from}");
        differences(&BINDING.replacen(from, to, 1), &header)
    };
    let narrowed = injected(
        "_RustBuffer Function(Uint64, Uint64, _Status)",
        "_RustBuffer Function(Uint64, Uint32, _Status)",
    );
    assert_eq!(narrowed.len(), 1, "{narrowed:?}");
    assert!(narrowed[0].contains("uint32_t"), "{narrowed:?}");
    assert_eq!(injected("Uint16 Function()", "Uint32 Function()").len(), 1, "a result");
    assert_eq!(
        injected("(Uint64, _RustBuffer, _Status)", "(Uint64, _Status)").len(),
        1,
        "a number of arguments"
    );
    assert_eq!(
        injected("'trailmark_dart_wake'", "'trailmark_dart_woke'").len(),
        1,
        "a name"
    );
    assert_eq!(
        injected(
            "Uint32 Function(Pointer<Void>, Int64)",
            "Uint32 Function(Pointer<Void>, Int32)"
        )
        .len(),
        1
    );
}

#[test]
fn only_memory_and_checks_are_leaf_calls() {
    let leaves = BINDING
        .split("@Native<")
        .filter(|native| native.lines().next().is_some_and(|line| line.contains("isLeaf")));
    let symbols: Vec<String> = leaves.filter_map(dart_signature).map(|(symbol, _)| symbol).collect();
    let short = [
        "_checksum_",
        "_contract_version",
        "_fn_clone_",
        "_rustbuffer_",
        "_dart_status",
    ];
    let is_short = |symbol: &&String| short.iter().any(|part| symbol.contains(part));
    assert!(symbols.len() > 30, "all of them were read");
    assert_eq!(symbols.iter().find(|symbol| !is_short(symbol)), None);
}

//! The symbols of the library, as Dart's external functions, and the check that they are of this interface.

use std::collections::BTreeSet;

use anyhow::Result;
use uniffi_bindgen::interface::{Callable, ComponentInterface, FfiFunction, FfiType};

use super::names;
use super::types;

/// The functions of the library that the binding calls, and `_checkLibrary`.
pub(crate) fn render(interface: &ComponentInterface) -> Result<String> {
    let functions: Vec<String> = called(interface)
        .iter()
        .map(|function| external(function, interface))
        .collect();
    Ok(format!("{}\n{}", functions.join("\n"), check(interface)))
}

/// In the order of the interface, each once.
fn called(interface: &ComponentInterface) -> Vec<FfiFunction> {
    let memory = [interface.ffi_rustbuffer_alloc(), interface.ffi_rustbuffer_free()];
    let mut functions: Vec<FfiFunction> = memory.into_iter().chain(futures(interface)).collect();
    functions.extend(interface.iter_user_ffi_function_definitions().cloned());
    functions.extend(interface.iter_ffi_function_integrity_checks());
    functions
}

/// Polling, completing and freeing, for each type that a future ends in.
fn futures(interface: &ComponentInterface) -> Vec<FfiFunction> {
    let methods = interface
        .object_definitions()
        .iter()
        .flat_map(|object| object.methods());
    let futures = methods.filter(|method| method.is_async());
    let ends: BTreeSet<Option<FfiType>> = futures.map(|method| method.return_type().map(end)).collect();
    let of_end = |end: Option<FfiType>| {
        [
            interface.ffi_rust_future_poll(end.clone()),
            interface.ffi_rust_future_complete(end.clone()),
            interface.ffi_rust_future_free(end),
        ]
    };
    ends.into_iter().flat_map(of_end).collect()
}

/// All buffers are alike.
fn end(of: &uniffi_bindgen::interface::Type) -> FfiType {
    match FfiType::from(of) {
        FfiType::RustBuffer(_) => FfiType::RustBuffer(None),
        plain => plain,
    }
}

fn external(function: &FfiFunction, interface: &ComponentInterface) -> String {
    let symbol = function.name();
    let (c_result, dart_result) = types::native(function.return_type());
    let mut c_types = Vec::new();
    let mut parameters = Vec::new();
    for argument in function.arguments() {
        let (c_type, dart_type) = types::native(Some(&argument.type_()));
        c_types.push(c_type);
        parameters.push(format!("{dart_type} {}", names::argument(argument.name())));
    }
    if function.has_rust_call_status_arg() {
        c_types.push("_Status");
        parameters.push("_Status status".to_owned());
    }
    let leaf = if is_leaf(function, interface) {
        ", isLeaf: true"
    } else {
        ""
    };
    let name = names::native(symbol, interface.crate_name());
    format!(
        "@Native<{c_result} Function({})>(symbol: '{symbol}'{leaf})\nexternal {dart_result} {name}({});\n",
        c_types.join(", "),
        parameters.join(", "),
    )
}

/// Nothing but memory and counters. A leaf call keeps the garbage collector of all isolates waiting, and may not post to
/// a port: what locks, writes a file, wakes a future or ends a thread is none.
fn is_leaf(function: &FfiFunction, interface: &ComponentInterface) -> bool {
    let objects = interface.object_definitions();
    let clones = objects
        .iter()
        .any(|object| object.ffi_object_clone().name() == function.name());
    let memory = interface
        .iter_rust_buffer_ffi_function_definitions()
        .any(|one| one.name() == function.name());
    let checks = interface
        .iter_ffi_function_integrity_checks()
        .any(|one| one.name() == function.name());
    clones || memory || checks
}

/// A symbol that is missing, another number, and another contract are the same mistake.
fn check(interface: &ComponentInterface) -> String {
    let contract = interface.ffi_uniffi_contract_version();
    let contract = (contract.name().to_owned(), interface.uniffi_contract_version());
    let checksums = interface.iter_checksums().map(|(symbol, sum)| (symbol, u32::from(sum)));
    let expected = |(symbol, sum): (String, u32)| {
        format!(
            "  _expect({}(), {sum}, '{symbol}');\n",
            names::native(&symbol, interface.crate_name())
        )
    };
    let lines: String = std::iter::once(contract).chain(checksums).map(expected).collect();
    format!("void _checkLibrary() {{\n{lines}}}\n")
}

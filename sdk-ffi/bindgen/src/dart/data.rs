//! Records, enums and errors.

use anyhow::Result;
use uniffi_bindgen::interface::{AsType, ComponentInterface, Enum, Field, Record, Variant};

use super::names::{camel, comment, upper_first};
use super::types;

/// All of them, each with its functions to write and to read it.
pub(crate) fn render(interface: &ComponentInterface) -> Result<String> {
    let records = interface.record_definitions().iter().map(record);
    let enums = interface.enum_definitions().iter().map(|item| {
        match (interface.is_name_used_as_error(item.name()), item.is_flat()) {
            (true, _) => sealed(item, " implements Exception"),
            (false, true) => flat(item),
            (false, false) => sealed(item, "") + &write_sealed(item),
        }
    });
    Ok(records.chain(enums).collect::<Vec<_>>().join("\n"))
}

fn record(record: &Record) -> String {
    let name = record.name();
    let class = class(record.docstring(), name, "_Data", record.fields());
    let write: String = record
        .fields()
        .iter()
        .map(|field| format!("  {};\n", write_field(field)))
        .collect();
    let read = construct(name, record.fields());
    format!(
        "{class}\nvoid _write{name}(_Writer to, {name} it) {{\n{write}}}\n\n{name} _read{name}(_Reader from) => {read};\n"
    )
}

fn write_field(field: &Field) -> String {
    types::write(
        &field.as_type(),
        &format!("it.{}", camel(field.name())),
        &camel(field.name()),
    )
}

/// A final class with these fields.
fn class(docs: Option<&str>, name: &str, base: &str, fields: &[Field]) -> String {
    let head = comment(docs, "");
    let constructor = match fields {
        [] => format!("const {name}();"),
        _ => format!("const {name}({{{}}});", join(fields, parameter)),
    };
    let members: String = fields.iter().map(member).collect();
    let values = join(fields, |field| format!("'{0}': {0}", camel(field.name())));
    format!(
        "{head}final class {name} extends {base} {{\n{members}  {constructor}\n\n  \
         @override\n  String get _name => '{name}';\n\n  \
         @override\n  Map<String, Object?> get _fields => {{{values}}};\n}}\n"
    )
}

fn member(field: &Field) -> String {
    let (dart, name) = (types::dart(&field.as_type()), camel(field.name()));
    format!("{}  final {dart} {name};\n\n", comment(field.docstring(), "  "))
}

fn parameter(field: &Field) -> String {
    let name = camel(field.name());
    match field.default_value() {
        None => format!("required this.{name}"),
        Some(_) if types::dart(&field.as_type()) == "bool" => format!("this.{name} = false"),
        Some(_) => format!("this.{name}"),
    }
}

/// An expression that reads the fields in their order, which is that of Dart's evaluation.
fn construct(class: &str, fields: &[Field]) -> String {
    match fields {
        [] => format!("const {class}()"),
        _ => {
            let read = |field: &Field| format!("{}: {}", camel(field.name()), types::read(&field.as_type()));
            format!("{class}({})", join(fields, read))
        }
    }
}

fn join(fields: &[Field], each: impl Fn(&Field) -> String) -> String {
    fields.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// An enum without data. Its numbers count from 1.
fn flat(item: &Enum) -> String {
    let name = item.name();
    let value = |variant: &Variant| format!("{}  {},\n", comment(variant.docstring(), "  "), camel(variant.name()));
    let values: String = item.variants().iter().map(value).collect();
    let head = comment(item.docstring(), "");
    format!(
        "{head}enum {name} {{\n{values}}}\n\n\
         void _write{name}(_Writer to, {name} it) => to.i32(it.index + 1, '{name}');\n\n\
         {name} _read{name}(_Reader from) => {name}.values[from.i32() - 1];\n"
    )
}

/// A sealed class with a class for each variant, and the function that reads one.
fn sealed(item: &Enum, implements: &str) -> String {
    let name = item.name();
    let head = comment(item.docstring(), "");
    let classes: String = numbered(item)
        .map(|(_, class_name, variant)| {
            format!("\n{}", class(variant.docstring(), &class_name, name, variant.fields()))
        })
        .collect();
    let cases: String = numbered(item)
        .map(|(number, class_name, variant)| format!("  {number} => {},\n", construct(&class_name, variant.fields())))
        .collect();
    format!(
        "{head}sealed class {name} extends _Data{implements} {{\n  const {name}();\n}}\n{classes}\n\
         {name} _read{name}(_Reader from) => switch (from.i32()) {{\n{cases}  \
         final other => throw BindingMismatch.doesNotFit('{name} has no variant $other'),\n}};\n"
    )
}

fn write_sealed(item: &Enum) -> String {
    let case = |(number, class, variant): (usize, String, &Variant)| {
        let fields: String = variant
            .fields()
            .iter()
            .map(|field| format!("      {};\n", write_field(field)))
            .collect();
        format!("    case {class}():\n      to.i32({number}, '');\n{fields}")
    };
    let cases: String = numbered(item).map(case).collect();
    let name = item.name();
    format!("\nvoid _write{name}(_Writer to, {name} it) {{\n  switch (it) {{\n{cases}  }}\n}}\n")
}

/// The variants with their numbers and classes.
fn numbered(item: &Enum) -> impl Iterator<Item = (usize, String, &Variant)> {
    let class = |variant: &Variant| format!("{}{}", item.name(), upper_first(variant.name()));
    item.variants()
        .iter()
        .enumerate()
        .map(move |(at, variant)| (at + 1, class(variant), variant))
}

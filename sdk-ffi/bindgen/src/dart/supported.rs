//! What this back end can do. Everything else is refused by name, before a line is written.

use anyhow::{Result, bail, ensure};
use uniffi_bindgen::interface::{
    Argument, AsType, Callable, ComponentInterface, DefaultValue, Enum, Field, Literal, Object, Record, Type,
};

use super::names::camel;

/// What every generated class with a handle has.
const OBJECT_MEMBERS: [&str; 2] = ["close", "isClosed"];

/// Types that the binding uses or has itself.
const TYPES: [&str; 18] = [
    "BindingMismatch",
    "ByteData",
    "Completer",
    "Error",
    "Exception",
    "Finalizer",
    "Function",
    "Future",
    "Iterable",
    "List",
    "Map",
    "Native",
    "Object",
    "Pointer",
    "RustPanic",
    "String",
    "Struct",
    "Uint8List",
];

/// Whether all of the interface is supported.
///
/// # Errors
/// The first item that is not, and why.
pub(crate) fn check(interface: &ComponentInterface) -> Result<()> {
    let external = interface.iter_external_types().next();
    ensure!(
        external.is_none(),
        "{external:?}: types of other crates are not supported"
    );
    if let [callback, ..] = interface.callback_interface_definitions() {
        bail!("{}: callback interfaces are not supported", callback.name());
    }
    if let [function, ..] = interface.function_definitions() {
        bail!("{}: functions outside of an object are not supported", function.name());
    }
    for of in interface.iter_local_types().filter_map(Type::name) {
        ensure!(
            !TYPES.contains(&of),
            "{of}: Dart, or the binding, has a type of this name"
        );
    }
    let checks = Checks { interface };
    interface
        .object_definitions()
        .iter()
        .try_for_each(|object| checks.object(object))?;
    interface
        .record_definitions()
        .iter()
        .try_for_each(|record| checks.record(record))?;
    interface
        .enum_definitions()
        .iter()
        .try_for_each(|item| checks.item(item))
}

struct Checks<'a> {
    interface: &'a ComponentInterface,
}

impl Checks<'_> {
    fn object(&self, object: &Object) -> Result<()> {
        let name = object.name();
        ensure!(
            !object.is_trait_interface(),
            "{name}: traits are not supported, foreign or not"
        );
        ensure!(
            object.uniffi_traits().is_empty() && object.trait_impls().is_empty(),
            "{name}: exported traits are not supported"
        );
        for constructor in object.constructors() {
            let place = format!("{name}.{}", constructor.name());
            ensure!(!constructor.is_async(), "{place}: async constructors are not supported");
            self.callable(constructor, &place)?;
        }
        for method in object.methods() {
            let place = format!("{name}.{}", method.name());
            let taken = OBJECT_MEMBERS.contains(&&*camel(method.name()));
            ensure!(!taken, "{place}: every Dart object has one of its own");
            self.callable(method, &place)?;
        }
        Ok(())
    }

    fn callable(&self, callable: &impl Callable, place: &str) -> Result<()> {
        for argument in callable.arguments() {
            self.argument(argument, &format!("{place}({})", argument.name()))?;
        }
        match callable.throws_type() {
            None | Some(Type::Enum { .. }) => {}
            Some(_) => bail!("{place}: errors that are no enum are not supported"),
        }
        match callable.return_type() {
            None | Some(Type::Object { .. }) => Ok(()),
            Some(result) => self.value(result, place),
        }
    }

    fn argument(&self, argument: &Argument, place: &str) -> Result<()> {
        default(argument.default_value(), &argument.as_type(), place)?;
        self.given(&argument.as_type(), place)
    }

    fn record(&self, record: &Record) -> Result<()> {
        let name = record.name();
        let bare = record.methods().is_empty() && record.constructors().is_empty();
        ensure!(bare, "{name}: functions of a record are not supported");
        record.fields().iter().try_for_each(|field| self.field(field, name))
    }

    fn field(&self, field: &Field, owner: &str) -> Result<()> {
        ensure!(
            !field.name().is_empty(),
            "{owner}: fields without a name are not supported"
        );
        let place = format!("{owner}.{}", field.name());
        default(field.default_value(), &field.as_type(), &place)?;
        self.value(&field.as_type(), &place)
    }

    fn item(&self, item: &Enum) -> Result<()> {
        let name = item.name();
        let bare = item.methods().is_empty() && item.constructors().is_empty();
        ensure!(bare, "{name}: functions of an enum are not supported");
        ensure!(
            item.variant_discr_type().is_none(),
            "{name}: numbered enums are not supported"
        );
        let flat_error = self.interface.is_name_used_as_error(name) && item.is_flat();
        ensure!(
            !flat_error,
            "{name}: flat errors are not supported, their fields are lost"
        );
        for variant in item.variants() {
            let owner = format!("{name}.{}", variant.name());
            variant
                .fields()
                .iter()
                .try_for_each(|field| self.field(field, &owner))?;
        }
        Ok(())
    }

    /// A value that Dart hands in.
    fn given(&self, given: &Type, place: &str) -> Result<()> {
        let error = given.name().filter(|name| self.interface.is_name_used_as_error(name));
        ensure!(error.is_none(), "{place}: errors as arguments are not supported");
        self.value(given, place)
    }

    /// A value in a record, or that is handed in or out.
    fn value(&self, value: &Type, place: &str) -> Result<()> {
        match value {
            Type::UInt8 | Type::UInt16 | Type::UInt32 | Type::UInt64 => Ok(()),
            Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => Ok(()),
            Type::Float64 | Type::Boolean | Type::String | Type::Record { .. } | Type::Enum { .. } => Ok(()),
            Type::Optional { inner_type } if matches!(**inner_type, Type::Optional { .. }) => {
                bail!("{place}: an Option of an Option is one null in Dart")
            }
            Type::Optional { inner_type } | Type::Sequence { inner_type } => self.given(inner_type, place),
            Type::Map { key_type, value_type } => {
                ensure!(
                    **key_type == Type::String,
                    "{place}: maps with keys that are no texts are not supported"
                );
                self.given(value_type, place)
            }
            other => bail!("{place}: {other:?} is not supported"),
        }
    }
}

/// Dart's defaults are null and false, which are also what `#[uniffi(default)]` means for these types.
fn default(value: Option<&DefaultValue>, of: &Type, place: &str) -> Result<()> {
    match (value, of) {
        (None, _) => Ok(()),
        (Some(DefaultValue::Default), Type::Optional { .. } | Type::Boolean) => Ok(()),
        (Some(DefaultValue::Literal(Literal::None)), _) => Ok(()),
        (Some(other), _) => bail!("{place}: the default {other:?} is not supported"),
    }
}

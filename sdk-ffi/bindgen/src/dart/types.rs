//! Types, and the expressions that carry their values over.

use uniffi_bindgen::interface::{FfiType, Type};

/// How a value goes in as an argument.
pub(crate) enum Lowered {
    /// As it is, after this check.
    Plain(String),
    /// In a buffer of Rust, filled from these bytes.
    Buffer(String),
}

/// What Dart calls a type.
pub(crate) fn dart(of: &Type) -> String {
    match of {
        Type::Boolean => "bool".to_owned(),
        Type::Float64 => "double".to_owned(),
        Type::String => "String".to_owned(),
        Type::Optional { inner_type } => dart(inner_type) + "?",
        Type::Sequence { inner_type } => format!("List<{}>", dart(inner_type)),
        Type::Map { key_type, value_type } => format!("Map<{}, {}>", dart(key_type), dart(value_type)),
        named => named.name().unwrap_or("int").to_owned(),
    }
}

/// The two names of a type at the border: C's and Dart's.
pub(crate) fn native(of: Option<&FfiType>) -> (&'static str, &'static str) {
    match of {
        None => ("Void", "void"),
        Some(FfiType::UInt8) => ("Uint8", "int"),
        Some(FfiType::Int8) => ("Int8", "int"),
        Some(FfiType::UInt16) => ("Uint16", "int"),
        Some(FfiType::Int16) => ("Int16", "int"),
        Some(FfiType::UInt32) => ("Uint32", "int"),
        Some(FfiType::Int32) => ("Int32", "int"),
        Some(FfiType::UInt64 | FfiType::Handle) => ("Uint64", "int"),
        Some(FfiType::Int64) => ("Int64", "int"),
        Some(FfiType::Float64) => ("Double", "double"),
        Some(FfiType::Callback(_)) => ("_Continuation", "_Continuation"),
        // No other one belongs to a supported type.
        Some(_) => ("_RustBuffer", "_RustBuffer"),
    }
}

/// What becomes of an argument. Everything that can throw is in these expressions, before memory of Rust is taken.
pub(crate) fn lower(of: &Type, value: &str) -> Lowered {
    match of {
        Type::Boolean => Lowered::Plain(format!("{value} ? 1 : 0")),
        Type::Int64 | Type::Float64 => Lowered::Plain(value.to_owned()),
        Type::String => Lowered::Buffer(format!("utf8.encode({value})")),
        other => match integer(other) {
            Some(kind) => Lowered::Plain(format!("_{kind}({value}, '{value}')")),
            None => Lowered::Buffer(format!("_written((to) => {})", write(of, value, value))),
        },
    }
}

/// An expression that makes Dart's value of what a call returned.
pub(crate) fn lift(of: &Type, value: &str) -> String {
    match of {
        Type::Boolean => format!("{value} != 0"),
        Type::String => format!("_text({value})"),
        Type::Object { name, .. } => format!("{name}._({value})"),
        Type::Float64 => value.to_owned(),
        other if integer(other).is_some() => value.to_owned(),
        other => format!("_read({value}, {})", reader(other)),
    }
}

/// An expression that writes `value` to the `_Writer` `to`. `label` is what a range error names.
pub(crate) fn write(of: &Type, value: &str, label: &str) -> String {
    match of {
        Type::Boolean => format!("to.boolean({value})"),
        Type::Float64 => format!("to.f64({value})"),
        Type::String => format!("to.string({value})"),
        Type::Optional { inner_type } => format!("to.option({value}, (it) => {})", write(inner_type, "it", label)),
        Type::Sequence { inner_type } => format!("to.list({value}, (it) => {})", write(inner_type, "it", label)),
        Type::Map { value_type, .. } => format!("to.map({value}, (it) => {})", write(value_type, "it", label)),
        other => match integer(other) {
            Some(kind) => format!("to.{kind}({value}, '{label}')"),
            None => format!("_write{}(to, {value})", dart(other)),
        },
    }
}

/// A function that reads a value from a `_Reader`.
pub(crate) fn reader(of: &Type) -> String {
    match of {
        Type::Record { .. } | Type::Enum { .. } => format!("_read{}", dart(of)),
        _ => format!("(from) => {}", read(of)),
    }
}

/// An expression that reads a value from the `_Reader` `from`.
pub(crate) fn read(of: &Type) -> String {
    match of {
        Type::Boolean => "from.boolean()".to_owned(),
        Type::Float64 => "from.f64()".to_owned(),
        Type::String => "from.string()".to_owned(),
        Type::Optional { inner_type } => format!("from.option(() => {})", read(inner_type)),
        Type::Sequence { inner_type } => format!("from.list(() => {})", read(inner_type)),
        Type::Map { value_type, .. } => format!("from.map(() => {})", read(value_type)),
        other => match integer(other) {
            Some(kind) => format!("from.{kind}()"),
            None => format!("_read{}(from)", dart(other)),
        },
    }
}

/// What the prelude calls an integer.
fn integer(of: &Type) -> Option<&'static str> {
    match of {
        Type::UInt8 => Some("u8"),
        Type::Int8 => Some("i8"),
        Type::UInt16 => Some("u16"),
        Type::Int16 => Some("i16"),
        Type::UInt32 => Some("u32"),
        Type::Int32 => Some("i32"),
        Type::UInt64 => Some("u64"),
        Type::Int64 => Some("i64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(of: Type) -> Type {
        Type::Optional {
            inner_type: Box::new(of),
        }
    }

    #[test]
    fn a_type_is_written_and_read_in_the_same_shape() {
        let list = Type::Sequence {
            inner_type: Box::new(option(Type::UInt32)),
        };
        assert_eq!(dart(&list), "List<int?>");
        assert_eq!(
            write(&list, "a.b", "b"),
            "to.list(a.b, (it) => to.option(it, (it) => to.u32(it, 'b')))"
        );
        assert_eq!(read(&list), "from.list(() => from.option(() => from.u32()))");
    }

    #[test]
    fn an_integer_is_checked_before_it_goes_in() {
        assert!(matches!(lower(&Type::UInt64, "ms"), Lowered::Plain(check) if check == "_u64(ms, 'ms')"));
        assert!(matches!(lower(&option(Type::String), "it"), Lowered::Buffer(bytes) if bytes.contains("to.option")));
    }
}

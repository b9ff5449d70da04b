//! Where a property of events is, by its name as questions and columns write it.

/// Names a path into an event's circumstances: `$context.os.name`.
const CONTEXT: &str = "$context.";

/// Where a property is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the event's `properties`, under this name.
    Property(String),
    /// In its `context`, along this path.
    Context(Vec<String>),
}

impl Place {
    pub(crate) fn of(property: &str) -> Self {
        match property.strip_prefix(CONTEXT) {
            Some(path) => Self::Context(path.split('.').map(str::to_owned).collect()),
            None => Self::Property(property.to_owned()),
        }
    }
}

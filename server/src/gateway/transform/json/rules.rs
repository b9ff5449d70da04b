//! Body rules on a JSON text, without its message.

use serde_json::{Map, Value};

use super::path::Path;
use super::tree::{Fault, Members, Node, Walk};
use crate::gateway::transform::Scope;
use crate::gateway::transform::template::Template;

/// What a rule sets.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    /// The same in every request.
    Constant(Value),
    /// A text, filled from the request.
    Text(Template),
    /// A list with such texts in it.
    List(Vec<Setting>),
    /// An object with such texts in it.
    Object(Vec<(String, Setting)>),
}

/// The rules of one direction, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) unwrap: Option<Path>,
    pub(super) remove: Vec<Path>,
    pub(super) rename: Vec<(Path, String)>,
    pub(super) set: Vec<(Path, Setting)>,
    pub(super) envelope: Option<String>,
}

/// Whose body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A client's: what `set` cannot be carried out on is refused, or a client could walk past it.
    Request,
    /// A service's: what `set` cannot be carried out on stays as it is.
    Response,
}

/// Why a body could not be changed, for a person to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String);

impl Rules {
    /// `body`, changed.
    pub(super) fn apply(&self, body: &[u8], side: Side, scope: &Scope<'_>) -> Result<Vec<u8>, Unfit> {
        let mut root = Node::parse(body).map_err(|fault| unfit("", &fault))?;
        if let Some(path) = &self.unwrap {
            root = unwrap(root, path)?;
        }
        for path in &self.remove {
            let mut act = |members: &mut Members<'_>| remove(members, &path.name);
            walk(&mut root, path, Walk::default(), &mut act)?;
        }
        for (path, to) in &self.rename {
            let mut act = |members: &mut Members<'_>| rename(members, &path.name, to);
            walk(&mut root, path, Walk::default(), &mut act)?;
        }
        for (path, setting) in &self.set {
            set(&mut root, path, setting.fill(scope).as_ref(), side)?;
        }
        if let Some(name) = &self.envelope {
            root = Node::Object(vec![(name.clone(), root)]);
        }
        serde_json::to_vec(&root).map_err(|error| Unfit(error.to_string()))
    }

    pub(super) fn path_parameters(&self) -> Vec<&str> {
        self.set
            .iter()
            .flat_map(|(_, setting)| setting.path_parameters())
            .collect()
    }
}

fn walk<'a>(root: &mut Node<'a>, path: &Path, walk: Walk, act: &mut impl FnMut(&mut Members<'a>)) -> Result<(), Unfit> {
    root.walk(&path.steps, walk, act)
        .map_err(|fault| unfit(&path.to_string(), &fault))
}

fn unfit(path: &str, fault: &Fault) -> Unfit {
    Unfit(match fault {
        Fault::Syntax(error) => format!("the body is no JSON: {error}"),
        Fault::Shape(wanted) => format!("the body has no {wanted} where `{path}` needs one"),
    })
}

/// The member at `path`; the root itself if there is none.
fn unwrap<'a>(mut root: Node<'a>, path: &Path) -> Result<Node<'a>, Unfit> {
    let mut found = None;
    walk(&mut root, path, Walk::default(), &mut |members| {
        // Of two members the last counts, as for most readers.
        let place = members.iter().rposition(|(name, _)| **name == *path.name);
        found = place.map(|place| members.swap_remove(place).1).or(found.take());
    })?;
    Ok(found.unwrap_or(root))
}

fn remove(members: &mut Members<'_>, name: &str) {
    members.retain(|(known, _)| known != name);
}

/// The member under its new name, in its place. One that has this name already goes.
fn rename(members: &mut Members<'_>, from: &str, to: &str) {
    let Some(last) = members.iter().rposition(|(name, _)| name == from) else {
        return;
    };
    let mut index = 0;
    members.retain(|(name, _)| {
        index += 1;
        index - 1 == last || (name != from && name != to)
    });
    let renamed = members.iter_mut().filter(|(name, _)| name == from);
    renamed.for_each(|(name, _)| to.clone_into(name));
}

/// Also where there is no value: then what stands there goes.
fn set(root: &mut Node<'_>, path: &Path, value: Option<&Value>, side: Side) -> Result<(), Unfit> {
    let how = Walk {
        is_strict: side == Side::Request,
        makes: value.is_some(),
    };
    walk(root, path, how, &mut |members| match value {
        Some(value) => put(members, &path.name, value.clone()),
        None => remove(members, &path.name),
    })
}

/// The one member of this name, where the first of them stood, or at the end.
fn put(members: &mut Members<'_>, name: &str, value: Value) {
    let place = members
        .iter()
        .position(|(known, _)| known == name)
        .unwrap_or(members.len());
    remove(members, name);
    members.insert(place, (name.to_owned(), Node::Made(value)));
}

impl Setting {
    /// Reads what stands in the file; texts are templates.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(values) => Self::List(values.iter().map(Self::parse).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| Ok::<_, String>((name.clone(), Self::parse(value)?));
                Self::Object(members.iter().map(member).collect::<Result<_, _>>()?)
            }
            other => Self::Constant(other.clone()),
        })
    }

    /// The value for one request; nothing if it is a text of which something is missing. Of lists and objects only such
    /// parts are left out.
    fn fill(&self, scope: &Scope<'_>) -> Option<Value> {
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Text(template) => template.value(scope)?,
            Self::List(settings) => settings.iter().filter_map(|setting| setting.fill(scope)).collect(),
            Self::Object(members) => {
                let filled = members
                    .iter()
                    .filter_map(|(name, setting)| Some((name.clone(), setting.fill(scope)?)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
        })
    }

    fn path_parameters(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Text(template) => template.path_parameters().collect(),
            Self::List(settings) => settings.iter().flat_map(Self::path_parameters).collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(_, setting)| setting.path_parameters())
                .collect(),
        }
    }
}

//! A JSON text that is taken apart only where somebody goes. What nobody touches keeps its bytes: the digits of long
//! numbers, the order of members, spaces, and members that are there twice.

use std::fmt;
use std::mem;

use serde::de::{MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::path::Step;

/// A value in a body.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// As it came.
    Raw(&'a RawValue),
    /// A rule's.
    Made(Value),
    /// An array that somebody looked into.
    Array(Vec<Node<'a>>),
    /// An object that somebody looked into.
    Object(Members<'a>),
}

/// An object's members in their order.
pub(super) type Members<'a> = Vec<(String, Node<'a>)>;

/// How a walk treats what is not there. By default it goes where there is a way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walk {
    /// What is there, but not fit to hold the path, is a [`Fault::Shape`].
    pub(super) is_strict: bool,
    /// Objects that are missing or `null` are made.
    pub(super) makes: bool,
}

/// Why a walk ended early.
#[derive(Debug)]
pub(super) enum Fault {
    /// The text is no JSON that can be read.
    Syntax(serde_json::Error),
    /// What stands at a place is neither missing nor of this kind.
    Shape(&'static str),
}

impl<'a> Node<'a> {
    /// The value that `text` is.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, Fault> {
        serde_json::from_slice(text).map(Self::Raw).map_err(Fault::Syntax)
    }

    /// Goes down `steps`, and does `act` to the members of every object there.
    pub(super) fn walk(
        &mut self,
        steps: &[Step],
        walk: Walk,
        act: &mut impl FnMut(&mut Members<'a>),
    ) -> Result<(), Fault> {
        // Nothing is made on the way to elements: where there is no array, there are none.
        let makes = walk.makes && !steps.contains(&Step::Each);
        match steps.split_first() {
            None => {
                if let Some(members) = self.members(Walk { makes, ..walk })? {
                    act(members);
                }
            }
            Some((Step::Member(name), rest)) => {
                let Some(members) = self.members(Walk { makes, ..walk })? else {
                    return Ok(());
                };
                if makes && !members.iter().any(|(known, _)| **known == **name) {
                    members.push((name.to_string(), Self::Made(Value::Null)));
                }
                let named = members.iter_mut().filter(|(known, _)| **known == **name);
                for (_, member) in named {
                    member.walk(rest, walk, act)?;
                }
            }
            Some((Step::Each, rest)) => {
                for element in self.elements(walk)?.into_iter().flatten() {
                    element.walk(rest, walk, act)?;
                }
            }
        }
        Ok(())
    }

    /// Its members, if it is an object; `null` becomes one for a walk that makes what is missing.
    fn members(&mut self, walk: Walk) -> Result<Option<&mut Members<'a>>, Fault> {
        self.open()?;
        if walk.makes && self.is_null() {
            *self = Self::Object(Vec::new());
        }
        match self {
            Self::Object(members) => Ok(Some(members)),
            other => other.misfit(walk, "object"),
        }
    }

    fn elements(&mut self, walk: Walk) -> Result<Option<&mut Vec<Node<'a>>>, Fault> {
        self.open()?;
        match self {
            Self::Array(elements) => Ok(Some(elements)),
            other => other.misfit(walk, "array"),
        }
    }

    fn misfit<T>(&self, walk: Walk, wanted: &'static str) -> Result<Option<T>, Fault> {
        let is_refused = walk.is_strict && !self.is_null();
        if is_refused {
            Err(Fault::Shape(wanted))
        } else {
            Ok(None)
        }
    }

    fn is_null(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.get() == "null",
            Self::Made(value) => value.is_null(),
            _ => false,
        }
    }

    /// Takes an array or object apart, one level.
    fn open(&mut self) -> Result<(), Fault> {
        let opened = match self {
            Self::Raw(raw) => open_raw(raw).map_err(Fault::Syntax)?,
            Self::Made(value) => open_made(value),
            Self::Array(_) | Self::Object(_) => None,
        };
        if let Some(opened) = opened {
            *self = opened;
        }
        Ok(())
    }
}

fn open_raw(raw: &RawValue) -> Result<Option<Node<'_>>, serde_json::Error> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => Some(Node::Object(serde_json::from_str::<RawMembers<'_>>(text)?.0)),
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text)?;
            Some(Node::Array(elements.into_iter().map(Node::Raw).collect()))
        }
        _ => None,
    })
}

fn open_made<'a>(value: &mut Value) -> Option<Node<'a>> {
    match value {
        Value::Object(members) => {
            let members = mem::take(members).into_iter();
            Some(Node::Object(
                members.map(|(name, value)| (name, Node::Made(value))).collect(),
            ))
        }
        Value::Array(elements) => Some(Node::Array(mem::take(elements).into_iter().map(Node::Made).collect())),
        _ => None,
    }
}

/// An object's members as they came, those that are there twice too.
struct RawMembers<'a>(Members<'a>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = RawMembers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            members.push((name, Node::Raw(value)));
        }
        Ok(RawMembers(members))
    }
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Made(value) => value.serialize(serializer),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

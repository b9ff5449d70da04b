//! What answers requests: a method and a path, seen from one side.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands for the endpoints beyond the bound, and for unknown paths that nobody answers.
pub const OTHER: &str = "(other)";

/// What stands for requests that cannot be read.
pub const UNREADABLE: &str = "(unreadable)";

/// In place of a segment of a path that has too many values.
pub const ANY_VALUE: &str = ":value";

/// Who tells of a request. The same request may be told by all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RequestSource)]
pub enum Source {
    /// The gateway, of what it passed on.
    Gateway,
    /// A server, of what it answered; a web server's log.
    Server,
    /// An app, of what it asked for.
    Client,
}

impl Source {
    /// All, the nearest to the fault first: the gateway sees every request, also those that the server did not live to
    /// tell of; an app's failures may be the network's between.
    pub const ALL: [Self; 3] = [Self::Gateway, Self::Server, Self::Client];

    /// The words, in the same order.
    pub const WORDS: [&'static str; 3] = ["gateway", "server", "client"];

    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// Reads the stable word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Who tells of it.
    pub source: Source,
    /// Where a client asked, with a port if one was said; else empty.
    pub host: String,
    /// `GET`; empty for what stands for many.
    pub method: String,
    /// Its path with names in place of what differs, [`OTHER`] or [`UNREADABLE`].
    pub path: String,
}

impl Endpoint {
    /// What stands for many endpoints of a side.
    #[must_use]
    pub fn standing(source: Source, path: &str) -> Self {
        Self {
            source,
            host: String::new(),
            method: String::new(),
            path: path.to_owned(),
        }
    }

    /// Whether it stands for many, of which nothing can be said together.
    #[must_use]
    pub fn stands_for_many(&self) -> bool {
        self.path.starts_with('(')
    }

    /// The same with [`ANY_VALUE`] in place of one segment, for each of its segments, the last one first.
    pub fn collapsed(&self) -> impl Iterator<Item = Self> + '_ {
        let segments: Vec<&str> = self.path.split('/').skip(1).collect();
        (0..segments.len()).rev().map(move |index| {
            let mut path = String::with_capacity(self.path.len() + ANY_VALUE.len());
            for (at, segment) in segments.iter().enumerate() {
                path.push('/');
                path.push_str(if at == index { ANY_VALUE } else { segment });
            }
            Self { path, ..self.clone() }
        })
    }

    /// Whether requests of the other are counted here: it is the same but for collapsed segments.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let segments = |endpoint: &Self| endpoint.path.matches('/').count();
        let same = |(mine, theirs)| mine == theirs || mine == ANY_VALUE;
        (self.source, &self.host, &self.method) == (other.source, &other.host, &other.method)
            && segments(self) == segments(other)
            && self.path.split('/').zip(other.path.split('/')).all(same)
    }
}

/// `GET api.example.com/cart`.
impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.method.is_empty() {
            write!(f, "{} ", self.method)?;
        }
        write!(f, "{}{}", self.host, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(path: &str) -> Endpoint {
        Endpoint {
            source: Source::Client,
            host: "h:1".to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
        }
    }

    #[test]
    fn an_endpoint_covers_what_is_the_same_but_for_collapsed_segments() {
        let collapsed: Vec<String> = endpoint("/a/b").collapsed().map(|one| one.path).collect();
        assert_eq!(collapsed, ["/a/:value", "/:value/b"]);
        for (one, other, covers) in [
            ("/a/:value", "/a/b", true),
            ("/a/:value", "/a/b/c", false),
            ("/a/:value", "/a", false),
            ("/a/b", "/a/:value", false),
            ("/a/b", "/a/b", true),
        ] {
            assert_eq!(endpoint(one).covers(&endpoint(other)), covers, "{one} {other}");
        }
        let elsewhere = Endpoint {
            host: String::new(),
            ..endpoint("/a/b")
        };
        assert!(!endpoint("/a/:value").covers(&elsewhere));
        assert_eq!(endpoint("/a").to_string(), "GET h:1/a");
    }
}

//! Who calls, once their credentials have been checked, and what that permits.

use serde_json::{Map, Value};

/// How a caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// A JSON Web Token.
    Token,
    /// An API key.
    Key,
    /// A session cookie.
    Session,
}

/// A caller whose credentials were good.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    /// How it proved who it is.
    pub proof: Proof,
    /// The user: a token's subject, a session's user. A key has none, unless it says whose it is.
    pub user: Option<String>,
    /// The key's name, which is no secret.
    pub key: Option<String>,
    /// The user's e-mail address, where it is known.
    pub email: Option<String>,
    /// Roles, as they were given.
    pub roles: Vec<String>,
    /// Scopes, as they were given.
    pub scopes: Vec<String>,
    /// All claims of a token, for templates; of others what is known, under the same names.
    pub claims: Map<String, Value>,
}

/// The roles of Trailmark's own users, from the one who may do everything.
const RANKS: [&str; 3] = ["owner", "admin", "viewer"];

impl Caller {
    /// Whether the caller has one of `wanted`, or one above it: an owner may do what an admin may, an admin what a viewer
    /// may. Other roles stand for themselves. Nothing wanted is nothing refused.
    #[must_use]
    pub fn has_any_role(&self, wanted: &[String]) -> bool {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|wanted| self.roles.iter().any(|role| covers(role, wanted)))
    }

    /// The first of `wanted` that the caller lacks.
    #[must_use]
    pub fn lacks_scope<'a>(&self, wanted: &'a [String]) -> Option<&'a str> {
        let lacks = |scope: &&String| !self.scopes.contains(scope);
        wanted.iter().find(lacks).map(String::as_str)
    }
}

fn covers(role: &str, wanted: &str) -> bool {
    let rank = |role: &str| RANKS.iter().position(|known| *known == role);
    match (rank(role), rank(wanted)) {
        (Some(has), Some(needs)) => has <= needs,
        _ => role == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(roles: &[&str], scopes: &[&str]) -> Caller {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Caller {
            proof: Proof::Token,
            user: Some("u1".to_owned()),
            key: None,
            email: None,
            roles: owned(roles),
            scopes: owned(scopes),
            claims: Map::new(),
        }
    }

    fn may(role: &str, wanted: &[&str]) -> bool {
        let wanted: Vec<_> = wanted.iter().map(|role| (*role).to_owned()).collect();
        caller(&[role], &[]).has_any_role(&wanted)
    }

    #[test]
    fn an_owner_may_do_what_an_admin_may_and_a_viewer_may_not() {
        assert!(may("owner", &["admin"]) && may("admin", &["viewer"]) && may("owner", &["viewer"]));
        assert!(!may("viewer", &["admin"]) && !may("admin", &["owner"]));
    }

    #[test]
    fn roles_of_other_houses_stand_for_themselves() {
        assert!(may("user", &["admin", "user"]) && !may("user", &["support"]));
        assert!(!may("owner", &["user"]), "our owner is nobody's user");
        assert!(may("anything", &[]), "no role is asked for");
    }

    #[test]
    fn every_scope_is_needed_and_the_missing_one_is_named() {
        let wanted = ["orders:read".to_owned(), "orders:write".to_owned()];
        assert_eq!(caller(&[], &["orders:read"]).lacks_scope(&wanted), Some("orders:write"));
        assert_eq!(caller(&[], &["orders:write", "orders:read"]).lacks_scope(&wanted), None);
    }
}

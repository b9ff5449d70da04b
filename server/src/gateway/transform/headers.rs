//! Header fields that a route sets, adds and removes. Those that frame the message, and those that the gateway answers for,
//! are out of reach.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

use super::template::Template;
use super::{Scope, sift};

/// `request_headers` and `response_headers` of a route. First `remove` is done, then `set`, then `add`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderRulesConfig {
    /// Fields that have this value and no other, as a template: `x-tenant = "${claims.tenant}"`. Where the template renders
    /// to nothing, the field is left out, and one that the client sent under this name too.
    pub set: BTreeMap<String, String>,
    /// Fields that get a line more, as a template; none where it renders to nothing.
    pub add: BTreeMap<String, String>,
    /// Fields that go.
    pub remove: Vec<String>,
}

/// Header rules, checked and ready.
#[derive(Debug, Clone, Default)]
pub struct HeaderRules {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, Template)>,
    add: Vec<(HeaderName, Template)>,
}

/// Fields that frame a message or belong to one connection (RFC 9110 §7.6.1, RFC 9112 §6, RFC 9113 §8.2.2): changed by a
/// rule, they would let two hops see different messages.
const FRAMING: [&str; 12] = [
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "content-range",
];

/// Fields with which the gateway tells services who calls.
const OURS: [&str; 5] = ["x-user-id", "x-user-role", "x-request-id", "x-real-ip", "forwarded"];

/// How the names of more such fields begin.
const OUR_FAMILIES: [&str; 2] = ["x-forwarded-", "x-gateway-"];

impl HeaderRulesConfig {
    /// The rules, checked.
    ///
    /// # Errors
    /// Every name that is none or is out of a rule's reach, and every template that does not read.
    pub fn compile(&self) -> Result<HeaderRules, Vec<String>> {
        let mut problems = Vec::new();
        let rules = HeaderRules {
            remove: sift("remove", self.remove.iter().map(|name| field(name)), &mut problems),
            set: sift("set", self.set.iter().map(filled), &mut problems),
            add: sift("add", self.add.iter().map(filled), &mut problems),
        };
        if problems.is_empty() { Ok(rules) } else { Err(problems) }
    }
}

fn filled((name, template): (&String, &String)) -> Result<(HeaderName, Template), String> {
    let template = Template::parse(template).map_err(|problem| format!("{name}: {problem}"))?;
    Ok((field(name)?, template))
}

fn field(name: &str) -> Result<HeaderName, String> {
    let field = HeaderName::try_from(name).map_err(|_| format!("\"{name}\" is no name of a header field"))?;
    if is_protected(field.as_str()) {
        return Err(format!("`{field}` is the gateway's own: no rule may change it"));
    }
    Ok(field)
}

/// Servers of the CGI kind read `x_user_id` as `x-user-id`, so it is protected in both spellings.
fn is_protected(name: &str) -> bool {
    let name: Cow<'_, str> = if name.contains('_') {
        name.replace('_', "-").into()
    } else {
        name.into()
    };
    FRAMING.contains(&&*name) || OURS.contains(&&*name) || OUR_FAMILIES.iter().any(|family| name.starts_with(family))
}

impl HeaderRules {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }

    /// Changes `headers`.
    pub fn apply(&self, headers: &mut HeaderMap, scope: &Scope<'_>) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, template) in &self.set {
            match value(template, scope) {
                Some(value) => headers.insert(name, value),
                None => headers.remove(name),
            };
        }
        for (name, template) in &self.add {
            if let Some(value) = value(template, scope) {
                headers.append(name, value);
            }
        }
    }

    /// The path parameters that the rules speak of: the route must have them.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        let templates = self.set.iter().chain(&self.add);
        templates.flat_map(|(_, template)| template.path_parameters())
    }
}

fn value(template: &Template, scope: &Scope<'_>) -> Option<HeaderValue> {
    HeaderValue::from_str(&template.render(scope)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::gateway::transform::tests::{ann, caller, scope};

    fn rules(toml: &str) -> Result<HeaderRules, Vec<String>> {
        toml::from_str::<HeaderRulesConfig>(toml).unwrap().compile()
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn fields_are_removed_then_set_then_added() {
        let rules = rules(
            "remove = ['Cookie', 'x-a']\n[set]\nX-Tenant = '${claims.tenant}'\nx-a = 'new'\n[add]\nvary = 'x-tenant'\n",
        );
        let mut sent = headers(&[
            ("cookie", "a"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-tenant", "evil"),
            ("vary", "accept"),
        ]);
        rules.unwrap().apply(&mut sent, &scope(Some(&ann())));
        let wanted = [
            ("x-a", "new"),
            ("x-tenant", "acme"),
            ("vary", "accept"),
            ("vary", "x-tenant"),
        ];
        assert_eq!(sent, headers(&wanted));
    }

    #[test]
    fn a_missing_claim_leaves_the_field_out_and_the_clients_own_too() {
        let rules = rules("[set]\nx-tenant = '${claims.tenant}'\n[add]\nx-org = '${claims.org}'").unwrap();
        let mut sent = headers(&[("x-tenant", "evil"), ("x-org", "kept")]);
        rules.apply(&mut sent, &scope(None));
        assert_eq!(sent, headers(&[("x-org", "kept")]));
    }

    #[test]
    fn what_frames_a_message_or_is_the_gateways_own_is_out_of_reach() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "connection",
            "TE",
            "trailer",
            "upgrade",
            "expect",
            "x-user-id",
            "X_User_Id",
            "x-user-role",
            "x-request-id",
            "x-forwarded-for",
            "X-Forwarded_Host",
            "x-gateway-signature",
            "forwarded",
        ] {
            let problems = rules(&format!(
                "remove = ['{name}']\n[set]\n{name} = 'x'\n[add]\n{name} = 'x'"
            ))
            .unwrap_err();
            assert_eq!(problems.len(), 3, "{problems:?}");
            assert!(
                problems.iter().all(|problem| problem.contains("gateway's own")),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn every_problem_is_told_with_its_key() {
        let problems = rules("remove = ['a b']\n[set]\nx-a = '${nobody}'\n'x:b' = 'x'").unwrap_err();
        assert!(problems[0].starts_with("remove: \"a b\" is no name"), "{problems:?}");
        assert!(problems[1].starts_with("set: x-a: `${nobody}` stands"), "{problems:?}");
        assert!(problems[2].starts_with("set: \"x:b\" is no name"), "{problems:?}");
    }

    #[test]
    fn a_claim_with_line_breaks_stays_one_value_on_one_line() {
        let evil = caller(json!({"tenant": "acme\r\nx-user-role: owner\r\n\r\nGET / HTTP/1.1"}));
        let mut sent = HeaderMap::new();
        rules("[set]\nx-tenant = '${claims.tenant}'")
            .unwrap()
            .apply(&mut sent, &scope(Some(&evil)));
        assert_eq!(
            sent["x-tenant"],
            "acme%0D%0Ax-user-role: owner%0D%0A%0D%0AGET / HTTP/1.1"
        );
        assert_eq!(sent.len(), 1);
    }

    proptest! {
        #[test]
        fn whatever_a_claim_holds_it_is_set_exactly_once(claim in ".*") {
            let caller = caller(json!({"t": claim}));
            // Longer than any claim that is made up here comes to by chance.
            let theirs = "what the client says of itself";
            let mut sent = headers(&[("x-t", theirs), ("x-t", "2")]);
            rules("[set]\nx-t = '${claims.t}'").unwrap().apply(&mut sent, &scope(Some(&caller)));
            prop_assert_eq!(sent.get_all("x-t").iter().count(), 1);
            prop_assert_ne!(&sent["x-t"], theirs);
        }

        #[test]
        fn removing_twice_is_removing_once(names in proptest::collection::vec("x-[ab]{1,2}", 0..6)) {
            let rules = HeaderRulesConfig { remove: vec!["x-a".into(), "x-bb".into()], ..Default::default() }.compile().unwrap();
            let name = |name: &String| HeaderName::try_from(name).unwrap();
            let mut once: HeaderMap = names.iter().map(|n| (name(n), HeaderValue::from_static("v"))).collect();
            rules.apply(&mut once, &scope(None));
            let mut twice = once.clone();
            rules.apply(&mut twice, &scope(None));
            prop_assert_eq!(&once, &twice);
            prop_assert!(!twice.contains_key("x-a"));
        }
    }
}

//! `before_send`: what the app may change about an event, or drop, before it is frozen.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

#[cfg(feature = "native")]
use trailmark_protocol::Reason;

use crate::Properties;
use crate::identity::Identity;

/// An event before it is frozen. What is changed here is what is stored and sent.
///
/// ```
/// # use trailmark_core::{Draft, Properties};
/// let mut draft = Draft::new("checkout", Properties::new().with("total", 12.5));
/// draft.properties.insert("currency", "EUR");
/// assert_eq!(draft.properties.as_json(), r#"{"total":12.5,"currency":"EUR"}"#);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Draft {
    /// What happened. A reserved name (`$…`) cannot be changed.
    pub name: String,
    /// What is known about it, super-properties included.
    pub properties: Properties,
    /// Person properties, last writer wins.
    pub set: Properties,
    /// Person properties, first writer wins.
    pub set_once: Properties,
    /// Whom it happened to when the app said so; a change of user meanwhile does not change it.
    pub(crate) identity: Option<Identity>,
}

impl Draft {
    /// Whether it may be captured at all.
    #[cfg(feature = "native")]
    pub(crate) fn check(&self) -> Result<(), Reason> {
        [&self.properties, &self.set, &self.set_once]
            .into_iter()
            .try_for_each(Properties::check)
    }

    /// An event that belongs to whoever is the user when it is captured.
    ///
    /// ```
    /// # use trailmark_core::{Draft, Properties};
    /// assert_eq!(Draft::new("checkout", Properties::new()).name, "checkout");
    /// ```
    #[must_use]
    pub fn new(name: &str, properties: Properties) -> Self {
        Self {
            name: name.to_owned(),
            properties,
            set: Properties::new(),
            set_once: Properties::new(),
            identity: None,
        }
    }

    /// Person properties without anything else.
    ///
    /// ```
    /// # use trailmark_core::{Draft, Properties};
    /// let draft = Draft::of_person("$set", Properties::new().with("plan", "pro"), Properties::new());
    /// assert_eq!(draft.set.as_json(), r#"{"plan":"pro"}"#);
    /// ```
    #[must_use]
    pub fn of_person(name: &str, set: Properties, set_once: Properties) -> Self {
        Self {
            set,
            set_once,
            ..Self::new(name, Properties::new())
        }
    }
}

/// Changes an event, or drops it with `None`. It runs on the thread that captures, outside of every lock of the client.
///
/// ```
/// use std::sync::Arc;
/// use trailmark_core::BeforeSend;
///
/// let no_debug: BeforeSend = Arc::new(|draft| (!draft.name.starts_with("debug_")).then_some(draft));
/// # let _ = no_debug;
/// ```
pub type BeforeSend = Arc<dyn Fn(Draft) -> Option<Draft> + Send + Sync>;

/// What came out of the hooks.
#[derive(Debug)]
pub struct Hooked {
    /// The event as they left it; `None` if one of them dropped it.
    pub draft: Option<Draft>,
    /// How many of them panicked. The event went past such a hook unchanged.
    pub panics: u64,
}

/// Runs the hooks in their order.
///
/// ```
/// use std::sync::Arc;
/// use trailmark_core::{BeforeSend, Draft, Properties, hooks};
///
/// let drop_all: BeforeSend = Arc::new(|_| None);
/// let hooked = hooks::run(&[drop_all], Draft::new("checkout", Properties::new()));
/// assert!(hooked.draft.is_none());
/// ```
#[must_use]
pub fn run(hooks: &[BeforeSend], draft: Draft) -> Hooked {
    let mut hooked = Hooked {
        draft: Some(draft),
        panics: 0,
    };
    for hook in hooks {
        let Some(draft) = hooked.draft.take() else { break };
        let before = draft.clone();
        // What a panicking hook has seen of the draft is thrown away, so nothing half-changed remains.
        hooked.draft = match catch_unwind(AssertUnwindSafe(|| hook(draft))) {
            Ok(after) => after.map(|after| keep_what_is_fixed(after, &before)),
            Err(_) => {
                hooked.panics += 1;
                Some(before)
            }
        };
    }
    hooked
}

fn keep_what_is_fixed(mut after: Draft, before: &Draft) -> Draft {
    if before.name.starts_with('$') {
        after.name.clone_from(&before.name);
    }
    after.identity.clone_from(&before.identity);
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(change: impl Fn(Draft) -> Option<Draft> + Send + Sync + 'static) -> BeforeSend {
        Arc::new(change)
    }

    fn ran(hooks: &[BeforeSend], name: &str) -> Hooked {
        run(hooks, Draft::new(name, Properties::new().with("email", "a@b.c")))
    }

    #[test]
    fn hooks_run_in_their_order_and_one_can_drop_the_event() {
        let rename = |to: &'static str| {
            hook(move |mut draft| {
                draft.name.push_str(to);
                Some(draft)
            })
        };
        assert_eq!(
            ran(&[rename("-a"), rename("-b")], "e").draft.map(|draft| draft.name),
            Some("e-a-b".into())
        );
        assert!(
            ran(&[hook(|_| None), hook(|_| panic!("not reached"))], "e")
                .draft
                .is_none()
        );
    }

    #[test]
    fn a_panicking_hook_is_counted_and_changes_nothing() {
        let hooked = ran(&[hook(|_| panic!("on purpose")), hook(Some)], "e");
        assert_eq!(hooked.panics, 1);
        assert_eq!(
            hooked.draft.map(|draft| draft.properties.as_json().to_owned()),
            Some(r#"{"email":"a@b.c"}"#.into())
        );
    }

    #[test]
    fn a_reserved_name_stays() {
        let rename = hook(|draft| {
            Some(Draft {
                name: "x".into(),
                ..draft
            })
        });
        assert_eq!(
            ran(&[rename], "$identify").draft.map(|draft| draft.name),
            Some("$identify".into())
        );
    }
}

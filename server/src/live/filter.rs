//! What a listener wants to hear.

use trailmark_protocol::limits::{ID_CHARS, NAME_CHARS};

use crate::query::QueryError;
use crate::query::params::Params;

/// What a listener wants to hear.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Events of this name.
    pub event: Option<String>,
    /// Events that name this user_id or anonymous_id.
    pub person: Option<String>,
    /// Also what is refused.
    pub refused: bool,
}

/// What is known of an event that was refused; its name and ids only where they could be read.
#[derive(Debug, Default, Clone, Copy)]
pub struct Named<'a> {
    /// What happened.
    pub event: Option<&'a str>,
    /// The device.
    pub anonymous_id: Option<&'a str>,
    /// The user.
    pub user_id: Option<&'a str>,
}

impl Filter {
    /// Reads the query string of a request.
    ///
    /// # Errors
    /// [`QueryError::Parameter`].
    pub fn read(query: &str) -> Result<Self, QueryError> {
        let params = Params::parse(query, &["event", "person", "refused"])?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self {
            event: owned(params.text("event", NAME_CHARS)?),
            person: owned(params.text("person", ID_CHARS)?),
            refused: params.flag("refused")?,
        })
    }

    /// Whether an accepted event is to be heard.
    #[must_use]
    pub fn wants(&self, named: Named<'_>) -> bool {
        let is = |wanted: &Option<String>, found: &[Option<&str>]| {
            wanted.as_deref().is_none_or(|wanted| found.contains(&Some(wanted)))
        };
        is(&self.event, &[named.event]) && is(&self.person, &[named.anonymous_id, named.user_id])
    }

    /// Whether a refused event is to be heard. One that is too broken to say its name or ids is not hidden: it may be the
    /// one that is looked for.
    #[must_use]
    pub fn wants_refused(&self, named: Named<'_>) -> bool {
        let is_nameless = named.event.is_none() || (named.anonymous_id, named.user_id) == (None, None);
        self.refused && (is_nameless || self.wants(named))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUY: Named<'_> = Named {
        event: Some("buy"),
        anonymous_id: Some("phone"),
        user_id: Some("ann"),
    };

    #[test]
    fn an_event_is_wanted_by_its_name_and_by_either_id() {
        for (query, wanted) in [
            ("", true),
            ("event=buy", true),
            ("event=open", false),
            ("person=ann", true),
            ("person=phone&event=buy", true),
            ("person=bob", false),
            ("person=buy", false),
        ] {
            assert_eq!(Filter::read(query).unwrap().wants(BUY), wanted, "{query}");
        }
    }

    #[test]
    fn refusals_are_wanted_only_when_asked_for_and_then_also_the_nameless() {
        let wants = |query: &str, named| Filter::read(query).unwrap().wants_refused(named);
        assert!(!wants("", BUY) && !wants("refused=false", BUY));
        assert!(wants("refused=true", BUY) && !wants("refused=true&event=open", BUY));
        assert!(wants("refused=true&event=open&person=bob", Named::default()));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_name() {
        for (query, start) in [
            ("refused=yes", "`refused` "),
            ("event=", "`event` "),
            ("since=1", "`since` "),
            ("key=tm_sk_x", "`key` "),
        ] {
            let refused = Filter::read(query).unwrap_err().to_string();
            assert!(refused.starts_with(start), "{refused}");
        }
    }
}

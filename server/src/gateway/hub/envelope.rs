//! What services are told: each message of a client, and who comes and goes, as JSON.

use bytes::Bytes;
use serde::Serialize;
use trailmark_protocol::Timestamp;

use super::data::Data;
use super::ending::Ending;
use super::registry::Owner;
use crate::gateway::caller::Caller;

/// Whose socket it is.
#[derive(Debug)]
pub(super) struct Who {
    /// The socket's name, for services to answer to.
    pub(super) connection: String,
    pub(super) user: Option<String>,
    pub(super) roles: Vec<String>,
    /// The id of the request that opened it.
    pub(super) request_id: String,
    pub(super) owner: Owner,
}

impl Who {
    pub(super) fn new(caller: Option<&Caller>, request_id: &str) -> Self {
        // Nobody can be addressed by an empty name.
        let user = caller
            .and_then(|caller| caller.user.clone())
            .filter(|user| !user.is_empty());
        let key = caller.and_then(|caller| caller.key.clone());
        Self {
            connection: uuid::Uuid::new_v4().simple().to_string(),
            roles: caller.map(|caller| caller.roles.clone()).unwrap_or_default(),
            request_id: request_id.to_owned(),
            owner: user
                .clone()
                .map(Owner::User)
                .or(key.map(Owner::Key))
                .unwrap_or(Owner::Nobody),
            user,
        }
    }
}

/// What a client sent, or did.
#[derive(Debug, Serialize)]
pub(super) struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    hub: &'a str,
    connection: &'a str,
    user: Option<&'a str>,
    roles: &'a [String],
    request_id: &'a str,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl<'a> Envelope<'a> {
    fn new(kind: &'static str, hub: &'a str, who: &'a Who, at: Timestamp) -> Self {
        Self {
            kind,
            hub,
            connection: &who.connection,
            user: who.user.as_deref(),
            roles: &who.roles,
            request_id: &who.request_id,
            at: at.to_string(),
            encoding: None,
            data: None,
            reason: None,
        }
    }

    /// A client's message.
    pub(super) fn message(hub: &'a str, who: &'a Who, at: Timestamp, data: Data<'a>) -> Self {
        Self {
            encoding: Some(data.encoding()),
            data: Some(data),
            ..Self::new("message", hub, who, at)
        }
    }

    /// A socket was opened.
    pub(super) fn joined(hub: &'a str, who: &'a Who, at: Timestamp) -> Self {
        Self::new("joined", hub, who, at)
    }

    /// It was closed.
    pub(super) fn left(hub: &'a str, who: &'a Who, at: Timestamp, ending: Ending) -> Self {
        Self {
            reason: Some(ending.as_str()),
            ..Self::new("left", hub, who, at)
        }
    }

    /// As it is published.
    pub(super) fn bytes(&self) -> Bytes {
        // Texts, and JSON that was read before: there is nothing here that serde_json could not write.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

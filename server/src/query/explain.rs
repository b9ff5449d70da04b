//! Why these identities are one person, and how it came to be so.

use std::collections::BTreeMap;

use serde::Serialize;
use trailmark_protocol::Uuid;
use utoipa::ToSchema;

use super::error::QueryError;
use super::identity::{IDENTITIES_LISTED, KIND_OF};
use super::snapshot::Snapshot;
use super::time::At;
use crate::identity::paths::{self, Fact, Step};
use crate::identity::{Alias, Link};
use crate::store::PgTime;

/// Most aliases that do not count, and most changes, that an answer lists; the newest.
pub const FACTS_LISTED: i64 = 1_000;

/// Why these identities are one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// The person.
    pub person_id: i64,
    /// How many ids resolve to it.
    pub identity_count: i64,
    /// Its ids, each with why: the one that was asked for first, then users, then devices; at most [`IDENTITIES_LISTED`].
    pub identities: Vec<Explained>,
    /// Aliases of its users that join nobody; the newest [`FACTS_LISTED`].
    pub passed_over: Vec<PassedOver>,
    /// What it went through, oldest first; the newest [`FACTS_LISTED`].
    pub changes: Vec<Change>,
}

/// An id of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ident {
    /// `user` or `anonymous`.
    pub kind: String,
    /// The id as sent.
    pub id: String,
}

/// An id, and why it belongs to the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explained {
    /// The id.
    #[serde(flatten)]
    pub ident: Ident,
    /// The step towards the id that was asked for; none for that itself.
    pub because: Option<Because>,
}

/// What joins an id with another of the same person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Because {
    /// `link`: it is the device of the other, which is a user, or the other way round. `alias`: both are users.
    pub fact: &'static str,
    /// The `$identify` or `$alias`.
    pub event_id: Uuid,
    /// When it happened.
    pub at: At,
    /// The other.
    pub with: Ident,
}

/// An alias that joins nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PassedOver {
    /// The `$alias`.
    pub event_id: Uuid,
    /// When it happened.
    pub at: At,
    /// The two users.
    pub users: [String; 2],
    /// `withdrawn`, or `refused`: it would have made a person of too many users.
    pub why: &'static str,
    /// When it was withdrawn.
    pub withdrawn_at: Option<At>,
}

/// A change of persons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// When the server made it.
    pub at: At,
    /// `link`, `move`, `merge` or `split`.
    pub kind: String,
    /// The event that caused it.
    pub event_id: Uuid,
    /// The device that went, or one user of what went.
    pub what: Ident,
    /// The person before.
    pub from: i64,
    /// The person after.
    pub to: i64,
}

/// The identity that is meant, its person, and how many identities that has. The user wins, as everywhere.
const ASKED: &str = "
    SELECT asked.id, asked.person_id,
           (SELECT count(*) FROM identities i WHERE i.project_id = $1 AND i.person_id = asked.person_id) AS identities
    FROM (SELECT id, person_id FROM identities WHERE project_id = $1 AND kind = ANY ('{0,1}') AND external_id = $2
          ORDER BY kind DESC LIMIT 1) AS asked";

const IDENTITIES: &str = "
    SELECT id, kind, external_id FROM identities
    WHERE project_id = $1 AND person_id = $2 ORDER BY id <> $3, kind DESC, id LIMIT $4";

const LINKS: &str = "
    SELECT device.id, l.user_identity_id, l.event_id, l.at FROM unnest($2::bigint[]) AS device (id)
    CROSS JOIN LATERAL (SELECT * FROM links WHERE project_id = $1 AND anonymous_identity_id = device.id
                        ORDER BY at, event_id LIMIT 1) AS l";

const ALIASES: &str = "
    SELECT a.user_identity_a, a.user_identity_b, a.event_id, a.at FROM aliases a
    WHERE a.project_id = $1 AND a.user_identity_a = ANY ($2) AND a.withdrawn_at IS NULL AND NOT a.refused";

const PASSED_OVER: &str = "
    SELECT a.event_id, a.at, one.external_id, other.external_id, a.withdrawn_at FROM aliases a
    JOIN identities one ON one.project_id = $1 AND one.id = a.user_identity_a
    JOIN identities other ON other.project_id = $1 AND other.id = a.user_identity_b
    WHERE a.project_id = $1 AND (a.user_identity_a = ANY ($2) OR a.user_identity_b = ANY ($2))
      AND (a.withdrawn_at IS NOT NULL OR a.refused)
    ORDER BY a.at DESC, a.event_id DESC LIMIT $3";

const CHANGES: &str = "
    SELECT c.at, c.kind, c.event_id, i.kind, COALESCE(i.external_id, ''), c.from_person_id, c.to_person_id
    FROM person_changes c LEFT JOIN identities i ON i.project_id = $1 AND i.id = c.identity_id
    WHERE c.project_id = $1 AND (c.from_person_id = ANY ($2) OR c.to_person_id = ANY ($2))
    ORDER BY c.id DESC LIMIT $3";

/// Identities by their numbers.
type Known = BTreeMap<i64, Ident>;

/// Why the identities of the person behind a user_id or anonymous_id are one person.
///
/// # Errors
/// [`QueryError::UnknownPerson`], else what stands in the way.
pub async fn explain(snapshot: &mut Snapshot, external_id: &str) -> Result<Explanation, QueryError> {
    let asked = snapshot.select::<(i64, i64, i64)>(ASKED).bind(external_id);
    let asked = asked.fetch_optional(snapshot.rows()).await?;
    let (asked, person_id, identity_count) = asked.ok_or(QueryError::UnknownPerson)?;
    let rows = snapshot
        .select::<(i64, i16, String)>(IDENTITIES)
        .bind(person_id)
        .bind(asked)
        .bind(IDENTITIES_LISTED);
    let rows = rows.fetch_all(snapshot.rows()).await?;
    let order: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let known: Known = rows
        .into_iter()
        .map(|(number, kind, id)| (number, ident(kind, id)))
        .collect();
    let (links, aliases) = facts(snapshot, &order).await?;
    let steps = paths::to(asked, links, aliases);
    Ok(Explanation {
        person_id,
        identity_count,
        identities: order
            .iter()
            .filter_map(|number| explained(*number, &known, &steps))
            .collect(),
        passed_over: passed_over(snapshot, &order).await?,
        changes: changes(snapshot, &order).await?,
    })
}

fn ident(kind: i16, id: String) -> Ident {
    let kind = KIND_OF[usize::from(kind == 1)].to_owned();
    Ident { kind, id }
}

fn explained(number: i64, known: &Known, steps: &BTreeMap<i64, Step<i64>>) -> Option<Explained> {
    let because = steps.get(&number).and_then(|step| {
        Some(Because {
            fact: match step.fact {
                Fact::Link => "link",
                Fact::Alias => "alias",
            },
            event_id: step.event_id,
            at: At(step.at),
            with: known.get(&step.with)?.clone(),
        })
    });
    Some(Explained {
        ident: known.get(&number)?.clone(),
        because,
    })
}

/// The links that decide about these devices, and the aliases that count among these users.
async fn facts(snapshot: &mut Snapshot, numbers: &[i64]) -> Result<(Vec<Link<i64>>, Vec<Alias<i64>>), QueryError> {
    type Row = (i64, i64, Uuid, PgTime);
    let links = snapshot
        .select::<Row>(LINKS)
        .bind(numbers)
        .fetch_all(snapshot.rows())
        .await?;
    let aliases = snapshot
        .select::<Row>(ALIASES)
        .bind(numbers)
        .fetch_all(snapshot.rows())
        .await?;
    let link = |(device, user, event_id, PgTime(at)): Row| Link {
        event_id,
        at,
        device,
        user,
    };
    let alias = |(one, other, event_id, PgTime(at)): Row| Alias {
        event_id,
        at,
        one,
        other,
    };
    Ok((
        links.into_iter().map(link).collect(),
        aliases.into_iter().map(alias).collect(),
    ))
}

async fn passed_over(snapshot: &mut Snapshot, numbers: &[i64]) -> Result<Vec<PassedOver>, QueryError> {
    type Row = (Uuid, At, String, String, Option<At>);
    let rows = snapshot.select::<Row>(PASSED_OVER).bind(numbers).bind(FACTS_LISTED);
    let told = |(event_id, at, one, other, withdrawn_at): Row| PassedOver {
        event_id,
        at,
        users: [one, other],
        why: if withdrawn_at.is_some() { "withdrawn" } else { "refused" },
        withdrawn_at,
    };
    Ok(rows
        .fetch_all(snapshot.rows())
        .await?
        .into_iter()
        .rev()
        .map(told)
        .collect())
}

async fn changes(snapshot: &mut Snapshot, numbers: &[i64]) -> Result<Vec<Change>, QueryError> {
    type Row = (At, String, Uuid, Option<i16>, String, i64, i64);
    let rows = snapshot.select::<Row>(CHANGES).bind(numbers).bind(FACTS_LISTED);
    let told = |(at, kind, event_id, of, id, from, to): Row| Change {
        at,
        kind,
        event_id,
        what: ident(of.unwrap_or_default(), id),
        from,
        to,
    };
    Ok(rows
        .fetch_all(snapshot.rows())
        .await?
        .into_iter()
        .rev()
        .map(told)
        .collect())
}

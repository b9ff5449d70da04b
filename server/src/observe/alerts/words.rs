//! What a message says: to programs, to a chat, in a mail.

use serde::Serialize;
use trailmark_protocol::Timestamp;

use super::plan::Occasion;
use crate::query::time::At;
use crate::store::alerts::Message;

/// Longest sentence about a problem, in characters: it may hold what an app has sent.
const WHAT_CHARS: usize = 300;

/// Longest subject of a mail, in characters: what clients show of one.
const SUBJECT_CHARS: usize = 150;

/// The body of a webhook.
#[derive(Debug, Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    timestamp: At,
    /// For chats, which show nothing else.
    text: String,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    project: Named<'a>,
    alert: Named<'a>,
    problem: Option<i64>,
    kind: Option<&'a str>,
    subject: Option<&'a str>,
    what: &'a str,
    since: At,
    people: Option<i64>,
    compared_with: Option<&'a str>,
    evidence: String,
    closed_at: Option<At>,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    id: i64,
    name: &'a str,
}

/// The body of a webhook: the same with every attempt.
#[must_use]
pub fn payload(message: &Message, public_url: &str) -> Vec<u8> {
    let payload = Payload {
        r#type: message.occasion.event(),
        timestamp: At(message.created_at.0),
        text: chat(message, public_url),
        data: Data {
            project: Named {
                id: message.project_id.into(),
                name: &message.project,
            },
            alert: Named {
                id: message.alert_id,
                name: &message.alert,
            },
            problem: message.problem_id,
            kind: message.kind.as_deref(),
            subject: message.subject.as_deref(),
            what: &message.what,
            since: At(message.since.0),
            people: message.people,
            compared_with: message.compared_with.as_deref(),
            evidence: link(message, public_url),
            closed_at: message.closed_at.map(|at| At(at.0)),
        },
    };
    // Texts and numbers, which always serialise.
    serde_json::to_vec(&payload).unwrap_or_default()
}

/// One line for Slack, Mattermost and their like. What an app has sent is in it, so nothing in it may call people or make links:
/// `<!channel>`, `@all`, `[here](https://…)`.
fn chat(message: &Message, public_url: &str) -> String {
    let facts = facts(message).into_iter().map(|(name, value)| match name {
        "Since" => format!("since {value}"),
        "Until" => format!("until {value}"),
        "People" if value == "1" => "1 person".to_owned(),
        "People" => format!("{value} people"),
        _ => value,
    });
    let facts: String = facts.map(|fact| format!(" · {fact}")).collect();
    let said = format!(
        "{}{}: {}{facts}",
        greeting(message),
        message.project,
        line(&message.what, WHAT_CHARS)
    );
    let mut tame = String::with_capacity(said.len());
    for c in said.chars() {
        match c {
            '&' => tame.push_str("&amp;"),
            '<' => tame.push_str("&lt;"),
            '>' => tame.push_str("&gt;"),
            '@' => tame.push_str("@\u{200b}"),
            '[' | ']' => tame.push(if c == '[' { '(' } else { ')' }),
            c => tame.push(c),
        }
    }
    format!("{tame} · {}", link(message, public_url))
}

/// The subject of a mail, one line.
#[must_use]
pub fn mail_subject(message: &Message) -> String {
    let said = format!("[Trailmark] {}{}: {}", greeting(message), message.project, message.what);
    line(&said, SUBJECT_CHARS)
}

/// The text of a mail.
#[must_use]
pub fn mail_text(message: &Message, public_url: &str) -> String {
    let mut text = format!("{}{}\n\n", greeting(message), line(&message.what, WHAT_CHARS));
    let mut facts = facts(message);
    facts.push(("Project", line(&message.project, WHAT_CHARS)));
    facts.push(("Evidence", link(message, public_url)));
    for (name, value) in facts {
        text.push_str(&format!("{name:<10}{value}\n"));
    }
    let alert = line(&message.alert, WHAT_CHARS);
    text.push_str(&format!("\nThe alert \"{alert}\" of Trailmark names your address.\n"));
    text
}

/// What a message begins with, so that it is not taken for news of something broken.
fn greeting(message: &Message) -> &'static str {
    match message.occasion {
        Occasion::Opened => "",
        Occasion::Closed => "Over: ",
        Occasion::Reminder => "Still so: ",
        Occasion::Test => "Only a test: ",
    }
}

fn facts(message: &Message) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Since", minute(message.since.0))];
    facts.extend(message.closed_at.map(|at| ("Until", minute(at.0))));
    facts.extend(message.people.map(|people| ("People", people.to_string())));
    let compared = message.compared_with.as_deref();
    facts.extend(compared.map(|compared| ("Compared", line(compared, WHAT_CHARS))));
    facts
}

/// Where the evidence is; only a path if nobody has said how this server is reached.
fn link(message: &Message, public_url: &str) -> String {
    format!("{}{}", public_url.trim_end_matches('/'), message.evidence)
}

/// `2026-11-20 21:13 UTC`.
fn minute(at: Timestamp) -> String {
    let text: String = at.to_string().chars().take(16).collect();
    format!("{} UTC", text.replace('T', " "))
}

/// At most so many characters, without line breaks or other control characters.
fn line(text: &str, chars: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &joined[..end]),
        None => joined,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::PgTime;
    use serde_json::{Value, json};
    use trailmark_protocol::Uuid;

    pub(in crate::observe::alerts) fn message(occasion: Occasion) -> Message {
        let at = |text| PgTime(Timestamp::parse(text).unwrap());
        Message {
            project_id: 1,
            project: "Shop".to_owned(),
            alert_id: 3,
            alert: "On call".to_owned(),
            id: Uuid::from_u128(5),
            recipient: String::new(),
            follows: None,
            occasion,
            problem_id: Some(17),
            kind: Some("failing_endpoint".to_owned()),
            subject: Some("POST /api/checkout".to_owned()),
            what: "POST /api/checkout fails: 41 % of requests".to_owned(),
            since: at("2026-11-20T21:13:05Z"),
            people: Some(38),
            compared_with: Some("usually 0.3 %".to_owned()),
            evidence: "/api/v1/endpoints/9".to_owned(),
            closed_at: None,
            created_at: at("2026-11-20T21:15:00Z"),
        }
    }

    const PUBLIC: &str = "https://trailmark.example.com/";

    #[test]
    fn a_webhook_says_what_since_when_how_many_compared_with_what_and_where() {
        let body: Value = serde_json::from_slice(&payload(&message(Occasion::Opened), PUBLIC)).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "problem.opened",
                "timestamp": "2026-11-20T21:15:00.000Z",
                "text": "Shop: POST /api/checkout fails: 41 % of requests · since 2026-11-20 21:13 UTC · 38 people · usually 0.3 % · https://trailmark.example.com/api/v1/endpoints/9",
                "data": {
                    "project": {"id": 1, "name": "Shop"},
                    "alert": {"id": 3, "name": "On call"},
                    "problem": 17,
                    "kind": "failing_endpoint",
                    "subject": "POST /api/checkout",
                    "what": "POST /api/checkout fails: 41 % of requests",
                    "since": "2026-11-20T21:13:05.000Z",
                    "people": 38,
                    "compared_with": "usually 0.3 %",
                    "evidence": "https://trailmark.example.com/api/v1/endpoints/9",
                    "closed_at": null
                }
            })
        );
    }

    #[test]
    fn a_mail_reads_well() {
        let over = Message {
            closed_at: Some(PgTime(Timestamp::parse("2026-11-20T22:00:00Z").unwrap())),
            ..message(Occasion::Closed)
        };
        assert_eq!(
            mail_subject(&over),
            "[Trailmark] Over: Shop: POST /api/checkout fails: 41 % of requests"
        );
        assert_eq!(
            mail_text(&over, ""),
            "Over: POST /api/checkout fails: 41 % of requests\n\n\
             Since     2026-11-20 21:13 UTC\n\
             Until     2026-11-20 22:00 UTC\n\
             People    38\n\
             Compared  usually 0.3 %\n\
             Project   Shop\n\
             Evidence  /api/v1/endpoints/9\n\n\
             The alert \"On call\" of Trailmark names your address.\n"
        );
    }

    #[test]
    fn what_an_app_has_sent_calls_nobody_in_a_chat_and_breaks_no_line() {
        let hostile = Message {
            what: "<!channel> @all [win](https://evil.example)\r\nBcc: x@example.com &c".to_owned(),
            ..message(Occasion::Opened)
        };
        let text = chat(&hostile, "");
        assert!(
            text.starts_with(
                "Shop: &lt;!channel&gt; @\u{200b}all (win)(https://evil.example) Bcc: x@\u{200b}example.com &amp;c ·"
            ),
            "{text}"
        );
        assert!(!mail_subject(&hostile).contains(['\r', '\n']));
        assert!(!mail_text(&hostile, "").contains("\nBcc"));
        let long = Message {
            what: "x".repeat(10_000),
            ..message(Occasion::Opened)
        };
        assert_eq!(mail_subject(&long).chars().count(), SUBJECT_CHARS + 1);
    }
}

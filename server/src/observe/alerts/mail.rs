//! E-mail through SMTP, a connection for each mail.

use std::path::Path;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{self, response::Response};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use tokio::time::{Instant, timeout};
use trailmark_protocol::{Timestamp, Uuid};

use super::outcome::{Outcome, Verdict, safe};
use super::words;
use crate::config::{Smtp, SmtpTls};
use crate::store::alerts::Message;

/// How long a mail may take, from the connection to the server's last word: 20 seconds. Servers look senders up, and some make
/// strangers wait.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(20);

/// Why `[smtp]` makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum BadSmtp {
    /// The sender's address.
    #[error("smtp.from: \"{0}\" is no address such as alerts@example.com or Trailmark <alerts@example.com>")]
    From(String),
    /// The authority's file.
    #[error("smtp.ca: {path}: {problem}")]
    Ca {
        /// Which.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// TLS.
    #[error("smtp.tls: {0}")]
    Tls(smtp::Error),
    /// A user without a password, or the other way round.
    #[error("smtp.user and smtp.password: there are both or neither")]
    Credentials,
    /// A password that everybody on the way could read.
    #[error("smtp.tls: \"none\" would send the password in clear")]
    Clear,
}

/// Sends mail. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl Mailer {
    /// As `[smtp]` has it; `None` if there is no host.
    ///
    /// # Errors
    /// [`BadSmtp`].
    pub fn open(config: &Smtp) -> Result<Option<Self>, BadSmtp> {
        if config.host.is_empty() {
            return Ok(None);
        }
        let from = config.from.parse().map_err(|_| BadSmtp::From(config.from.clone()))?;
        let (tls, port) = match config.tls {
            SmtpTls::Starttls => (Tls::Required(parameters(config)?), 587),
            SmtpTls::Tls => (Tls::Wrapper(parameters(config)?), 465),
            SmtpTls::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(if config.port == 0 { port } else { config.port })
            .timeout(Some(MAIL_TIMEOUT))
            .tls(tls);
        match (config.user.as_str(), config.password.reveal()) {
            ("", "") => {}
            ("", _) | (_, "") => return Err(BadSmtp::Credentials),
            _ if config.tls == SmtpTls::None => return Err(BadSmtp::Clear),
            (user, password) => builder = builder.credentials(Credentials::new(user.to_owned(), password.to_owned())),
        }
        Ok(Some(Self {
            transport: builder.build(),
            from,
            timeout: MAIL_TIMEOUT,
        }))
    }

    /// The same, with another time for each mail.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends a message once, to its recipient.
    pub async fn send(&self, message: &Message, public_url: &str, now: Timestamp) -> Outcome {
        let mail = match self.mail(message, public_url, now) {
            Ok(mail) => mail,
            Err(problem) => return Outcome::failed(Verdict::Refused, problem),
        };
        let began = Instant::now();
        let outcome = match timeout(self.timeout, self.transport.send(mail)).await {
            Ok(Ok(response)) => accepted(&response),
            Ok(Err(error)) => refused(&error),
            Err(_) => Outcome::failed(Verdict::Failed { retry_after: None }, "no answer in time"),
        };
        Outcome {
            took: began.elapsed(),
            ..outcome
        }
    }

    fn mail(&self, message: &Message, public_url: &str, now: Timestamp) -> Result<Mail, String> {
        let to: Address = message
            .recipient
            .parse()
            .map_err(|_| "there is no address to send it to".to_owned())?;
        let mut builder = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(words::mail_subject(message))
            .message_id(Some(self.message_id(message.id)))
            .date(system_time(now));
        if let Some(opening) = message.follows {
            let opening = self.message_id(opening);
            builder = builder.in_reply_to(opening.clone()).references(opening);
        }
        automatic(builder)
            .header(ContentType::TEXT_PLAIN)
            .body(words::mail_text(message, public_url))
            .map_err(|error| error.to_string())
    }

    /// The same with every attempt, so that a mailbox can drop doubles.
    fn message_id(&self, id: Uuid) -> String {
        format!("<{}@{}>", id.simple(), self.from.email.domain())
    }
}

/// Says that no person wrote it (RFC 3834), so that no absence note answers.
fn automatic(builder: MessageBuilder) -> MessageBuilder {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()))
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.micros().max(0).unsigned_abs())
}

fn accepted(response: &Response) -> Outcome {
    let said: Vec<&str> = response.message().collect();
    Outcome {
        verdict: Verdict::Delivered,
        status: response.code().to_string().parse().ok(),
        error: None,
        body: Some(safe(said.join(" ").as_bytes(), &[])).filter(|said| !said.is_empty()),
        took: Duration::ZERO,
    }
}

/// A reply of 5xx is for ever (RFC 5321 §4.2.1), except where it is about this server and not about the mail: 530 to 538 are
/// about logging in (RFC 4954 §6), which an operator will mend.
fn refused(error: &smtp::Error) -> Outcome {
    let status: Option<i32> = error.status().and_then(|code| code.to_string().parse().ok());
    let verdict = match status {
        Some(530..=538) => Verdict::Failed { retry_after: None },
        _ if error.is_permanent() => Verdict::Refused,
        _ => Verdict::Failed { retry_after: None },
    };
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_said = cause.to_string();
        if !said.contains(&cause_said) {
            said = format!("{said}: {cause_said}");
        }
        source = cause.source();
    }
    Outcome {
        status,
        ..Outcome::failed(verdict, safe(said.as_bytes(), &[]))
    }
}

/// TLS that believes the authorities of this machine, or the one of `ca`.
fn parameters(config: &Smtp) -> Result<TlsParameters, BadSmtp> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if !config.ca.as_os_str().is_empty() {
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authority(&config.ca)?);
    }
    builder.build().map_err(BadSmtp::Tls)
}

fn authority(path: &Path) -> Result<Certificate, BadSmtp> {
    let bad = |problem: String| BadSmtp::Ca {
        path: path.display().to_string(),
        problem,
    };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    Certificate::from_pem(&pem).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::observe::alerts::plan::Occasion;
    use crate::observe::alerts::words::tests::message;
    use proptest::prelude::*;

    fn open(settings: &[(&'static str, &str)]) -> Result<Option<Mailer>, BadSmtp> {
        let flags = settings.iter().map(|(key, value)| (*key, (*value).to_owned()));
        Mailer::open(&Config::load(None, [], flags).unwrap().smtp)
    }

    fn mailer() -> Mailer {
        let settings = [
            ("smtp.host", "localhost"),
            ("smtp.tls", "none"),
            ("smtp.from", "Trailmark <alerts@example.com>"),
        ];
        open(&settings).unwrap().unwrap()
    }

    fn written(message: &Message) -> String {
        let mail = mailer().mail(
            message,
            "https://t.example.com",
            Timestamp::from_millis(1_795_176_000_000),
        );
        String::from_utf8(mail.unwrap().formatted()).unwrap()
    }

    fn to_ann(occasion: Occasion) -> Message {
        Message {
            recipient: "ann@example.com".to_owned(),
            ..message(occasion)
        }
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_named() {
        assert!(open(&[]).unwrap().is_none());
        let host = ("smtp.host", "mail.example.com");
        let from = ("smtp.from", "alerts@example.com");
        for (settings, start) in [
            (vec![host], "smtp.from: \"\" is no address"),
            (vec![host, from, ("smtp.user", "ann")], "smtp.user and smtp.password"),
            (
                vec![
                    host,
                    from,
                    ("smtp.user", "ann"),
                    ("smtp.password", "pw"),
                    ("smtp.tls", "none"),
                ],
                "smtp.tls: \"none\" would send the password in clear",
            ),
            (vec![host, from, ("smtp.ca", "/nowhere.pem")], "smtp.ca: /nowhere.pem: "),
        ] {
            let text = open(&settings).unwrap_err().to_string();
            assert!(text.starts_with(start), "{settings:?}: {text}");
        }
        assert!(open(&[host, from]).unwrap().is_some());
    }

    #[test]
    fn the_end_of_a_problem_answers_the_mail_of_its_opening() {
        let opening = written(&to_ann(Occasion::Opened));
        let id = "<00000000000000000000000000000005@example.com>";
        assert!(opening.contains(&format!("Message-ID: {id}\r\n")), "{opening}");
        assert!(opening.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(opening.contains("Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n"));
        assert!(!opening.contains("In-Reply-To"));
        let end = Message {
            id: Uuid::from_u128(6),
            follows: Some(Uuid::from_u128(5)),
            ..to_ann(Occasion::Closed)
        };
        let end = written(&end);
        assert!(
            end.contains(&format!("In-Reply-To: {id}\r\n")) && end.contains(&format!("References: {id}\r\n")),
            "{end}"
        );
    }

    proptest! {
        #[test]
        fn whatever_an_app_sends_no_mail_gets_a_header_or_a_recipient_more(what in "[\\r\\n\\t :.<>@\u{0}-\u{2ff}a-z]{0,200}", project in ".{0,40}") {
            let hostile = Message {
                what: format!("{what}\r\nBcc: eve@example.com\r\n\r\nbody"),
                project: format!("{project}\nTo: eve@example.com"),
                ..to_ann(Occasion::Opened)
            };
            let written = written(&hostile);
            let (head, _) = written.split_once("\r\n\r\n").unwrap();
            let starts = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            let names: Vec<_> = starts.map(|line| line.split_once(':').unwrap().0).collect();
            prop_assert_eq!(names, ["From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding"], "{}", head);
            prop_assert!(!head.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}

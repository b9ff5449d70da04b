//! Mails to servers that take them, and to others.

use std::time::Duration;

use serde_json::json;
use trailmark_protocol::Timestamp;
use trailmark_server::clock::Clock;
use trailmark_server::config::Config;
use trailmark_server::observe::Kind;
use trailmark_server::observe::alerts::Mailer;
use trailmark_server::store::alerts::TransitionKind;

use super::House;
use super::sink::{Manner, Sink, certificate};

async fn house(sink: &Sink, settings: &[(&'static str, &str)]) -> House {
    let mut house = House::new().await;
    let port = sink.port();
    let known = [
        ("smtp.host", "localhost"),
        ("smtp.port", port.as_str()),
        ("smtp.tls", "none"),
        ("smtp.from", "Trailmark <alerts@example.com>"),
    ];
    let flags = known
        .iter()
        .chain(settings)
        .map(|(key, value)| (*key, (*value).to_owned()));
    let config = Config::load(None, [], flags).unwrap();
    house.senders.mailer = Mailer::open(&config.smtp)
        .unwrap()
        .map(|mailer| mailer.within(Duration::from_secs(5)));
    house
}

async fn both(house: &House) -> i64 {
    house
        .alert(&json!({"email": {"to": ["ann@example.com", "bob@example.com"]}}), None)
        .await
}

#[tokio::test]
async fn each_recipient_gets_a_mail_and_the_end_in_the_same_thread() {
    let sink = Sink::that(Manner::Takes).await;
    let house = house(&sink, &[]).await;
    let alert = both(&house).await;
    assert_eq!(house.opened(1).await, 2);
    assert_eq!(house.deliver().await.delivered, 2);
    house.pass(60);
    assert_eq!(house.closed(1).await, 2);
    house.deliver().await;
    let mails = sink.mails();
    assert_eq!(mails.len(), 4);
    for address in ["ann@example.com", "bob@example.com"] {
        let of: Vec<_> = mails.iter().filter(|mail| mail.to[0].contains(address)).collect();
        let [opening, end] = of.as_slice() else {
            panic!("{of:?}")
        };
        assert_eq!(opening.to.len(), 1);
        assert!(opening.from.contains("<alerts@example.com>"));
        assert_eq!(opening.header("To").as_deref(), Some(address));
        assert_eq!(
            opening.header("Subject").as_deref(),
            Some("[Trailmark] Shop: shop.example.com is down (1)")
        );
        assert_eq!(
            end.header("Subject").as_deref(),
            Some("[Trailmark] Over: Shop: shop.example.com is down (1)")
        );
        assert_eq!(opening.header("In-Reply-To"), None);
        assert_eq!(end.header("In-Reply-To"), opening.header("Message-ID"));
        assert_eq!(
            opening.header("Date").as_deref(),
            Some("Fri, 20 Nov 2026 12:00:00 +0000")
        );
        assert!(
            opening.data.contains("https://t.example.com/api/v1/monitors/3"),
            "{}",
            opening.data
        );
    }
    let (_, attempts) = house.log(alert).await;
    assert_eq!(
        (attempts[0].status, attempts[0].body.as_deref()),
        (Some(250), Some("2.0.0 kept as 7"))
    );
}

#[tokio::test]
async fn an_address_that_is_refused_for_ever_costs_the_others_nothing() {
    let manner = Manner::Refuses {
        code: 550,
        to: "bob",
        once: false,
    };
    let sink = Sink::that(manner).await;
    let house = house(&sink, &[]).await;
    let alert = both(&house).await;
    house.opened(1).await;
    let done = house.deliver().await;
    assert_eq!((done.delivered, done.dead, sink.mails().len()), (1, 1, 1));
    let (_, attempts) = house.log(alert).await;
    let refused = attempts
        .iter()
        .find(|attempt| attempt.delivered == Some(false))
        .unwrap();
    assert_eq!(refused.status, Some(550));
    assert!(
        refused.error.as_deref().unwrap().contains("not <bob@example.com>"),
        "{refused:?}"
    );
    house.pass(86_400);
    assert_eq!(house.closed(1).await, 1, "only Ann heard of it");
}

#[tokio::test]
async fn an_address_that_is_refused_for_now_is_tried_again_under_the_same_message_id() {
    let manner = Manner::Refuses {
        code: 451,
        to: "ann",
        once: true,
    };
    let sink = Sink::that(manner).await;
    let house = house(&sink, &[]).await;
    both(&house).await;
    house.opened(1).await;
    assert_eq!(house.deliver().await.failed, 1);
    house.pass(13);
    assert_eq!(house.deliver().await.delivered, 1);
    let due = sink.mails();
    assert_eq!(due.len(), 2);
}

#[tokio::test]
async fn a_mail_that_was_taken_and_not_written_down_comes_again_under_its_message_id() {
    let sink = Sink::that(Manner::Takes).await;
    let house = house(&sink, &[]).await;
    house.alert(&json!({"email": {"to": ["ann@example.com"]}}), None).await;
    house.opened(1).await;
    let due = house
        .store
        .claim_messages(house.clock.now(), 1)
        .await
        .unwrap()
        .remove(0);
    house.senders.send(&due, house.clock.now()).await;
    house.pass(121);
    assert_eq!(house.deliver().await.delivered, 1);
    let ids: Vec<_> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID").unwrap())
        .collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_is_given_up_in_time_and_tried_again() {
    let sink = Sink::that(Manner::Hangs).await;
    let mut house = house(&sink, &[]).await;
    house.senders.mailer = house
        .senders
        .mailer
        .map(|mailer| mailer.within(Duration::from_millis(300)));
    let alert = house.alert(&json!({"email": {"to": ["ann@example.com"]}}), None).await;
    house.opened(1).await;
    assert_eq!(house.deliver().await.failed, 1);
    let (_, attempts) = house.log(alert).await;
    assert_eq!(attempts[0].error.as_deref(), Some("no answer in time"));
}

#[tokio::test]
async fn with_starttls_everything_is_said_in_private_the_password_too() {
    let sink = Sink::that(Manner::Starttls).await;
    let root = certificate("root.pem");
    let settings = [
        ("smtp.tls", "starttls"),
        ("smtp.ca", root.to_str().unwrap()),
        ("smtp.user", "ann"),
        ("smtp.password", "correct horse"),
    ];
    let house = house(&sink, &settings).await;
    house.alert(&json!({"email": {"to": ["ann@example.com"]}}), None).await;
    house.opened(1).await;
    let done = house.deliver().await;
    assert_eq!(done.delivered, 1, "{done:?}");
    let mails = sink.mails();
    assert!(mails[0].is_private && mails[0].login.is_some(), "{mails:?}");
    assert!(!format!("{:?}", house.senders).contains("correct horse"), "not in logs");
}

#[tokio::test]
async fn a_mail_server_without_tls_or_with_a_strangers_certificate_gets_nothing() {
    let root = certificate("root.pem");
    let stranger = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/acme/ca.pem");
    for (manner, ca) in [(Manner::Clear, root.to_str().unwrap()), (Manner::Starttls, stranger)] {
        let sink = Sink::that(manner).await;
        let house = house(&sink, &[("smtp.tls", "starttls"), ("smtp.ca", ca)]).await;
        house.alert(&json!({"email": {"to": ["ann@example.com"]}}), None).await;
        house.opened(1).await;
        let done = house.deliver().await;
        assert_eq!((done.delivered, sink.mails().len()), (0, 0), "{manner:?}");
    }
}

#[tokio::test]
async fn the_name_of_an_event_makes_no_header_and_no_second_mail() {
    let sink = Sink::that(Manner::Takes).await;
    let house = house(&sink, &[]).await;
    house.alert(&json!({"email": {"to": ["ann@example.com"]}}), None).await;
    let transition = trailmark_server::store::alerts::Transition {
        problem_id: 1,
        found: trailmark_server::observe::Found {
            kind: Kind::EventsStopped,
            subject: "buy".to_owned(),
            what: "buy\r\nBcc: eve@example.com\r\n.\r\nMAIL FROM:<eve@example.com>\u{0} has stopped".to_owned(),
            since: Timestamp::from_millis(0),
            people: None,
            compared_with: None,
            evidence: "/api/v1/events?event=buy".to_owned(),
        },
        kind: TransitionKind::Opened,
    };
    let mut connection = house.store.pool().acquire().await.unwrap();
    let now = house.clock.now();
    trailmark_server::store::alerts::notify(&mut connection, house.project, &[transition], now)
        .await
        .unwrap();
    drop(connection);
    assert_eq!(house.deliver().await.delivered, 1);
    let mails = sink.mails();
    assert_eq!((mails.len(), mails[0].to.len()), (1, 1));
    assert_eq!(mails[0].header("Bcc"), None);
    assert!(
        !mails[0].data.contains("\r\nBcc") && !mails[0].data.contains("\r\nMAIL"),
        "{}",
        mails[0].data
    );
}

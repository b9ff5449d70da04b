//! Planted incidents, and a month in which nothing happens.

use trailmark_protocol::Uuid;
use trailmark_server::observe::detect::{self, Look};
use trailmark_server::observe::now;
use trailmark_server::observe::problem::Kind;
use trailmark_server::observe::watch;
use trailmark_server::query::Reader;
use trailmark_server::query::ask::question::Question;
use trailmark_server::store::PgTime;
use trailmark_server::store::nodes::{Node, RefusedRow};
use trailmark_server::store::problems::{ProblemFilter, ProblemRow};

use crate::world::{DAY, HOUR, MINUTE, Sent, World, at, sent};

fn look(ms: i64) -> Look {
    Look {
        now: at(ms),
        watching_since: at(-100 * DAY),
        is_behind: false,
        nodes: Vec::new(),
    }
}

async fn problems(world: &World, open: bool) -> Vec<ProblemRow> {
    let filter = ProblemFilter {
        open: Some(open),
        limit: 100,
        ..ProblemFilter::default()
    };
    world.store.problems(world.project, filter).await.unwrap()
}

async fn whats(world: &World) -> Vec<String> {
    problems(world, true)
        .await
        .into_iter()
        .map(|problem| problem.what)
        .collect()
}

/// One event of each name every `every` from `from` to `to`, each in its own stretch of an interval.
fn regular(names: &[&'static str], from: i64, to: i64, every: i64) -> Vec<Sent> {
    let steps = (to - from) / every;
    let each = |step: i64| {
        names.iter().enumerate().map(move |(place, name)| {
            let shift = (step * 7_919 + place as i64 * 104_729).rem_euclid(every / 2);
            sent(from + step * every + shift, name, format!("d{}", step % 50))
        })
    };
    (0..steps).flat_map(each).collect()
}

async fn live(world: &World, events: &[Sent]) {
    for some in events.chunks(2_000) {
        world.store(some).await;
    }
    world.take_up().await;
}

#[tokio::test]
async fn an_event_that_comes_every_day_is_missed_and_its_return_ends_the_problem() {
    let world = World::new().await;
    live(&world, &regular(&["checkout"], -8 * DAY, 0, 20 * MINUTE)).await;
    live(&world, &regular(&["visit"], -8 * DAY, 3 * HOUR, 20 * MINUTE)).await;
    world.store.learn_rhythms(world.project, at(0)).await.unwrap();
    detect::settle(&world.store, world.project, &look(15 * MINUTE))
        .await
        .unwrap();
    assert_eq!(whats(&world).await, [""; 0], "that is within its rhythm");
    detect::settle(&world.store, world.project, &look(90 * MINUTE))
        .await
        .unwrap();
    assert_eq!(whats(&world).await, ["`checkout` has stopped"]);
    let found = &problems(&world, true).await[0];
    assert!(found.since.0 < at(0) && found.since.0 > at(-HOUR), "{found:?}");
    assert_eq!(found.evidence, "/api/v1/events?event=checkout");

    world.store(&[sent(91 * MINUTE, "checkout", "d1")]).await;
    world.take_up().await;
    detect::settle(&world.store, world.project, &look(92 * MINUTE))
        .await
        .unwrap();
    assert_eq!(whats(&world).await, [""; 0]);
    assert_eq!(
        problems(&world, false).await[0].closed_at,
        Some(PgTime(at(92 * MINUTE)))
    );
}

#[tokio::test]
async fn what_waits_in_the_journal_has_not_stopped() {
    let world = World::new().await;
    live(&world, &regular(&["checkout"], -8 * DAY, 0, 20 * MINUTE)).await;
    world.store.learn_rhythms(world.project, at(0)).await.unwrap();
    let behind = Look {
        is_behind: true,
        ..look(3 * HOUR)
    };
    detect::settle(&world.store, world.project, &behind).await.unwrap();
    assert_eq!(whats(&world).await, [""; 0]);
}

#[tokio::test]
async fn names_that_do_not_come_every_day_are_not_missed() {
    let world = World::new().await;
    live(&world, &regular(&["newsletter"], -8 * DAY, 0, 3 * DAY)).await;
    live(&world, &regular(&["new"], -3 * DAY, 0, HOUR)).await;
    world.store.learn_rhythms(world.project, at(0)).await.unwrap();
    assert_eq!(world.store.silences(world.project, at(2 * DAY)).await.unwrap(), []);
}

#[tokio::test]
async fn refusals_dead_letters_and_lost_servers_are_told() {
    let world = World::new().await;
    let gone = Node {
        id: Uuid::nil(),
        started_at: PgTime(at(-HOUR)),
        seen_at: PgTime(at(-2 * MINUTE)),
        version: "0.1.0".to_owned(),
        listen: "10.0.0.7:7700".to_owned(),
        backlog_records: 3,
        backlog_bytes: 700,
        oldest_ms: 0,
        poisoned: false,
        writer_error: None,
    };
    world.store.tell_node(&gone).await.unwrap();
    let refused = |reason: &str, refused| RefusedRow {
        project_id: world.project,
        what: "event".to_owned(),
        reason: reason.to_owned(),
        refused,
    };
    world
        .store
        .add_refused(&[refused("too_large", 40), refused("invalid_event", 30)], at(-MINUTE))
        .await
        .unwrap();
    world
        .store
        .add_refused(&[refused("too_large", 10)], at(-MINUTE))
        .await
        .unwrap();
    let look = Look {
        nodes: world.store.nodes().await.unwrap(),
        ..look(0)
    };
    detect::settle(&world.store, world.project, &look).await.unwrap();
    let mut told = whats(&world).await;
    told.sort();
    assert_eq!(
        told,
        [
            "100 % of what comes is refused: 80 in a quarter of an hour",
            "the server at 10.0.0.7:7700 is gone; 3 batches waited in its journal",
        ]
    );
    let rows = world.store.refused(world.project, at(-HOUR), at(0)).await.unwrap();
    let counts: Vec<_> = rows.iter().map(|row| (row.reason.as_str(), row.refused)).collect();
    assert_eq!(counts, [("too_large", 50), ("invalid_event", 30)]);
}

/// `began` people begin in the day before `ms`, `through` of them get through within the hour.
fn funnel(ms: i64, began: i64, through: i64) -> Vec<Sent> {
    let person = |n: i64| {
        let begins = ms - DAY + n * (DAY - 2 * HOUR) / began;
        let who = format!("p{ms}-{n}");
        let end = (n < through).then(|| sent(begins + HOUR, "order", who.clone()));
        [Some(sent(begins, "cart", who)), end]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    (0..began).flat_map(person).collect()
}

#[tokio::test]
async fn a_watched_funnel_is_compared_with_the_same_day_of_last_week() {
    let world = World::new().await;
    live(&world, &funnel(0, 400, 60)).await;
    live(&world, &funnel(-7 * DAY, 500, 200)).await;
    let question = r#"{"kind": "funnel", "steps": [{"event": "cart"}, {"event": "order"}], "window": {"value": 14, "unit": "day"}}"#;
    let Question::Funnel(question) = Question::read(question.as_bytes()).unwrap() else {
        panic!("no funnel")
    };
    let reader = Reader::new(world.store.pool().clone(), world.project);
    let recent = reader.passage(&question, at(0)).await.unwrap();
    let before = reader.passage(&question, watch::a_week_before(at(0))).await.unwrap();
    assert_eq!(
        (recent.began, recent.through, before.began, before.through),
        (400, 60, 500, 200)
    );
    let found = watch::found(7, "Checkout", recent, before, at(0)).unwrap();
    world
        .store
        .keep_watched(world.project, ("funnel", 7), Some(&found), at(0))
        .await
        .unwrap();
    detect::settle(&world.store, world.project, &look(0)).await.unwrap();
    assert_eq!(
        whats(&world).await,
        ["`Checkout` lets 15.0 % through, of 400 who began"]
    );
    // Nobody watches it any more.
    detect::settle(&world.store, world.project, &look(4 * HOUR))
        .await
        .unwrap();
    assert_eq!(whats(&world).await, [""; 0]);
}

#[tokio::test]
async fn who_got_through_only_later_is_not_counted_for_last_week_either() {
    let world = World::new().await;
    let mut late = funnel(-7 * DAY, 100, 0);
    late.extend((0..100).map(|n| sent(-6 * DAY, "order", format!("p{}-{n}", -7 * DAY))));
    live(&world, &late).await;
    let question = Question::read(br#"{"kind": "funnel", "steps": [{"event": "cart"}, {"event": "order"}]}"#);
    let Ok(Question::Funnel(question)) = question else {
        panic!("no funnel")
    };
    let reader = Reader::new(world.store.pool().clone(), world.project);
    let before = reader.passage(&question, at(-7 * DAY)).await.unwrap();
    assert_eq!(
        (before.began, before.through),
        (100, 0),
        "a week ago nobody had got through yet"
    );
}

#[tokio::test]
async fn the_first_screen_names_what_is_worst_first_and_has_an_hour_of_minutes() {
    let world = World::new().await;
    live(&world, &regular(&["visit"], -HOUR, 0, MINUTE)).await;
    world.store(&[sent(-30_000, "$exception", "d1")]).await;
    world.take_up().await;
    let calm = now::read(&world.store, world.project, at(-1)).await.unwrap();
    assert_eq!(
        (calm.verdict.as_str(), calm.problems.len(), calm.problems_rest),
        ("All clear", 0, 0)
    );
    assert_eq!((calm.strips.events.len(), calm.strips.error_rate.len()), (60, 60));
    assert_eq!(calm.strips.events.iter().sum::<i64>(), 61);
    assert_eq!(
        (calm.strips.error_rate[58], calm.strips.error_rate[59]),
        (Some(0.0), Some(0.5))
    );

    let refused = RefusedRow {
        project_id: world.project,
        what: "request".to_owned(),
        reason: "rate_limited".to_owned(),
        refused: 99,
    };
    world.store.add_refused(&[refused], at(-MINUTE)).await.unwrap();
    detect::settle(&world.store, world.project, &look(0)).await.unwrap();
    let screen = now::read(&world.store, world.project, at(0)).await.unwrap();
    assert_eq!(
        (screen.verdict.as_str(), screen.problems[0].kind.as_str()),
        ("2 problems", Kind::Ingest.as_str())
    );
}

/// Thirty days with a day's rhythm, a look every hour: nobody is woken.
#[tokio::test]
async fn a_quiet_month_raises_nothing() {
    let world = World::new().await;
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % below
    };
    for hour in 0..(38 * 24) {
        let begin = hour * HOUR;
        // 2 to 40 visits an hour with the time of day, a third of them at checkout; half of that at weekends.
        let day = ((hour % 24) as f64 / 24.0 * std::f64::consts::TAU).sin();
        let weekend = if matches!((hour / 24) % 7, 1 | 2) { 0.5 } else { 1.0 };
        let visits = (weekend * (21.0 + 19.0 * day)) as u64 + roll(5);
        let mut events = Vec::new();
        for _ in 0..visits {
            let ms = begin + roll(HOUR as u64) as i64;
            let who = format!("d{}", roll(300));
            if roll(3) == 0 {
                events.push(sent(ms + 1, "checkout", who.clone()));
            }
            events.push(sent(ms, "visit", who));
        }
        live(&world, &events).await;
        if hour >= 8 * 24 {
            let now = begin + HOUR;
            if hour % 6 == 0 {
                world.store.learn_rhythms(world.project, at(now)).await.unwrap();
            }
            detect::settle(&world.store, world.project, &look(now)).await.unwrap();
            assert_eq!(whats(&world).await, [""; 0], "in hour {hour}");
        }
    }
    assert_eq!(problems(&world, false).await, []);
}

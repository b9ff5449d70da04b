//! Background jobs of real servers: run once among several, and taken up again after a kill -9 in the middle of any.

use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use tokio::runtime::Runtime;

use crate::support::events::{batch, good};
use crate::support::outside_postgres::OutsidePostgres;
use crate::support::wait::until_true;
use crate::support::{Project, Request, Server, Setup, until};

/// What holds each job up in its middle: the table that it needs, locked by somebody else.
const HELD_BY: [(&str, &str); 14] = [
    ("rollup", "event_hours"),
    ("monitors", "monitors"),
    ("detect", "problems"),
    ("deliver", "alert_messages"),
    ("settle", "issues"),
    ("hours", "monitor_hours"),
    ("erasures", "erasures"),
    ("logins", "sessions"),
    ("baselines", "event_rhythms"),
    ("watch", "saved_queries"),
    ("usage", "usage_days"),
    ("sessions", "usage_days"),
    ("seal", "property_uses"),
    ("retention", "watched_values"),
];

/// The one that needs no table: it waits for who else makes partitions (server/src/store/weeks.rs).
const PARTITIONS: &str = "partitions";

fn job(project: &Project<'_>, name: &str) -> Value {
    project.read(&format!("/api/v1/jobs/{name}")).json()
}

/// Runs that ended. How many that is depends on the time of day: jobs run at whole intervals.
fn runs(job: &Value) -> i64 {
    job["runs"].as_i64().unwrap()
}

fn hurry(project: &Project<'_>, name: &str) {
    let request = Request::post(format!("/api/v1/jobs/{name}/run"), "").bearer(&project.secret);
    assert_eq!(project.server.send(&request).status, 202, "{name}");
}

/// Connections beside the server's: one that holds, and one that looks, because what a transaction sees of others' activity
/// stands still.
struct Beside {
    runtime: Runtime,
    connection: PgConnection,
    looking: PgConnection,
}

impl Beside {
    fn of(postgres: &OutsidePostgres) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connection = runtime.block_on(PgConnection::connect(&postgres.url())).unwrap();
        let looking = runtime.block_on(PgConnection::connect(&postgres.url())).unwrap();
        Self {
            runtime,
            connection,
            looking,
        }
    }

    fn run(&mut self, sql: &'static str) {
        self.runtime.block_on(self.connection.execute(sql)).unwrap();
    }

    fn hold(&mut self, table: &str) {
        self.run("BEGIN");
        let lock = sqlx::AssertSqlSafe(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
        self.runtime.block_on(self.connection.execute(lock)).unwrap();
    }

    /// Waits until a job waits for what is held.
    fn until_a_job_waits(&mut self, name: &str) {
        until_true(name, || {
            let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'trailmark jobs' AND wait_event_type = 'Lock')";
            self.runtime
                .block_on(sqlx::query_scalar(waits).fetch_one(&mut self.looking))
                .unwrap()
        });
    }

    fn events_counted(&mut self) -> i64 {
        let sum = "SELECT COALESCE(sum(events), 0)::bigint FROM event_hours";
        self.runtime
            .block_on(sqlx::query_scalar(sum).fetch_one(&mut self.looking))
            .unwrap()
    }
}

fn send(project: &Project<'_>, events: usize) {
    let batch = batch(&(0..events).map(|_| good()).collect::<Vec<_>>());
    assert_eq!(project.server.send(&project.batch(batch.as_str())).status, 202);
    project.server.until_drained();
}

#[test]
fn every_job_survives_a_kill_in_its_middle() {
    let postgres = OutsidePostgres::start();
    let mut beside = Beside::of(&postgres);
    let server = Setup::default().database(&postgres.url()).start();
    let project = Project::create(&server);
    // They are known a moment after the start.
    let listed = until("jobs", || {
        let listed = project.read("/api/v1/jobs").json();
        listed["jobs"].as_array().filter(|jobs| !jobs.is_empty()).cloned()
    });
    let names: Vec<&str> = listed.iter().map(|job| job["name"].as_str().unwrap()).collect();
    let held: Vec<&str> = HELD_BY.iter().map(|(name, _)| *name).chain([PARTITIONS]).collect();
    assert!(
        names.iter().all(|name| held.contains(name)),
        "one of {names:?} is not killed here"
    );

    let mut sent = 0;
    for (name, table) in HELD_BY {
        until_true("its first run", || runs(&job(&project, name)) > 0);
        // A note is to wait for the rollup; of the others some hold up the writer, too.
        if name == "rollup" {
            beside.hold(table);
            send(&project, 5);
        } else {
            send(&project, 5);
            beside.hold(table);
        }
        sent += 5;
        hurry(&project, name);
        beside.until_a_job_waits(name);
        let before = runs(&job(&project, name));
        server.kill();
        beside.run("ROLLBACK");
        server.start();
        until_true(name, || {
            let now = job(&project, name);
            runs(&now) > before && now["error"].is_null()
        });
    }
    until_true("all counted", || beside.events_counted() == sent);
    assert_eq!(beside.events_counted(), sent, "each once");
    let ingest = project.read("/api/v1/ingest").json();
    assert_eq!(
        (&ingest["waiting_notes"], &ingest["failed_notes"]),
        (&0.into(), &0.into())
    );
    server.assert_sound();
}

#[test]
fn a_kill_while_partitions_are_made_leaves_them_to_the_next_start() {
    let postgres = OutsidePostgres::start();
    let mut beside = Beside::of(&postgres);
    beside.run("SELECT pg_advisory_lock(x'746d7765656b73'::bigint)");
    let server = Setup::default().database(&postgres.url()).start();
    beside.until_a_job_waits(PARTITIONS);
    server.kill();
    beside.run("SELECT pg_advisory_unlock_all()");
    server.start();
    let project = Project::create(&server);
    until_true(PARTITIONS, || runs(&job(&project, PARTITIONS)) > 0);
    assert_eq!(job(&project, PARTITIONS)["error"], Value::Null);
}

#[test]
fn of_two_servers_one_takes_over_what_the_other_had_when_it_was_killed() {
    let postgres = OutsidePostgres::start();
    let mut beside = Beside::of(&postgres);
    let [one, other] = [0, 1].map(|_| Setup::default().database(&postgres.url()).start());
    let project = Project::create(&one);
    until_true("both servers", || {
        let ingest = project.read("/api/v1/ingest").json();
        ingest["servers"].as_array().is_some_and(|servers| servers.len() == 2)
    });
    until_true("its first run", || runs(&job(&project, "usage")) > 0);
    beside.hold("usage_days");
    send(&project, 5);
    until_true("counts", || project.read("/api/v1/ingest").json()["waiting_notes"] == 0);
    hurry(&project, "usage");
    until_true("it to run", || job(&project, "usage")["running"] == true);
    beside.until_a_job_waits("usage");
    let held = job(&project, "usage");
    let runner = held["runner"].clone();
    let (killed, left) = match is_of(&project, &one, &runner) {
        true => (&one, &other),
        false => (&other, &one),
    };
    killed.kill();
    beside.run("ROLLBACK");
    // After half a minute at the most, the lease.
    let left_project = Project {
        server: left,
        write: project.write.clone(),
        secret: project.secret.clone(),
        id: project.id,
    };
    until_true("the other has run it", || {
        let now = job(&left_project, "usage");
        runs(&now) > runs(&held) && now["runner"] != runner && now["error"].is_null()
    });
    let days = left_project.read("/api/v1/usage").json();
    assert_eq!(days["days"][0]["events"], 5);
}

/// Whether the node of this id listens where the server does.
fn is_of(project: &Project<'_>, server: &Server, node: &Value) -> bool {
    let servers = project.read("/api/v1/ingest").json();
    let nodes = servers["servers"].as_array().unwrap();
    nodes
        .iter()
        .any(|one| one["id"] == *node && one["listen"] == server.address().to_string())
}

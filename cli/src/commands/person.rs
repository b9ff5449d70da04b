//! `trailmark person`

use std::fmt::Write;
use std::io::{ErrorKind, Write as _};

use serde::Serialize;
use trailmark_protocol::Uuid;
use trailmark_server::Config;
use trailmark_server::admin::{AliasWithdrawn, Erased, Erasures};
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::query::explain::{Change, Explained, Explanation, Ident, PassedOver};
use trailmark_server::query::{Export, QueryError, Reader};
use trailmark_server::store::Store;

use super::database;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, table};

pub(super) async fn run(config: &Config, command: &args::Person, output: Output) -> Result<(), Failure> {
    match command {
        args::Person::Explain { project, id } => {
            let explain = async |store: &Store| {
                reader(store, *project)
                    .explain(id)
                    .await
                    .map_err(|error| refused(error, id))
            };
            output.print(&Told(database::with(config, explain).await?))
        }
        args::Person::Unalias { project, event } => unalias(config, *project, *event, output).await,
        args::Person::Erase { project, id } => erase(config, *project, id, output).await,
        args::Person::Erasures {
            project,
            run,
            run_all,
            dismiss,
        } => {
            let work = async |store: &Store| {
                decide(store, *project, run, *run_all, dismiss).await?;
                Ok(Erasures::read(store, *project).await?)
            };
            output.print(&Pending(database::with(config, work).await?))
        }
        args::Person::Export { project, id } => {
            database::with(config, async |store: &Store| export(store, *project, id).await).await
        }
    }
}

fn reader(store: &Store, project: i32) -> Reader {
    Reader::new(store.pool().clone(), project)
}

fn refused(error: QueryError, id: &str) -> Failure {
    match error {
        QueryError::UnknownPerson => nobody(id),
        QueryError::Store(error) => error.into(),
        error => Failure::failed(error.to_string()),
    }
}

fn nobody(id: &str) -> Failure {
    Failure::failed(format!("nobody in this project has the id {id:?}")).hint("an id is a user_id or an anonymous_id")
}

async fn unalias(config: &Config, project: i32, event: Uuid, output: Output) -> Result<(), Failure> {
    let withdraw = async |store: &Store| Ok(store.withdraw_alias(project, event, SystemClock.now()).await?);
    let withdrawn = database::with(config, withdraw).await?;
    let withdrawn = withdrawn.ok_or_else(|| {
        Failure::failed(format!("project {project} has no alias of event {event}")).hint("trailmark person explain")
    })?;
    output.print(&Unaliased(AliasWithdrawn::of(event, withdrawn)))
}

async fn erase(config: &Config, project: i32, id: &str, output: Output) -> Result<(), Failure> {
    let erase = async |store: &Store| {
        let begun = store.begin_erasure(project, id, SystemClock.now()).await?;
        let erasure = begun.ok_or_else(|| nobody(id))?;
        Ok(store.finish_erasure(project, erasure).await?)
    };
    output.print(&Gone(database::with(config, erase).await?.into()))
}

async fn decide(store: &Store, project: i32, run: &[Uuid], run_all: bool, dismiss: &[Uuid]) -> Result<(), Failure> {
    for event in dismiss {
        if !store.dismiss_erasure(project, *event).await? {
            return Err(no_request(*event));
        }
    }
    let waiting = Erasures::read(store, project).await?.requests;
    let waiting: Vec<Uuid> = waiting.into_iter().map(|request| request.event_id).collect();
    if let Some(unknown) = run.iter().find(|event| !waiting.contains(event)) {
        return Err(no_request(*unknown));
    }
    let chosen = if run_all { &waiting } else { run };
    for event in chosen {
        store.run_erasure_request(project, *event, SystemClock.now()).await?;
    }
    Ok(())
}

fn no_request(event: Uuid) -> Failure {
    Failure::failed(format!("no request {event} waits")).hint("trailmark person erasures")
}

/// Straight to stdout, page by page. A reader that has left (`| head`) is no error.
async fn export(store: &Store, project: i32, id: &str) -> Result<(), Failure> {
    let mut export = Export::begin(reader(store, project), id)
        .await
        .map_err(|error| refused(error, id))?;
    while let Some(lines) = export.next().await.map_err(|error| refused(error, id))? {
        match std::io::stdout().lock().write_all(&lines) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::failed(format!("cannot write to stdout: {error}"))),
        }
    }
    Ok(())
}

/// Why these identities are one person.
#[derive(Serialize)]
#[serde(transparent)]
struct Told(Explanation);

impl Report for Told {
    fn text(&self, out: &mut String) {
        let Self(told) = self;
        let _ = writeln!(out, "person {}, {} ids\n", told.person_id, told.identity_count);
        let heading = ["ID", "BECAUSE", "HAPPENED", "EVENT"].map(str::to_owned);
        let rows = told.identities.iter().map(because);
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        if !told.passed_over.is_empty() {
            let heading = ["ALIAS THAT DOES NOT COUNT", "WHY", "HAPPENED", "EVENT"].map(str::to_owned);
            let rows = told.passed_over.iter().map(passed_over);
            let _ = write!(
                out,
                "\n{}",
                table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
            );
        }
        if !told.changes.is_empty() {
            let heading = ["CHANGED", "HOW", "WHAT", "EVENT"].map(str::to_owned);
            let rows = told.changes.iter().map(change);
            let _ = write!(
                out,
                "\n{}",
                table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
            );
        }
    }
}

fn name(ident: &Ident) -> String {
    format!("{} {}", ident.kind, ident.id)
}

fn because(explained: &Explained) -> [String; 4] {
    let Some(because) = &explained.because else {
        return [
            name(&explained.ident),
            "the id asked for".to_owned(),
            String::new(),
            String::new(),
        ];
    };
    let how = match (because.fact, explained.ident.kind.as_str()) {
        ("alias", _) => "is also",
        (_, "user") => "identified on",
        _ => "was identified as",
    };
    let why = format!("{how} {}", name(&because.with));
    [
        name(&explained.ident),
        why,
        because.at.0.to_string(),
        because.event_id.to_string(),
    ]
}

fn passed_over(alias: &PassedOver) -> [String; 4] {
    let why = match alias.withdrawn_at {
        Some(at) => format!("withdrawn {}", at.0),
        None => "refused: too many users for one person".to_owned(),
    };
    let [one, other] = &alias.users;
    [
        format!("{one} is also {other}"),
        why,
        alias.at.0.to_string(),
        alias.event_id.to_string(),
    ]
}

fn change(change: &Change) -> [String; 4] {
    let Change { kind, from, to, .. } = change;
    let how = match kind.as_str() {
        "link" => format!("joined person {to}"),
        "move" => format!("moved from person {from} to {to}"),
        "merge" => format!("person {from} became part of {to}"),
        _ => format!("left person {from} as person {to}"),
    };
    [
        change.at.0.to_string(),
        how,
        name(&change.what),
        change.event_id.to_string(),
    ]
}

#[derive(Serialize)]
#[serde(transparent)]
struct Unaliased(AliasWithdrawn);

impl Report for Unaliased {
    fn text(&self, out: &mut String) {
        let AliasWithdrawn {
            users: [one, other],
            still_one,
            withdrawn_at,
            ..
        } = &self.0;
        let now = if *still_one {
            "are one person still, by other aliases"
        } else {
            "are two persons now"
        };
        let _ = writeln!(out, "withdrawn at {}: {one} and {other} {now}", withdrawn_at.0);
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Gone(Erased);

impl Report for Gone {
    fn text(&self, out: &mut String) {
        let erased = &self.0;
        let counts = [
            ("events", erased.events),
            ("identities", erased.identities),
            ("links", erased.links),
            ("aliases", erased.aliases),
            ("properties", erased.properties),
            ("dead letters", erased.dead_letters),
        ];
        let counts = counts.map(|(what, count)| format!("{count} {what}")).join(", ");
        let _ = writeln!(out, "erased: {counts}");
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Pending(Erasures);

impl Report for Pending {
    fn text(&self, out: &mut String) {
        let Erasures { requests, erasures } = &self.0;
        if requests.is_empty() {
            out.push_str("no requests wait\n");
        } else {
            let heading = ["REQUEST", "RECEIVED", "DEVICE", "CLAIMS TO BE", "ONE PERSON", "IDS"].map(str::to_owned);
            let none = || "-".to_owned();
            let rows = requests.iter().map(|request| {
                [
                    request.event_id.to_string(),
                    request.requested_at.0.to_string(),
                    request.anonymous_id.clone().unwrap_or_else(none),
                    request.user_id.clone().unwrap_or_else(none),
                    if request.same_person { "yes" } else { "no" }.to_owned(),
                    request.identities.to_string(),
                ]
            });
            out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        }
        if erasures.is_empty() {
            return;
        }
        let heading = ["ERASURE", "ERASED AT", "DONE", "EVENTS", "IDS"].map(str::to_owned);
        let rows = erasures.iter().map(|erased| {
            let done = if erased.done { "yes" } else { "no" };
            let (number, at) = (erased.erasure.to_string(), erased.erased_at.0.to_string());
            [
                number,
                at,
                done.to_owned(),
                erased.events.to_string(),
                erased.identities.to_string(),
            ]
        });
        let _ = write!(
            out,
            "\n{}",
            table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
        );
    }
}

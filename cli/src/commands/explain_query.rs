//! `trailmark explain-query`

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde_json::Value;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::query::ask::explained::Explained;
use trailmark_server::query::ask::question::Question;
use trailmark_server::store::Store;

use super::database;
use super::query::{Whom, post, read, reader, refused, whom};
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report};

pub(super) async fn run(config: &Config, asking: &args::Asking, output: Output) -> Result<(), Failure> {
    let question = read(&asking.file)?;
    let explained = match whom(config, &asking.whom)? {
        Whom::Database(project) => of_database(config, project, &question).await?,
        Whom::Server(url, key) => {
            let answer = post(&url, "/api/v1/query/explain", key, question, "application/json").await?;
            let answer = serde_json::from_slice(&answer);
            vec![answer.map_err(|error| Failure::failed(format!("{url}: {error}")))?]
        }
    };
    output.print(&Told(explained))
}

/// How a question was answered, each time that it was asked.
#[derive(Debug, Serialize)]
struct Told(Vec<Value>);

impl Report for Told {
    fn text(&self, out: &mut String) {
        for (time, explained) in self.0.iter().enumerate() {
            // Writing to a text cannot fail.
            let _ = write(out, time, explained);
        }
    }
}

/// Twice: the first time nothing is in memory.
async fn of_database(config: &Config, project: i32, question: &[u8]) -> Result<Vec<Value>, Failure> {
    let question = Question::read(question).map_err(|invalid| refused(invalid.into()))?;
    let ask = async |store: &Store| {
        let reader = reader(store, project).await?;
        let mut explained = Vec::new();
        for _ in 0..2 {
            let (answered, how) = reader
                .ask_and_tell(&question, SystemClock.now())
                .await
                .map_err(refused)?;
            let told = serde_json::to_value(Explained::of(&answered, how));
            explained.push(told.map_err(|error| Failure::failed(error.to_string()))?);
        }
        Ok(explained)
    };
    database::with(config, ask).await
}

fn write(f: &mut String, time: usize, explained: &Value) -> fmt::Result {
    let number = |path: &str| explained.pointer(path).and_then(Value::as_u64).unwrap_or_default();
    let text = |path: &str| explained.pointer(path).and_then(Value::as_str);
    if time > 0 {
        writeln!(f, "\nagain, with what is in memory now")?;
    }
    writeln!(f, "answered from  {}", text("/answered_from").unwrap_or("?"))?;
    if let Some(why) = text("/rows_because") {
        writeln!(f, "               because {why}")?;
    }
    let (held, read) = (number("/segments_in_memory"), number("/segments_read"));
    writeln!(
        f,
        "segments       {} ({held} in memory, {read} read), {:.1} MB, {} events",
        held + read,
        number("/segment_bytes") as f64 / 1e6,
        number("/segment_events")
    )?;
    writeln!(
        f,
        "rows           {} events, {} stale weeks",
        number("/tail_events"),
        number("/stale_weeks")
    )?;
    writeln!(
        f,
        "took           {} ms: who is whom {}, segments {}, rows beside them {}, counting {}",
        number("/took/answer_ms"),
        number("/took/people_ms"),
        number("/took/segments_ms"),
        number("/took/tail_ms"),
        number("/took/counting_ms")
    )
}

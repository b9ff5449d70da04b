//! Measures the answers to questions: a private Postgres as `serve` starts it, a made-up history in it, and the real
//! evaluator in this process.
//!
//! [`history`] says what happened, [`load`] puts it into the tables, [`files`] into files for other engines, [`questions`] is
//! what is asked.

pub mod history;
pub mod load;
pub mod seal;
pub mod files;
pub mod questions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use trailmark_server::Store;
use trailmark_server::postgres::{PostgresOptions, PrivatePostgres};
use trailmark_server::query::Reader;
use trailmark_server::query::columns::Columns;

use self::history::History;
use self::load::PROJECT;
use self::questions::Asked;
use crate::args::Query;
use crate::{Outcome, process, report};

/// Raised when the history changes: then it is loaded again.
const HISTORY_VERSION: u32 = 2;

/// Plans are written by Postgres itself, of the very statements that the evaluator sends.
const EXPLAIN: [(&str, &str); 6] = [
    ("session_preload_libraries", "auto_explain"),
    ("auto_explain.log_min_duration", "1ms"),
    ("auto_explain.log_analyze", "on"),
    ("auto_explain.log_buffers", "on"),
    ("auto_explain.log_timing", "on"),
    ("log_duration", "off"),
];

/// Loads the history unless it is there, asks everything, prints a table, writes the plans beside the data.
///
/// # Errors
/// Something could not be measured.
pub async fn run(args: &Query) -> Outcome<()> {
    let dir = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from("/var/tmp/trailmark-bench-query"));
    fs::create_dir_all(&dir)?;
    let options = PostgresOptions {
        dir: dir.join("postgres"),
        bin: None,
    };
    let postgres = PrivatePostgres::start(options).await?;
    let done = measure(args, &dir, &postgres).await;
    postgres.stop().await?;
    done
}

async fn measure(args: &Query, dir: &Path, postgres: &PrivatePostgres) -> Outcome<()> {
    let store = Store::connect(postgres.connect_options(), 2);
    store.migrate().await?;
    let history = History { events: args.events };
    let form = if args.without_rows {
        "segments alone"
    } else {
        "rows and segments"
    };
    let (mark, wanted) = (
        dir.join("history"),
        format!("{} events, version {HISTORY_VERSION}, {form}", args.events),
    );
    if fs::read_to_string(&mark).ok().as_ref() != Some(&wanted) {
        let _ = fs::remove_file(&mark);
        if args.without_rows {
            seal::without_rows(&store, history).await?;
        } else {
            load::load(&store, history).await?;
            seal::rows(&store).await?;
        }
        fs::write(&mark, wanted)?;
    }
    seal::tell_sizes(&store, history).await?;
    if args.load_only {
        return Ok(());
    }
    let columns: Arc<Columns> = Arc::default();
    let readers = Readers {
        segments: Reader::new(store.pool().clone(), PROJECT).with_columns(Arc::clone(&columns)),
        rows: Reader::new(store.pool().clone(), PROJECT),
        postmaster: postgres.pid().ok_or("Postgres is not there")?,
    };
    let mut rows = Vec::new();
    for asked in questions::all(history)?.iter().filter(|asked| args.wants(asked)) {
        let row = row(asked, &readers, args).await?;
        eprintln!("{}", row.join(" | "));
        rows.push(row);
    }
    if let Some(file) = &args.answers {
        fs::write(file, serde_json::to_string(&answers(args, &readers.segments).await?)?)?;
    }
    let head = [
        "question",
        "bar ms",
        "median ms",
        "min",
        "max",
        "",
        "from",
        "cold ms",
        "CPU ms: server",
        "Postgres",
        "from rows: median ms",
    ];
    report::table(&format!("{} events", args.events), &head, &rows);
    let (now, peak) = process::memory(std::process::id())?;
    println!(
        "memory of the server's part: {} MiB, {} at the peak",
        now >> 20,
        peak >> 20
    );
    println!("load average after: {}", process::load_average()?);
    if args.without_rows {
        return Ok(());
    }
    plans(args, dir, postgres.connect_options()).await
}

struct Readers {
    segments: Reader,
    rows: Reader,
    postmaster: u32,
}

async fn row(asked: &Asked, readers: &Readers, args: &Query) -> Outcome<Vec<String>> {
    if args.without_rows && asked.needs_rows() {
        return Ok(vec![asked.name.to_owned(), "needs rows".to_owned()]);
    }
    // With nothing in memory, though Postgres and the system may have it.
    let cold = Reader::new(readers.rows.pool().clone(), PROJECT).with_columns(Arc::default());
    let began = Instant::now();
    let from = asked.ask(&cold).await?.map_or("rows", |answer| answer.from);
    let cold = began.elapsed();
    asked.ask(&readers.segments).await?;
    let cpu = || -> Outcome<_> {
        let server = process::cpu(std::process::id())?;
        Ok((process::cpu_of_family(readers.postmaster)?, server))
    };
    let before = cpu()?;
    let took = times(asked, &readers.segments, args.times).await?;
    let after = cpu()?;
    let median = report::quantile(&took, 0.5);
    let each = |since: Duration| format!("{:.0}", since.as_secs_f64() * 1e3 / args.times as f64);
    let bar = asked.bar.map_or_else(String::new, |bar| bar.as_millis().to_string());
    let met = asked
        .bar
        .map_or("", |bar| if median <= bar { "met" } else { "**missed**" });
    let rows = if args.without_rows || from == "rows" {
        String::new()
    } else {
        asked.ask(&readers.rows).await?;
        report::ms(report::quantile(&times(asked, &readers.rows, args.times).await?, 0.5))
    };
    Ok(vec![
        asked.name.to_owned(),
        bar,
        report::ms(median),
        report::ms(took.first().copied().unwrap_or_default()),
        report::ms(took.last().copied().unwrap_or_default()),
        met.to_owned(),
        from.to_owned(),
        report::ms(cold),
        each(after.1.saturating_sub(before.1)),
        each(after.0.saturating_sub(before.0)),
        rows,
    ])
}

/// How long each time took, sorted.
async fn times(asked: &Asked, reader: &Reader, times: usize) -> Outcome<Vec<Duration>> {
    let mut took = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        asked.ask(reader).await?;
        took.push(began.elapsed());
    }
    took.sort();
    Ok(took)
}

/// What is answered to each question, by its name.
async fn answers(args: &Query, reader: &Reader) -> Outcome<BTreeMap<&'static str, serde_json::Value>> {
    let mut answers = BTreeMap::new();
    for asked in questions::all(History { events: args.events })?
        .iter()
        .filter(|asked| args.wants(asked) && !(args.without_rows && asked.needs_rows()))
    {
        if let Some(answer) = asked.ask(reader).await? {
            answers.insert(asked.name, serde_json::from_str(&answer.json)?);
        }
    }
    Ok(answers)
}

/// `plan-….txt` for each question: what Postgres logged while it was asked once more.
async fn plans(args: &Query, dir: &Path, options: PgConnectOptions) -> Outcome<()> {
    let reader = Reader::new(Store::connect(options.options(EXPLAIN), 1).pool().clone(), PROJECT);
    let log = dir.join("postgres/postgres.log");
    for (index, asked) in questions::all(History { events: args.events })?
        .iter()
        .enumerate()
        .filter(|(_, asked)| args.wants(asked))
    {
        let before = fs::metadata(&log)?.len();
        asked.ask(&reader).await?;
        let text = fs::read(&log)?;
        let plan = text.get(before as usize..).unwrap_or(&text);
        let text = format!("{}\n\n{}", asked.name, String::from_utf8_lossy(plan));
        fs::write(dir.join(format!("plan-{:02}.txt", index + 1)), text)?;
    }
    println!("plans: {}/plan-*.txt", dir.display());
    Ok(())
}

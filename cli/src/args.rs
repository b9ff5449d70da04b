//! What can be typed, and the help that explains it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use trailmark_protocol::Uuid;
use trailmark_server::Config;
use trailmark_server::config::BadConfig;
use trailmark_server::store::KeyKind;

mod export;
mod person;
mod promoted;
mod query;
mod user;

pub use export::Export;
pub use person::Person;
pub use promoted::Promoted;
pub use query::{Asking, Query, Whom};
pub use user::{User, UserRole};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; stderr says why
  2  wrong usage, or something is missing on this machine (no PostgreSQL, say); stderr says what to do

Data goes to stdout, everything else to stderr. With --json, stdout is one JSON value.";

/// Self-hosted product analytics: one server on Postgres, and its administration.
#[derive(Debug, Parser)]
#[command(name = "trailmark", version, after_help = EXIT_CODES, max_term_width = 100, propagate_version = true)]
pub struct Args {
    /// Valid with every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file; `server/config.default.toml` documents every key
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the journal and the private Postgres live [default: trailmark-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A Postgres of your own, instead of a private one
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Where `postgres` and `initdb` are, for the private Postgres
    #[arg(long, global = true, value_name = "DIR")]
    pub pg_bin: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server until Ctrl-C or SIGTERM
    #[command(
        after_help = "Example:\n  trailmark serve --listen 0.0.0.0:7700 --database-url postgres://trailmark@db/trailmark"
    )]
    Serve(Serve),
    /// Run the server with a month of a shop in it, or play a web server's log into it
    #[command(
        after_help = "Examples:\n  trailmark demo --data-dir .demo\n  trailmark demo --log /var/log/nginx/access.log --data-dir .demo"
    )]
    Demo(Demo),
    /// Bring the database's schema up to date (serve does it too)
    #[command(after_help = "Example:\n  trailmark migrate --database-url postgres://trailmark@db/trailmark")]
    Migrate,
    /// Make and list projects
    #[command(subcommand, after_help = "Example:\n  trailmark project create \"My app\"")]
    Project(Project),
    /// Make, list and revoke the keys of a project
    #[command(
        subcommand,
        after_help = "Example:\n  trailmark key create --project 1 --kind write --name website"
    )]
    Key(Key),
    /// Make and administer the users who log in
    #[command(
        subcommand,
        after_help = "Example:\n  trailmark user create --email ann@example.com --role owner"
    )]
    User(User),
    /// Explain, take apart, erase and export a person
    #[command(
        subcommand,
        after_help = "Example:\n  trailmark person explain --project 1 ann@example.com"
    )]
    Person(Person),
    /// Ask a question: trends, funnel, retention, paths, lifecycle, stickiness, sessions, cohort
    #[command(
        after_help = "docs/query.md explains questions. With --project the database is asked, else a running server with \
                      --key. A mistake in the question is named by its JSON path.\n\nExamples:\n  \
                      trailmark query --project 1 -f funnel.json --csv > funnel.csv\n  \
                      echo '{\"kind\":\"trends\",\"series\":[{\"event\":\"checkout\"}]}' | \
                      TRAILMARK_SECRET_KEY=tm_sk_… trailmark query --url https://trailmark.example.com -f -"
    )]
    Query(Query),
    /// Ask a question and print how it was answered: from segments or from rows and why, what was read, what took how long
    #[command(
        after_help = "A running server tells of its own memory; with --project nothing is in memory yet, so it is told for the first \
                      and the second time.\n\nExamples:\n  trailmark explain-query --project 1 -f funnel.json\n  \
                      TRAILMARK_SECRET_KEY=tm_sk_… trailmark explain-query -f funnel.json"
    )]
    ExplainQuery(Asking),
    /// Write the events of a stretch of time into a file: Parquet, or JSON lines
    #[command(
        after_help = "With --project the database is read, else a running server with --key. DuckDB, ClickHouse, Spark and \
                      pandas read the file; docs/api.md lists its columns (GET /api/v1/export).\n\nExamples:\n  \
                      trailmark export --project 1 --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --out november.parquet\n  \
                      TRAILMARK_SECRET_KEY=tm_sk_… trailmark export --url https://trailmark.example.com \
                      --event checkout --format ndjson --out - | jq .properties"
    )]
    Export(Export),
    /// List and change the properties that questions filter and break down by fast
    #[command(subcommand, after_help = "Example:\n  trailmark promoted add --project 1 plan")]
    Promoted(Promoted),
    /// Follow what a running server accepts, and with --refused what it refuses
    #[command(
        after_help = "One line each; with --json, one JSON object each. Only what that server itself takes in is told.\n\n\
                      Examples:\n  TRAILMARK_SECRET_KEY=tm_sk_… trailmark tail --refused\n  \
                      trailmark tail --key tm_sk_… --event checkout --json | jq .data.properties"
    )]
    Tail(Tail),
    /// Send a web server's log to a running server
    #[command(
        after_help = "Each visitor (address and user agent) becomes a device, each request an event `$request`. \
                      Importing the same file again stores nothing twice.\n\nExample:\n  \
                      TRAILMARK_WRITE_KEY=tm_pk_… trailmark import --format combined access.log.gz"
    )]
    Import(Import),
    /// List and replay the events that the database refused
    #[command(
        subcommand,
        name = "deadletter",
        after_help = "Example:\n  trailmark deadletter list --project 1"
    )]
    DeadLetter(DeadLetter),
    /// See what is done in the background: list the jobs, their runs, and have one run at once
    #[command(subcommand, after_help = "Example:\n  trailmark jobs list")]
    Jobs(Jobs),
    /// Compare the segments that fast answers are made from with the rows, and make wrong ones anew
    #[command(
        after_help = "Reads every event once, while servers go on. With --rebuild the rows answer until a segment is made \
                      anew. Exits with 1 if anything was wrong.\n\nExample:\n  trailmark verify --project 1 --rebuild"
    )]
    Verify(Verify),
    /// Check the file that routes requests to other services
    #[command(
        subcommand,
        after_help = "Example:\n  JWT_SECRET=… trailmark gateway check gateway.toml"
    )]
    Gateway(Gateway),
    /// Print the description of the HTTP API (OpenAPI 3.1), as a server has it at /openapi.json
    #[command(
        name = "openapi",
        after_help = "Example:\n  trailmark openapi | npx openapi-typescript /dev/stdin -o trailmark.d.ts"
    )]
    OpenApi,
    /// Check the configuration, the disk, Postgres and the server
    #[command(after_help = "Example:\n  trailmark doctor --json | jq '.checks[] | select(.result != \"ok\")'")]
    Doctor(Listen),
}

/// `trailmark jobs`
#[derive(Debug, Subcommand)]
pub enum Jobs {
    /// List all jobs: last run, duration and error
    #[command(after_help = "Example:\n  trailmark jobs list --json | jq '.jobs[] | select(.error)'")]
    List,
    /// Show the latest runs of a job that did something or failed
    #[command(after_help = "Example:\n  trailmark jobs runs retention")]
    Runs {
        /// The job's name, from `trailmark jobs list`
        job: String,
    },
    /// Have a job run at once, by a running server
    #[command(after_help = "Example:\n  trailmark jobs run usage")]
    Run {
        /// The job's name, from `trailmark jobs list`
        job: String,
    },
}

/// `trailmark verify`
#[derive(Debug, ClapArgs)]
pub struct Verify {
    /// Only this project's
    #[arg(long, value_name = "ID")]
    pub project: Option<i32>,
    /// Make wrong segments anew from the rows
    #[arg(long)]
    pub rebuild: bool,
}

/// `trailmark gateway`
#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Say everything that is wrong with a file, as a server would that reads it
    #[command(after_help = "Example:\n  JWT_SECRET=$(openssl rand -hex 32) trailmark gateway check gateway.toml")]
    Check(GatewayFile),
}

/// The gateway's file.
#[derive(Debug, ClapArgs)]
pub struct GatewayFile {
    /// The file; docs/gateway.md is its manual. Variables that it names are taken from the environment
    pub file: PathBuf,
}

/// Where the server listens.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Listen {
    /// Address and port of the server [default: 127.0.0.1:7700]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// `trailmark serve`
#[derive(Debug, ClapArgs)]
pub struct Serve {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
}

/// `trailmark demo`
#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// A log to play through the client SDK, in combined format, instead of a month of a shop
    #[arg(long, value_name = "FILE", env = "DEMO_LOG")]
    pub log: Option<PathBuf>,
    /// Stop when everything is stored and shown, instead of serving on
    #[arg(long, env = "DEMO_EXIT", value_parser = clap::builder::FalseyValueParser::new())]
    pub exit: bool,
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
}

/// `trailmark project …`
#[derive(Debug, Subcommand)]
pub enum Project {
    /// Make a project
    #[command(after_help = "Example:\n  trailmark project create \"My app\"")]
    Create {
        /// A name for people; need not be unique
        name: String,
    },
    /// List all projects
    #[command(after_help = "Example:\n  trailmark project list --json")]
    List,
}

/// `trailmark key …`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key and show it, once
    #[command(after_help = "Example:\n  trailmark key create --project 1 --kind secret --name grafana")]
    Create {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// What the key may do
        #[arg(long, value_enum, default_value = "write")]
        kind: Kind,
        /// A name for people, such as where the key is used
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List keys, without their text
    #[command(after_help = "Example:\n  trailmark key list --project 1")]
    List {
        /// Of this project only
        #[arg(long, value_name = "ID")]
        project: Option<i32>,
    },
    /// Revoke a key: servers refuse it within seconds, for good
    #[command(after_help = "Example:\n  trailmark key revoke --project 1 3")]
    Revoke {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// The key's number, from `trailmark key list`
        key: i32,
    },
}

/// The kinds of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Public: may only send events
    Write,
    /// May read and administer
    Secret,
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Write => Self::Write,
            Kind::Secret => Self::Secret,
        }
    }
}

/// `trailmark tail`
#[derive(Debug, ClapArgs)]
pub struct Tail {
    /// The server [default: where this configuration's server listens]
    #[arg(long)]
    pub url: Option<String>,
    /// A secret key of the project
    #[arg(long, env = "TRAILMARK_SECRET_KEY", hide_env_values = true)]
    pub key: String,
    /// Also refused events and requests, with the reason
    #[arg(long)]
    pub refused: bool,
    /// Only events of this name
    #[arg(long, value_name = "NAME")]
    pub event: Option<String>,
    /// Only events that name this user_id or anonymous_id
    #[arg(long, value_name = "ID")]
    pub person: Option<String>,
}

/// `trailmark import`
#[derive(Debug, ClapArgs)]
pub struct Import {
    /// The log, plain or gzip; - reads standard input
    pub file: PathBuf,
    /// The log's format; `combined` also reads `common`
    #[arg(long, value_enum, default_value = "combined")]
    pub format: Format,
    /// The server [default: where this configuration's server listens]
    #[arg(long)]
    pub url: Option<String>,
    /// The project's write key
    #[arg(long, env = "TRAILMARK_WRITE_KEY", hide_env_values = true)]
    pub key: String,
}

/// Formats of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Combined Log Format of Apache and nginx
    Combined,
}

/// `trailmark deadletter …`
#[derive(Debug, Subcommand)]
pub enum DeadLetter {
    /// List refused events that wait, oldest first
    #[command(after_help = "Example:\n  trailmark deadletter list --project 1 --json")]
    List {
        /// Of this project only
        #[arg(long, value_name = "ID")]
        project: Option<i32>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Try to store refused events again
    #[command(after_help = "Example:\n  trailmark deadletter replay --project 1")]
    Replay {
        /// Of this project only
        #[arg(long, value_name = "ID")]
        project: Option<i32>,
        /// Only this event
        #[arg(long, value_name = "ID")]
        event: Option<Uuid>,
    },
}

impl Args {
    /// The configuration these arguments ask for: defaults < file < `env` < flags.
    ///
    /// # Errors
    /// [`BadConfig`] if the file cannot be read, a key is unknown or a value does not fit.
    pub fn config(&self, env: impl IntoIterator<Item = (String, String)>) -> Result<Config, BadConfig> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let flags = [
            ("data_dir", self.global.data_dir.as_ref().map(path)),
            ("database.url", self.global.database_url.clone()),
            ("database.pg_bin", self.global.pg_bin.as_ref().map(path)),
            ("http.listen", self.command.listen().map(|address| address.to_string())),
        ];
        let given = flags.into_iter().filter_map(|(key, value)| Some((key, value?)));
        Config::load(self.global.config.as_deref(), env, given)
    }
}

impl Command {
    fn listen(&self) -> Option<SocketAddr> {
        match self {
            Self::Serve(serve) => serve.listen.listen,
            Self::Demo(demo) => demo.listen.listen,
            Self::Doctor(listen) => listen.listen,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Args {
        Args::try_parse_from([&["trailmark"], words].concat()).unwrap()
    }

    fn walk(command: &clap::Command, visit: &mut dyn FnMut(&clap::Command)) {
        visit(command);
        for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
            walk(child, visit);
        }
    }

    #[test]
    fn the_definitions_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself_and_gives_an_example() {
        walk(&Args::command(), &mut |command| {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} has no help");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                name == "trailmark" || after.contains("Example:\n  ") || after.contains("Examples:\n  "),
                "{name} has no example"
            );
        });
    }

    #[test]
    fn flags_beat_the_environment() {
        let args = parse(&[
            "serve",
            "--listen",
            "127.0.0.1:1",
            "--data-dir",
            "flag",
            "--database-url",
            "postgres://a/b",
        ]);
        let env = [
            ("TRAILMARK__HTTP__LISTEN", "127.0.0.1:2"),
            ("TRAILMARK__JOURNAL__MAX_BYTES", "7"),
        ];
        let config = args
            .config(env.map(|(key, value)| (key.to_owned(), value.to_owned())))
            .unwrap();
        assert_eq!(config.http.listen.port(), 1);
        assert_eq!(config.data_dir.to_str(), Some("flag"));
        assert_eq!(config.database.url, "postgres://a/b");
        assert_eq!(config.journal.max_bytes, 7);
    }

    #[test]
    fn global_options_may_stand_before_or_after_the_command() {
        assert!(parse(&["--json", "project", "list"]).global.json);
        assert!(parse(&["project", "list", "--json"]).global.json);
    }
}

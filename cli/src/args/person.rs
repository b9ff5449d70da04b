//! `trailmark person`

use clap::Subcommand;
use trailmark_protocol::Uuid;

/// `trailmark person …`
#[derive(Debug, Subcommand)]
pub enum Person {
    /// Show why these ids are one person, and how it came to be so
    #[command(after_help = "Example:\n  trailmark person explain --project 1 ann@example.com")]
    Explain {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// A user_id or anonymous_id of the person; if it is both, the user_id is meant
        id: String,
    },
    /// Take an alias back: its two users are one person no more
    #[command(after_help = "Example:\n  trailmark person unalias --project 1 01934f3e-8a00-7000-8000-000000000003")]
    Unalias {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// The alias's event, from `trailmark person explain`
        event: Uuid,
    },
    /// Erase a person, for good: events, ids, properties; late events of these ids are refused
    #[command(after_help = "Example:\n  trailmark person erase --project 1 ann@example.com")]
    Erase {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// A user_id or anonymous_id of the person; if it is both, the user_id is meant
        id: String,
    },
    /// List who asked to be erased (`$erase` events) and who was; run or dismiss requests
    #[command(
        after_help = "A request names ids that anybody with the public write key may claim: run one after a look at it.\n\n\
                      Example:\n  trailmark person erasures --project 1 --run 01934f3e-8a00-7000-8000-000000000004"
    )]
    Erasures {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// Erase the persons of this request's ids; may be given several times
        #[arg(long, value_name = "EVENT")]
        run: Vec<Uuid>,
        /// Erase the persons of all requests that wait
        #[arg(long, conflicts_with = "run")]
        run_all: bool,
        /// Decide against this request; may be given several times
        #[arg(long, value_name = "EVENT")]
        dismiss: Vec<Uuid>,
    },
    /// Print all there is about a person as JSON lines: who it is, then its events
    #[command(after_help = "Example:\n  trailmark person export --project 1 ann@example.com > ann.ndjson")]
    Export {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// A user_id or anonymous_id of the person; if it is both, the user_id is meant
        id: String,
    },
}

//! `trailmark promoted`

use clap::Subcommand;

/// `trailmark promoted …`
#[derive(Debug, Subcommand)]
pub enum Promoted {
    /// List the promoted properties, who promoted each and how many questions of 30 days used it
    #[command(after_help = "Example:\n  trailmark promoted list --project 1")]
    List {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
    },
    /// Promote a property; a running server makes its columns in the background, the newest weeks first
    #[command(after_help = "Examples:\n  trailmark promoted add --project 1 plan\n  \
                      trailmark promoted add --project 1 '$context.os.name'")]
    Add {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// The property of events, or `$context.` and a path
        property: String,
    },
    /// Take a property's columns away: rows answer again
    #[command(after_help = "Example:\n  trailmark promoted remove --project 1 plan")]
    Remove {
        /// The project's number
        #[arg(long, value_name = "ID")]
        project: i32,
        /// The property, from `trailmark promoted list`
        property: String,
    },
}

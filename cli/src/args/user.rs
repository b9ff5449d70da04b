//! What can be typed after `trailmark user`.

use clap::{Subcommand, ValueEnum};
use trailmark_server::store::Role;

/// `trailmark user …`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Make a user; without a terminal or a password, one is made up and shown, once
    #[command(
        after_help = "A password has at least 15 characters. At a terminal it is asked for, twice; just Enter makes one up.\n\n\
                      Examples:\n  trailmark user create --email ann@example.com --role owner\n  \
                      pass show trailmark | trailmark user create --email ann@example.com --password-stdin"
    )]
    Create {
        /// The e-mail address to log in with
        #[arg(long)]
        email: String,
        /// What the user may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: UserRole,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print a link with which somebody becomes a user: it works once, for a week
    #[command(
        after_help = "Who has the link chooses an e-mail address and a password; with --email, only the password.\n\n\
                      Example:\n  trailmark user invite --role admin --email bob@example.com"
    )]
    Invite {
        /// What the user may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: UserRole,
        /// The e-mail address to log in with
        #[arg(long)]
        email: Option<String>,
    },
    /// Print a link with which a user chooses another password: it works once, for a day
    #[command(after_help = "Example:\n  trailmark user link ann@example.com")]
    Link {
        /// The user's e-mail address
        email: String,
    },
    /// List users
    #[command(after_help = "Example:\n  trailmark user list --json")]
    List,
    /// Give a user another role: sessions have it within 10 seconds, tokens when they are refreshed
    #[command(after_help = "Example:\n  trailmark user set-role --email ann@example.com --role admin")]
    SetRole {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
        /// What the user may do
        #[arg(long, value_enum)]
        role: UserRole,
    },
    /// Give a user another password and end its sessions
    #[command(after_help = "Example:\n  trailmark user set-password --email ann@example.com")]
    SetPassword {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut a user out: its sessions end within 10 seconds
    #[command(after_help = "Example:\n  trailmark user disable --email ann@example.com")]
    Disable {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Let a disabled user log in again
    #[command(after_help = "Example:\n  trailmark user enable --email ann@example.com")]
    Enable {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
    },
    /// Forget the failed logins of an e-mail address, so that it is locked no more
    #[command(after_help = "Example:\n  trailmark user unlock --email ann@example.com")]
    Unlock {
        /// The e-mail address
        #[arg(long)]
        email: String,
    },
    /// Remove a user with its sessions, for good
    #[command(after_help = "Example:\n  trailmark user erase --email ann@example.com")]
    Erase {
        /// The user's e-mail address
        #[arg(long)]
        email: String,
    },
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UserRole {
    /// Everything
    Owner,
    /// Everything but what only owners may
    Admin,
    /// Look, and change nothing
    Viewer,
}

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Owner => Self::Owner,
            UserRole::Admin => Self::Admin,
            UserRole::Viewer => Self::Viewer,
        }
    }
}

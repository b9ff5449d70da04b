//! `trailmark user`

use std::fmt::Write;

use serde::Serialize;
use trailmark_server::Config;
use trailmark_server::clock::{Clock, SystemClock};
use trailmark_server::gateway::login::{INVITED_FOR, Link, RESET_FOR, account_hash, new_link};
use trailmark_server::store::{Owned, Role, Store, StoreError, User, normal_email};

use super::database;
use super::password::Password;
use super::welcome::Welcome;
use crate::args;
use crate::failure::Failure;
use crate::output::{Output, Report, say, table};

#[derive(Serialize)]
struct Row {
    id: String,
    email: String,
    role: &'static str,
    created_at: String,
    disabled_at: Option<String>,
}

impl From<User> for Row {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            role: user.role.as_str(),
            created_at: user.created_at.to_string(),
            disabled_at: user.disabled_at.map(|at| at.to_string()),
        }
    }
}

/// A user after a change.
impl Report for Row {
    fn text(&self, out: &mut String) {
        let state = if self.disabled_at.is_some() { ", disabled" } else { "" };
        let _ = writeln!(out, "{}: {}{state}", self.email, self.role);
    }
}

#[derive(Serialize)]
struct WithPassword {
    /// The password, if it was made up: this is the only time that it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(flatten)]
    row: Row,
}

/// The password alone if there is one, so that a script can take it.
impl Report for WithPassword {
    fn text(&self, out: &mut String) {
        match &self.password {
            Some(password) => drop(writeln!(out, "{password}")),
            None => self.row.text(out),
        }
    }
}

#[derive(Serialize)]
struct Invited {
    /// This is the only time that it is shown.
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    role: &'static str,
    expires_at: String,
}

/// The link alone, so that a script can take it.
impl Report for Invited {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "{}", self.link);
    }
}

#[derive(Serialize)]
struct List {
    users: Vec<Row>,
}

impl Report for List {
    fn text(&self, out: &mut String) {
        let heading = ["EMAIL", "ROLE", "CREATED", "DISABLED"].map(str::to_owned);
        let rows = self.users.iter().map(|row| {
            let disabled = row.disabled_at.clone().unwrap_or_else(|| "no".to_owned());
            [row.email.clone(), row.role.to_owned(), row.created_at.clone(), disabled]
        });
        out.push_str(&table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
    }
}

#[derive(Serialize)]
struct Unlocked {
    email: String,
    /// Whether there were failures to forget.
    unlocked: bool,
}

impl Report for Unlocked {
    fn text(&self, out: &mut String) {
        let _ = match self.unlocked {
            true => writeln!(out, "the failed logins of {} are forgotten", self.email),
            false => writeln!(out, "{} has no failed logins", self.email),
        };
    }
}

#[derive(Serialize)]
struct Erased {
    email: String,
    erased: bool,
}

impl Report for Erased {
    fn text(&self, out: &mut String) {
        let _ = writeln!(out, "{} is erased", self.email);
    }
}

pub(super) async fn run(config: &Config, command: &args::User, output: Output) -> Result<(), Failure> {
    match command {
        args::User::Create {
            email,
            role,
            password_stdin,
        } => create(config, &address(email)?, (*role).into(), *password_stdin, output).await,
        args::User::Invite { role, email } => {
            let email = email.as_deref().map(address).transpose()?;
            invite(config, (*role).into(), email, output).await
        }
        args::User::Link { email } => link(config, &address(email)?, output).await,
        args::User::List => {
            let users = database::with(config, async |store: &Store| Ok(store.list_users().await?)).await?;
            let users = users.into_iter().map(Row::from).collect();
            output.print(&List { users })
        }
        args::User::SetRole { email, role } => {
            let email = address(email)?;
            let change = async |store: &Store| Ok(store.set_user_role(&email, (*role).into()).await?);
            output.print(&changed(database::with(config, change).await?, &email)?)
        }
        args::User::SetPassword { email, password_stdin } => {
            set_password(config, &address(email)?, *password_stdin, output).await
        }
        args::User::Disable { email } => {
            let email = address(email)?;
            let disable = async |store: &Store| Ok(store.disable_user(&email).await?);
            output.print(&changed(database::with(config, disable).await?, &email)?)
        }
        args::User::Enable { email } => {
            let email = address(email)?;
            let enable = async |store: &Store| Ok(store.enable_user(&email).await?);
            output.print(&changed(database::with(config, enable).await?, &email)?)
        }
        args::User::Unlock { email } => {
            let unlock = async |store: &Store| Ok(store.forget_login_failures(&account_hash(email)).await?);
            let unlocked = database::with(config, unlock).await?;
            let email = email.clone();
            output.print(&Unlocked { email, unlocked })
        }
        args::User::Erase { email } => {
            let email = address(email)?;
            let erase = async |store: &Store| Ok(store.erase_user(&email).await?);
            if !database::with(config, erase).await? {
                return Err(nobody(&email));
            }
            output.print(&Erased { email, erased: true })
        }
    }
}

async fn create(config: &Config, email: &str, role: Role, from_stdin: bool, output: Output) -> Result<(), Failure> {
    let password = Password::obtain(from_stdin)?;
    let hash = password.hash()?;
    let taken = |error: StoreError| match error.is_duplicate() {
        true => Failure::failed(format!("{email} is a user already")).hint("trailmark user list"),
        false => error.into(),
    };
    let at = SystemClock.now();
    let create = async |store: &Store| store.create_user(email, &hash, role, at).await.map_err(taken);
    let user = database::with(config, create).await?;
    show(user, password, output)
}

async fn invite(config: &Config, role: Role, email: Option<String>, output: Output) -> Result<(), Failure> {
    let link = new_link(INVITED_FOR, SystemClock.now())?;
    let invite = async |store: &Store| {
        if let Some(email) = &email
            && store.user_with_password(email).await?.is_some()
        {
            return Err(Failure::failed(format!("{email} is a user already")).hint("trailmark user list"));
        }
        Ok(store.invite(None, (role, email.as_deref()), link.kept).await?)
    };
    match database::with(config, invite).await? {
        Owned::Done(_) => print_link(config, &link, (email.clone(), role), output),
        _ => Err(Failure::failed("too many invitations are open").hint("they expire within a week")),
    }
}

async fn link(config: &Config, email: &str, output: Output) -> Result<(), Failure> {
    let link = new_link(RESET_FOR, SystemClock.now())?;
    let reset = async |store: &Store| {
        let users = store.list_users().await?;
        let user = users.into_iter().find(|user| user.email == email);
        let user = user.ok_or_else(|| nobody(email))?;
        Ok((store.invite_reset(None, user.id, link.kept).await?, user.role))
    };
    match database::with(config, reset).await? {
        (Owned::Done(()), role) => print_link(config, &link, (Some(email.to_owned()), role), output),
        _ => Err(Failure::failed(format!("{email} is disabled")).hint("trailmark user enable")),
    }
}

fn print_link(
    config: &Config,
    link: &Link,
    (email, role): (Option<String>, Role),
    output: Output,
) -> Result<(), Failure> {
    output.print(&Invited {
        link: Welcome::of(config).link(config.http.listen, &link.token),
        email,
        role: role.as_str(),
        expires_at: link.kept.expires_at.to_string(),
    })?;
    say(format_args!(
        "this link works once, until {}, and is shown only now",
        link.kept.expires_at
    ));
    Ok(())
}

async fn set_password(config: &Config, email: &str, from_stdin: bool, output: Output) -> Result<(), Failure> {
    let password = Password::obtain(from_stdin)?;
    let hash = password.hash()?;
    let change = async |store: &Store| Ok(store.set_user_password(email, &hash).await?);
    let user = database::with(config, change).await?;
    show(user.ok_or_else(|| nobody(email))?, password, output)
}

fn show(user: User, password: Password, output: Output) -> Result<(), Failure> {
    let password = password.news();
    let is_new = password.is_some();
    output.print(&WithPassword {
        password,
        row: user.into(),
    })?;
    if is_new {
        say("this password is shown only now; a hash of it is stored");
    }
    Ok(())
}

fn address(email: &str) -> Result<String, Failure> {
    normal_email(email).ok_or_else(|| Failure::usage(format!("{email:?} is no e-mail address")))
}

fn changed(user: Option<User>, email: &str) -> Result<Row, Failure> {
    user.map(Row::from).ok_or_else(|| nobody(email))
}

fn nobody(email: &str) -> Failure {
    Failure::failed(format!("there is no user {email}")).hint("trailmark user list")
}

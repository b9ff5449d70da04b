//! Where the password of a user comes from: standard input, a terminal that does not show it, or chance.

use std::io::{BufRead, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use trailmark_server::gateway::login::password::{hash, unfit};
use trailmark_server::store::random_text;

use crate::failure::Failure;

/// Characters of a password that is made up: 24 of 62, 142 bits.
const MADE_UP_CHARS: usize = 24;

/// A password. Not for logs, hence no `Debug`.
pub(super) struct Password {
    text: String,
    made_up: bool,
}

impl Password {
    /// From standard input if asked to, else from whoever sits at the terminal, else made up.
    pub(super) fn obtain(from_stdin: bool) -> Result<Self, Failure> {
        let typed = if from_stdin {
            read_line()?
        } else if std::io::stdin().is_terminal() {
            ask_twice()?
        } else {
            String::new()
        };
        if typed.is_empty() && from_stdin {
            return Err(Failure::usage("there is no password on standard input"));
        }
        if typed.is_empty() {
            return Self::made_up();
        }
        match unfit(&typed) {
            Some(why) => Err(Failure::usage(why)),
            None => Ok(Self {
                text: typed,
                made_up: false,
            }),
        }
    }

    fn made_up() -> Result<Self, Failure> {
        Ok(Self {
            text: random_text("", MADE_UP_CHARS)?,
            made_up: true,
        })
    }

    /// Its hash, for the database.
    pub(super) fn hash(&self) -> Result<String, Failure> {
        Ok(hash(&self.text)?)
    }

    /// The password itself, if nobody knows it yet.
    pub(super) fn news(self) -> Option<String> {
        self.made_up.then_some(self.text)
    }
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::failed(format!("cannot read the password: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask_twice() -> Result<String, Failure> {
    let password = ask("password (Enter makes one up): ")?;
    if !password.is_empty() && ask("again: ")? != password {
        return Err(Failure::usage("the two passwords differ"));
    }
    Ok(password)
}

fn ask(prompt: &str) -> Result<String, Failure> {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{prompt}").and_then(|()| stderr.flush());
    let hidden = Hidden::begin();
    let line = read_line();
    drop(hidden);
    let _ = writeln!(stderr);
    line
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Self {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(mut silent) = before.clone() {
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &silent);
        }
        Self(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}

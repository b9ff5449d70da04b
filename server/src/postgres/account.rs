//! As whom Postgres runs: it refuses root, so as root we take `postgres`, else `nobody`; otherwise ourselves.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::error::StartError;

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether this is another user than we are.
    pub(super) other: bool,
}

impl Account {
    /// The account for `data`: who owns it, or for new data the best of this machine. (The owner may differ from what we
    /// would choose now: `nobody`, say, from before a package added the user `postgres`.)
    pub(super) fn for_data(data: &Path) -> Result<Self, StartError> {
        let users = || parse_passwd(&fs::read_to_string("/etc/passwd").unwrap_or_default());
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let owner = fs::metadata(data).ok().map(|m| (m.uid(), m.gid()));
        match (uid.is_root(), owner) {
            (true, None) => preferred(&users()).ok_or(StartError::NoAccount),
            (true, Some((0, _))) => Err(wrong_owner(
                data,
                "belongs to root; give it back with `chown -R postgres`",
            )),
            (true, Some((uid, gid))) => Ok(Self {
                name: name_of(uid, users()),
                uid,
                gid,
                other: true,
            }),
            (false, Some((owner, _))) if owner != uid.as_raw() => Err(wrong_owner(
                data,
                "belongs to another user: run as that user, or as root",
            )),
            (false, _) => {
                let uid = uid.as_raw();
                Ok(Self {
                    name: name_of(uid, users()),
                    uid,
                    gid: gid.as_raw(),
                    other: false,
                })
            }
        }
    }

    /// Makes this account the owner of `path`.
    pub(super) fn give(&self, path: &Path) -> Result<(), StartError> {
        if !self.other {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(StartError::io("change the owner of", path))
    }

    /// Makes sure that this account can enter `directory` and every folder above it. Looks at permission bits, as the
    /// process will have no supplementary groups; not at access control lists.
    pub(super) fn reaches(&self, directory: &Path) -> Result<(), StartError> {
        if !self.other {
            return Ok(());
        }
        let mut from_root: Vec<&Path> = directory.ancestors().collect();
        from_root.reverse();
        let closed = from_root
            .into_iter()
            .find(|at| fs::metadata(at).is_ok_and(|m| !self.may_enter(&m)));
        match closed {
            None => Ok(()),
            Some(at) => Err(StartError::Unreachable {
                directory: PathBuf::from(at),
                user: self.name.clone(),
            }),
        }
    }

    fn may_enter(&self, folder: &fs::Metadata) -> bool {
        search_bit(folder.mode(), folder.uid() == self.uid, folder.gid() == self.gid)
    }
}

/// Unix asks the first class that matches, and no other.
fn search_bit(mode: u32, is_owner: bool, is_group: bool) -> bool {
    match (is_owner, is_group) {
        (true, _) => mode & 0o100 != 0,
        (false, true) => mode & 0o010 != 0,
        (false, false) => mode & 0o001 != 0,
    }
}

fn wrong_owner(path: &Path, problem: &str) -> StartError {
    StartError::WrongOwner {
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

fn preferred(users: &[Account]) -> Option<Account> {
    let find = |name: &str| users.iter().find(|user| user.name == name && user.uid != 0).cloned();
    find("postgres").or_else(|| find("nobody"))
}

fn name_of(uid: u32, users: Vec<Account>) -> String {
    users
        .into_iter()
        .find(|user| user.uid == uid)
        .map_or_else(|| uid.to_string(), |user| user.name)
}

/// The users in `/etc/passwd`: `name:password:uid:gid:…`.
fn parse_passwd(text: &str) -> Vec<Account> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Account {
            name,
            uid,
            gid,
            other: true,
        })
    };
    text.lines().filter_map(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n\
                          # a comment\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn root_runs_postgres_as_postgres() {
        let chosen = preferred(&parse_passwd(PASSWD)).unwrap();
        assert_eq!((chosen.name.as_str(), chosen.uid, chosen.gid), ("postgres", 101, 104));
    }

    #[test]
    fn without_a_user_postgres_root_takes_nobody() {
        let without: String = PASSWD
            .lines()
            .filter(|l| !l.starts_with("postgres"))
            .map(|l| format!("{l}\n"))
            .collect();
        assert_eq!(preferred(&parse_passwd(&without)).unwrap().name, "nobody");
    }

    #[test]
    fn a_user_postgres_that_is_root_in_disguise_is_not_taken() {
        assert_eq!(preferred(&parse_passwd("postgres:x:0:0::/:/bin/sh")), None);
    }

    #[test]
    fn only_the_first_matching_class_of_permissions_counts() {
        assert!(search_bit(0o711, false, false));
        assert!(!search_bit(0o710, false, false));
        assert!(!search_bit(0o701, false, true), "a member of the group is not `others`");
        assert!(!search_bit(0o677, true, false), "the owner is not `others`");
    }
}

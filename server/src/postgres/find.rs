//! Which Postgres to run. Found on the machine, never downloaded.
//!
//! Order: `--pg-bin`, `pg_config --bindir`, `/usr/lib/postgresql/*/bin` (highest version first), `PATH`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::StartError;

/// The oldest major version that we start: what the settings and migrations are written for.
pub const OLDEST_MAJOR: u32 = 14;

/// Where Debian and Ubuntu keep one folder per major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// A folder with a Postgres server in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Holds `postgres` and `initdb`.
    pub bin_dir: PathBuf,
    /// For example 15.
    pub major: u32,
}

impl Binaries {
    pub(super) fn postgres(&self) -> PathBuf {
        self.bin_dir.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.bin_dir.join("initdb")
    }

    fn describe(&self) -> String {
        format!("PostgreSQL {} in {}", self.major, self.bin_dir.display())
    }

    fn at(bin_dir: &Path) -> Option<Self> {
        let both = bin_dir.join("postgres").is_file() && bin_dir.join("initdb").is_file();
        let major = both
            .then(|| output_of(&bin_dir.join("postgres"), "--version"))
            .flatten()?;
        Some(Self {
            bin_dir: bin_dir.to_owned(),
            major: parse_major(&major)?,
        })
    }
}

/// Finds the Postgres that a new data directory would use. `bin` (`--pg-bin`) may name the folder with the binaries or
/// the one above it; when it is given nothing else is tried.
///
/// # Errors
/// [`StartError::NotFound`] when there is none of version 14 or newer.
pub fn find_binaries(bin: Option<&Path>) -> Result<Binaries, StartError> {
    choose(&search(bin), None)
}

/// Finds the Postgres for the data directory `data`: its own major version when it exists already.
pub(super) fn find_for_data(bin: Option<&Path>, data: &Path) -> Result<Binaries, StartError> {
    choose(&search(bin), major_of_data(data)?.map(|major| (data, major)))
}

/// What a search looked at, and what it found there, in order of preference.
#[derive(Debug, Default)]
struct Search {
    looked: Vec<String>,
    found: Vec<Binaries>,
}

/// The first that is new enough, or the first of the version that the data need.
fn choose(search: &Search, data: Option<(&Path, u32)>) -> Result<Binaries, StartError> {
    let fits = |b: &&Binaries| data.map_or(b.major >= OLDEST_MAJOR, |(_, major)| b.major == major);
    match (search.found.iter().find(fits), data) {
        (Some(binaries), _) => Ok(binaries.clone()),
        (None, Some((data, wanted))) if !search.found.is_empty() => Err(StartError::VersionMismatch {
            data: data.to_owned(),
            wanted,
            found: search.found.iter().map(Binaries::describe).collect(),
        }),
        (None, _) => Err(StartError::NotFound {
            looked: search.looked.clone(),
        }),
    }
}

fn search(bin: Option<&Path>) -> Search {
    let candidates = match bin {
        Some(bin) => vec![("--pg-bin", bin.to_owned()), ("--pg-bin", bin.join("bin"))],
        None => usual_places(),
    };
    let found = candidates.iter().filter_map(|(_, dir)| Binaries::at(dir));
    let found = found.fold(Vec::new(), |mut all, b| {
        if !all.contains(&b) {
            all.push(b);
        }
        all
    });
    Search {
        looked: describe_places(&candidates, bin.is_some()),
        found,
    }
}

fn usual_places() -> Vec<(&'static str, PathBuf)> {
    let from_config = output_of(Path::new("pg_config"), "--bindir").map(|dir| PathBuf::from(dir.trim()));
    let versions = std::fs::read_dir(DEBIAN_ROOT).into_iter().flatten().flatten();
    let versions = newest_first(versions.filter_map(|e| e.file_name().into_string().ok()).collect());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = versions.into_iter().map(|v| Path::new(DEBIAN_ROOT).join(v).join("bin"));
    (from_config.into_iter().map(|dir| ("pg_config --bindir", dir)))
        .chain(debian.map(|dir| ("/usr/lib/postgresql/*/bin", dir)))
        .chain(std::env::split_paths(&path).map(|dir| ("PATH", dir)))
        .collect()
}

/// For the message: the places by name, so that it says what was tried even where a place had no folder.
fn describe_places(candidates: &[(&'static str, PathBuf)], explicit: bool) -> Vec<String> {
    if explicit {
        return candidates
            .iter()
            .map(|(name, dir)| format!("{name} {}", dir.display()))
            .collect();
    }
    ["pg_config --bindir", "/usr/lib/postgresql/*/bin", "PATH"]
        .map(str::to_owned)
        .to_vec()
}

/// Folder names such as `15` and `9.6`, highest version first; other names are left out.
fn newest_first(names: Vec<String>) -> Vec<String> {
    let version = |name: &str| {
        name.split('.')
            .map(|part| part.parse::<u32>().ok())
            .collect::<Option<Vec<_>>>()
    };
    let mut versions: Vec<_> = names
        .into_iter()
        .filter_map(|name| Some((version(&name)?, name)))
        .collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, name)| name).collect()
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or of `17beta1`.
fn parse_major(version_line: &str) -> Option<u32> {
    let version = version_line.split_once("(PostgreSQL)")?.1.trim_start();
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The version that wrote the data directory; `None` when there is none yet.
fn major_of_data(data: &Path) -> Result<Option<u32>, StartError> {
    let file = data.join("PG_VERSION");
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(_) if !data.exists() => Ok(None),
        Err(e) => Err(StartError::io("read", &file)(e)),
    }
}

fn output_of(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search_with(majors: &[u32]) -> Search {
        let found = majors
            .iter()
            .map(|&major| Binaries {
                bin_dir: format!("/pg/{major}/bin").into(),
                major,
            })
            .collect();
        Search {
            looked: vec!["PATH".to_owned()],
            found,
        }
    }

    #[test]
    fn the_version_is_read_from_what_postgres_prints() {
        assert_eq!(
            parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(parse_major("bash 5.2"), None);
    }

    #[test]
    fn folders_are_ordered_by_number_not_by_letter() {
        let names = ["9.6", "15", "14", "common", "100"].map(str::to_owned).to_vec();
        assert_eq!(newest_first(names), ["100", "15", "14", "9.6"]);
    }

    #[test]
    fn new_data_take_the_first_that_is_new_enough() {
        assert_eq!(choose(&search_with(&[13, 16, 18]), None).unwrap().major, 16);
    }

    #[test]
    fn existing_data_take_their_own_version_even_when_a_newer_is_installed() {
        let data = Path::new("/data");
        assert_eq!(choose(&search_with(&[18, 15]), Some((data, 15))).unwrap().major, 15);
    }

    #[test]
    fn existing_data_without_their_version_name_both_versions() {
        let error = choose(&search_with(&[18, 16]), Some((Path::new("/data"), 15)))
            .unwrap_err()
            .to_string();
        for part in [
            "/data",
            "PostgreSQL 15",
            "PostgreSQL 18 in /pg/18/bin",
            "PostgreSQL 16",
            "--pg-bin",
        ] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }

    #[test]
    fn nothing_found_says_the_three_ways_to_get_one() {
        let error = find_binaries(Some(Path::new("/nowhere"))).unwrap_err();
        assert!(matches!(error, StartError::NotFound { .. }));
        for part in ["/nowhere", "apt install postgresql", "--pg-bin DIR", "DATABASE_URL"] {
            assert!(error.to_string().contains(part), "{part} is missing in: {error}");
        }
    }

    #[test]
    fn a_bundle_is_found_by_its_root_and_by_its_bin_folder() {
        let installed = find_binaries(None).expect("this machine has Postgres");
        let root = installed.bin_dir.parent().expect("bin has a parent");
        assert_eq!(find_binaries(Some(&installed.bin_dir)).unwrap(), installed);
        assert_eq!(find_binaries(Some(root)).unwrap(), installed);
    }
}

//! The conformance vectors: every file beside this one, step by step, to the byte. Their format is in `README.md`.
//!
//! `GOLDEN_ADD=1` writes outcomes that are missing into the files. One that is there is only ever changed for a file that
//! is named (`GOLDEN_RENEW=track`, or `all`): it is a change of what every platform's SDK does, and somebody has to mean it.

mod file;

use std::path::{Path, PathBuf};

use file::{File, Step};
use trailmark_core::Stats;
use trailmark_vectors::Device;
use trailmark_vectors::text::compact;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

/// What differs, said with the step's place in the file.
struct Difference(String);

/// Runs a file. The outcomes that the file does not have are put in.
fn run(file: &mut File) -> Result<usize, Difference> {
    let mut device = Device::new(&file.text).map_err(Difference)?;
    let mut added = 0;
    for (at, step) in file.steps.iter_mut().enumerate() {
        let outcome = device.step(&step.text).map_err(|why| differs(at, step, &why))?;
        match (&step.expect, outcome) {
            (None, None) => {}
            (None, Some(outcome)) => {
                step.expect = Some(outcome);
                added += 1;
            }
            (Some(expected), Some(outcome)) if compact(expected) == compact(&outcome) => {}
            (Some(expected), outcome) => {
                let outcome = outcome.unwrap_or_default();
                return Err(differs(at, step, &format!("expected {expected}\n     got {outcome}")));
            }
        }
        conserved(&device.engine().stats()).map_err(|why| differs(at, step, &why))?;
    }
    Ok(added)
}

fn differs(at: usize, step: &Step, why: &str) -> Difference {
    Difference(format!("step {}, {:.200}\n{why}", at + 1, step.text))
}

/// The law, after every step.
fn conserved(stats: &Stats) -> Result<(), String> {
    let known = stats.delivered + stats.dropped_total() + stats.queued;
    if stats.captured == known {
        Ok(())
    } else {
        Err(format!("not conserved: {stats:?}"))
    }
}

#[test]
fn every_file_gives_what_it_says_to_the_byte() {
    let renewed = std::env::var("GOLDEN_RENEW").unwrap_or_default();
    let add = std::env::var_os("GOLDEN_ADD").is_some() || !renewed.is_empty();
    let mut wrong = Vec::new();
    for path in files() {
        let mut file = File::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        if renewed == "all" || path.file_stem().is_some_and(|name| *name == *renewed) {
            file.steps.iter_mut().for_each(|step| step.expect = None);
        }
        match run(&mut file) {
            Ok(0) => {}
            Ok(_) if add => std::fs::write(&path, file.write()).unwrap(),
            Ok(added) => wrong.push(format!(
                "{}: {added} outcomes are missing; GOLDEN_ADD=1 adds them",
                path.display()
            )),
            Err(Difference(why)) => wrong.push(format!("{}, {why}", path.display())),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_file_that_says_something_else_is_found() {
    let path = folder().join("track.json");
    let changed = |from: &str, to: &str| {
        let mut file = File::read(&path).unwrap();
        let step = file
            .steps
            .iter_mut()
            .find(|step| step.expect.as_ref().is_some_and(|text| text.contains(from)));
        let expected = step.unwrap().expect.as_mut().unwrap();
        *expected = expected.replacen(from, to, 1);
        run(&mut file).is_err()
    };
    assert!(changed("12.5", "12.50"), "a body");
    assert!(changed("\"captured\":", "\"captured\":1"), "the stats");
    assert!(changed("trailmark-attempt", "Trailmark-Attempt"), "a header");
}

#[test]
fn every_file_names_what_it_needs_of_a_platform() {
    for path in files() {
        let file = File::read(&path).unwrap();
        let found = file.needs_found();
        assert_eq!(
            file.needs,
            found,
            "{}: `needs` must be what its steps use",
            path.display()
        );
    }
}

#[test]
fn the_readme_lists_every_file() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
    }
}

//! The other files that the gateway's file names, to see whether they have changed.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::gateway::file::GatewayFile;

/// What was in the files at one time, by its hash; nothing for a file that could not be read. Not by their times: whoever
/// swaps a symbolic link to an older file has changed it, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents(Vec<(PathBuf, Option<[u8; 32]>)>);

impl Contents {
    /// Those of the files that `file`, which is in `directory`, names.
    pub(super) fn read(file: &GatewayFile, directory: &Path) -> Self {
        let hashed = |name: &Path| {
            let path = directory.join(name);
            let hash = std::fs::read(&path).ok().map(|bytes| Sha256::digest(bytes).into());
            (path, hash)
        };
        Self(file.files().map(hashed).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::file::read;

    const FILE: &str = r#"
version = 1
[auth.jwt.file]
algorithms = ["ES256"]
jwks_file = "keys.json"
[auth.jwt.url]
algorithms = ["ES256"]
jwks_url = "https://id.example/keys"
jwks = { ca = "authority.pem" }
[upstreams.s]
endpoints = [{ url = "https://s.example" }]
tls = { ca = "ca.pem", cert = "own.pem", key = "own.key" }
[[routes]]
id = "call"
path = "/call"
auth = []
grpc = { upstream = "s", descriptors = "s.binpb", method = "s.S/M" }
"#;

    #[test]
    fn each_file_that_is_named_counts_with_what_is_in_it_and_not_with_its_times() {
        let folder = tempfile::tempdir().unwrap();
        let file = read(FILE, &|_| None).unwrap();
        let names = ["keys.json", "authority.pem", "ca.pem", "own.pem", "own.key", "s.binpb"];
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let mut before = Contents::read(&file, folder.path());
        for name in names {
            for text in ["one", "two"] {
                write(name, text);
                let after = Contents::read(&file, folder.path());
                assert_ne!(before, after, "{name} is {text} now");
                write(name, text);
                assert_eq!(
                    Contents::read(&file, folder.path()),
                    after,
                    "{name} was written again as it was"
                );
                before = after;
            }
        }
        std::fs::remove_file(folder.path().join("ca.pem")).unwrap();
        assert_ne!(Contents::read(&file, folder.path()), before);
    }
}

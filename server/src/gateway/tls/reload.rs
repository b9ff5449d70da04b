//! Certificate files that change: read again, and taken if they are good.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::sign::CertifiedKey;

use super::choice::Certificates;
use super::pair::{self, BadPair, Pem};
use super::validity::not_after;
use crate::config::TlsPair;
use crate::gateway::changes::{Watching, follow};

/// Reads the files again whenever they change, for as long as it lives.
pub struct Reloads {
    files: Arc<Mutex<Files>>,
    _watching: Watching,
}

impl Reloads {
    /// Sets `certificates` to what the files hold, now and from now on.
    ///
    /// # Errors
    /// [`BadPair`] if one of them is not good now.
    pub fn begin(pairs: impl IntoIterator<Item = TlsPair>, certificates: &Arc<Certificates>) -> Result<Self, BadPair> {
        let files = Files::read(pairs, certificates)?;
        let paths = files.paths();
        let files = Arc::new(Mutex::new(files));
        let weak = Arc::downgrade(&files);
        let reload = move || weak.upgrade().is_some_and(|files| lock(&files).reload());
        let watching = follow("tls-reload", paths.iter().map(PathBuf::as_path), reload);
        let watching = watching.map_err(|error| BadPair::thread(&error))?;
        Ok(Self {
            files,
            _watching: watching,
        })
    }

    /// Shows in the metrics when the certificates end.
    pub fn publish(&self) {
        lock(&self.files).publish();
    }
}

fn lock(files: &Mutex<Files>) -> std::sync::MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files, what was last read of them, and the certificates that were last good.
struct Files {
    pairs: Vec<File>,
    certificates: Arc<Certificates>,
}

struct File {
    pair: TlsPair,
    read: Result<Pem, BadPair>,
    certificate: Arc<CertifiedKey>,
}

impl Files {
    fn read(pairs: impl IntoIterator<Item = TlsPair>, certificates: &Arc<Certificates>) -> Result<Self, BadPair> {
        let files = Self {
            pairs: pairs.into_iter().map(File::read).collect::<Result<_, _>>()?,
            certificates: Arc::clone(certificates),
        };
        files.offer();
        Ok(files)
    }

    /// Always true: somebody needs them.
    fn reload(&mut self) -> bool {
        let changed = self.pairs.iter_mut().filter_map(File::reload).count();
        if changed > 0 {
            self.offer();
        }
        self.publish();
        true
    }

    fn offer(&self) {
        let certificates = self.pairs.iter().map(|file| Arc::clone(&file.certificate));
        self.certificates.set(certificates.collect());
    }

    fn publish(&self) {
        for file in &self.pairs {
            let Some(end) = file.certificate.cert.first().and_then(|cert| not_after(cert)) else {
                continue;
            };
            let cert = file.pair.cert.display().to_string();
            metrics::gauge!("gateway_tls_cert_not_after_seconds", "cert" => cert).set(end as f64);
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let paths = self.pairs.iter().flat_map(|file| [&file.pair.cert, &file.pair.key]);
        paths.cloned().collect()
    }
}

impl File {
    fn read(pair: TlsPair) -> Result<Self, BadPair> {
        let pem = pair::read(&pair)?;
        let certificate = Arc::new(pair::parse(&pair, &pem)?);
        Ok(Self {
            read: Ok(pem),
            pair,
            certificate,
        })
    }

    /// Something if there is another certificate now. What was bad already is not told again.
    fn reload(&mut self) -> Option<()> {
        let read = pair::read(&self.pair);
        if read == self.read {
            return None;
        }
        self.read = read;
        let parsed = self.read.as_ref().map_err(Clone::clone);
        match parsed.and_then(|pem| pair::parse(&self.pair, pem)) {
            Ok(certificate) => {
                tracing::info!(cert = %self.pair.cert.display(), "a new certificate is used");
                self.certificate = Arc::new(certificate);
                Some(())
            }
            Err(error) => {
                tracing::error!(%error, "the old certificate is kept");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture;
    use std::path::Path;

    use super::*;

    fn copy(name: &str, to: &Path) {
        std::fs::copy(fixture(name), to).unwrap();
    }

    #[test]
    fn a_bad_pair_is_not_taken_and_the_next_good_one_is() {
        let directory = tempfile::tempdir().unwrap();
        let pair = TlsPair {
            cert: directory.path().join("cert.pem"),
            key: directory.path().join("key.pem"),
        };
        copy("one.pem", &pair.cert);
        copy("one.key", &pair.key);
        let certificates = Arc::new(Certificates::default());
        let mut files = Files::read([pair.clone()], &certificates).unwrap();
        let first = Arc::clone(&files.pairs[0].certificate);
        assert_eq!(files.pairs[0].reload(), None, "nothing has changed");
        copy("renewed.pem", &pair.cert);
        assert_eq!(files.pairs[0].reload(), None, "the key is another's");
        std::fs::remove_file(&pair.key).unwrap();
        assert_eq!(files.pairs[0].reload(), None, "there is no key");
        assert!(Arc::ptr_eq(&files.pairs[0].certificate, &first));
        copy("renewed.key", &pair.key);
        assert_eq!(files.pairs[0].reload(), Some(()));
        assert!(!Arc::ptr_eq(&files.pairs[0].certificate, &first));
    }
}

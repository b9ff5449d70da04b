//! Child processes: started, waited for, and stopped whatever happens.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::{Failure, Outcome};

/// What a start may take: initdb on a busy machine took 6 s.
const START: Duration = Duration::from_secs(30);

/// What a stop may take before the process is killed.
const STOP: Duration = Duration::from_secs(20);

/// How often a child that starts or stops is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A running child that listens on loopback. Dropping it stops it.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Service {
    /// Starts `trailmark serve` with its private Postgres in `dir`, without rate limits, with `env` and otherwise by default.
    ///
    /// # Errors
    /// It did not get ready; the end of its log says why.
    pub fn trailmark(binary: &Path, dir: &Path, env: &[(&str, &str)]) -> Outcome<Self> {
        let address = free_address()?;
        let log = dir.join("server.log");
        let mut command = Command::new(binary);
        command
            .args(["serve", "--listen", &address.to_string(), "--data-dir"])
            .arg(dir.join("data"))
            .env_remove("DATABASE_URL")
            .env("TRAILMARK__RATE_LIMIT__PER_IP_PER_SECOND", "0")
            .env("TRAILMARK__RATE_LIMIT__PER_KEY_PER_SECOND", "0")
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?);
        Self::start(command, address).map_err(|error| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            Failure::from(format!("{error}\n{log}"))
        })
    }

    /// Starts the reference for accepting.
    ///
    /// # Errors
    /// It did not get ready.
    pub fn parse_only() -> Outcome<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["parse-only", "--listen", &address.to_string()]);
        Self::start(command, address)
    }

    fn start(mut command: Command, address: SocketAddr) -> Outcome<Self> {
        let child = command.stdin(Stdio::null()).spawn()?;
        let mut service = Self { child, address };
        let began = Instant::now();
        while !is_ready(address) {
            if let Some(status) = service.child.try_wait()? {
                return Err(format!("{command:?} ended: {status}").into());
            }
            if began.elapsed() > START {
                return Err(format!("{command:?} was not ready within {START:?}").into());
            }
            std::thread::sleep(POLL);
        }
        Ok(service)
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let began = Instant::now();
        while began.elapsed() < STOP && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let answer = Connection::open(address).and_then(|mut connection| connection.ask(&get("/readyz", None)));
    matches!(answer, Ok((200, _)))
}

/// A `GET` request.
#[must_use]
pub fn get(path: &str, key: Option<&str>) -> Vec<u8> {
    let key = key
        .map(|key| format!("authorization: Bearer {key}\r\n"))
        .unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}\r\n").into_bytes()
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

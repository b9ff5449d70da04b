//! A real server: `trailmark serve` as a child process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rustix::process::Signal;
use serde_json::Value;

use super::home::Home;
use super::http::{self, Request, Response};
use super::processes::{postmaster, signal};
use super::wait::{until, until_true};

/// The binary under test.
const TRAILMARK: &str = env!("CARGO_BIN_EXE_trailmark");

/// Every test calls from one address, which would be over its limit at once: it has none, unless a test sets one.
const PER_IP_RATE: &str = "TRAILMARK__RATE_LIMIT__PER_IP_PER_SECOND";

/// The gateway's file, in the server's home, where it runs.
const GATEWAY_FILE: &str = "gateway.toml";

/// What it prints before the URL of its listener for operators, once it has started.
const FOR_OPERATORS: &str = "listening for operators on http://";

/// What a server is started with beside its data directory and its address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    env: Vec<(String, String)>,
    database_url: Option<String>,
    gateway: Option<String>,
}

impl Setup {
    /// Sets a number of the configuration by its dotted name, through the environment.
    pub(crate) fn set(self, key: &str, value: u64) -> Self {
        self.text(key, &value.to_string())
    }

    /// Sets a text in the same way.
    pub(crate) fn text(self, key: &str, value: &str) -> Self {
        let name = format!("TRAILMARK__{}", key.to_uppercase().replace('.', "__"));
        self.env(&name, value)
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Routes as this text of a gateway's file says, and listens for operators on a free port.
    pub(crate) fn gateway(self, text: &str) -> Self {
        let with_file = self.text("gateway.file", GATEWAY_FILE);
        Self {
            gateway: Some(text.to_owned()),
            ..with_file.text("gateway.admin_listen", "127.0.0.1:0")
        }
    }

    /// Uses this Postgres instead of a private one.
    pub(crate) fn database(self, url: &str) -> Self {
        Self {
            database_url: Some(url.to_owned()),
            ..self
        }
    }

    /// Starts a server in a fresh home and waits until it is ready.
    pub(crate) fn start(self) -> Server {
        let server = self.launch();
        server.until_ready();
        server
    }

    /// Starts a server in a fresh home and returns at once.
    pub(crate) fn launch(self) -> Server {
        let server = Server {
            setup: self,
            home: Home::new(),
            address: free_address(),
            child: Mutex::new(None),
        };
        if let Some(text) = &server.setup.gateway {
            server.write_gateway(text);
        }
        server.launch();
        server
    }
}

/// A server that may be stopped, killed and started again, always with the same data at the same address.
#[derive(Debug)]
pub(crate) struct Server {
    setup: Setup,
    home: Home,
    address: SocketAddr,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// The server that tests share which only send requests. It ends with the test process.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Server> = LazyLock::new(|| Setup::default().start());
        &SHARED
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, as clients are told.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its operator is listened to, since its last start.
    pub(crate) fn admin(&self) -> SocketAddr {
        until("the listener for operators", || {
            let log = self.log();
            let (_, after) = log.rsplit_once(FOR_OPERATORS)?;
            after.split_once('\n')?.0.trim_end_matches('/').parse().ok()
        })
    }

    /// Writes the gateway's file anew, as deployments do: beside it first, so that nobody reads half of it.
    pub(crate) fn write_gateway(&self, text: &str) {
        let file = self.home.path().join(GATEWAY_FILE);
        let new = file.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, &file).unwrap();
    }

    /// The folder of its private Postgres.
    pub(crate) fn postgres_dir(&self) -> PathBuf {
        self.home.path().join("data/postgres")
    }

    /// The postmaster of its private Postgres, if it runs.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        postmaster(&self.postgres_dir())
    }

    /// Its configured database, if it is not a private one.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.setup.database_url.as_deref()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child().as_ref().expect("the server is started").id()
    }

    /// Everything it ever wrote to stdout and stderr.
    pub(crate) fn log(&self) -> String {
        let read =
            |name| String::from_utf8_lossy(&fs::read(self.home.path().join(name)).unwrap_or_default()).into_owned();
        read("stdout") + &read("stderr")
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&self) {
        self.launch();
        self.until_ready();
    }

    /// Starts it, and returns at once.
    pub(crate) fn launch(&self) {
        let address = self.address.to_string();
        let mut command = self.command(&["serve", "--listen", &address]);
        let child = command
            .stdout(self.append_to("stdout"))
            .stderr(self.append_to("stderr"))
            .spawn()
            .unwrap();
        let before = self.child().replace(child);
        assert!(before.is_none(), "it runs already");
    }

    /// Waits until it answers that it is ready.
    pub(crate) fn until_ready(&self) {
        until("a ready server", || {
            let ended = self.child().as_mut().and_then(|child| child.try_wait().unwrap());
            assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", self.log());
            let response = http::send(self.address, &Request::get("/readyz")).ok()?;
            (response.status == 200).then_some(())
        });
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, which: Signal) {
        signal(self.pid(), which);
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> ExitStatus {
        let status = until("the end of the server", || {
            self.child()
                .as_mut()
                .expect("the server is started")
                .try_wait()
                .unwrap()
        });
        *self.child() = None;
        status
    }

    /// SIGTERM, and the end.
    pub(crate) fn stop(&self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Runs another command on the same data, `--json`, and returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "trailmark {arguments:?}: {}\n{stderr}",
            output.status
        );
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"))
    }

    /// Sends a request on a connection of its own, which must be answered.
    pub(crate) fn send(&self, request: &Request) -> Response {
        http::send(self.address, request).unwrap_or_else(|error| panic!("{request:.200?}: {error}\n{}", self.log()))
    }

    /// What `/readyz` says.
    pub(crate) fn readiness(&self) -> Value {
        self.send(&Request::get("/readyz")).json()
    }

    /// Waits until the journal holds nothing that is not stored.
    pub(crate) fn until_drained(&self) {
        until_true("an empty journal", || {
            self.readiness()["journal"]["backlog_records"] == 0
        });
    }

    /// It runs, it answers, and nothing in it ever panicked.
    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.send(&Request::get("/livez")).status, 200);
        self.assert_no_panic();
    }

    /// Nothing in it ever panicked.
    pub(crate) fn assert_no_panic(&self) {
        let log = self.log();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// A command line, with this server's data.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TRAILMARK);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.home.path().join("data"));
        command
            .env_remove("DATABASE_URL")
            .env(PER_IP_RATE, "0")
            .envs(self.setup.env.iter().map(|(key, value)| (key, value)));
        if let Some(url) = &self.setup.database_url {
            command.args(["--database-url", url]);
        }
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn append_to(&self, name: &str) -> File {
        File::options()
            .create(true)
            .append(true)
            .open(self.home.path().join(name))
            .unwrap()
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// A free port below those that the kernel gives to outgoing connections (from 32768), so that it is still free when a
/// server is started again on it.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 200) as u16 * 100;
    let candidates = std::iter::repeat_with(|| 12_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000);
    let mut addresses = candidates.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    addresses
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("there is a free port")
}

//! What an app holds. The calls that capture and those that look are here, the others in the modules below.

mod telling;
mod people;
mod waiting;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, Weak};

use trailmark_protocol::Timestamp;

use super::builder::ClientBuilder;
use super::driver::Driver;
use super::shared::Shared;
use crate::hooks::{self, BeforeSend, Draft, Hooked};
use crate::notice::Notice;
use crate::{Capture, Engine, Properties, Stats};

/// A client of one Trailmark server. Cloning is cheap; clones share everything.
///
/// The calls return at once, never panic and never fail: an event that cannot be delivered is counted under its reason
/// in [`stats`](Client::stats). When the last clone goes, its thread ends: what is still queued waits in the
/// [`directory`](ClientBuilder::directory) for the next start, or is lost if there is none. Call
/// [`shutdown`](Client::shutdown) first.
///
/// ```
/// use std::time::Duration;
/// use trailmark_core::{Client, Properties};
///
/// let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
/// let worker = client.clone();
/// std::thread::spawn(move || worker.track("worked", Properties::new())).join().ok();
///
/// // There is no server at this address.
/// let report = client.shutdown(Duration::from_secs(5));
/// assert_eq!((report.delivered, report.pending), (0, 1));
/// # Ok::<(), trailmark_core::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Gone after a shutdown. Dropping it ends the thread.
    driver: Mutex<Option<Driver>>,
    before_send: Vec<BeforeSend>,
}

/// A client that may have gone.
pub(super) struct WeakClient(Weak<Inner>);

impl WeakClient {
    /// Whether it is still there.
    pub(super) fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// The client, if it is still there.
    pub(super) fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(|inner| Client { inner })
    }
}

/// Whoever opens the directory next need not wait for the thread to end.
impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

impl Client {
    /// A client that sends to the server at `url` (`https://analytics.example.com`, a path in front is fine), with a
    /// write key (`tm_pk_…`).
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// let client = Client::builder("https://analytics.example.com", "tm_pk_0193").flush_at(50).build()?;
    /// assert_eq!(client.queued(), 0);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn builder(url: &str, write_key: &str) -> ClientBuilder {
        ClientBuilder::new(url, write_key)
    }

    pub(super) fn new(shared: Arc<Shared>, driver: Option<Driver>, before_send: Vec<BeforeSend>) -> Self {
        Self {
            inner: Arc::new(Inner {
                shared,
                driver: Mutex::new(driver),
                before_send,
            }),
        }
    }

    pub(super) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.inner))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Runs the hooks on a draft, outside of every lock, and captures what they leave with `commit`. What is refused as it
    /// is does not come to them, nor does what a hook of this client captures itself: that would have no end.
    fn hooked<T>(&self, draft: Draft, commit: impl FnOnce(&mut Engine, Draft, Timestamp) -> T) {
        thread_local!(static IN_HOOKS_OF: RefCell<Vec<*const Inner>> = const { RefCell::new(Vec::new()) });
        let this = Arc::as_ptr(&self.inner);
        let within = IN_HOOKS_OF.with_borrow(|clients| clients.contains(&this));
        let hooks = if within || draft.check().is_err() {
            &[]
        } else {
            &*self.inner.before_send
        };
        IN_HOOKS_OF.with_borrow_mut(|clients| clients.push(this));
        let Hooked { draft, panics } = hooks::run(hooks, draft);
        IN_HOOKS_OF.with_borrow_mut(Vec::pop);
        self.shared().change(|engine, now| {
            engine.hooks_panicked(panics);
            match draft {
                // A refusal is counted in the stats, here and everywhere.
                Some(draft) => drop(commit(engine, draft, now)),
                None => drop(engine.refuse(now)),
            }
        });
    }

    /// Captures an event of the current identity. When this returns it is saved, if there is a directory to save it in.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new().with("total", 12.5).with("currency", "EUR"));
    /// assert_eq!(client.stats().captured, 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers build properties in the call; a borrow would only be noise"
    )]
    pub fn track(&self, name: &str, properties: Properties) {
        if self.inner.before_send.is_empty() {
            let _ = self.shared().change(|engine, now| engine.track(name, &properties, now));
        } else {
            let draft = self.shared().read(|engine| engine.draft(name, &properties));
            self.hooked(draft, |engine, draft, now| engine.track_draft(&draft, now));
        }
    }

    /// Captures an event that says itself who and when: for backends and imports.
    ///
    /// When the queue is full the oldest event goes; an import waits for [`ready`](Client::ready) in between.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// let visit = Capture::new("$request").anonymous_id("visitor-9").properties(Properties::new().with("status", 200));
    /// client.capture(visit);
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn capture(&self, capture: Capture) {
        if self.inner.before_send.is_empty() {
            let _ = self.shared().change(|engine, now| engine.capture(capture, now));
        } else {
            self.hooked(capture.draft(), |engine, draft, now| {
                engine.capture(capture.drafted(draft), now)
            });
        }
    }

    /// The id of the session of the latest event, if there was one in this epoch.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// assert_eq!(client.session_id(), None);
    /// client.track("checkout", Properties::new());
    /// assert!(client.session_id().is_some());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn session_id(&self) -> Option<String> {
        self.shared()
            .read(|engine| engine.session().map(|session| session.id.clone()))
    }

    /// The install's id: the same over restarts, until the person's data is deleted.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// assert_eq!(client.install_id(), client.clone().install_id());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn install_id(&self) -> String {
        self.shared().read(|engine| engine.install_id().to_owned())
    }

    /// What somebody should know since the last call, for apps that ask instead of being told with
    /// [`on_error`](ClientBuilder::on_error). At most 64 wait.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("", Properties::new());
    /// let notices: Vec<String> = client.take_notices().iter().map(ToString::to_string).collect();
    /// assert_eq!(notices, ["an event was dropped: missing_name"]);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn take_notices(&self) -> Vec<Notice> {
        self.shared().change(|engine, _| engine.take_notices())
    }

    /// The device's id in this epoch.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// let device = client.anonymous_id();
    /// client.reset();
    /// assert_ne!(client.anonymous_id(), device);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn anonymous_id(&self) -> String {
        self.shared().read(|engine| engine.identity().anonymous_id().to_owned())
    }

    /// The user of this epoch, if identified.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// assert_eq!(client.user_id(), None);
    /// client.identify("u_7", Properties::new());
    /// assert_eq!(client.user_id().as_deref(), Some("u_7"));
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn user_id(&self) -> Option<String> {
        self.shared()
            .read(|engine| engine.identity().user_id().map(str::to_owned))
    }

    /// What was captured, and what became of it.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new());
    /// client.track("", Properties::new());
    /// let stats = client.stats();
    /// assert_eq!((stats.captured, stats.queued, stats.dropped["missing_name"]), (2, 1, 1));
    /// assert_eq!(stats.captured, stats.delivered + stats.dropped_total() + stats.queued);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().read(crate::Engine::stats)
    }

    /// Events waiting or on their way.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new());
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared().read(crate::Engine::queued)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared()
            .read(|engine| f.debug_tuple("Client").field(engine).finish())
    }
}

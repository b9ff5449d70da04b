//! What an app holds.

use std::cell::Cell;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use trailmark_protocol::{Reason, Timestamp, names};

use super::builder::ClientBuilder;
use super::driver::Driver;
use super::shared::Shared;
use crate::engine::telling::{self, Told};
use crate::exception::Exception;
use crate::hooks::{self, BeforeSend, Draft, Hooked};
use crate::http_request::HttpRequest;
use crate::notice::Notice;
use crate::{Capture, Engine, FlushReport, Properties, Stats};

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
    /// The client, if it is still there and was not shut down.
    pub(super) fn upgrade(&self) -> Option<Client> {
        let inner = self.0.upgrade()?;
        inner.shared.is_running().then_some(Client { inner })
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

    /// Runs the hooks on a draft, outside of every lock, and captures what they leave with `commit`.
    fn hooked<T>(&self, draft: Draft, commit: impl FnOnce(&mut Engine, Draft, Timestamp) -> T) {
        // What a hook itself captures does not come to the hooks: that would have no end.
        thread_local!(static HOOKED: Cell<bool> = const { Cell::new(false) });
        let within = HOOKED.replace(true);
        let hooks = if within { &[] } else { &*self.inner.before_send };
        let Hooked { draft, panics } = hooks::run(hooks, draft);
        HOOKED.set(within);
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

    /// A screen was shown: `$screen`, with its name as `$screen_name`.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.screen("Cart", Properties::new().with("items", 2));
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn screen(&self, screen: &str, properties: Properties) {
        self.tell(telling::screen(screen, &properties));
    }

    /// The app met an error: `$exception`, with the error and its causes as `$exception_list`. See
    /// [`exception`](crate::exception).
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// use trailmark_core::exception::{Exception, Thrown};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// let thrown = Thrown { kind: "StateError".into(), message: "no card".into(), ..Thrown::default() };
    /// client.capture_exception(&Exception { thrown: vec![thrown], ..Exception::default() }, Properties::new());
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn capture_exception(&self, exception: &Exception, properties: Properties) {
        self.tell(telling::exception(exception, &properties));
    }

    /// The app made, or served, an HTTP request: `$request`.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// use trailmark_core::http_request::HttpRequest;
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// let request = HttpRequest::new("GET", "https://api.example.com/cart").status(200).duration_ms(12.5);
    /// client.capture_request(&request, Properties::new());
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn capture_request(&self, request: &HttpRequest, properties: Properties) {
        self.tell(telling::request(request, &properties));
    }

    /// The app was started in this version, or came back from the background: `$app_opened`. The first start on this
    /// install captures `$app_installed` before it, and the first one of another version `$app_updated`.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.app_opened("1.4.2", false);
    /// assert_eq!(client.queued(), 2);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn app_opened(&self, version: &str, from_background: bool) {
        let told = self
            .shared()
            .change(|engine, now| engine.app_events(version, from_background, now));
        told.into_iter().for_each(|told| self.tell(told));
    }

    /// The app went to the background: `$app_backgrounded`. What is queued is sent without waiting for company: the system
    /// may end the app at any time from now on.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.app_backgrounded();
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn app_backgrounded(&self) {
        self.tell(telling::app_backgrounded());
        self.shared().change(|engine, _| engine.hurry());
        self.shared().wake();
    }

    fn tell(&self, (name, properties): Told) {
        self.track(name, properties);
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
            let _ = self.shared().change(|engine, now| engine.capture(&capture, now));
        } else {
            self.hooked(capture.draft(), |engine, draft, now| {
                engine.capture(&capture.drafted(draft), now)
            });
        }
    }

    /// Says who uses the device, with person properties of which the last writer wins.
    ///
    /// The user who is known already costs nothing. Another user without a [`reset`](Client::reset) between opens a new
    /// epoch with a new anonymous_id. Junk ids (`null`, `undefined`, `0`, …) are refused and change nothing.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.identify("u_7", Properties::new().with("plan", "pro"));
    /// assert_eq!(client.user_id().as_deref(), Some("u_7"));
    ///
    /// client.identify("undefined", Properties::new());
    /// assert_eq!(client.user_id().as_deref(), Some("u_7"));
    /// assert_eq!(client.stats().dropped["junk_user_id"], 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn identify(&self, user_id: &str, set: Properties) {
        self.identify_with(user_id, set, Properties::new());
    }

    /// [`identify`](Client::identify), also with person properties of which the first writer wins.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// let first_seen = Properties::new().with("campaign", "spring");
    /// client.identify_with("u_7", Properties::new().with("plan", "pro"), first_seen);
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn identify_with(&self, user_id: &str, set: Properties, set_once: Properties) {
        self.hooked(
            Draft::of_person(names::IDENTIFY, set, set_once),
            |engine, draft, now| engine.identify(user_id, &draft.set, &draft.set_once, now),
        );
    }

    /// Sets person properties: `set` of which the last writer wins, `set_once` of which the first does.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.identify("u_7", Properties::new());
    /// client.set(Properties::new().with("plan", "team"), Properties::new().with("first_plan", "pro"));
    /// assert_eq!(client.queued(), 2);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn set(&self, set: Properties, set_once: Properties) {
        self.hooked(Draft::of_person(names::SET, set, set_once), |engine, draft, now| {
            engine.set(&draft.set, &draft.set_once, now)
        });
    }

    /// Says that the current user and `other_user_id` are one person.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.identify("u_7", Properties::new());
    /// client.alias("ada@example.com");
    /// assert_eq!(client.queued(), 2);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn alias(&self, other_user_id: &str) {
        self.hooked(Draft::new(names::ALIAS, Properties::new()), |engine, _, now| {
            engine.alias(other_user_id, now)
        });
    }

    /// Puts the current user into a group (`"company"`, `"acme"`), with what is known about the group. Later events of
    /// the user carry it, as `$groups`; one group of each type.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.identify("u_7", Properties::new());
    /// client.group("company", "acme", Properties::new().with("employees", 50));
    /// assert_eq!(client.queued(), 2);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn group(&self, group_type: &str, group_id: &str, traits: Properties) {
        self.hooked(Draft::new(names::GROUP, traits), |engine, draft, now| {
            engine.group(group_type, group_id, &draft.properties, now)
        });
    }

    /// Writes these super-properties into every event from now on, until [`reset`](Client::reset) or another user. Those
    /// of a call win over them.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.register(Properties::new().with("theme", "dark"));
    /// client.track("checkout", Properties::new().with("total", 12.5)); // has both
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn register(&self, properties: Properties) {
        self.registering(|engine, now| engine.register(&properties, now));
    }

    /// [`register`](Client::register), for those of them that are not registered yet.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.register_once(Properties::new().with("campaign", "spring"));
    /// client.register_once(Properties::new().with("campaign", "autumn")); // stays spring
    /// # assert!(client.take_notices().is_empty());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "callers build properties in the call")]
    pub fn register_once(&self, properties: Properties) {
        self.registering(|engine, now| engine.register_once(&properties, now));
    }

    /// Takes a super-property out.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.register(Properties::new().with("theme", "dark"));
    /// client.unregister("theme");
    /// # assert!(client.take_notices().is_empty());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn unregister(&self, key: &str) {
        self.shared().change(|engine, now| engine.unregister(key, now));
    }

    /// A refusal cannot be counted, because no event is lost; but it can be told.
    fn registering(&self, register: impl FnOnce(&mut Engine, Timestamp) -> Result<(), Reason>) {
        self.shared().change(|engine, now| {
            if let Err(reason) = register(engine, now) {
                engine.notice(Notice::Refused(reason));
            }
        });
    }

    /// Replaces the circumstances that are written into events from now on.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.set_context(Properties::new().with("locale", "de-DE").with("timezone", "Europe/Berlin"));
    /// # assert!(client.take_notices().is_empty());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn set_context(&self, context: impl Into<Properties>) {
        let context = context.into();
        self.registering(|engine, _| engine.set_context(context));
    }

    /// Forgets the user: a new epoch with a new anonymous_id, without session, groups and super-properties. What is
    /// queued keeps its identity and is still delivered.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.identify("u_7", Properties::new());
    /// let device = client.anonymous_id();
    /// client.reset();
    /// assert_eq!(client.user_id(), None);
    /// assert_ne!(client.anonymous_id(), device);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn reset(&self) {
        self.shared().change(|engine, now| engine.reset(now));
    }

    /// The person does not want to be observed: nothing is captured, stored or sent from now on, over restarts, until
    /// [`opt_in`](Client::opt_in). What is queued is dropped as [`Reason::OptedOut`].
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.opt_out();
    /// client.track("checkout", Properties::new());
    /// assert_eq!((client.stats().captured, client.stats().ignored), (0, 1));
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn opt_out(&self) {
        self.shared().change(|engine, now| engine.opt_out(now));
    }

    /// The person agrees again.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.opt_out();
    /// client.opt_in();
    /// client.track("checkout", Properties::new());
    /// assert_eq!(client.queued(), 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn opt_in(&self) {
        self.shared().change(|engine, now| engine.opt_in(now));
    }

    /// Whether the person has opted out.
    ///
    /// ```
    /// # use trailmark_core::{Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.opt_out();
    /// assert!(client.is_opted_out());
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn is_opted_out(&self) -> bool {
        self.shared().read(Engine::is_opted_out)
    }

    /// The person wants their data deleted: the device is emptied, the server is asked to erase, and nothing more is
    /// captured until [`opt_in`](Client::opt_in).
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new());
    /// client.delete_my_data();
    /// assert_eq!(client.stats().dropped["deleted"], 1);
    /// assert_eq!(client.queued(), 1, "the request to erase");
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn delete_my_data(&self) {
        self.shared().change(|engine, now| engine.delete_my_data(now));
        self.shared().wake();
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

    /// Resolves when fewer than `max_queued` events are queued, or the client has ended. Until then the queue is sent
    /// without waiting for batches to fill. Works on any runtime.
    ///
    /// ```
    /// # use trailmark_core::{Capture, Client};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # let lines = [Capture::new("$request").anonymous_id("visitor-9")];
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// for line in lines {
    ///     client.ready(10_000).await;
    ///     client.capture(line);
    /// }
    /// # });
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn ready(&self, max_queued: usize) -> impl Future<Output = ()> + Send + use<> {
        let ready = self.shared().ready(max_queued);
        async {
            if let Some(ready) = ready {
                // Dropped by an ended client: there is nothing to wait for either.
                let _ = ready.await;
            }
        }
    }

    /// Sends everything that is queued at the time of the call now, skipping a wait after a failure once.
    ///
    /// Resolves when each of these events is decided or was tried once more; a request that fails as a whole (no
    /// answer, 503, a refused key) stands for everything behind it. Works on any runtime; it begins with the call, also
    /// if the future is never polled.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// client.track("checkout", Properties::new());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let report = client.flush().await;
    /// // There is no server at this address.
    /// assert_eq!((report.delivered, report.pending), (0, 1));
    /// # });
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn flush(&self) -> impl Future<Output = FlushReport> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.shared().flush(Box::new(|report| {
            let _ = sender.send(report);
        }));
        // The sender is always used: a client that ends reports, too.
        async { receiver.await.unwrap_or_default() }
    }

    /// [`flush`](Client::flush) for threads: waits at most `timeout` and then reports what is known.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # use std::time::Duration;
    /// client.track("checkout", Properties::new());
    /// let report = client.flush_blocking(Duration::from_secs(5));
    /// // There is no server at this address.
    /// assert_eq!((report.delivered, report.pending), (0, 1));
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    #[must_use]
    pub fn flush_blocking(&self, timeout: Duration) -> FlushReport {
        let (sender, receiver) = sync_channel(1);
        let id = self.shared().flush(Box::new(move |report| {
            let _ = sender.send(report);
        }));
        match receiver.recv_timeout(timeout) {
            Ok(report) => report,
            // Finished in this very moment, it is in the channel.
            Err(_) => self
                .shared()
                .end_flush(id)
                .or_else(|| receiver.recv().ok())
                .unwrap_or_default(),
        }
    }

    /// Ends the client: later events are dropped as [`Reason::ShutDown`], what is queued is
    /// flushed within `timeout`, and the thread is joined. A second call reports what is left.
    ///
    /// It blocks; in async code, `flush().await` first.
    ///
    /// ```
    /// # use trailmark_core::{Client, Properties};
    /// # let client = Client::builder("http://127.0.0.1:9", "tm_pk_example").build()?;
    /// # use std::time::Duration;
    /// client.track("checkout", Properties::new());
    /// let report = client.shutdown(Duration::from_secs(5));
    /// assert_eq!(report.delivered + report.dropped_total() + report.pending, 1);
    ///
    /// client.track("too late", Properties::new());
    /// assert_eq!(client.stats().dropped["shut_down"], 1);
    /// # Ok::<(), trailmark_core::BuildError>(())
    /// ```
    pub fn shutdown(&self, timeout: Duration) -> FlushReport {
        self.shared().change(|engine, _| engine.close());
        let report = self.flush_blocking(timeout);
        let driver = self.inner.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(driver) = driver {
            driver.join();
        }
        self.shared().stop();
        report
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.shared()
            .read(|engine| f.debug_tuple("Client").field(engine).finish())
    }
}

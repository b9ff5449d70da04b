//! Who uses the device, what is written into all their events, and what they have agreed to.

use trailmark_protocol::{Reason, Timestamp, names};

use super::Client;
use crate::hooks::Draft;
use crate::notice::Notice;
use crate::{Engine, Properties};

impl Client {
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
}

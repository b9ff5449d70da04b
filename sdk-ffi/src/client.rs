//! The client object.

use std::sync::Arc;
use std::time::Duration;

use trailmark_core::ClientBuilder;

use crate::border::Border;
#[cfg(feature = "callbacks")]
use crate::callbacks::{BeforeSend, OnNotice, hooked};
use crate::capture::{Capture, json};
use crate::config::{Config, ConfigError};
use crate::exception::{CapturedException, HttpRequest};
pub use crate::report::{FlushReport, Notice, Stats};

/// A client of one server. See [`trailmark_core::Client`]; every call here is the one of the same name there.
#[derive(Debug, uniffi::Object)]
pub struct Client {
    inner: trailmark_core::Client,
    border: Border,
}

impl Client {
    pub(crate) fn over(inner: trailmark_core::Client) -> Arc<Self> {
        Arc::new(Self {
            inner,
            border: Border::default(),
        })
    }

    #[cfg(feature = "vectors")]
    pub(crate) fn panic_inside(&self) {
        self.call(|_| -> () { std::panic::resume_unwind(Box::new("on purpose")) });
    }

    /// A call that ends in the core, or at the border.
    fn call<T: Default>(&self, call: impl FnOnce(&trailmark_core::Client) -> T) -> T {
        self.border.guard(|| call(&self.inner))
    }
}

#[cfg(feature = "callbacks")]
#[uniffi::export]
impl Client {
    /// [`Client::open`], with callbacks into the app: `before_send` may change or drop an event on the thread that
    /// captures it, `on_notice` is told what somebody should know. Neither may call a client for long.
    #[uniffi::constructor(default(before_send = None, on_notice = None))]
    pub fn open_with(
        config: Config,
        before_send: Option<Arc<dyn BeforeSend>>,
        on_notice: Option<Arc<dyn OnNotice>>,
    ) -> Result<Arc<Self>, ConfigError> {
        Ok(Self::over(hooked(config.into(), before_send, on_notice).build()?))
    }
}

#[uniffi::export]
impl Client {
    /// Starts a client. The network is not touched.
    #[uniffi::constructor]
    pub fn open(config: Config) -> Result<Arc<Self>, ConfigError> {
        Ok(Self::over(ClientBuilder::from(config).build()?))
    }

    /// Captures an event of the current identity. When this returns it is saved, if there is a directory.
    #[uniffi::method(default(properties = None))]
    pub fn track(&self, name: &str, properties: Option<String>) {
        self.call(|client| client.track(name, json(properties)));
    }

    /// A screen was shown.
    #[uniffi::method(default(properties = None))]
    pub fn screen(&self, name: &str, properties: Option<String>) {
        self.call(|client| client.screen(name, json(properties)));
    }

    /// Captures an event that says itself who and when.
    pub fn capture(&self, event: Capture) {
        self.call(|client| client.capture(event.into()));
    }

    /// The app met an error.
    #[uniffi::method(default(properties = None))]
    pub fn capture_exception(&self, exception: CapturedException, properties: Option<String>) {
        self.call(|client| client.capture_exception(&exception.into(), json(properties)));
    }

    /// The app made, or served, an HTTP request.
    #[uniffi::method(default(properties = None))]
    pub fn capture_request(&self, request: HttpRequest, properties: Option<String>) {
        self.call(|client| client.capture_request(&request.into(), json(properties)));
    }

    /// The app was started in this version, or came back from the background.
    pub fn app_opened(&self, version: &str, from_background: bool) {
        self.call(|client| client.app_opened(version, from_background));
    }

    /// The app went to the background; what is queued is sent.
    pub fn app_backgrounded(&self) {
        self.call(trailmark_core::Client::app_backgrounded);
    }

    /// Says who uses the device, and what is known about them.
    #[uniffi::method(default(set = None, set_once = None))]
    pub fn identify(&self, user_id: &str, set: Option<String>, set_once: Option<String>) {
        self.call(|client| client.identify_with(user_id, json(set), json(set_once)));
    }

    /// Sets person properties.
    #[uniffi::method(default(set = None, set_once = None))]
    pub fn set(&self, set: Option<String>, set_once: Option<String>) {
        self.call(|client| client.set(json(set), json(set_once)));
    }

    /// Says that the current user and the other are one person.
    pub fn alias(&self, other_user_id: &str) {
        self.call(|client| client.alias(other_user_id));
    }

    /// Puts the current user into a group.
    #[uniffi::method(default(properties = None))]
    pub fn group(&self, group_type: &str, group_id: &str, properties: Option<String>) {
        self.call(|client| client.group(group_type, group_id, json(properties)));
    }

    /// Writes these properties into every event from now on.
    pub fn register(&self, properties: String) {
        self.call(|client| client.register(json(Some(properties))));
    }

    /// [`register`](Self::register), for those that are not registered yet.
    pub fn register_once(&self, properties: String) {
        self.call(|client| client.register_once(json(Some(properties))));
    }

    /// Takes a registered property out.
    pub fn unregister(&self, key: &str) {
        self.call(|client| client.unregister(key));
    }

    /// Replaces the circumstances that are written into events from now on.
    pub fn set_context(&self, context: String) {
        self.call(|client| client.set_context(json(Some(context))));
    }

    /// Forgets who uses the device.
    pub fn reset(&self) {
        self.call(trailmark_core::Client::reset);
    }

    /// The person does not want to be observed.
    pub fn opt_out(&self) {
        self.call(trailmark_core::Client::opt_out);
    }

    /// The person agrees again.
    pub fn opt_in(&self) {
        self.call(trailmark_core::Client::opt_in);
    }

    /// Whether the person has opted out.
    pub fn is_opted_out(&self) -> bool {
        self.call(trailmark_core::Client::is_opted_out)
    }

    /// The person wants their data deleted.
    pub fn delete_my_data(&self) {
        self.call(trailmark_core::Client::delete_my_data);
    }

    /// The install.
    pub fn install_id(&self) -> String {
        self.call(trailmark_core::Client::install_id)
    }

    /// The device, until a reset.
    pub fn anonymous_id(&self) -> String {
        self.call(trailmark_core::Client::anonymous_id)
    }

    /// The user, if one is known.
    pub fn user_id(&self) -> Option<String> {
        self.call(trailmark_core::Client::user_id)
    }

    /// The session of the latest event.
    pub fn session_id(&self) -> Option<String> {
        self.call(trailmark_core::Client::session_id)
    }

    /// The truth, now.
    pub fn stats(&self) -> Stats {
        Stats::new(self.call(trailmark_core::Client::stats), self.border.panics())
    }

    /// What somebody should know, since the last time; nothing if `on_notice` is told.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.call(|client| client.take_notices().iter().map(Notice::from).collect())
    }

    /// Waits until fewer than so many events are queued.
    pub async fn ready(&self, max_queued: u32) {
        if let Some(ready) = self.call(|client| Some(client.ready(max_queued as usize))) {
            ready.await;
        }
    }

    /// Sends what is queued; when each of those events was tried once, says what became of them.
    pub async fn flush(&self) -> FlushReport {
        match self.call(|client| Some(client.flush())) {
            Some(report) => report.await.into(),
            None => FlushReport::default(),
        }
    }

    /// [`flush`](Self::flush) that blocks, at most so long.
    pub fn flush_blocking(&self, timeout_ms: u64) -> FlushReport {
        self.call(|client| client.flush_blocking(Duration::from_millis(timeout_ms)).into())
    }

    /// Captures nothing more, sends what is queued, and ends the client's thread. Blocks, at most so long.
    pub fn shutdown(&self, timeout_ms: u64) -> FlushReport {
        self.call(|client| client.shutdown(Duration::from_millis(timeout_ms)).into())
    }
}

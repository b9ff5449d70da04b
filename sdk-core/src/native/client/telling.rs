//! What the platform tells about the app: its screens, errors, requests, and that it comes and goes.

use super::Client;
use crate::Properties;
use crate::engine::telling::{self, Told};
use crate::exception::Exception;
use crate::http_request::HttpRequest;

impl Client {
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
}

//! The circumstances of events: app, system, device, screen, place.

use crate::Properties;

/// The circumstances under the names that the server and the dashboard know. What is not told is left out; anything else
/// can be added to its [`Properties`].
///
/// ```
/// use trailmark_core::{Context, Properties};
/// let context = Context::new().app("Shop", "1.4.2").os("Android", "14").locale("de-DE").screen(1080, 2400, 2.75);
/// assert_eq!(
///     Properties::from(context).as_json(),
///     r#"{"app":{"name":"Shop","version":"1.4.2"},"os":{"name":"Android","version":"14"},"locale":"de-DE","screen":{"width":1080,"height":2400,"scale":2.75}}"#
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "pass it to ClientBuilder::context"]
pub struct Context {
    properties: Properties,
}

impl Context {
    /// Nothing is known yet.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new();
    /// assert_eq!(Properties::from(context).as_json(), r#"{}"#);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, key: &str, value: impl crate::PropertyValue) -> Self {
        self.properties.insert(key, value);
        self
    }

    /// The app and its version: what loss and errors are shown by.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().app("Shop", "1.4.2");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"app":{"name":"Shop","version":"1.4.2"}}"#);
    /// ```
    pub fn app(self, name: &str, version: &str) -> Self {
        self.with("app", named(name, version))
    }

    /// The operating system and its version.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().os("Android", "14");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"os":{"name":"Android","version":"14"}}"#);
    /// ```
    pub fn os(self, name: &str, version: &str) -> Self {
        self.with("os", named(name, version))
    }

    /// The processor's architecture, as `aarch64`.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().arch("aarch64");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"arch":"aarch64"}"#);
    /// ```
    pub fn arch(self, arch: &str) -> Self {
        self.with("arch", arch)
    }

    /// The device: who made it, which model it is, and what kind (`phone`, `tablet`, `desktop`, `tv`, `watch`, `server`).
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().device("Fairphone", "FP5", "phone");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"device":{"manufacturer":"Fairphone","model":"FP5","type":"phone"}}"#);
    /// ```
    pub fn device(self, manufacturer: &str, model: &str, kind: &str) -> Self {
        let device = Properties::new()
            .with("manufacturer", manufacturer)
            .with("model", model)
            .with("type", kind);
        self.with("device", device)
    }

    /// The screen in physical pixels, and how many of them make a logical one.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().screen(1080, 2400, 2.75);
    /// assert_eq!(Properties::from(context).as_json(), r#"{"screen":{"width":1080,"height":2400,"scale":2.75}}"#);
    /// ```
    pub fn screen(self, width: u32, height: u32, scale: f64) -> Self {
        let screen = Properties::new()
            .with("width", width)
            .with("height", height)
            .with("scale", scale);
        self.with("screen", screen)
    }

    /// The language and region, as `de-DE`.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().locale("de-DE");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"locale":"de-DE"}"#);
    /// ```
    pub fn locale(self, locale: &str) -> Self {
        self.with("locale", locale)
    }

    /// The time zone's name, as `Europe/Berlin`.
    ///
    /// ```
    /// # use trailmark_core::{Context, Properties};
    /// let context = Context::new().timezone("Europe/Berlin");
    /// assert_eq!(Properties::from(context).as_json(), r#"{"timezone":"Europe/Berlin"}"#);
    /// ```
    pub fn timezone(self, timezone: &str) -> Self {
        self.with("timezone", timezone)
    }
}

fn named(name: &str, version: &str) -> Properties {
    Properties::new().with("name", name).with("version", version)
}

impl From<Context> for Properties {
    fn from(context: Context) -> Self {
        context.properties
    }
}

//! With what people shop: a browser or the app, where, and where they come from.

use std::sync::Arc;

use serde_json::{Value, json};
use trailmark_protocol::id;

use super::calendar::HOUR;
use super::chance::Chance;

/// A place: country, locale, time zone.
type Place = (&'static str, &'static str, &'static str);

const PLACES: [(f64, Place); 8] = [
    (30.0, ("DE", "de-DE", "Europe/Berlin")),
    (18.0, ("US", "en-US", "America/New_York")),
    (12.0, ("GB", "en-GB", "Europe/London")),
    (11.0, ("FR", "fr-FR", "Europe/Paris")),
    (9.0, ("AT", "de-AT", "Europe/Vienna")),
    (8.0, ("ES", "es-ES", "Europe/Madrid")),
    (7.0, ("NL", "nl-NL", "Europe/Amsterdam")),
    (5.0, ("JP", "ja-JP", "Asia/Tokyo")),
];

/// Operating system with version, browser with version, kind, width and height.
type Browser = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u32,
    u32,
);

const BROWSERS: [(f64, Browser); 7] = [
    (24.0, ("Windows", "11", "Chrome", "142", "desktop", 1920, 1080)),
    (15.0, ("macOS", "15.6", "Safari", "18.6", "desktop", 1728, 1117)),
    (9.0, ("macOS", "15.6", "Chrome", "142", "desktop", 1512, 982)),
    (7.0, ("Windows", "10", "Firefox", "145", "desktop", 1536, 864)),
    (20.0, ("iOS", "18.6", "Mobile Safari", "18.6", "phone", 390, 844)),
    (21.0, ("Android", "15", "Chrome Mobile", "142", "phone", 412, 915)),
    (4.0, ("Linux", "6.12", "Firefox", "145", "desktop", 1920, 1200)),
];

/// Operating system with version, manufacturer, model, width and height.
type Phone = (&'static str, &'static str, &'static str, &'static str, u32, u32);

const PHONES: [(f64, Phone); 6] = [
    (22.0, ("Android", "15", "Samsung", "Galaxy S24", 1080, 2340)),
    (16.0, ("Android", "14", "Google", "Pixel 8", 1080, 2400)),
    (9.0, ("Android", "14", "Fairphone", "FP5", 1224, 2700)),
    (24.0, ("iOS", "18.6", "Apple", "iPhone16,1", 1179, 2556)),
    (17.0, ("iOS", "18.5", "Apple", "iPhone15,4", 1179, 2556)),
    (8.0, ("iOS", "18.6", "Apple", "iPad14,1", 1488, 2266)),
];

/// Where a first visit comes from: the referrer and the campaign.
type Source = (&'static str, Option<[&'static str; 3]>);

const SOURCES: [(f64, Source); 8] = [
    (30.0, ("", None)),
    (27.0, ("https://www.google.com/", None)),
    (
        10.0,
        ("https://www.google.com/", Some(["google", "cpc", "autumn-trails"])),
    ),
    (
        9.0,
        (
            "https://www.instagram.com/",
            Some(["instagram", "social", "autumn-trails"]),
        ),
    ),
    (8.0, ("", Some(["newsletter", "email", "weekly"]))),
    (6.0, ("https://duckduckgo.com/", None)),
    (6.0, ("https://hikers.example/forum/rain-jackets", None)),
    (
        4.0,
        ("https://www.youtube.com/", Some(["youtube", "video", "tent-review"])),
    ),
];

/// What somebody shops with.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) anonymous_id: Arc<str>,
    pub(crate) is_app: bool,
    pub(crate) country: &'static str,
    place: Place,
    browser: Browser,
    phone: Phone,
    source: Source,
    /// How late the app is updated, in microseconds.
    pub(crate) update_lag: i64,
}

impl Device {
    /// Somebody's first. The first four people of all meet what usually goes wrong, two on the web and two in the app.
    pub(crate) fn first(chance: &mut Chance, number: u64) -> Self {
        let is_app = if number < 4 { number >= 2 } else { chance.is(0.38) };
        let place = *chance.weighted(&PLACES);
        Self::new(chance, is_app, place, [6, number])
    }

    /// The other one of somebody: who has the app as a second, shops on the web first.
    pub(crate) fn second(first: &Self, chance: &mut Chance, number: u64) -> Self {
        Self::new(chance, !first.is_app, first.place, [7, number])
    }

    fn new(chance: &mut Chance, is_app: bool, place: Place, words: [u64; 2]) -> Self {
        let mut id_chance = Chance::of(&words);
        let uuid = id::v7(
            1_760_000_000_000 + id_chance.next() % 1_000_000_000,
            id_chance.ten_bytes(),
        );
        Self {
            anonymous_id: id::text(uuid).into(),
            is_app,
            country: place.0,
            place,
            browser: *chance.weighted(&BROWSERS),
            phone: *chance.weighted(&PHONES),
            source: *chance.weighted(&SOURCES),
            // A third updates at once, others in the days after.
            update_lag: (chance.exponential(18.0) - 8.0).max(0.0) as i64 * HOUR,
        }
    }

    /// Its circumstances with a release.
    pub(crate) fn context(&self, release: &str) -> Arc<str> {
        let (_, locale, timezone) = self.place;
        let context = if self.is_app {
            let (os, os_version, manufacturer, model, width, height) = self.phone;
            let kind = if model.starts_with("iPad") { "tablet" } else { "phone" };
            json!({"app": {"name": "Shop", "version": release}, "os": {"name": os, "version": os_version},
                   "device": {"manufacturer": manufacturer, "model": model, "type": kind},
                   "screen": {"width": width, "height": height}, "locale": locale, "timezone": timezone})
        } else {
            let (os, os_version, browser, version, kind, width, height) = self.browser;
            json!({"app": {"name": "Shop web", "version": release}, "os": {"name": os, "version": os_version},
                   "browser": {"name": browser, "version": version}, "device": {"type": kind},
                   "screen": {"width": width, "height": height}, "locale": locale, "timezone": timezone})
        };
        context.to_string().into()
    }

    /// What the first page of a visit says of where it came from. Who comes again mostly comes by themselves.
    pub(crate) fn came_from(&self, is_first: bool, chance: &mut Chance) -> Value {
        let source = if is_first {
            self.source
        } else {
            *chance.weighted(&AGAIN)
        };
        let (referrer, campaign) = source;
        let mut said = serde_json::Map::new();
        if let Some(domain) = referrer.split('/').nth(2) {
            said.insert("$referrer".to_owned(), referrer.into());
            said.insert("$referring_domain".to_owned(), domain.into());
        }
        let keys = ["utm_source", "utm_medium", "utm_campaign"];
        for (key, value) in keys.into_iter().zip(campaign.into_iter().flatten()) {
            said.insert(key.to_owned(), value.into());
        }
        Value::Object(said)
    }
}

/// Where later visits come from.
const AGAIN: [(f64, Source); 3] = [
    (70.0, ("", None)),
    (18.0, ("https://www.google.com/", None)),
    (12.0, ("", Some(["newsletter", "email", "weekly"]))),
];

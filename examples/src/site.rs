//! An imaginary site: its pages, the browsers and robots that come, and from where. Weights are relative.

/// A page, how its size is drawn and what it loads.
#[derive(Debug)]
pub struct Page {
    /// Its path.
    pub path: &'static str,
    /// Its size in bytes, about.
    pub bytes: u64,
    /// What a browser loads with it.
    pub assets: &'static [&'static str],
}

const fn page(path: &'static str, bytes: u64, assets: &'static [&'static str]) -> Page {
    Page { path, bytes, assets }
}

const COMMON: &[&str] = &["/assets/site.css", "/assets/site.js", "/favicon.ico"];
const PICTURES: &[&str] = &["/assets/site.css", "/images/hero.webp", "/images/team.jpg"];

/// Pages by how often they are opened.
pub const PAGES: &[(u64, Page)] = &[
    (30, page("/", 14_200, PICTURES)),
    (14, page("/pricing", 9_800, COMMON)),
    (10, page("/docs/quickstart", 21_300, COMMON)),
    (8, page("/blog/why-we-measure", 32_900, PICTURES)),
    (7, page("/docs/sdk/flutter", 18_400, COMMON)),
    (6, page("/docs/sdk/web", 17_100, COMMON)),
    (5, page("/signup", 6_400, COMMON)),
    (5, page("/login", 5_200, COMMON)),
    (4, page("/search", 11_700, COMMON)),
    (3, page("/blog/a-week-offline", 41_000, PICTURES)),
    (3, page("/download/trailmark.tar.gz", 9_400_000, &[])),
    (2, page("/feed.xml", 52_000, &[])),
    (2, page("/about", 8_300, PICTURES)),
    (1, page("/old-page", 1_100, &[])),
];

/// What is searched for, as it stands in the query.
pub const SEARCHES: &[(u64, &str)] = &[
    (5, "q=identify"),
    (3, "q=offline+queue"),
    (2, "q=gdpr%20delete"),
    (1, "q=%22exactly+once%22"),
];

/// Where visits begin; `-` is a typed address.
pub const REFERRERS: &[(u64, &str)] = &[
    (45, "-"),
    (25, "https://www.google.com/"),
    (8, "https://duckduckgo.com/"),
    (6, "https://news.ycombinator.com/item?id=8801"),
    (5, "https://github.com/"),
    (4, "https://www.bing.com/search?q=self+hosted+analytics"),
    (3, "android-app://com.google.android.gm/"),
    (2, "https://t.co/4fA9"),
];

/// The site's own address, for referrers inside a visit.
pub const ORIGIN: &str = "https://www.example.com";

/// Browsers of people.
pub const BROWSERS: &[(u64, &str)] = &[
    (
        30,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    ),
    (
        14,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    ),
    (
        13,
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
    ),
    (
        12,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    ),
    (
        9,
        "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
    ),
    (
        6,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    ),
    // Quotes inside a user agent are rare and real; Apache writes them like this.
    (1, r#"Mozilla/5.0 (compatible; \"Quoted\" Browser 1.0)"#),
];

/// Robots, feed readers and scripts.
pub const ROBOTS: &[(u64, &str)] = &[
    (
        8,
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    ),
    (
        5,
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    ),
    (3, "UniversalFeedParser/5.2.1 +https://code.google.com/p/feedparser/"),
    (2, "curl/8.14.0"),
    (1, "-"),
];

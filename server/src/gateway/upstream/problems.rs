//! What is wrong with an upstream's configuration, beyond what its types say.

use std::ops::RangeInclusive;

use http::Uri;

use super::config::{EndpointConfig, HealthConfig, Timeouts, UpstreamConfig};
use super::dns;
use super::tls::Tls;
use crate::gateway::units::Span;

/// The most endpoints of one upstream: choosing looks at each of them.
const MOST_ENDPOINTS: usize = 256;

/// Weights: shares of up to 1,000 to 1, and sums far below 2^32.
const WEIGHTS: RangeInclusive<u32> = 1..=1_000;

/// The most attempts of one request: each may take the whole of `timeouts`.
const MOST_ATTEMPTS: u32 = 10;

/// The most failures that a breaker or an ejection waits for; each breaker remembers as many.
const MOST_FAILURES: u32 = 10_000;

impl UpstreamConfig {
    /// What is wrong with it, each text with the key in front: `"retry.budget: 1.5 is not between 0 and 1"`. Reads the files
    /// of `tls`.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.endpoints.is_empty() || self.endpoints.len() > MOST_ENDPOINTS {
            let count = self.endpoints.len();
            problems.push(format!("endpoints: {count}, where 1 to {MOST_ENDPOINTS} make sense"));
        }
        for (at, endpoint) in self.endpoints.iter().enumerate() {
            problems.extend(endpoint.problem().map(|text| format!("endpoints[{at}].{text}")));
        }
        problems.extend(self.health.iter().flat_map(HealthConfig::problems));
        problems.extend(self.numbers());
        problems.extend(self.spans());
        problems.extend(Tls::load(self).err());
        problems
    }

    fn numbers(&self) -> impl Iterator<Item = String> {
        let (outlier, breaker, retry) = (&self.outlier, &self.breaker, &self.retry);
        [
            within("outlier.consecutive", outlier.consecutive, 0..=MOST_FAILURES),
            within("outlier.max_eject_percent", outlier.max_eject_percent, 0..=100),
            within("breaker.failures", breaker.failures, 0..=MOST_FAILURES),
            share("breaker.share", breaker.share),
            within("retry.attempts", retry.attempts, 1..=MOST_ATTEMPTS),
            share("retry.budget", retry.budget),
        ]
        .into_iter()
        .flatten()
    }

    fn spans(&self) -> impl Iterator<Item = String> {
        let timeouts = &self.timeouts;
        let always = [
            ("dns.refresh", Some(self.dns.refresh)),
            ("outlier.base_eject", Some(self.outlier.base_eject)),
            ("breaker.window", Some(self.breaker.window)),
            ("breaker.open", Some(self.breaker.open)),
            ("pool.idle", Some(self.pool.idle)),
            ("timeouts.connect", timeouts.connect),
            ("timeouts.response_headers", timeouts.response_headers),
            ("timeouts.idle_body", timeouts.idle_body),
            ("timeouts.total", timeouts.total),
        ];
        always
            .into_iter()
            .filter_map(|(key, span)| span.and_then(|span| some_time(key, span)))
    }
}

impl Timeouts {
    /// What is wrong with a route's own.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let all = [
            ("connect", self.connect),
            ("response_headers", self.response_headers),
            ("idle_body", self.idle_body),
            ("total", self.total),
        ];
        all.into_iter()
            .filter_map(|(key, span)| span.and_then(|span| some_time(key, span)))
            .collect()
    }
}

impl HealthConfig {
    fn problems(&self) -> Vec<String> {
        let path = match self.path.parse::<Uri>() {
            Ok(uri) if self.path.starts_with('/') && uri.authority().is_none() => None,
            _ => Some(format!("health.path: \"{}\" is no path", self.path)),
        };
        let late = self.timeout > self.interval;
        let all = [
            path,
            some_time("health.interval", self.interval),
            some_time("health.timeout", self.timeout),
            late.then(|| "health.timeout: longer than health.interval".to_owned()),
            within("health.rise", self.rise, 1..=100),
            within("health.fall", self.fall, 1..=100),
        ];
        all.into_iter().flatten().collect()
    }
}

impl EndpointConfig {
    fn problem(&self) -> Option<String> {
        if let Err(problem) = self.target() {
            return Some(format!("url: {problem}"));
        }
        within("weight", self.weight, WEIGHTS)
    }

    /// The parts of the url.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn target(&self) -> Result<Target, String> {
        let url = &self.url;
        let uri: Uri = url.parse().map_err(|error| format!("\"{url}\" is no url: {error}"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("\"{url}\" is neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| format!("\"{url}\" has no host"))?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(format!("\"{url}\" must be a host and a port, and no user"));
        }
        if uri.path() != "/" || uri.query().is_some() || url.ends_with('/') {
            return Err(format!("\"{url}\" has a path, which is the route's \"rewrite\""));
        }
        let host = authority.host().trim_matches(['[', ']']);
        if let Ok(address) = host.parse()
            && dns::is_refused(address)
        {
            return Err(format!("\"{url}\" is link-local, where clouds keep their credentials"));
        }
        Ok(Target {
            is_tls,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 }),
            authority: authority.clone(),
        })
    }
}

/// The parts of an endpoint's url.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authority: http::uri::Authority,
}

fn within(key: &str, value: u32, range: RangeInclusive<u32>) -> Option<String> {
    let (from, to) = (*range.start(), *range.end());
    (!range.contains(&value)).then(|| format!("{key}: {value} is not between {from} and {to}"))
}

fn share(key: &str, value: f64) -> Option<String> {
    (!(0.0..=1.0).contains(&value)).then(|| format!("{key}: {value} is not between 0 and 1"))
}

fn some_time(key: &str, span: Span) -> Option<String> {
    span.0.is_zero().then(|| format!("{key}: 0 is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::upstream::config::Balance;

    const FULL: &str = r#"
        balance = "hash:header:X-Tenant"
        protocol = "h2"
        preserve_host = true
        endpoints = [{ url = "http://users-1:4001", weight = 2 }, { url = "https://users-2" }]
        dns = { refresh = "10s" }
        health = { path = "/health", interval = "5s", timeout = "1s", rise = 2, fall = 3 }
        outlier = { consecutive = 5, base_eject = "30s", max_eject_percent = 50 }
        breaker = { failures = 20, window = "10s", open = "10s" }
        timeouts = { connect = "2s", response_headers = "5s", idle_body = "30s", total = "60s" }
        retry = { attempts = 2, budget = 0.2, min_per_second = 3, on = ["connect", "502"], methods = ["GET"] }
        pool = { max_idle = 64, idle = "60s" }
        tls = { server_name = "users.internal" }
    "#;

    fn read(text: &str) -> Result<UpstreamConfig, toml::de::Error> {
        toml::from_str(text)
    }

    fn problems(text: &str) -> String {
        read(text).unwrap().problems().join("\n")
    }

    #[test]
    fn the_whole_of_it_is_read_and_only_endpoints_are_needed() {
        let config = read(FULL).unwrap();
        assert_eq!(config.problems(), Vec::<String>::new());
        assert_eq!(config.balance.to_string(), "hash:header:x-tenant");
        assert_eq!(config.endpoints[1].target().unwrap().port, 443);
        let config = read("endpoints = [{ url = \"http://[::1]:4001\" }]").unwrap();
        assert_eq!(config.problems(), Vec::<String>::new());
        assert_eq!(config.endpoints[0].target().unwrap().host, "::1");
        assert_eq!(config.balance, Balance::TwoChoices);
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_key() {
        let one = "endpoints = [{ url = \"http://a\" }]\n";
        for (text, expected) in [
            ("endpoints = []", "endpoints: 0"),
            ("endpoints = [{ url = \"a:1\" }]", "endpoints[0].url"),
            ("endpoints = [{ url = \"http://a/base\" }]", "\"rewrite\""),
            ("endpoints = [{ url = \"http://me@a\" }]", "no user"),
            ("endpoints = [{ url = \"http://169.254.169.254\" }]", "link-local"),
            (
                "endpoints = [{ url = \"http://[::ffff:169.254.169.254]\" }]",
                "link-local",
            ),
            (
                "endpoints = [{ url = \"http://a\", weight = 0 }]",
                "endpoints[0].weight: 0",
            ),
            (
                &format!("{one}retry = {{ budget = 1.5 }}"),
                "retry.budget: 1.5 is not between 0 and 1",
            ),
            (&format!("{one}retry = {{ attempts = 0 }}"), "retry.attempts: 0"),
            (&format!("{one}timeouts = {{ total = \"0s\" }}"), "timeouts.total: 0"),
            (&format!("{one}health = {{ path = \"health\" }}"), "health.path"),
            (
                &format!("{one}health = {{ path = \"/\", timeout = \"6s\" }}"),
                "health.timeout",
            ),
            (&format!("{one}tls = {{ ca = \"/nowhere.pem\" }}"), "tls.ca: "),
            (&format!("{one}tls = {{ cert = \"/nowhere.pem\" }}"), "tls.key"),
        ] {
            let found = problems(text);
            assert!(found.contains(expected), "{text} said: {found}");
        }
    }

    #[test]
    fn unknown_words_are_refused_when_read() {
        let one = "endpoints = [{ url = \"http://a\" }]\n";
        for text in [
            "balance = \"best\"",
            "protocol = \"h3\"",
            "balance = \"hash:header:\"",
            "retry = { on = [\"404\"] }",
            "retry = { methods = [\"get\"] }",
            "retries = {}",
        ] {
            assert!(read(&format!("{one}{text}")).is_err(), "{text}");
        }
    }
}

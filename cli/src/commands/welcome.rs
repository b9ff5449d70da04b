//! Links to the page where somebody becomes a user or chooses another password.

use std::net::SocketAddr;
use std::time::Duration;

use trailmark_server::store::ErrorClass;
use trailmark_server::{Config, Server};

use crate::http::local_url;

/// How soon a database that did not answer is asked again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Where people reach the server.
#[derive(Debug, Clone)]
pub(super) struct Welcome {
    public_url: String,
    has_tls: bool,
}

impl Welcome {
    /// As configured.
    pub(super) fn of(config: &Config) -> Self {
        Self {
            public_url: config.http.public_url.trim_end_matches('/').to_owned(),
            has_tls: !config.tls.cert.as_os_str().is_empty() || !config.tls.acme.domains.is_empty(),
        }
    }

    /// The link of a token: at `[http] public_url`, else at the address where the server listens. The token is behind the `#`,
    /// which browsers keep to themselves.
    pub(super) fn link(&self, address: SocketAddr, token: &str) -> String {
        let local = || match (local_url(address), self.has_tls) {
            (url, true) => url.replacen("http:", "https:", 1),
            (url, false) => url,
        };
        let base = Some(self.public_url.clone()).filter(|url| !url.is_empty());
        format!("{}/welcome#{token}", base.unwrap_or_else(local))
    }

    /// The link that makes the first owner, once the database answers; `None` where there is none to be made. Each call makes
    /// another, which ends the one before.
    pub(super) async fn first(&self, server: &Server) -> Option<String> {
        loop {
            match server.first_link().await {
                Ok(token) => return token.map(|token| self.link(server.address(), &token)),
                Err(error) if matches!(error.class(), ErrorClass::Transient | ErrorClass::Saturated) => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                // The writer meets the same, and says so.
                Err(_) => return None,
            }
        }
    }
}

/// What is said with the link that makes the first owner.
pub(super) fn open(link: &str) -> String {
    format!("open      {link}  (one-time; makes you the owner)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(flags: &[(&'static str, &str)]) -> String {
        let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let config = Config::load(None, [], flags).unwrap();
        Welcome::of(&config).link("0.0.0.0:7700".parse().unwrap(), "tm_in_x")
    }

    #[test]
    fn a_link_leads_where_people_reach_the_server() {
        assert_eq!(link(&[]), "http://127.0.0.1:7700/welcome#tm_in_x");
        assert_eq!(link(&[("tls.cert", "a.pem")]), "https://127.0.0.1:7700/welcome#tm_in_x");
        assert_eq!(
            link(&[("http.public_url", "https://t.example.com/")]),
            "https://t.example.com/welcome#tm_in_x"
        );
    }
}

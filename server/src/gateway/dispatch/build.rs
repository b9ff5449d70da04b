//! Makes a snapshot of the file: takes over what has not changed, makes the rest, and gathers everything that is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::ground::Ground;
use super::place;
use super::post::{Delegate, HubPost};
use super::route::Route;
use super::snapshot::Snapshot;
use super::telling::Telling;
use crate::gateway::cache::Cache;
use crate::gateway::credentials::{ApiKeys, Minter, Tokens};
use crate::gateway::file::GatewayFile;
use crate::gateway::file::check::{place as standing, prefixed, unknown};
use crate::gateway::headers::Signer;
use crate::gateway::hub::{Hub, Parts};
use crate::gateway::login::{Judge, LoginPolicy, Tokens as LoginTokens, Users};
use crate::gateway::quota::Policy;
use crate::gateway::routing::Table;
use crate::gateway::seen::SeenRoute;
use crate::gateway::upstream::Upstream;

/// Makes one snapshot.
pub(super) struct Builder<'a> {
    pub(super) file: &'a GatewayFile,
    previous: Option<&'a Snapshot>,
    pub(super) ground: &'a Ground,
    problems: Vec<String>,
}

/// Everything that routes name.
pub(super) struct Named {
    pub(super) tokens: BTreeMap<String, Arc<Tokens>>,
    pub(super) api_keys: Option<Arc<ApiKeys>>,
    pub(super) limits: BTreeMap<String, Arc<Policy>>,
    pub(super) upstreams: BTreeMap<String, Arc<Upstream>>,
    pub(super) hubs: BTreeMap<String, Arc<Hub>>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(file: &'a GatewayFile, previous: Option<&'a Snapshot>, ground: &'a Ground) -> Self {
        Self {
            file,
            previous,
            ground,
            problems: Vec::new(),
        }
    }

    pub(super) fn build(mut self) -> Result<Snapshot, Vec<String>> {
        let named = Named {
            tokens: self.tokens(),
            api_keys: self.api_keys(),
            limits: self.limits(),
            upstreams: self.upstreams(),
            hubs: self.hubs(),
        };
        let login = self.login(&named);
        let table = self.table(&named);
        let answer_headers = self.answer_headers();
        let telling = Telling::of(self.file, self.previous.map(|previous| &previous.telling), self.ground);
        let telling = self.keep("log", telling);
        match (table, login, telling) {
            (Some(table), Some(login), Some(telling)) if self.problems.is_empty() => Ok(Snapshot {
                table,
                answer_headers,
                signer: self.file.identity.secret.as_ref().map(Signer::new),
                telling,
                unmatched: self
                    .previous
                    .map_or_else(SeenRoute::unmatched, |previous| Arc::clone(&previous.unmatched)),
                own: self
                    .previous
                    .map_or_else(|| SeenRoute::new("own", ""), |previous| Arc::clone(&previous.own)),
                login,
                cache: self.cache(),
                caches: self.file.routes.iter().any(|route| route.cache.is_some()),
                tokens: named.tokens,
                api_keys: named.api_keys,
                limits: named.limits,
                upstreams: named.upstreams,
                hubs: named.hubs,
                file: self.file.clone(),
            }),
            _ => Err(self.problems),
        }
    }

    /// The value, or nothing and its problems noted at `place`.
    pub(super) fn keep<T>(&mut self, place: &str, made: Result<T, Vec<String>>) -> Option<T> {
        made.map_err(|found| prefixed(&mut self.problems, place, found)).ok()
    }

    fn tokens(&mut self) -> BTreeMap<String, Arc<Tokens>> {
        let mut all = BTreeMap::new();
        for (name, config) in &self.file.auth.jwt {
            let before = self.previous.and_then(|previous| previous.tokens.get(name));
            let made = match before.filter(|tokens| tokens.is_same(config, &self.ground.directory)) {
                Some(same) => Ok(Arc::clone(same)),
                None => Tokens::new(config.clone(), &self.ground.directory).map(Arc::new),
            };
            let made = self.keep(&format!("auth.jwt.{name}"), made);
            all.extend(made.map(|tokens| (name.clone(), tokens)));
        }
        all
    }

    fn api_keys(&mut self) -> Option<Arc<ApiKeys>> {
        let config = self.file.auth.api_key.as_ref()?;
        self.keep("auth.api_key", ApiKeys::new(config).map(Arc::new))
    }

    fn limits(&self) -> BTreeMap<String, Arc<Policy>> {
        let before = |name: &String| self.previous.and_then(|previous| previous.limits.get(name));
        let policy = |(name, config)| match before(name).filter(|policy| policy.is_same(config)) {
            Some(same) => (name.clone(), Arc::clone(same)),
            None => (name.clone(), Arc::new(Policy::new(name, config))),
        };
        self.file.limits.iter().map(policy).collect()
    }

    fn upstreams(&mut self) -> BTreeMap<String, Arc<Upstream>> {
        let mut all = BTreeMap::new();
        for (name, config) in &self.file.upstreams {
            let config = config.in_directory(&self.ground.directory);
            let before = self.previous.and_then(|previous| previous.upstreams.get(name));
            let made = match before.filter(|upstream| upstream.is_same(&config)) {
                Some(same) => Ok(Arc::clone(same)),
                None => Upstream::new(name, &config),
            };
            let made = self.keep(&format!("upstreams.{name}"), made);
            all.extend(made.map(|upstream| (name.clone(), upstream)));
        }
        all
    }

    fn hubs(&mut self) -> BTreeMap<String, Arc<Hub>> {
        let mut all = BTreeMap::new();
        for (name, config) in &self.file.hub {
            let place = format!("hub.{name}");
            if let Some(deliver) = config
                .deliver
                .as_ref()
                .filter(|deliver| !self.file.upstreams.contains_key(&deliver.upstream))
            {
                let problem = unknown("deliver.upstream", &deliver.upstream, self.file.upstreams.keys());
                prefixed(&mut self.problems, &place, vec![problem]);
            }
            let before = self.previous.and_then(|previous| previous.hubs.get(name));
            let made = match before.filter(|hub| hub.is_same(config)) {
                Some(same) => Ok(Arc::clone(same)),
                None => Hub::start(name, config.clone(), self.parts()),
            };
            let made = self.keep(&place, made);
            all.extend(made.map(|hub| (name.clone(), hub)));
        }
        all
    }

    fn parts(&self) -> Parts {
        Parts {
            bus: Arc::clone(&self.ground.bus),
            deliver: Arc::new(HubPost(Arc::clone(&self.ground.upstreams))),
            clock: Arc::clone(&self.ground.clock),
        }
    }

    fn login(&mut self, named: &Named) -> Option<LoginPolicy> {
        let config = &self.file.auth.login;
        let judge = match &config.users {
            Users::Local => Judge::Local,
            Users::Upstream(users) => {
                let known = named.upstreams.get(&users.upstream).cloned();
                if !self.file.upstreams.contains_key(&users.upstream) {
                    let problem = unknown("users.upstream", &users.upstream, self.file.upstreams.keys());
                    prefixed(&mut self.problems, "auth.login", vec![problem]);
                }
                let upstream = known?;
                let path = users.path.clone();
                Judge::Delegated(Arc::new(Delegate { upstream, path }))
            }
        };
        let tokens = config.token.as_ref().map(|token| LoginTokens {
            mint: Arc::new(Minter::new(
                &token.issuer,
                token.audience.clone(),
                &token.secret,
                token.expires.0,
            )),
            expires: token.expires.0,
        });
        Some(LoginPolicy {
            judge,
            tokens,
            lockout: config.lockout,
        })
    }

    fn table(&mut self, named: &Named) -> Option<Table<Arc<Route>>> {
        let mut routes = Vec::with_capacity(self.file.routes.len());
        for config in &self.file.routes {
            let made = place::route(self.file, config, named, self.ground, self.previous);
            let made = self.keep(&format!("route \"{}\"", config.id), made);
            routes.extend(made.map(|route| (standing(config), Arc::new(route))));
        }
        // Overlaps were found when the file was read.
        Table::build(&routes).ok()
    }

    fn answer_headers(&mut self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        for (name, value) in &self.file.response_headers {
            match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                (Ok(name), Ok(value)) => headers.push((name, value)),
                _ => self.problems.push(format!("response_headers.{name}: is no header")),
            }
        }
        headers
    }

    fn cache(&self) -> Arc<Cache> {
        match self.previous.filter(|previous| previous.file.cache == self.file.cache) {
            Some(same) => Arc::clone(&same.cache),
            None => Cache::new(&self.file.cache, Arc::clone(&self.ground.clock)),
        }
    }
}

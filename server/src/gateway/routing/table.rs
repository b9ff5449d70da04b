//! The routes, laid out for lookup: by host, then by path, then by method.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use http::Method;
use matchit::Router;

use super::rewrite::parameters;

/// The most parameters of a template. `matchit` names them by the letters of the alphabet, and panics where they end.
pub const PARAMETERS: usize = 25;

/// Where a route stands: which requests are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `api.example`, `*.example` for all hosts below it, or any host.
    pub host: Option<String>,
    /// Path templates as `matchit` reads them, `/users/{id}`; a prefix has several.
    pub paths: Vec<String>,
    /// Methods; none means all.
    pub methods: Vec<Method>,
}

/// Two routes want the same requests, or one cannot be placed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Overlap {
    /// The same host, path and method, by the position of the earlier route.
    #[error("the same requests as {0}")]
    Same(usize),
    /// Two templates that cannot be told apart, or one that cannot be read.
    #[error("{0}")]
    Template(String),
}

/// What was found for a request.
#[derive(Debug)]
pub enum Found<'t, 'p, T> {
    /// The route, and the parts of the path that its template names.
    Route(&'t T, matchit::Params<'t, 'p>),
    /// There are routes at the path, but only for these methods.
    OtherMethods(Vec<Method>),
    /// There is nothing at the path.
    Nothing,
}

/// Routes of type `T`.
#[derive(Debug, Clone)]
pub struct Table<T> {
    hosts: HashMap<String, Site<T>>,
    any: Site<T>,
    in_order: Vec<T>,
}

type Site<T> = Router<Vec<Entry<T>>>;

#[derive(Debug, Clone)]
struct Entry<T> {
    methods: Vec<Method>,
    position: usize,
    route: T,
}

impl<T> Entry<T> {
    fn takes(&self, method: &Method) -> bool {
        // TRACE shows a page its own cookies: no route takes it, not even one for all methods.
        match self.methods.is_empty() {
            true => *method != Method::TRACE,
            false => self.methods.contains(method),
        }
    }

    fn overlaps(&self, methods: &[Method]) -> bool {
        self.methods.is_empty() || methods.is_empty() || methods.iter().any(|method| self.methods.contains(method))
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            hosts: HashMap::new(),
            any: Router::new(),
            in_order: Vec::new(),
        }
    }
}

impl<T: Clone> Table<T> {
    /// Lays out `routes`; each keeps its position in the file.
    ///
    /// # Errors
    /// Every [`Overlap`], with the position of the route that came too late.
    pub fn build(routes: &[(Place, T)]) -> Result<Self, Vec<(usize, Overlap)>> {
        let mut errors = Vec::new();
        let mut table = Self {
            in_order: routes.iter().map(|(_, route)| route.clone()).collect(),
            ..Self::default()
        };
        for ((host, path), entries) in by_path(routes, &mut errors) {
            let position = entries.first().map_or(0, |entry| entry.position);
            if let Err(error) = readable(path).and_then(|()| table.insert(host, path, entries)) {
                errors.push((position, Overlap::Template(format!("{path}: {error}"))));
            }
        }
        errors.sort_by_key(|(position, _)| *position);
        if errors.is_empty() { Ok(table) } else { Err(errors) }
    }

    fn insert(&mut self, host: Option<String>, path: &str, entries: Vec<Entry<T>>) -> Result<(), String> {
        let site = match host {
            Some(host) => self.hosts.entry(host).or_default(),
            None => &mut self.any,
        };
        site.insert(path, entries).map_err(|error| error.to_string())
    }
}

/// A parameter that is a part of a segment could be empty, or `..`, which a rewrite might make a segment of.
fn readable(template: &str) -> Result<(), String> {
    let is_part = |segment: &str| segment.contains('{') && !segment.starts_with('{');
    if template.split('/').any(is_part) {
        return Err("a parameter is a whole segment".to_owned());
    }
    if parameters(template).len() > PARAMETERS {
        return Err(format!("has more than {PARAMETERS} parameters"));
    }
    Ok(())
}

type ByPath<'r, T> = BTreeMap<(Option<String>, &'r str), Vec<Entry<T>>>;

fn by_path<'r, T: Clone>(routes: &'r [(Place, T)], errors: &mut Vec<(usize, Overlap)>) -> ByPath<'r, T> {
    let mut by_path = ByPath::new();
    for (position, (place, route)) in routes.iter().enumerate() {
        let host = place.host.as_ref().map(|host| host.to_ascii_lowercase());
        for path in &place.paths {
            let entries = by_path.entry((host.clone(), path)).or_default();
            if let Some(same) = entries.iter().find(|earlier| earlier.overlaps(&place.methods)) {
                errors.push((position, Overlap::Same(same.position)));
                break;
            }
            entries.push(Entry {
                methods: place.methods.clone(),
                position,
                route: route.clone(),
            });
        }
    }
    by_path
}

impl<T> Table<T> {
    /// The route for a request. A site of the request's own host comes first, then one of all hosts below a name, then
    /// the routes of any host.
    pub fn find<'t, 'p>(&'t self, host: Option<&str>, path: &'p str, method: &Method) -> Found<'t, 'p, T> {
        let mut others = Vec::new();
        for site in self.sites(host) {
            let Ok(at) = site.at(path) else { continue };
            if let Some(entry) = at.value.iter().find(|entry| entry.takes(method)) {
                return Found::Route(&entry.route, at.params);
            }
            others.extend(at.value.iter().flat_map(|entry| entry.methods.iter().cloned()));
        }
        match others.is_empty() {
            true => Found::Nothing,
            false => Found::OtherMethods(others),
        }
    }

    fn sites<'t>(&'t self, host: Option<&str>) -> impl Iterator<Item = &'t Site<T>> {
        let named = host.filter(|_| !self.hosts.is_empty()).map(in_small_letters);
        let own = named.as_deref().and_then(|host| self.hosts.get(host));
        let below = named.as_deref().and_then(|host| {
            let mut names = host.match_indices('.').map(|(at, _)| format!("*{}", &host[at..]));
            names.find_map(|name| self.hosts.get(&name))
        });
        own.into_iter().chain(below).chain([&self.any])
    }

    /// Every route, in the order of the file; one with several paths once.
    pub fn routes(&self) -> impl Iterator<Item = &T> {
        self.in_order.iter()
    }

    /// Whether there are no routes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }
}

/// RFC 3986 §3.2.2: a host is the same in any letters.
fn in_small_letters(host: &str) -> Cow<'_, str> {
    match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: Option<&str>, path: &str, methods: &[Method]) -> Place {
        Place {
            host: host.map(str::to_owned),
            paths: vec![path.to_owned()],
            methods: methods.to_vec(),
        }
    }

    fn table(routes: &[(Option<&str>, &str, &[Method])]) -> Result<Table<usize>, Vec<(usize, Overlap)>> {
        let routes = routes.iter().enumerate();
        let routes: Vec<_> = routes
            .map(|(position, (host, path, methods))| (place(*host, path, methods), position))
            .collect();
        Table::build(&routes)
    }

    fn found(table: &Table<usize>, host: &str, path: &str, method: &Method) -> Option<usize> {
        match table.find(Some(host), path, method) {
            Found::Route(route, _) => Some(*route),
            _ => None,
        }
    }

    #[test]
    fn a_route_is_found_by_host_path_and_method() {
        let table = table(&[
            (None, "/users/{id}", &[Method::GET]),
            (None, "/users/{id}", &[Method::POST]),
            (None, "/users/me", &[]),
            (Some("api.example"), "/users/{id}", &[Method::GET]),
            (Some("*.example"), "/only-below", &[]),
        ])
        .unwrap();
        assert_eq!(found(&table, "x", "/users/1", &Method::GET), Some(0));
        assert_eq!(found(&table, "x", "/users/1", &Method::POST), Some(1));
        assert_eq!(
            found(&table, "x", "/users/me", &Method::PUT),
            Some(2),
            "what is spelled out wins"
        );
        assert_eq!(found(&table, "api.example", "/users/1", &Method::GET), Some(3));
        assert_eq!(
            found(&table, "api.example", "/users/1", &Method::POST),
            Some(1),
            "what its host does not say, any host may"
        );
        assert_eq!(found(&table, "a.b.example", "/only-below", &Method::GET), Some(4));
        assert_eq!(found(&table, "example", "/only-below", &Method::GET), None);
    }

    #[test]
    fn a_host_is_the_same_in_any_letters() {
        let table = table(&[
            (None, "/a", &[]),
            (Some("Admin.Example"), "/a", &[]),
            (Some("*.Shop.example"), "/a", &[]),
        ])
        .unwrap();
        for host in ["admin.example", "ADMIN.example"] {
            assert_eq!(found(&table, host, "/a", &Method::GET), Some(1), "{host}");
        }
        for host in ["x.shop.example", "X.Shop.Example"] {
            assert_eq!(found(&table, host, "/a", &Method::GET), Some(2), "{host}");
        }
    }

    #[test]
    fn a_parameter_is_a_whole_segment_and_there_are_25_at_most() {
        for part in ["/a{id}", "/a{id}/b", "/a/b{*rest}"] {
            assert!(table(&[(None, part, &[])]).is_err(), "{part}");
        }
        let many = |count: usize| (0..count).map(|at| format!("/{{p{at}}}")).collect::<String>();
        assert!(table(&[(None, &many(PARAMETERS), &[])]).is_ok());
        assert!(table(&[(None, &many(PARAMETERS + 1), &[])]).is_err());
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        let paths = ["/events", "/events/", "/events/{*rest}"].map(str::to_owned).to_vec();
        let prefix = Place {
            host: None,
            paths,
            methods: vec![],
        };
        let table = Table::build(&[(prefix, 0)]).unwrap();
        for path in ["/events", "/events/", "/events/1/2"] {
            assert_eq!(found(&table, "x", path, &Method::GET), Some(0), "{path}");
        }
        for path in ["/eventsX", "/event", "/"] {
            assert_eq!(found(&table, "x", path, &Method::GET), None, "{path}");
        }
    }

    #[test]
    fn no_route_takes_a_trace() {
        let table = table(&[(None, "/a", &[])]).unwrap();
        assert_eq!(found(&table, "x", "/a", &Method::TRACE), None);
        assert_eq!(found(&table, "x", "/a", &Method::OPTIONS), Some(0));
    }

    #[test]
    fn other_methods_are_named() {
        let table = table(&[(None, "/a", &[Method::GET]), (None, "/a", &[Method::PUT])]).unwrap();
        match table.find(None, "/a", &Method::POST) {
            Found::OtherMethods(methods) => assert_eq!(methods, [Method::GET, Method::PUT]),
            other => panic!("{other:?}"),
        }
        assert!(matches!(table.find(None, "/b", &Method::POST), Found::Nothing));
    }

    #[test]
    fn routes_that_want_the_same_requests_are_refused() {
        assert_eq!(
            table(&[(None, "/a", &[]), (None, "/a", &[Method::GET])]).unwrap_err(),
            [(1, Overlap::Same(0))]
        );
        assert!(
            table(&[(None, "/a/{b}", &[]), (None, "/a/{c}", &[])]).is_err(),
            "one of them could never be told"
        );
        assert!(table(&[(None, "/a/{b", &[])]).is_err());
        assert!(
            table(&[(None, "/a", &[]), (Some("h"), "/a", &[])]).is_ok(),
            "hosts tell them apart"
        );
    }
}

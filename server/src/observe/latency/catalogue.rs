//! Which endpoint a request is counted under, so that no path can make endpoints without end.
//!
//! An endpoint that is known stays itself. Of a new one
//! - a segment that already has [`SIBLINGS_MAX`] different values beside otherwise equal paths is `:value` from then on
//!   (`/blog/why-rust` becomes `/blog/:value`); the siblings that came before stay as they are;
//! - a path that only ever answered 404 or 405 is nobody's: robots ask for thousands of those. It is counted as `(other)`
//!   until it is answered otherwise;
//! - beyond [`ENDPOINTS_MAX`] of a project, all are counted as `(other)`.

use std::collections::{HashMap, HashSet};

use super::endpoint::{Endpoint, OTHER};

/// Most endpoints of a project, those that stand for others not counted: 2,000. With a row each for 400 days and as many
/// hours they are 20 million rows at the very worst; the API of GitHub has 1,000.
pub const ENDPOINTS_MAX: usize = 2_000;

/// Most values of a segment beside otherwise equal paths: 100, more than a place in any API has names (GitHub's: 60), so
/// that twenty such places fit into [`ENDPOINTS_MAX`].
pub const SIBLINGS_MAX: usize = 100;

/// The endpoints of a project.
#[derive(Debug, Default)]
pub struct Catalogue {
    known: HashSet<Endpoint>,
    /// How many are the same but for this segment; made when the first new one comes.
    families: Option<HashMap<Endpoint, usize>>,
}

impl Catalogue {
    /// Of those that are known.
    #[must_use]
    pub fn of(known: impl IntoIterator<Item = Endpoint>) -> Self {
        Self {
            known: known.into_iter().collect(),
            families: None,
        }
    }

    /// What a request of `asked` is counted under; from then on that is known.
    pub fn place(&mut self, asked: &Endpoint, unknown_path: bool) -> Endpoint {
        if self.known.contains(asked) || asked.stands_for_many() {
            return asked.clone();
        }
        let mut endpoint = asked.clone();
        while let Some(wider) = self.wider(&endpoint) {
            if self.known.contains(&wider) {
                return wider;
            }
            endpoint = wider;
        }
        if unknown_path || self.known.len() >= ENDPOINTS_MAX {
            return Endpoint::standing(asked.source, OTHER);
        }
        self.add(endpoint.clone());
        endpoint
    }

    /// The same with one more segment collapsed, if that is known already or has too many values.
    fn wider(&mut self, endpoint: &Endpoint) -> Option<Endpoint> {
        let wider = || endpoint.collapsed().filter(|wider| wider != endpoint);
        if let Some(known) = wider().find(|wider| self.known.contains(wider)) {
            return Some(known);
        }
        let families = self.families.get_or_insert_with(|| {
            let mut families = HashMap::new();
            self.known.iter().for_each(|known| count(known, &mut families));
            families
        });
        wider().find(|wider| families.get(wider).is_some_and(|values| *values >= SIBLINGS_MAX))
    }

    fn add(&mut self, endpoint: Endpoint) {
        if let Some(families) = &mut self.families {
            count(&endpoint, families);
        }
        self.known.insert(endpoint);
    }
}

/// Counts a known endpoint as a value of each of its segments; what is collapsed already is none.
fn count(endpoint: &Endpoint, families: &mut HashMap<Endpoint, usize>) {
    if endpoint.stands_for_many() {
        return;
    }
    for wider in endpoint.collapsed().filter(|wider| wider != endpoint) {
        *families.entry(wider).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Source;
    use super::*;

    fn get(path: &str) -> Endpoint {
        Endpoint {
            source: Source::Server,
            host: String::new(),
            method: "GET".to_owned(),
            path: path.to_owned(),
        }
    }

    fn place(catalogue: &mut Catalogue, path: &str) -> String {
        catalogue.place(&get(path), false).path
    }

    #[test]
    fn a_segment_with_too_many_values_is_one_endpoint_from_then_on() {
        let mut catalogue = Catalogue::default();
        for n in 0..SIBLINGS_MAX {
            assert_eq!(
                place(&mut catalogue, &format!("/blog/post-{n}/edit")),
                format!("/blog/post-{n}/edit")
            );
        }
        assert_eq!(place(&mut catalogue, "/blog/one-more/edit"), "/blog/:value/edit");
        assert_eq!(
            place(&mut catalogue, "/blog/post-7/edit"),
            "/blog/post-7/edit",
            "what is known stays"
        );
        assert_eq!(
            place(&mut catalogue, "/blog/one-more/history"),
            "/blog/one-more/history",
            "nor does it spread"
        );
        let mut restarted = Catalogue::of(catalogue.known);
        assert_eq!(place(&mut restarted, "/blog/another/edit"), "/blog/:value/edit");
    }

    #[test]
    fn paths_that_nobody_answers_make_no_endpoint_until_somebody_does() {
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.place(&get("/wp-login.php"), true).path, OTHER);
        assert_eq!(catalogue.place(&get("/users"), false).path, "/users");
        assert_eq!(
            catalogue.place(&get("/users"), true).path,
            "/users",
            "a 404 of what is there"
        );
    }

    #[test]
    fn there_are_never_more_than_the_bound() {
        let mut catalogue = Catalogue::default();
        let paths = || (0..50).flat_map(|a| (0..50).map(move |b| format!("/{a}x/{b}y")));
        let placed: Vec<_> = paths().map(|path| place(&mut catalogue, &path)).collect();
        assert_eq!(
            placed.iter().filter(|path| *path == OTHER).count(),
            2_500 - ENDPOINTS_MAX
        );
        assert_eq!(catalogue.known.len(), ENDPOINTS_MAX);
        assert_eq!(place(&mut catalogue, "/0x/0y"), "/0x/0y");
    }

    proptest! {
        #[test]
        fn what_was_placed_stays_in_its_place(paths in prop::collection::vec("(/[ab]{1,2}){1,3}", 1..60), unknown in any::<bool>()) {
            let mut catalogue = Catalogue::default();
            for path in &paths {
                let endpoint = catalogue.place(&get(path), unknown);
                prop_assert!(endpoint.stands_for_many() || endpoint.covers(&get(path)));
                prop_assert_eq!(catalogue.place(&endpoint, true), endpoint);
            }
        }
    }
}

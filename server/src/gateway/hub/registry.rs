//! Who is here: sockets by connection, by user and by topic.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Whose socket it is, as far as the limit for each is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A user; messages can be sent to all of their sockets.
    User(String),
    /// An API key that belongs to no user.
    Key(String),
    /// Nobody: the route is public. Only the limit of all sockets counts.
    Nobody,
}

/// Why another socket may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// No socket comes in any more.
    Closed,
    /// The owner has as many as one may have.
    Owner,
    /// All places are taken.
    All,
}

/// Why a socket does not get a topic: it has as many as one may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyTopics;

/// Most sockets and topics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) sockets: usize,
    pub(super) per_owner: usize,
    pub(super) topics_per_socket: usize,
}

/// The sockets; `S` is what a message is handed to.
#[derive(Debug)]
pub(super) struct Registry<S> {
    limits: Limits,
    sockets: HashMap<String, Socket<S>>,
    by_owner: HashMap<Owner, HashSet<String>>,
    by_topic: BTreeMap<String, HashSet<String>>,
    is_closed: bool,
}

#[derive(Debug)]
struct Socket<S> {
    sink: S,
    owner: Owner,
    topics: HashSet<String>,
}

impl<S> Registry<S> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            sockets: HashMap::new(),
            by_owner: HashMap::new(),
            by_topic: BTreeMap::new(),
            is_closed: false,
        }
    }

    /// Lets a socket in under a name that nobody has had.
    pub(super) fn enter(&mut self, connection: &str, owner: Owner, sink: S) -> Result<(), Full> {
        self.room_for(&owner)?;
        self.by_owner
            .entry(owner.clone())
            .or_default()
            .insert(connection.to_owned());
        let socket = Socket {
            sink,
            owner,
            topics: HashSet::new(),
        };
        self.sockets.insert(connection.to_owned(), socket);
        Ok(())
    }

    fn room_for(&self, owner: &Owner) -> Result<(), Full> {
        let theirs = self.by_owner.get(owner).map_or(0, HashSet::len);
        if self.is_closed {
            return Err(Full::Closed);
        }
        if *owner != Owner::Nobody && theirs >= self.limits.per_owner {
            return Err(Full::Owner);
        }
        if self.sockets.len() >= self.limits.sockets {
            return Err(Full::All);
        }
        Ok(())
    }

    /// Forgets a socket; twice is as good as once.
    pub(super) fn leave(&mut self, connection: &str) {
        let Some(socket) = self.sockets.remove(connection) else {
            return;
        };
        if let Some(theirs) = self.by_owner.get_mut(&socket.owner) {
            theirs.remove(connection);
            if theirs.is_empty() {
                self.by_owner.remove(&socket.owner);
            }
        }
        for topic in socket.topics {
            self.forget(&topic, connection);
        }
    }

    /// A socket wants to hear a topic; twice is as good as once.
    pub(super) fn subscribe(&mut self, connection: &str, topic: &str) -> Result<(), TooManyTopics> {
        let Some(socket) = self.sockets.get_mut(connection) else {
            return Ok(());
        };
        if !socket.topics.contains(topic) && socket.topics.len() >= self.limits.topics_per_socket {
            return Err(TooManyTopics);
        }
        socket.topics.insert(topic.to_owned());
        self.by_topic
            .entry(topic.to_owned())
            .or_default()
            .insert(connection.to_owned());
        Ok(())
    }

    /// A socket wants to hear a topic no more.
    pub(super) fn unsubscribe(&mut self, connection: &str, topic: &str) {
        let socket = self.sockets.get_mut(connection);
        if socket.is_some_and(|socket| socket.topics.remove(topic)) {
            self.forget(topic, connection);
        }
    }

    fn forget(&mut self, topic: &str, connection: &str) {
        if let Some(listeners) = self.by_topic.get_mut(topic) {
            listeners.remove(connection);
            if listeners.is_empty() {
                self.by_topic.remove(topic);
            }
        }
    }

    /// Lets nobody in any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// One socket.
    pub(super) fn of_connection(&self, connection: &str) -> impl Iterator<Item = &S> {
        self.sockets.get(connection).map(|socket| &socket.sink).into_iter()
    }

    /// All sockets of a user.
    pub(super) fn of_user(&self, user: &str) -> impl Iterator<Item = &S> {
        self.sinks(self.by_owner.get(&Owner::User(user.to_owned())))
    }

    /// All sockets that want to hear a topic.
    pub(super) fn of_topic(&self, topic: &str) -> impl Iterator<Item = &S> {
        self.sinks(self.by_topic.get(topic))
    }

    fn sinks<'a>(&'a self, connections: Option<&'a HashSet<String>>) -> impl Iterator<Item = &'a S> {
        let connections = connections.into_iter().flatten();
        connections.filter_map(|connection| Some(&self.sockets.get(connection)?.sink))
    }

    /// All sockets.
    pub(super) fn all(&self) -> impl Iterator<Item = &S> {
        self.sockets.values().map(|socket| &socket.sink)
    }

    /// How many sockets are here.
    pub(super) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// How many users and keys they belong to.
    pub(super) fn owners(&self) -> usize {
        self.by_owner.len() - usize::from(self.by_owner.contains_key(&Owner::Nobody))
    }

    /// How many topics somebody hears.
    pub(super) fn topics(&self) -> usize {
        self.by_topic.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        sockets: 5,
        per_owner: 2,
        topics_per_socket: 2,
    };

    #[derive(Debug, Clone)]
    enum Step {
        Enter(u8),
        Leave(usize),
        Subscribe(usize, u8),
        Unsubscribe(usize, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..5_u8).prop_map(Step::Enter),
            1 => (0..20_usize).prop_map(Step::Leave),
            3 => (0..20_usize, 0..4_u8).prop_map(|(n, topic)| Step::Subscribe(n, topic)),
            1 => (0..20_usize, 0..4_u8).prop_map(|(n, topic)| Step::Unsubscribe(n, topic)),
        ];
        prop::collection::vec(step, 0..60)
    }

    fn owner(number: u8) -> Owner {
        match number {
            0 => Owner::Nobody,
            1 => Owner::Key("u2".to_owned()),
            n => Owner::User(format!("u{n}")),
        }
    }

    /// The registry as a list that is searched.
    #[derive(Default)]
    struct Model(BTreeMap<usize, (Owner, BTreeSet<u8>)>);

    impl Model {
        fn room_for(&self, owner: &Owner) -> Result<(), Full> {
            let theirs = self.0.values().filter(|(other, _)| other == owner).count();
            match (
                theirs >= LIMITS.per_owner && *owner != Owner::Nobody,
                self.0.len() >= LIMITS.sockets,
            ) {
                (true, _) => Err(Full::Owner),
                (_, true) => Err(Full::All),
                _ => Ok(()),
            }
        }

        fn who(&self, is_meant: impl Fn(&Owner, &BTreeSet<u8>) -> bool) -> BTreeSet<usize> {
            let meant = self.0.iter().filter(|(_, (owner, topics))| is_meant(owner, topics));
            meant.map(|(n, _)| *n).collect()
        }
    }

    fn found<'a>(sinks: impl Iterator<Item = &'a usize>) -> BTreeSet<usize> {
        sinks.copied().collect()
    }

    proptest! {
        #[test]
        fn it_finds_whom_a_search_through_a_list_finds(steps in steps()) {
            let (mut registry, mut model) = (Registry::new(LIMITS), Model::default());
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Enter(who) => {
                        let expected = model.room_for(&owner(who));
                        prop_assert_eq!(registry.enter(&n.to_string(), owner(who), n), expected);
                        if expected.is_ok() {
                            model.0.insert(n, (owner(who), BTreeSet::new()));
                        }
                    }
                    Step::Leave(n) => {
                        registry.leave(&n.to_string());
                        model.0.remove(&n);
                    }
                    Step::Subscribe(n, topic) => {
                        let subscribed = registry.subscribe(&n.to_string(), &topic.to_string());
                        if let Some((_, topics)) = model.0.get_mut(&n) {
                            let has_room = topics.contains(&topic) || topics.len() < LIMITS.topics_per_socket;
                            prop_assert_eq!(subscribed.is_ok(), has_room);
                            if has_room {
                                topics.insert(topic);
                            }
                        }
                    }
                    Step::Unsubscribe(n, topic) => {
                        registry.unsubscribe(&n.to_string(), &topic.to_string());
                        model.0.get_mut(&n).map(|(_, topics)| topics.remove(&topic));
                    }
                }
                prop_assert_eq!(found(registry.all()), model.who(|_, _| true));
                for user in 2..5 {
                    let expected = model.who(|other, _| *other == owner(user));
                    prop_assert_eq!(found(registry.of_user(&format!("u{user}"))), expected);
                }
                for topic in 0..4 {
                    let expected = model.who(|_, topics| topics.contains(&topic));
                    prop_assert_eq!(found(registry.of_topic(&topic.to_string())), expected);
                }
                let owners: BTreeSet<_> = model.0.values().map(|(owner, _)| owner).filter(|o| **o != Owner::Nobody).collect();
                let topics: BTreeSet<_> = model.0.values().flat_map(|(_, topics)| topics).collect();
                let counts = (registry.sockets(), registry.owners(), registry.topics());
                prop_assert_eq!(counts, (model.0.len(), owners.len(), topics.len()), "nothing is kept of who left");
            }
        }
    }

    #[test]
    fn once_closed_it_lets_nobody_in() {
        let mut registry = Registry::new(LIMITS);
        registry.close();
        assert_eq!(registry.enter("c", Owner::Nobody, 1), Err(Full::Closed));
    }
}

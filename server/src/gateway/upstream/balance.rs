//! Which instance a request goes to: pure choices among those that are usable.

use super::random::{Random, mix};

/// How much more than its part a substitute may carry before the next one is asked: a quarter (as in "Consistent Hashing
/// with Bounded Loads", Mirrokni et al. 2016, where ε = 0.25).
const SURPLUS: f64 = 1.25;

/// The instances to choose from.
pub(super) trait Field {
    /// How many there are.
    fn len(&self) -> usize;
    /// What tells one from the others for ever, wherever in the list it is.
    fn id(&self, at: usize) -> u64;
    /// Its share, above 0.
    fn weight(&self, at: usize) -> u32;
    /// Its requests in flight.
    fn load(&self, at: usize) -> usize;
    /// Whether it may be chosen at all.
    fn is_usable(&self, at: usize) -> bool;
}

fn usable(field: &impl Field) -> impl Iterator<Item = usize> {
    (0..field.len()).filter(|at| field.is_usable(*at))
}

/// Smooth weighted round robin, as nginx has it: with weights 2 and 1 the order is a b a, not a a b.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    credit: Vec<i64>,
}

impl RoundRobin {
    /// The next in turn.
    pub(super) fn pick(&mut self, field: &impl Field) -> Option<usize> {
        self.credit.resize(field.len(), 0);
        let mut total = 0;
        let mut best = None;
        for at in usable(field) {
            let weight = i64::from(field.weight(at));
            total += weight;
            self.credit[at] += weight;
            if best.is_none_or(|best| self.credit[at] > self.credit[best]) {
                best = Some(at);
            }
        }
        self.credit[best?] -= total;
        best
    }
}

/// Of two drawn by weight the one with fewer requests in flight for its weight; the first drawn if they are equal, so that
/// an idle upstream is used by weight.
pub(super) fn two_choices(field: &impl Field, random: &Random) -> Option<usize> {
    let total = usable(field).map(|at| u64::from(field.weight(at))).sum();
    let first = drawn(field, random.below(total), None)?;
    let rest = total - u64::from(field.weight(first));
    let Some(second) = drawn(field, random.below(rest), Some(first)).filter(|_| rest > 0) else {
        return Some(first);
    };
    let cost = |of: usize, weight_of: usize| field.load(of) as u64 * u64::from(field.weight(weight_of));
    Some(if cost(second, first) < cost(first, second) {
        second
    } else {
        first
    })
}

/// The one in whose stretch of the weights laid end to end `point` falls, `without` left out.
fn drawn(field: &impl Field, mut point: u64, without: Option<usize>) -> Option<usize> {
    for at in usable(field).filter(|at| Some(*at) != without) {
        let weight = u64::from(field.weight(at));
        if point < weight {
            return Some(at);
        }
        point -= weight;
    }
    None
}

/// Rendezvous hashing: each key ranks all instances, and its own is the first. When that is not usable, the next one
/// carries it, unless it has more than its part already; so the keys of a lost instance spread, and no other key moves.
pub(super) fn by_key(field: &impl Field, key: u64) -> Option<usize> {
    let own = highest(field, key, 0..field.len())?;
    if field.is_usable(own) {
        return Some(own);
    }
    let (load, weight) = usable(field).fold((0, 0), |(load, weight), at| {
        (load + field.load(at), weight + u64::from(field.weight(at)))
    });
    let part = |at: usize| (load + 1) as f64 * f64::from(field.weight(at)) / weight as f64;
    let has_room = |at: &usize| ((field.load(*at) + 1) as f64) <= (part(*at) * SURPLUS).ceil();
    highest(field, key, usable(field).filter(has_room)).or_else(|| highest(field, key, usable(field)))
}

fn highest(field: &impl Field, key: u64, among: impl Iterator<Item = usize>) -> Option<usize> {
    let score = |at: usize| score(key, field.id(at), field.weight(at));
    among
        .map(|at| (score(at), at))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, at)| at)
}

/// Weighted rendezvous (Wang, Ravishankar 2005; Resch 2015): `-weight / ln u`, with u even in (0, 1).
fn score(key: u64, id: u64, weight: u32) -> f64 {
    let bits = mix(mix(key) ^ id) >> 11;
    let even = (bits as f64 + 0.5) / (1_u64 << 53) as f64;
    -f64::from(weight) / even.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    struct Instance {
        id: u64,
        weight: u32,
        load: usize,
        is_usable: bool,
    }

    impl Field for Vec<Instance> {
        fn len(&self) -> usize {
            self.as_slice().len()
        }
        fn id(&self, at: usize) -> u64 {
            self[at].id
        }
        fn weight(&self, at: usize) -> u32 {
            self[at].weight
        }
        fn load(&self, at: usize) -> usize {
            self[at].load
        }
        fn is_usable(&self, at: usize) -> bool {
            self[at].is_usable
        }
    }

    fn field(weights: &[u32]) -> Vec<Instance> {
        let instance = |(at, weight): (usize, &u32)| Instance {
            id: mix(at as u64),
            weight: *weight,
            load: 0,
            is_usable: true,
        };
        weights.iter().enumerate().map(instance).collect()
    }

    fn weights() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(1_u32..10, 1..8)
    }

    #[test]
    fn turns_are_spread_and_not_bunched() {
        let mut turns = RoundRobin::default();
        let field = field(&[5, 1, 1]);
        let order: Vec<_> = (0..7).map(|_| turns.pick(&field).unwrap()).collect();
        assert_eq!(order, [0, 0, 1, 0, 2, 0, 0], "nginx's own example");
    }

    #[test]
    fn of_two_the_one_with_less_to_do_is_taken() {
        let mut field = field(&[1, 1]);
        field[0].load = 3;
        let random = Random::seeded(7);
        assert!((0..100).all(|_| two_choices(&field, &random) == Some(1)));
        field[0].weight = 10;
        field[1].load = 1;
        assert!(
            (0..100).all(|_| two_choices(&field, &random) == Some(0)),
            "3/10 is less than 1/1"
        );
    }

    #[test]
    fn a_substitute_that_has_its_part_already_is_passed_over() {
        let mut field = field(&[1, 1, 1]);
        let key = 42;
        let own = by_key(&field, key).unwrap();
        field[own].is_usable = false;
        let next = by_key(&field, key).unwrap();
        field[next].load = 10;
        let other = by_key(&field, key).unwrap();
        assert_eq!(own + next + other, 3, "each is asked in turn: {own}, {next}, {other}");
        field[own].is_usable = true;
        field[own].load = 1000;
        assert_eq!(
            by_key(&field, key),
            Some(own),
            "its own one keeps it, whatever its load"
        );
    }

    proptest! {
        #[test]
        fn a_round_gives_each_as_many_turns_as_its_weight(weights in weights()) {
            let (mut turns, field) = (RoundRobin::default(), field(&weights));
            let mut counts = vec![0; weights.len()];
            for _ in 0..weights.iter().sum() {
                counts[turns.pick(&field).unwrap()] += 1;
            }
            prop_assert_eq!(counts, weights);
        }

        #[test]
        fn idle_instances_are_drawn_by_weight(weights in weights(), seed: u64) {
            let (random, field) = (Random::seeded(seed), field(&weights));
            let mut counts = vec![0_u32; weights.len()];
            const DRAWS: u32 = 4_000;
            for _ in 0..DRAWS {
                counts[two_choices(&field, &random).unwrap()] += 1;
            }
            let total: u32 = weights.iter().sum();
            for (count, weight) in counts.iter().zip(&weights) {
                let expected = f64::from(DRAWS * weight) / f64::from(total);
                // Five standard deviations of a binomial draw are at most 5 · √(4000 / 4) ≈ 158.
                prop_assert!((f64::from(*count) - expected).abs() < 160.0, "{counts:?} for {weights:?}");
            }
        }

        #[test]
        fn keys_spread_by_weight(weights in weights()) {
            let field = field(&weights);
            let mut counts = vec![0_u32; weights.len()];
            const KEYS: u32 = 4_000;
            for key in 0..KEYS {
                counts[by_key(&field, u64::from(key)).unwrap()] += 1;
            }
            let total: u32 = weights.iter().sum();
            for (count, weight) in counts.iter().zip(&weights) {
                let expected = f64::from(KEYS * weight) / f64::from(total);
                prop_assert!((f64::from(*count) - expected).abs() < 160.0, "{counts:?} for {weights:?}");
            }
        }

        #[test]
        fn only_the_keys_of_a_lost_instance_move(weights in weights(), lost: prop::sample::Index, keys: [u64; 32]) {
            let whole = field(&weights);
            let lost = lost.index(weights.len());
            let (mut out, mut gone) = (whole.clone(), whole.clone());
            out[lost].is_usable = false;
            gone.remove(lost);
            for key in keys {
                let own = by_key(&whole, key).unwrap();
                if own != lost {
                    prop_assert_eq!(by_key(&out, key), Some(own), "ejected");
                    let at = by_key(&gone, key).unwrap();
                    prop_assert_eq!(gone[at].id, whole[own].id, "removed");
                }
            }
        }

        #[test]
        fn nobody_unusable_is_ever_chosen(
            weights in weights(), usable in prop::collection::vec(any::<bool>(), 8), loads in prop::collection::vec(0_usize..50, 8), seed: u64,
        ) {
            let mut field = field(&weights);
            for (at, instance) in field.iter_mut().enumerate() {
                (instance.is_usable, instance.load) = (usable[at], loads[at]);
            }
            let anybody = field.iter().any(|instance| instance.is_usable);
            let picks = [
                RoundRobin::default().pick(&field),
                two_choices(&field, &Random::seeded(seed)),
                by_key(&field, seed),
            ];
            for pick in picks {
                prop_assert_eq!(pick.is_some(), anybody);
                prop_assert!(pick.is_none_or(|at| field[at].is_usable));
            }
        }
    }
}

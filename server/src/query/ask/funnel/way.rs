//! The best way of one person through a funnel: a pure function of their events in order.
//!
//! Of all ways the one counts that gets farthest; of several, the one that gets there first; of these, the one that begins
//! last. One pass is enough: of all ways whose latest step is the same, the one that began last has the most time left,
//! so the others need not be remembered.

use crate::query::ask::question::{FunnelOrder, STEPS_MAX};

/// One event of a person, as a funnel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its place among the person's events: two of one moment are two.
    pub place: u64,
    /// When, in microseconds.
    pub at: i64,
    /// The steps that it may take: bit 0 is the first.
    pub steps: u32,
    /// The exclusions that it is.
    pub exclusions: u32,
    /// The number of its combination of parts; only that of a first step matters.
    pub part: u32,
    /// Whether a way may begin with it: it lies within the stretch that was asked for.
    pub may_begin: bool,
}

/// How far a person got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Steps taken, from 1.
    pub steps: usize,
    /// When each was taken, in microseconds.
    pub at: [i64; STEPS_MAX],
    /// The parts of the first.
    pub part: u32,
}

impl Way {
    fn begin(seen: &Seen) -> Self {
        let mut at = [0; STEPS_MAX];
        at[0] = seen.at;
        Self {
            steps: 1,
            at,
            part: seen.part,
        }
    }

    fn then(mut self, seen: &Seen) -> Self {
        if let Some(place) = self.at.get_mut(self.steps) {
            *place = seen.at;
            self.steps += 1;
        }
        self
    }
}

/// An exclusion: after `from`, before `to` (steps from 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// After this step.
    pub from: usize,
    /// Before this one.
    pub to: usize,
}

/// What a way must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How many steps there are.
    pub steps: usize,
    /// In which order they are taken.
    pub order: FunnelOrder,
    /// How long it may take from the first to the last, in microseconds.
    pub window: i64,
    /// What must not happen, by the bits of [`Seen::exclusions`].
    pub exclusions: Vec<Between>,
}

/// Goes along one person's events.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    rules: &'a Rules,
    /// The ways whose latest step is this one.
    ways: [Option<Way>; STEPS_MAX],
    /// Without order: the latest events of each step, and when a way with them would have begun.
    latest: Vec<Vec<Seen>>,
    best: Option<Way>,
}

impl<'a> Walk<'a> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(rules: &'a Rules) -> Self {
        let latest = match rules.order {
            FunnelOrder::Unordered => vec![Vec::new(); rules.steps],
            FunnelOrder::Ordered | FunnelOrder::Strict => Vec::new(),
        };
        Self {
            rules,
            ways: [None; STEPS_MAX],
            latest,
            best: None,
        }
    }

    /// The next event. Whoever is at the end gets no farther: the first to get there counts.
    pub fn see(&mut self, seen: &Seen) {
        if self.best.is_some_and(|best| best.steps == self.rules.steps) {
            return;
        }
        match self.rules.order {
            FunnelOrder::Ordered => self.ordered(seen),
            FunnelOrder::Strict => self.strict(seen),
            FunnelOrder::Unordered => self.unordered(seen),
        }
    }

    /// How far they got.
    #[must_use]
    pub fn best(&self) -> Option<Way> {
        self.best
    }

    fn ordered(&mut self, seen: &Seen) {
        self.exclude(seen);
        // From the last step to the first, so that an event takes one step of a way, not two.
        for step in (0..self.rules.steps).rev().filter(|step| takes(seen, *step)) {
            let way = self.way_to(step, seen);
            let there = self.ways.get_mut(step);
            if let (Some(way), Some(there)) = (way, there)
                && there.is_none_or(|there| way.at[0] > there.at[0])
            {
                *there = Some(way);
                self.reached(way);
            }
        }
    }

    /// Like [`Self::ordered`], but what does not go on with this event is over.
    fn strict(&mut self, seen: &Seen) {
        self.exclude(seen);
        let mut ways = [None; STEPS_MAX];
        for step in (0..self.rules.steps).filter(|step| takes(seen, *step)) {
            let way = self.way_to(step, seen);
            if let (Some(way), Some(there)) = (way, ways.get_mut(step)) {
                *there = Some(way);
                self.reached(way);
            }
        }
        self.ways = ways;
    }

    fn way_to(&self, step: usize, seen: &Seen) -> Option<Way> {
        let Some(before) = step.checked_sub(1) else {
            return seen.may_begin.then(|| Way::begin(seen));
        };
        let way = (*self.ways.get(before)?)?;
        (seen.at - way.at[0] <= self.rules.window).then(|| way.then(seen))
    }

    /// An exclusion ends the ways that it interrupts. What they had reached, they have reached.
    fn exclude(&mut self, seen: &Seen) {
        for (bit, between) in self.rules.exclusions.iter().enumerate() {
            if seen.exclusions >> bit & 1 == 1 {
                let interrupted = self.ways.get_mut(between.from..between.to).unwrap_or_default();
                interrupted.fill(None);
            }
        }
    }

    fn reached(&mut self, way: Way) {
        if self.best.is_none_or(|best| way.steps > best.steps) {
            self.best = Some(way);
        }
    }

    /// Without order: as many steps as possible, each by an event of its own, all within one window that ends here.
    fn unordered(&mut self, seen: &Seen) {
        let horizon = seen.at - self.rules.window;
        let steps = self.rules.steps;
        for (step, latest) in self.latest.iter_mut().enumerate() {
            latest.retain(|event| event.at >= horizon);
            if takes(seen, step) {
                latest.push(*seen);
                // More than there are steps can never be needed: the latest have the most time left.
                let spare = latest.len().saturating_sub(steps);
                latest.drain(..spare);
            }
        }
        if seen.steps != 0 {
            self.match_steps();
        }
    }

    fn match_steps(&mut self) {
        let mut events: Vec<Seen> = self.latest.iter().flatten().copied().collect();
        events.sort_by_key(|event| event.place);
        events.dedup();
        // The window begins with its first event, which must lie in the stretch; the latest such beginning is the best.
        let beginnings = (0..events.len())
            .rev()
            .filter(|at| events.get(*at).is_some_and(|event| event.may_begin));
        for from in beginnings {
            let chosen = matched(events.get(from..).unwrap_or_default(), self.rules.steps);
            let better = self.best.is_none_or(|best| chosen.len() > best.steps);
            if let (true, Some(first)) = (better, chosen.first()) {
                let way = chosen
                    .iter()
                    .skip(1)
                    .fold(Way::begin(first), |way, event| way.then(event));
                self.reached(way);
            }
        }
    }
}

fn takes(seen: &Seen, step: usize) -> bool {
    seen.steps >> step & 1 == 1
}

/// As many of these events as can take a step each, no two the same, in the order of time (Kuhn's algorithm; there are 12
/// steps at most).
fn matched(events: &[Seen], steps: usize) -> Vec<Seen> {
    let mut taken: Vec<Option<usize>> = vec![None; steps];
    for index in 0..events.len() {
        let mut tried = vec![false; steps];
        augment(events, index, &mut taken, &mut tried);
    }
    let mut chosen: Vec<usize> = taken.into_iter().flatten().collect();
    chosen.sort_unstable();
    chosen
        .into_iter()
        .filter_map(|index| events.get(index).copied())
        .collect()
}

fn augment(events: &[Seen], index: usize, taken: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    let Some(event) = events.get(index) else { return false };
    for step in 0..taken.len() {
        // Only a step that the event takes is tried by it: others may still be tried by somebody else.
        let tries = |tried: &mut bool| takes(event, step) && !std::mem::replace(tried, true);
        if !tried.get_mut(step).is_some_and(tries) {
            continue;
        }
        let owner = taken.get(step).copied().flatten();
        if owner.is_none_or(|owner| augment(events, owner, taken, tried)) {
            if let Some(place) = taken.get_mut(step) {
                *place = Some(index);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn rules(order: FunnelOrder, steps: usize) -> Rules {
        Rules {
            steps,
            order,
            window: 10 * SECOND,
            exclusions: vec![Between { from: 1, to: 2 }],
        }
    }

    /// `"a1 b2 x3"`: step a at second 1, step b at 2, the exclusion at 3; `.` is another event, `ab` one that takes either.
    fn walk(order: FunnelOrder, steps: usize, events: &str) -> Option<(usize, Vec<i64>)> {
        let rules = rules(order, steps);
        let mut walk = Walk::new(&rules);
        for (place, event) in events.split(' ').enumerate() {
            let end = event.find(|c: char| c.is_ascii_digit()).unwrap();
            let (kinds, second) = event.split_at(end);
            let bit = |c: char| {
                if ('a'..='f').contains(&c) {
                    1 << (c as u32 - 'a' as u32)
                } else {
                    0
                }
            };
            walk.see(&Seen {
                place: place as u64,
                at: second.parse::<i64>().unwrap() * SECOND,
                steps: kinds.chars().map(bit).sum(),
                exclusions: u32::from(kinds.contains('x')),
                part: 0,
                may_begin: true,
            });
        }
        walk.best()
            .map(|way| (way.steps, way.at[..way.steps].iter().map(|at| at / SECOND).collect()))
    }

    fn ordered(events: &str) -> Option<(usize, Vec<i64>)> {
        walk(FunnelOrder::Ordered, 3, events)
    }

    #[test]
    fn the_best_beginning_counts_not_the_first() {
        assert_eq!(ordered("a0 a8 b9 c15"), Some((3, vec![8, 9, 15])));
        assert_eq!(
            ordered("a0 b1 a8 c12"),
            Some((2, vec![0, 1])),
            "the window is measured from the first step"
        );
        assert_eq!(ordered("b1 c2"), None);
    }

    #[test]
    fn of_ways_that_arrive_together_the_one_that_began_last_counts() {
        assert_eq!(ordered("a0 a1 b2 c3"), Some((3, vec![1, 2, 3])));
        assert_eq!(
            ordered("a0 b1 c2 a3 b4 c5"),
            Some((3, vec![0, 1, 2])),
            "the first to arrive"
        );
    }

    #[test]
    fn events_of_one_moment_convert_in_their_order() {
        assert_eq!(ordered("a1 b1 c1"), Some((3, vec![1, 1, 1])));
        assert_eq!(ordered("c1 b1 a1"), Some((1, vec![1])));
    }

    #[test]
    fn one_event_takes_one_step() {
        assert_eq!(walk(FunnelOrder::Ordered, 2, "ab1"), Some((1, vec![1])));
        assert_eq!(walk(FunnelOrder::Ordered, 2, "ab1 ab2"), Some((2, vec![1, 2])));
    }

    #[test]
    fn an_exclusion_ends_only_the_ways_that_it_interrupts() {
        assert_eq!(ordered("a1 b2 x3 c4"), Some((2, vec![1, 2])));
        assert_eq!(
            ordered("a1 b2 x3 b4 c5"),
            Some((3, vec![1, 4, 5])),
            "the first step stands"
        );
        assert_eq!(ordered("x0 a1 x2 b3 c4 x5"), Some((3, vec![1, 3, 4])));
    }

    #[test]
    fn nothing_may_come_between_the_steps_of_a_strict_way() {
        let strict = |events| walk(FunnelOrder::Strict, 3, events);
        assert_eq!(strict("a1 b2 c3"), Some((3, vec![1, 2, 3])));
        assert_eq!(strict("a1 .2 b3 c4"), Some((1, vec![1])));
        assert_eq!(strict("a1 a2 b3 c4"), Some((3, vec![2, 3, 4])));
    }

    #[test]
    fn without_order_any_comes_first_and_each_step_has_an_event_of_its_own() {
        let unordered = |events| walk(FunnelOrder::Unordered, 3, events);
        assert_eq!(unordered("c1 a2 b3"), Some((3, vec![1, 2, 3])));
        assert_eq!(unordered("c1 a2 b12"), Some((2, vec![1, 2])));
        assert_eq!(unordered("ab1 ab2"), Some((2, vec![1, 2])));
        assert_eq!(unordered("ab1"), Some((1, vec![1])));
        assert_eq!(unordered("a1 ac2"), Some((2, vec![1, 2])));
        assert_eq!(
            unordered("ab1 ab1"),
            Some((2, vec![1, 1])),
            "two events of one moment are two"
        );
    }
}

//! Funnels: how many get from one step to the next.
//!
//! One statement gives the events of each person in order (`rows`); how far they got is decided by [`way`], event by
//! event, so that a person with a million events needs no more memory than one with three.

mod packed;
mod rows;
pub mod way;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use trailmark_protocol::Timestamp;
use utoipa::ToSchema;

use super::answer::Part;
use super::calendar::Span;
use super::persons::Page;
use super::question::{Event, Exclusion, Funnel, FunnelUnit};
use super::sql::{Parts, Pick};
use crate::query::error::QueryError;
use crate::query::snapshot::Snapshot;
use packed::Packed;
use way::{Between, Rules, Walk, Way};

/// A funnel, or one for each combination of parts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelAnswer {
    /// The funnels, the one with most first steps first.
    pub results: Vec<Line>,
}

/// One funnel.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = FunnelLine)]
pub struct Line {
    /// One part for each breakdown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breakdown: Vec<Part>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = FunnelStep)]
pub struct Step {
    /// What it is called.
    pub name: String,
    /// How many took it (persons or sessions).
    pub count: u64,
    /// Of those who took the first, which share took it: 0 to 1.
    pub of_first: Option<f64>,
    /// Of those who took the one before.
    pub of_previous: Option<f64>,
    /// Seconds from the step before, the mean of those who took it; none for the first.
    pub average_seconds: Option<f64>,
    /// The same, the median.
    pub median_seconds: Option<f64>,
}

/// The answer.
///
/// # Errors
/// What stands in the way.
pub async fn answer(snapshot: &mut Snapshot, question: &Funnel, span: &Span) -> Result<FunnelAnswer, QueryError> {
    answer_as_of(snapshot, question, span, FOREVER).await
}

/// Later than anything.
pub(super) const FOREVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// The answer as it was at a moment: of what came after it, nothing is known.
///
/// # Errors
/// What stands in the way.
pub async fn answer_as_of(
    snapshot: &mut Snapshot,
    question: &Funnel,
    span: &Span,
    known_until: Timestamp,
) -> Result<FunnelAnswer, QueryError> {
    let parts = parts(snapshot, question, span).await?;
    let mut tally = Tally::default();
    let course = Course::new(question, span, known_until);
    walk(snapshot, &course, &parts, |_, way| {
        tally.add(way);
        true
    })
    .await?;
    Ok(tally.answer(question, &parts))
}

/// A place in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FunnelPlace)]
pub struct Spot {
    /// The step, from 0.
    #[schema(maximum = 11)]
    pub step: usize,
    /// Who took it, or who took the one before and then not this one.
    pub outcome: Outcome,
    /// The line's parts.
    #[serde(default)]
    pub breakdown: Vec<Part>,
}

/// What became of somebody at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FunnelOutcome)]
pub enum Outcome {
    /// They took it.
    Converted,
    /// They took the one before, and not this one.
    Dropped,
}

impl Spot {
    fn has(&self, way: Way, part: u32) -> bool {
        let there = match self.outcome {
            Outcome::Converted => way.steps > self.step,
            Outcome::Dropped => way.steps == self.step,
        };
        there && way.part == part
    }
}

/// Who is in one number: persons, also where sessions go through the funnel.
///
/// # Errors
/// What stands in the way.
pub async fn persons(
    snapshot: &mut Snapshot,
    question: &Funnel,
    spot: &Spot,
    span: &Span,
    page: Page,
) -> Result<Vec<i64>, QueryError> {
    let parts = parts(snapshot, question, span).await?;
    let part = Parts::folded(&parts, &spot.breakdown)?.cast_unsigned();
    let mut found = BTreeSet::new();
    let course = Course::new(question, span, FOREVER);
    walk(snapshot, &course, &parts, |person, way| {
        if person > page.after && spot.has(way, part) {
            found.insert(person);
        }
        if found.len() > page.wanted() {
            found.pop_last();
        }
        // Persons come in the order of their numbers (those with ties afterwards, again in order); sessions do not.
        let is_full = found.len() == page.wanted();
        question.by == FunnelUnit::Session || !is_full || found.last().is_some_and(|last| person < *last)
    })
    .await?;
    Ok(found.into_iter().collect())
}

async fn parts(snapshot: &mut Snapshot, question: &Funnel, span: &Span) -> Result<Vec<Parts>, QueryError> {
    let Some(first) = question.steps.first() else {
        return Ok(Vec::new());
    };
    let filters = question.filters.as_ref();
    Parts::find_all(snapshot, &question.breakdown, first, filters, span.into()).await
}

/// Goes along everybody's events, and tells how far each person got, or each of their sessions, as long as `told` wants to
/// know.
async fn walk(
    snapshot: &mut Snapshot,
    course: &Course<'_>,
    parts: &[Parts],
    mut told: impl FnMut(i64, Way) -> bool,
) -> Result<(), QueryError> {
    if !packed::will_do(course.question) {
        return walk_rows(snapshot, course, parts, None, &mut told).await;
    }
    let tied = walk_packed(snapshot, course, &mut told).await?;
    if tied.is_empty() {
        return Ok(());
    }
    walk_rows(snapshot, course, parts, Some(tied), &mut told).await
}

/// Which events there are, and what makes a way of them.
pub(super) struct Course<'a> {
    question: &'a Funnel,
    pub(super) rules: Rules,
    pub(super) pick: Pick,
    /// First steps are taken before it.
    pub(super) until: Timestamp,
}

impl<'a> Course<'a> {
    pub(super) fn new(question: &'a Funnel, span: &Span, known_until: Timestamp) -> Self {
        let rules = rules(question);
        // Later steps may lie behind the stretch.
        let over = span.to.plus_micros(rules.window.saturating_add(1));
        Self {
            pick: Pick {
                from: span.from,
                to: over.min(known_until),
            },
            until: span.to,
            question,
            rules,
        }
    }
}

/// Goes along events that are arrays. Returns the persons of whom they do not tell enough.
async fn walk_packed(
    snapshot: &mut Snapshot,
    course: &Course<'_>,
    told: &mut impl FnMut(i64, Way) -> bool,
) -> Result<Vec<i64>, QueryError> {
    let mut rows = packed::stream(snapshot, course.question, course.pick)?;
    let (mut tied, mut events) = (Vec::new(), Packed::default());
    let mut next = rows.next().await.transpose()?;
    while let Some(row) = next {
        events.add(&row, course.pick.from);
        next = rows.next().await.transpose()?;
        if next.as_ref().is_some_and(|next| next.person_id == row.person_id) {
            continue;
        }
        if events.sort() {
            let mut walk = Walk::new(&course.rules);
            for seen in events.seen(course.rules.steps, course.until) {
                walk.see(&seen);
            }
            if walk.best().is_some_and(|way| !told(row.person_id, way)) {
                return Ok(tied);
            }
        } else {
            tied.push(row.person_id);
        }
        events.clear();
    }
    Ok(tied)
}

/// Goes along events that are rows: everybody's, or those of `only` these persons.
pub(super) async fn walk_rows(
    snapshot: &mut Snapshot,
    course: &Course<'_>,
    parts: &[Parts],
    only: Option<Vec<i64>>,
    told: &mut impl FnMut(i64, Way) -> bool,
) -> Result<(), QueryError> {
    let mut rows = rows::stream(snapshot, course.question, parts, course.pick, only)?;
    let (mut walk, mut place) = (Walk::new(&course.rules), 0);
    let mut next = rows.next().await.transpose()?;
    while let Some(mut row) = next {
        next = rows.next().await.transpose()?;
        while let Some(again) = next.as_ref().filter(|next| row.is_again(next)) {
            row.add(again);
            next = rows.next().await.transpose()?;
        }
        walk.see(&row.seen(place, course.until));
        place += 1;
        if next.as_ref().is_some_and(|next| row.goes_with(next)) {
            continue;
        }
        let way = mem::replace(&mut walk, Walk::new(&course.rules)).best();
        if way.is_some_and(|way| !told(row.person_id, way)) {
            break;
        }
    }
    Ok(())
}

fn rules(question: &Funnel) -> Rules {
    let between = |exclusion: &Exclusion| Between {
        from: exclusion.from_step,
        to: exclusion.to_step,
    };
    Rules {
        steps: question.steps.len(),
        order: question.order,
        window: question.window.micros(),
        exclusions: question.exclusions.iter().map(between).collect(),
    }
}

/// Ways, by their parts.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<u32, Vec<Taken>>);

/// Who took a step.
#[derive(Debug, Clone, Default)]
struct Taken {
    count: u64,
    /// Of a later step: how long each took from the one before, in microseconds.
    after: Vec<i64>,
}

impl Tally {
    pub(super) fn add(&mut self, way: Way) {
        let steps = self.0.entry(way.part).or_default();
        steps.resize_with(steps.len().max(way.steps), Taken::default);
        let mut before = None;
        for (step, at) in steps.iter_mut().zip(&way.at).take(way.steps) {
            step.count += 1;
            step.after.extend(before.map(|before| at - before));
            before = Some(at);
        }
    }

    /// Adds what others have counted.
    pub(super) fn merge(&mut self, other: Self) {
        for (part, steps) in other.0 {
            let here = self.0.entry(part).or_default();
            here.resize_with(here.len().max(steps.len()), Taken::default);
            for (here, step) in here.iter_mut().zip(steps) {
                here.count += step.count;
                here.after.extend(step.after);
            }
        }
    }

    pub(super) fn answer(mut self, question: &Funnel, parts: &[Parts]) -> FunnelAnswer {
        if parts.is_empty() {
            // Nobody is an answer, too.
            self.0.entry(0).or_default();
        }
        let line = |(part, steps): (u32, Vec<Taken>)| Line {
            breakdown: Parts::unfold(parts, part),
            steps: answered(question, steps),
        };
        let mut results: Vec<Line> = self.0.into_iter().map(line).collect();
        results.sort_by_key(|line| Reverse(line.steps.first().map(|step| step.count)));
        FunnelAnswer { results }
    }
}

fn answered(question: &Funnel, mut taken: Vec<Taken>) -> Vec<Step> {
    taken.resize_with(question.steps.len(), Taken::default);
    let counts: Vec<u64> = taken.iter().map(|step| step.count).collect();
    let share = |count: u64, of: Option<&u64>| of.filter(|of| **of > 0).map(|of| count as f64 / *of as f64);
    let steps = question.steps.iter().zip(taken).enumerate();
    let step = |(index, (step, mut taken)): (usize, (&Event, Taken))| Step {
        name: step.label().to_owned(),
        count: taken.count,
        of_first: share(taken.count, counts.first()),
        of_previous: share(taken.count, counts.get(index.saturating_sub(1))),
        average_seconds: mean(&taken.after),
        median_seconds: median(&mut taken.after),
    };
    steps.map(step).collect()
}

const MICROS: f64 = 1e6;

/// In seconds. Whole microseconds have one sum, whatever order they come in.
fn mean(micros: &[i64]) -> Option<f64> {
    let sum: i128 = micros.iter().copied().map(i128::from).sum();
    (!micros.is_empty()).then(|| sum as f64 / micros.len() as f64 / MICROS)
}

/// In seconds; between the two in the middle, their mean.
fn median(micros: &mut [i64]) -> Option<f64> {
    let middle = micros.len() / 2;
    let is_even = micros.len().is_multiple_of(2);
    let (below, upper, _) = (middle < micros.len()).then(|| micros.select_nth_unstable(middle))?;
    let lower = below.iter().max().filter(|_| is_even).unwrap_or(upper);
    Some((*upper as f64 + *lower as f64) / 2.0 / MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_times_is_in_seconds() {
        assert_eq!((mean(&[]), median(&mut [])), (None, None));
        assert_eq!(median(&mut [9_000_000, 1_000_000, 2_000_000]), Some(2.0));
        assert_eq!(median(&mut [9_000_000, 1_000_000, 2_000_000, 3_000_000]), Some(2.5));
        assert_eq!(mean(&[1_000_000, 2_000_000]), Some(1.5));
    }
}

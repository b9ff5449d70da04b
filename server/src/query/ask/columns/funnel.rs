//! Funnels from segments: each person's events in order, gone along by the same [`Walk`] as those from rows.
//!
//! Two events of one moment are in the order of their `seq`. Where that is the same too, their ids decide, which segments do not
//! have: those persons, who are very few, are gone along from rows.

use std::sync::Arc;

use trailmark_segments::gather::{Full, Layout, full, gather};
use trailmark_segments::people::Persons;
use trailmark_segments::scan::{Keep, Source};

use super::Asking;
use super::filter::{self, Filters};
use super::parts::Told;
use crate::query::ask::calendar::Span;
use crate::query::ask::funnel::way::{Rules, Seen, Walk, Way};
use crate::query::ask::funnel::{Course, FOREVER, FunnelAnswer, Tally, walk_rows};
use crate::query::ask::question::{Event, Exclusion, Funnel, FunnelOrder, FunnelUnit};
use crate::query::ask::sql::Parts;
use crate::query::columns::{Look, Plan, WORK_BYTES, Want};
use crate::query::error::QueryError;

/// How marks become what a funnel sees.
#[derive(Debug, Clone)]
struct Reading {
    rules: Rules,
    part_shift: u32,
    /// First steps are taken before it, in microseconds.
    until: i64,
}

impl Reading {
    fn seen(&self, place: u64, at: i64, mark: u32) -> Seen {
        let marks = mark & !(u32::MAX << self.part_shift);
        let steps = self.rules.steps as u32;
        Seen {
            place,
            at,
            steps: marks & !(u32::MAX << steps),
            exclusions: marks >> steps,
            part: mark >> self.part_shift,
            may_begin: at < self.until,
        }
    }

    fn way(&self, events: impl Iterator<Item = (i64, u32)>) -> Option<Way> {
        let mut walk = Walk::new(&self.rules);
        for (place, (at, mark)) in (0..).zip(events) {
            walk.see(&self.seen(place, at, mark));
        }
        walk.best()
    }
}

/// The answer; nothing, if segments have none.
pub(super) async fn answer(
    asking: &mut Asking<'_>,
    question: &Funnel,
    span: &Span,
) -> Result<Option<FunnelAnswer>, QueryError> {
    if question.by == FunnelUnit::Session {
        return Ok(asking.unfit("segments know no sessions"));
    }
    let course = Course::new(question, span, FOREVER);
    let events: Vec<Event> = question
        .steps
        .iter()
        .cloned()
        .chain(question.exclusions.iter().map(Exclusion::events))
        .collect();
    let mut plan = Plan::default();
    let mut wants = Vec::new();
    for event in &events {
        filter::plan(
            asking.snapshot,
            &mut plan,
            [event.filters.as_ref(), question.filters.as_ref()],
        )
        .await?;
        wants.push(plan.events(asking.snapshot, event, course.pick).await?);
    }
    if question.order == FunnelOrder::Strict {
        wants.push(plan.events(asking.snapshot, &Event::default(), course.pick).await?);
    }
    plan.breakdowns(&question.breakdown);
    let Some(look) = asking.look(&plan).await? else {
        return Ok(None);
    };
    let mut all: Vec<_> = events.iter().map(|event| event.filters.as_ref()).collect();
    all.push(question.filters.as_ref());
    let filters = Filters::resolve(asking, &look, &all).await?;
    let look = Arc::new(look);
    let told = told(asking, &look, question, span, &filters).await?;
    let part_shift = events.len() as u32;
    let mut sources = sources(&look, &wants, &events, question, &filters);
    for source in &mut sources {
        source.partings = Told::of_segment(&told, &source.segment);
        source.part_shift = part_shift;
    }
    let last = Told::combinations(&told).saturating_sub(1) as u64;
    let mark_bits = part_shift + (u64::BITS - last.leading_zeros());
    let layout = Layout::new(&sources, &look.people, mark_bits).filter(|_| mark_bits <= u32::BITS);
    let Some(layout) = layout else {
        return Ok(asking.unfit("too many steps and parts"));
    };
    let reading = Reading {
        rules: course.rules.clone(),
        part_shift,
        until: course.until.micros(),
    };
    let (people, count) = (Arc::clone(&look.people), reading.clone());
    let (mut tally, tied) = asking
        .count(move |work| walk(work, (&sources, &people), layout, &count))
        .await?;
    let parts: Vec<Parts> = told.iter().map(|told| told.parts.clone()).collect();
    if !tied.is_empty() {
        let persons = tied.into_iter().map(|person| look.people.number(person)).collect();
        walk_rows(asking.snapshot, &course, &parts, Some(persons), &mut |_, way| {
            tally.add(way);
            true
        })
        .await?;
    }
    Ok(Some(tally.answer(question, &parts)))
}

/// Goes along everybody's events. Returns whom segments do not tell enough of.
fn walk(
    work: trailmark_segments::work::Work<'_>,
    (sources, people): (&[Source], &trailmark_segments::People),
    layout: Layout,
    reading: &Reading,
) -> Result<(Tally, Vec<u32>), trailmark_segments::work::CalledOff> {
    let mut tally = Tally::default();
    let mut tied = Persons::none(people.slots());
    for slots in layout.rounds(sources, WORK_BYTES) {
        let gathered = gather(
            work,
            (sources, people),
            layout,
            &slots,
            Tally::default,
            |tally, _, events| {
                if let Some(way) = reading.way(events.map(|seen| (seen.at, seen.mark))) {
                    tally.add(way);
                }
            },
        )?;
        gathered.states.into_iter().for_each(|found| tally.merge(found));
        gathered.tied.into_iter().for_each(|person| tied.insert(person));
    }
    let mut unknown = Vec::new();
    if !tied.is_empty() {
        let events = full(work, sources, people, &tied)?;
        for events in events.chunk_by(|one, next| one.person == next.person) {
            let is_tie = |pair: &[Full]| matches!(pair, [one, next] if (one.at, one.seq) == (next.at, next.seq) && one.mark != next.mark);
            if events.windows(2).any(is_tie) {
                unknown.extend(events.first().map(|event| event.person));
            } else if let Some(way) = reading.way(events.iter().map(|event| (event.at, event.mark))) {
                tally.add(way);
            }
        }
    }
    Ok((tally, unknown))
}

/// The parts of the breakdowns, by the first step's events.
async fn told(
    asking: &mut Asking<'_>,
    look: &Arc<Look>,
    question: &Funnel,
    span: &Span,
    filters: &Filters,
) -> Result<Vec<Told>, QueryError> {
    let Some(first) = question.steps.first().filter(|_| !question.breakdown.is_empty()) else {
        return Ok(Vec::new());
    };
    let want = Plan::default().events(asking.snapshot, first, span.into()).await?;
    let sources = look.sources(&want).map(|(_, mut source)| {
        source.keep = filters.keep([first.filters.as_ref(), question.filters.as_ref()], &source.segment);
        source
    });
    let sources: Vec<Source> = sources.collect();
    Told::find_all(asking, look, &question.breakdown, &sources, None).await
}

/// One source for each segment, whose events are marked with the steps that they may take and the exclusions that they are.
fn sources(look: &Look, wants: &[Want], events: &[Event], question: &Funnel, filters: &Filters) -> Vec<Source> {
    let strict = question.order == FunnelOrder::Strict;
    let Some(any) = wants.first().map(|want| Want {
        name: None,
        ..want.clone()
    }) else {
        return Vec::new();
    };
    let of_segment = |(name, mut source): (i32, Source)| {
        let marks = (0_u32..)
            .zip(events.iter().zip(wants))
            .filter(|(_, (_, want))| want.is_of(name));
        source.marks = marks
            .map(|(bit, (event, _))| (filters.keep([event.filters.as_ref(), None], &source.segment), 1 << bit))
            .collect();
        source.others = strict;
        source.keep = filters.keep([question.filters.as_ref(), None], &source.segment);
        let is_needed = strict
            || source
                .marks
                .iter()
                .any(|(keep, _)| !matches!(keep, Keep::Or(none) if none.is_empty()));
        is_needed.then_some(source)
    };
    look.sources(&any).filter_map(of_segment).collect()
}

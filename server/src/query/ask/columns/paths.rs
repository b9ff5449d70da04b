//! Paths from segments: points are numbers until the end.

use std::collections::HashMap;
use std::sync::Arc;

use trailmark_segments::Segment;
use trailmark_segments::events::SESSION;
use trailmark_segments::points::{Point, points};
use trailmark_segments::scan::{Parting, Source};

use super::Asking;
use super::filter::{self, Filters};
use crate::query::ask::calendar::Span;
use crate::query::ask::paths::way::{Passed, Stretch, goes_on};
use crate::query::ask::paths::{Edges, PathsAnswer};
use crate::query::ask::question::{Event, Paths};
use crate::query::columns::{Look, Plan, WORK_BYTES, Want};
use crate::query::error::QueryError;

/// Which property names the points of an event.
const PLACES: [(&str, &str); 2] = [("$pageview", "$pathname"), ("$screen", "$screen_name")];

/// The points, each by its number.
#[derive(Debug, Default)]
struct Points {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Points {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// What a thread has counted.
#[derive(Debug, Default)]
struct Counted {
    edges: Edges<u32>,
    refused: Option<QueryError>,
    /// Two events of one moment, of which segments do not know which came first.
    is_tied: bool,
}

/// The answer; nothing, if segments have none.
pub(super) async fn answer(
    asking: &mut Asking<'_>,
    question: &Paths,
    span: &Span,
) -> Result<Option<PathsAnswer>, QueryError> {
    let any = [Event::default()];
    let events = if question.events.is_empty() {
        &any
    } else {
        question.events.as_slice()
    };
    let mut plan = Plan::default();
    let mut wants = Vec::new();
    for event in events {
        filter::plan(
            asking.snapshot,
            &mut plan,
            [event.filters.as_ref(), question.filters.as_ref()],
        )
        .await?;
        wants.push(plan.events(asking.snapshot, event, span.into()).await?);
    }
    plan.sessions();
    PLACES.iter().for_each(|(_, property)| plan.property(property));
    let Some(look) = asking.look(&plan).await? else {
        return Ok(None);
    };
    let mut filters: Vec<_> = events.iter().map(|event| event.filters.as_ref()).collect();
    filters.push(question.filters.as_ref());
    let filters = Filters::resolve(asking, &look, &filters).await?;
    let names: Vec<(i32, String)> = asking
        .snapshot
        .select("SELECT id, name FROM event_names WHERE project_id = $1")
        .fetch_all(asking.snapshot.rows())
        .await?;
    let names: HashMap<i32, String> = names.into_iter().collect();
    let mut named = Points::default();
    let sources = sources(&look, (events, &wants), question, (&filters, &names), &mut named);
    let stretch = Stretch {
        start: question.start.as_ref().map(|point| named.number(point)),
        end: question.end.as_ref().map(|point| named.number(point)),
        max: question.max_steps as usize,
    };
    let people = Arc::clone(&look.people);
    let counted = asking
        .count(move |work| {
            points(
                work,
                (&sources, &people),
                WORK_BYTES,
                Counted::default,
                |counted: &mut Counted, points| {
                    counted.person(points, &stretch);
                },
            )
        })
        .await?;
    let mut edges = Edges::default();
    for counted in counted {
        if counted.is_tied {
            return Ok(asking.unfit("events of one moment, whose order only rows know"));
        }
        counted.refused.map_or(Ok(()), Err)?;
        edges.merge(counted.edges)?;
    }
    let name = |point: u32| named.names.get(point as usize).cloned().unwrap_or_default();
    Ok(Some(edges.answer(question, name)))
}

impl Counted {
    fn person(&mut self, points: &[Point], stretch: &Stretch<u32>) {
        let is_tie = |pair: &[Point]| {
            matches!(pair, [one, next] if (one.at, one.seq) == (next.at, next.seq)
                && (one.session, one.point) != (next.session, next.point))
        };
        self.is_tied |= points.windows(2).any(is_tie);
        let passed = |point: &Point| Passed {
            at: point.at,
            session: Some(point.session).filter(|session| *session != 0),
            point: point.point,
        };
        let person = points.first().map_or(0, |point| i64::from(point.person));
        for way in points.chunk_by(|last, next| goes_on(&passed(last), &passed(next))) {
            let mut way: Vec<u32> = way.iter().map(|point| point.point).collect();
            way.dedup();
            if let Err(refused) = self.edges.add(person, stretch.of(&way)) {
                self.refused = Some(refused);
                return;
            }
        }
    }
}

fn sources(
    look: &Look,
    (events, wants): (&[Event], &[Want]),
    question: &Paths,
    (filters, names): (&Filters, &HashMap<i32, String>),
    points: &mut Points,
) -> Vec<Source> {
    let Some(any) = wants.first().map(|want| Want {
        name: None,
        ..want.clone()
    }) else {
        return Vec::new();
    };
    let mut sources = Vec::new();
    for (number, mut source) in look.sources(&any) {
        let Some(name) = names.get(&number) else { continue };
        let place = PLACES.iter().find(|(event, _)| event == name);
        if question.events.is_empty() && name.starts_with('$') && place.is_none() {
            continue;
        }
        let meant = events.iter().zip(wants).filter(|(_, want)| want.is_of(number));
        source.marks = meant
            .map(|(event, _)| (filters.keep([event.filters.as_ref(), None], &source.segment), 1))
            .collect();
        if source.marks.is_empty() {
            continue;
        }
        source.others = false;
        source.keep = filters.keep([question.filters.as_ref(), None], &source.segment);
        source.sessions = source.segment.column(SESSION);
        let itself = points.number(name);
        match place.and_then(|(_, property)| parting(&source.segment, property, itself, points)) {
            Some(parting) => source.partings = vec![parting],
            None => source.part_base = itself,
        }
        sources.push(source);
    }
    sources
}

/// The points of a property's values, as texts (`->>`): those without one, and `null`, are called as the event itself.
fn parting(segment: &Segment, property: &str, itself: u32, points: &mut Points) -> Option<Parting> {
    let column = segment.column(property)?;
    let text = |value: &String| match serde_json::from_str(value) {
        Ok(serde_json::Value::String(text)) => Some(text),
        Ok(serde_json::Value::Null) => None,
        _ => Some(value.clone()),
    };
    let values = segment.values(column)?.iter();
    let numbers = values.map(|value| text(value).map_or(itself, |text| points.number(&text)));
    Some(Parting {
        column,
        parts: [itself].into_iter().chain(numbers).collect(),
        count: 0,
    })
}

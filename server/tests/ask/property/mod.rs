//! Random histories, random questions: what the server answers, from rows and from segments, is what the reference answers.

mod histories;
mod questions;
mod comparison;

use std::cell::Cell;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use trailmark_server::query::ask::question::Question;

use crate::world::{at, json};
use crate::{DAY, support};

/// Five days after the beginning, which is a Friday noon.
const NOW: i64 = 5 * DAY;

#[test]
fn rows_and_segments_answer_what_the_reference_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = runtime.block_on(support::store());
    let mut runner = TestRunner::new(Config {
        cases: 48,
        max_shrink_iters: 400,
        ..Config::default()
    });
    let story = (
        vec(histories::happening(), 1..14),
        vec(histories::tie(), 0..4),
        histories::cohorts(),
        vec(questions::question(), 14),
        vec(histories::deed(), 0..10),
    );
    let (asked_in_all, by_segments) = (Cell::new(0), Cell::new(0));
    runner
        .run(&story, |(happenings, ties, told, questions, deeds)| {
            let story = (happenings.as_slice(), ties.as_slice(), &told);
            let columns = Arc::default();
            let (world, history) = runtime.block_on(histories::tell((store.clone(), &columns), story, &deeds));
            let segments = world.reader().with_columns(columns);
            let is_told = !deeds.iter().any(|(_, deed)| deed.takes_back());
            for asked in questions {
                let question = Question::read(asked.to_string().as_bytes())
                    .map_err(|invalid| TestCaseError::fail(format!("{asked}: {invalid}")))?;
                let mut expected = is_told.then(|| comparison::rounded(&history.answer(&question)));
                for (from, reader) in [("rows", &world.reader()), ("segments", &segments)] {
                    let answer = runtime.block_on(reader.ask_and_tell(&question, at(NOW)));
                    let (answer, how) = answer.map_err(|error| TestCaseError::fail(format!("{asked}: {error}")))?;
                    let answered = comparison::rounded(&comparison::comparable(&question, json(&answer)));
                    // Where the reference does not know who is gone, rows say what segments are to say.
                    let expected = expected.get_or_insert_with(|| answered.clone());
                    if let Some(difference) = comparison::difference(&answered, expected, "") {
                        return Err(TestCaseError::fail(format!("{from}: {asked}: {difference} ({how:?})")));
                    }
                    asked_in_all.set(asked_in_all.get() + 1);
                    by_segments.set(by_segments.get() + u32::from(how.rows_because.is_none()));
                }
            }
            Ok(())
        })
        .unwrap();
    let (asked, by_segments) = (asked_in_all.get(), by_segments.get());
    assert!(
        by_segments * 6 > asked,
        "segments answered {by_segments} of {asked}, half of which were theirs to answer"
    );
}

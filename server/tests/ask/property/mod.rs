//! Random histories, random questions: what the server answers is what the reference answers.

mod histories;
mod questions;
mod comparison;

use proptest::collection::vec;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use trailmark_server::query::ask::question::Question;

use crate::world::{at, json};
use crate::{DAY, support};

/// Five days after the beginning, which is a Friday noon.
const NOW: i64 = 5 * DAY;

#[test]
fn the_server_answers_what_the_reference_answers() {
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
    );
    runner
        .run(&story, |(happenings, ties, told, questions)| {
            let (world, history) = runtime.block_on(histories::tell(store.clone(), &happenings, &ties, &told));
            for asked in questions {
                let question = Question::read(asked.to_string().as_bytes())
                    .map_err(|invalid| TestCaseError::fail(format!("{asked}: {invalid}")))?;
                let answer = runtime.block_on(world.reader().ask(&question, at(NOW)));
                let answer = answer.map_err(|error| TestCaseError::fail(format!("{asked}: {error}")))?;
                let answered = comparison::rounded(&comparison::comparable(&question, json(&answer)));
                let expected = comparison::rounded(&history.answer(&question));
                if let Some(difference) = comparison::difference(&answered, &expected, "") {
                    return Err(TestCaseError::fail(format!("{asked}: {difference}")));
                }
            }
            Ok(())
        })
        .unwrap();
}

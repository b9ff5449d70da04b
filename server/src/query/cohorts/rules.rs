//! What must be so of all cohorts of a project, as pure functions.

use std::collections::BTreeMap;

use super::COHORT_NAME_CHARS;
use crate::query::ask::question::{Definition, Invalid, Path};

/// The cohorts of a project by their numbers; a list has no definition.
pub(super) type Known = BTreeMap<i64, Option<Definition>>;

/// Whether a name can be a cohort's.
pub(super) fn name(name: &str) -> Result<(), Invalid> {
    let root = Path::root();
    let at = root.field("name");
    at.require(!name.is_empty(), "is empty")?;
    at.require(!name.contains('\0'), "holds a NUL character")?;
    at.require(
        name.chars().nth(COHORT_NAME_CHARS).is_none(),
        "is longer than 200 characters",
    )
}

/// Whether a definition makes sense for the cohort `of`, or for a new one: what it is made of is there, and is not made of
/// it.
pub(super) fn definition(definition: &Definition, of: Option<i64>, known: &Known) -> Result<(), Invalid> {
    definition.check(&Path::root().field("definition"))?;
    for (path, number) in definition.cohorts() {
        let refused = |problem: &str| {
            Err(Invalid::at(
                &format!("definition.{path}"),
                format!("{number} {problem}"),
            ))
        };
        if !known.contains_key(&number) {
            return refused("is not there");
        }
        if of.is_some_and(|of| leads_to(number, of, known)) {
            return refused("is made of this cohort itself");
        }
    }
    Ok(())
}

/// Whether a cohort is `of`, or is made of it.
fn leads_to(number: i64, of: i64, known: &Known) -> bool {
    let mut looked_at = Vec::new();
    let mut ahead = vec![number];
    while let Some(number) = ahead.pop() {
        if number == of {
            return true;
        }
        if !looked_at.contains(&number) {
            looked_at.push(number);
            let definition = known.get(&number).and_then(Option::as_ref);
            ahead.extend(
                definition
                    .into_iter()
                    .flat_map(Definition::cohorts)
                    .map(|(_, number)| number),
            );
        }
    }
    false
}

/// The cohorts that are made of this one, without one between.
pub(super) fn made_of(number: i64, known: &Known) -> Vec<i64> {
    let has = |definition: &Definition| definition.cohorts().iter().any(|(_, used)| *used == number);
    let users = known
        .iter()
        .filter(|(_, definition)| definition.as_ref().is_some_and(has));
    users.map(|(number, _)| *number).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made(of: &[i64]) -> Definition {
        let criteria: Vec<_> = of.iter().map(|number| json!({"in_cohort": number})).collect();
        serde_json::from_value(json!({"or": criteria})).unwrap()
    }

    fn known() -> Known {
        Known::from([(1, None), (2, Some(made(&[1]))), (3, Some(made(&[1, 2])))])
    }

    #[test]
    fn a_cohort_is_never_made_of_itself_nor_of_one_that_is_not_there() {
        let problem = |of: &[i64], number| definition(&made(of), number, &known()).unwrap_err().to_string();
        assert!(definition(&made(&[3, 2, 1]), None, &known()).is_ok());
        assert!(definition(&made(&[1]), Some(3), &known()).is_ok());
        assert_eq!(problem(&[1, 9], None), "`definition.or[1].in_cohort` 9 is not there");
        assert_eq!(
            problem(&[2], Some(2)),
            "`definition.or[0].in_cohort` 2 is made of this cohort itself"
        );
        assert_eq!(
            problem(&[1, 3], Some(2)),
            "`definition.or[1].in_cohort` 3 is made of this cohort itself"
        );
    }

    #[test]
    fn a_ring_that_is_there_already_ends() {
        let ring = Known::from([(1, Some(made(&[2]))), (2, Some(made(&[1]))), (3, None)]);
        assert!(!leads_to(1, 3, &ring));
    }

    #[test]
    fn it_is_known_what_a_cohort_is_used_by() {
        assert_eq!(made_of(1, &known()), [2, 3]);
        assert_eq!(made_of(3, &known()), [0_i64; 0]);
    }
}

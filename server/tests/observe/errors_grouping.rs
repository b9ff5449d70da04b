//! A thousand stack traces of five languages become the issues that somebody wrote down, and no others.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_server::observe::errors::{Key, group, read};

use crate::errors_traces::{Trace, all};

fn key(trace: &Trace) -> Key {
    group(&read(&trace.properties)).key
}

#[test]
fn a_thousand_traces_are_the_issues_that_were_written_by_hand() {
    let traces = all();
    let mut issues_of = BTreeMap::<&str, BTreeMap<Key, &Trace>>::new();
    let mut groups_of = BTreeMap::<Key, BTreeMap<&str, &Trace>>::new();
    for trace in &traces {
        issues_of
            .entry(&trace.group)
            .or_default()
            .entry(key(trace))
            .or_insert(trace);
        groups_of
            .entry(key(trace))
            .or_default()
            .entry(&trace.group)
            .or_insert(trace);
    }
    let mut wrong = Vec::new();
    for (group, issues) in issues_of.iter().filter(|(_, issues)| issues.len() > 1) {
        wrong.push(format!("\n##### {group} is split into {}:", issues.len()));
        wrong.extend(issues.values().map(|trace| shown(trace)));
    }
    for groups in groups_of.values().filter(|groups| groups.len() > 1) {
        wrong.push(format!("\n##### {:?} are one:", groups.keys()));
        wrong.extend(groups.values().map(|trace| shown(trace)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        traces.len() >= 1_000 && issues_of.len() >= 120,
        "{} of {}",
        traces.len(),
        issues_of.len()
    );
    let languages: BTreeSet<&str> = issues_of
        .keys()
        .filter_map(|group| Some(group.split_once(':')?.0))
        .collect();
    assert_eq!(languages.len(), 5);
}

fn shown(trace: &Trace) -> String {
    format!("{}\n  {}\n", trace.text, trace.properties)
}

#[test]
fn an_issue_can_be_told_from_another_by_its_title() {
    for trace in all() {
        let group = group(&read(&trace.properties));
        assert!(!group.kind.is_empty(), "{}", shown(&trace));
    }
}

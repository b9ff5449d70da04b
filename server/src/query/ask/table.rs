//! Answers as tables, for CSV and for one JSON object per line: one row for each number that a chart would show.

use serde_json::{Map, Value, json};

use super::answer::Part;
use super::persons::PersonPage;
use super::trends::Line;
use super::{Answer, Answered};

/// A table: names of columns, and rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    fn new<const N: usize>(columns: [&'static str; N], rows: impl IntoIterator<Item = [Value; N]>) -> Self {
        Self {
            columns: columns.into(),
            rows: rows.into_iter().map(Vec::from).collect(),
        }
    }

    /// The table of an answer.
    #[must_use]
    pub fn of(answered: &Answered) -> Self {
        match &answered.answer {
            Answer::Trends(trends) => {
                let lines = |labels: &[String], results: &[Line], stretch: &str| -> Vec<_> {
                    let row = |line: &Line, label: &String, value: &Option<f64>| {
                        [
                            json!(stretch),
                            json!(line.series),
                            json!(line.name),
                            parts(&line.breakdown),
                            json!(label),
                            json!(value),
                        ]
                    };
                    let rows = results.iter().flat_map(|line| {
                        let cells = labels.iter().zip(&line.values);
                        cells.map(move |(label, value)| row(line, label, value))
                    });
                    rows.collect()
                };
                let mut rows = lines(&trends.labels, &trends.results, "current");
                if let Some(previous) = &trends.previous {
                    rows.extend(lines(&previous.labels, &previous.results, "previous"));
                }
                Self::new(["stretch", "series", "name", "breakdown", "period", "value"], rows)
            }
            Answer::Funnel(funnel) => {
                let steps = funnel.results.iter().flat_map(|line| {
                    let steps = line.steps.iter().enumerate();
                    steps.map(|(index, step)| {
                        [
                            parts(&line.breakdown),
                            json!(index),
                            json!(step.name),
                            json!(step.count),
                            json!(step.of_first),
                            json!(step.of_previous),
                            json!(step.average_seconds),
                            json!(step.median_seconds),
                        ]
                    })
                });
                let columns = [
                    "breakdown",
                    "step",
                    "name",
                    "count",
                    "of_first",
                    "of_previous",
                    "average_seconds",
                    "median_seconds",
                ];
                Self::new(columns, steps)
            }
            Answer::Retention(retention) => {
                let cells = retention.results.iter().flat_map(|row| {
                    let values = row.values.iter().enumerate();
                    values.map(|(interval, count)| [json!(row.label), json!(interval), json!(count)])
                });
                Self::new(["period", "interval", "persons"], cells)
            }
            Answer::Lifecycle(lifecycle) => {
                let rows = lifecycle.labels.iter().enumerate().map(|(index, label)| {
                    let at = |counts: &[u64]| json!(counts.get(index));
                    [
                        json!(label),
                        at(&lifecycle.new),
                        at(&lifecycle.returning),
                        at(&lifecycle.resurrecting),
                        at(&lifecycle.dormant),
                    ]
                });
                Self::new(["period", "new", "returning", "resurrecting", "dormant"], rows)
            }
            Answer::Stickiness(stickiness) => {
                let rows = stickiness.results.iter().flat_map(|line| {
                    let values = stickiness.labels.iter().zip(&line.values);
                    values.map(|(periods, persons)| [json!(line.name), json!(periods), json!(persons)])
                });
                Self::new(["name", "periods", "persons"], rows)
            }
            Answer::Paths(paths) => {
                let row = |edge: &super::paths::Edge| {
                    [
                        json!(edge.step),
                        json!(edge.from),
                        json!(edge.to),
                        json!(edge.persons),
                        json!(edge.count),
                    ]
                };
                Self::new(
                    ["step", "from", "to", "persons", "count"],
                    paths.results.iter().map(row),
                )
            }
            Answer::Sessions(sessions) => {
                let rows = sessions.results.iter().flat_map(|line| {
                    let values = sessions.labels.iter().zip(&line.values);
                    values.map(|(label, facts)| {
                        [
                            parts(&line.breakdown),
                            json!(label),
                            json!(facts.sessions),
                            json!(facts.average_seconds),
                            json!(facts.median_seconds),
                            json!(facts.events_per_session),
                            json!(facts.bounce_rate),
                        ]
                    })
                });
                let columns = [
                    "breakdown",
                    "period",
                    "sessions",
                    "average_seconds",
                    "median_seconds",
                    "events_per_session",
                    "bounce_rate",
                ];
                Self::new(columns, rows)
            }
            Answer::Cohort(cohort) => Self::new(["persons"], [[json!(cohort.persons)]]),
        }
    }

    /// The table of a page of persons.
    #[must_use]
    pub fn of_persons(page: &PersonPage) -> Self {
        let rows = page.persons.iter().map(|person| {
            [
                json!(person.person_id),
                json!(person.kind),
                json!(person.id),
                json!(person.first_seen_at),
            ]
        });
        Self::new(["person_id", "kind", "id", "first_seen_at"], rows)
    }

    /// As RFC 4180 has it. A text that a spreadsheet would take for a formula gets a `'` in front: it may come from anybody
    /// who may send events.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let header = self.columns.join(",");
        let rows = self.rows.iter().map(|row| {
            let cells: Vec<String> = row.iter().map(cell).collect();
            cells.join(",")
        });
        let mut lines: Vec<String> = std::iter::once(header).chain(rows).collect();
        lines.push(String::new());
        lines.join("\r\n")
    }

    /// One JSON object per line.
    #[must_use]
    pub fn to_ndjson(&self) -> String {
        let line = |row: &Vec<Value>| {
            let object: Map<String, Value> = self
                .columns
                .iter()
                .map(|name| (*name).to_owned())
                .zip(row.clone())
                .collect();
            Value::Object(object).to_string() + "\n"
        };
        self.rows.iter().map(line).collect()
    }
}

fn parts(parts: &[Part]) -> Value {
    match parts {
        [] => Value::Null,
        parts => json!(parts),
    }
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_csv_that_no_spreadsheet_runs() {
        let table = Table::new(
            ["name", "value"],
            [
                [json!("=cmd()"), json!(1.5)],
                [json!("a \"b\", c"), Value::Null],
                [json!("-1"), json!(-1)],
            ],
        );
        assert_eq!(
            table.to_csv(),
            "name,value\r\n'=cmd(),1.5\r\n\"a \"\"b\"\", c\",\r\n'-1,-1\r\n"
        );
        assert_eq!(
            table.to_ndjson().lines().next(),
            Some(r#"{"name":"=cmd()","value":1.5}"#)
        );
    }
}

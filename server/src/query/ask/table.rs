//! Answers as tables, for CSV and for one JSON object per line: one row for each number that a chart would show.

use serde_json::{Map, Value, json};

use super::answer::Part;
use super::funnel::FunnelAnswer;
use super::lifecycle::LifecycleAnswer;
use super::paths::PathsAnswer;
use super::persons::PersonPage;
use super::retention::RetentionAnswer;
use super::sessions::SessionsAnswer;
use super::stickiness::StickinessAnswer;
use super::trends::{Line, TrendsAnswer};
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
            Answer::Trends(answer) => trends(answer),
            Answer::Funnel(answer) => funnel(answer),
            Answer::Retention(answer) => retention(answer),
            Answer::Lifecycle(answer) => lifecycle(answer),
            Answer::Stickiness(answer) => stickiness(answer),
            Answer::Paths(answer) => paths(answer),
            Answer::Sessions(answer) => sessions(answer),
            Answer::Cohort(answer) => Self::new(["persons"], [[json!(answer.persons)]]),
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

fn trends(answer: &TrendsAnswer) -> Table {
    let current = trend_lines("current", answer);
    let previous = answer
        .previous
        .iter()
        .flat_map(|answer| trend_lines("previous", answer));
    Table::new(
        ["stretch", "series", "name", "breakdown", "period", "value"],
        current.into_iter().chain(previous),
    )
}

fn trend_lines(stretch: &str, answer: &TrendsAnswer) -> Vec<[Value; 6]> {
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
    let rows = answer.results.iter().flat_map(|line| {
        let cells = answer.labels.iter().zip(&line.values);
        cells.map(move |(label, value)| row(line, label, value))
    });
    rows.collect()
}

fn funnel(answer: &FunnelAnswer) -> Table {
    let steps = answer.results.iter().flat_map(|line| {
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
    Table::new(columns, steps)
}

fn retention(answer: &RetentionAnswer) -> Table {
    let cells = answer.results.iter().flat_map(|row| {
        let values = row.values.iter().enumerate();
        values.map(|(interval, count)| [json!(row.label), json!(interval), json!(count)])
    });
    Table::new(["period", "interval", "persons"], cells)
}

fn lifecycle(answer: &LifecycleAnswer) -> Table {
    let rows = answer.labels.iter().enumerate().map(|(index, label)| {
        let at = |counts: &[u64]| json!(counts.get(index));
        [
            json!(label),
            at(&answer.new),
            at(&answer.returning),
            at(&answer.resurrecting),
            at(&answer.dormant),
        ]
    });
    Table::new(["period", "new", "returning", "resurrecting", "dormant"], rows)
}

fn stickiness(answer: &StickinessAnswer) -> Table {
    let rows = answer.results.iter().flat_map(|line| {
        let values = answer.labels.iter().zip(&line.values);
        values.map(|(periods, persons)| [json!(line.name), json!(periods), json!(persons)])
    });
    Table::new(["name", "periods", "persons"], rows)
}

fn paths(answer: &PathsAnswer) -> Table {
    let rows = answer.results.iter().map(|edge| {
        [
            json!(edge.step),
            json!(edge.from),
            json!(edge.to),
            json!(edge.persons),
            json!(edge.count),
        ]
    });
    Table::new(["step", "from", "to", "persons", "count"], rows)
}

fn sessions(answer: &SessionsAnswer) -> Table {
    let rows = answer.results.iter().flat_map(|line| {
        let values = answer.labels.iter().zip(&line.values);
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
    Table::new(columns, rows)
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

//! Formulas: one line made of several, `A / B * 100`.

use std::collections::BTreeMap;

use super::Line;
use crate::query::ask::answer::Part;
use crate::query::ask::question::{Invalid, Path};

/// Deepest nesting of brackets: 20.
const DEPTH_MAX: usize = 20;

/// A formula over the series `A` to `Z`.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    text: String,
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Number(f64),
    Series(usize),
    Minus(Box<Node>),
    Pair(Box<Node>, Operator, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Plus,
    Minus,
    Times,
    Over,
}

impl Formula {
    /// Reads a formula over so many series.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str, series: usize) -> Result<Self, Invalid> {
        let mut reader = Reader {
            rest: text,
            series,
            depth: 0,
        };
        let root = reader.sum().filter(|_| reader.rest.trim_start().is_empty());
        let problem = "is no formula such as `A / B * 100` with the letters of the series";
        root.map(|root| Self {
            text: text.to_owned(),
            root,
        })
        .ok_or_else(|| Invalid::new(&Path::root().field("formula"), problem))
    }

    /// The lines that it makes: one for each combination of parts that a series has. A series that lacks it is zero there.
    #[must_use]
    pub fn lines(&self, lines: &[Line], periods: usize) -> Vec<Line> {
        let mut by_parts = BTreeMap::<String, (Vec<Part>, BTreeMap<usize, &Line>)>::new();
        for line in lines {
            let key = serde_json::to_string(&line.breakdown).unwrap_or_default();
            let letter = line.series.map_or(0, |letter| usize::from(letter as u8 - b'A'));
            let entry = by_parts
                .entry(key)
                .or_insert_with(|| (line.breakdown.clone(), BTreeMap::new()));
            entry.1.insert(letter, line);
        }
        let made = |(breakdown, series): (Vec<Part>, BTreeMap<usize, &Line>)| {
            let value = |pick: &dyn Fn(&Line) -> Option<f64>| {
                self.root
                    .value(&|letter| series.get(&letter).map_or(Some(0.0), |line| pick(line)))
            };
            let at = |period: usize| value(&|line: &Line| line.values.get(period).copied().flatten());
            Line {
                series: None,
                name: self.text.clone(),
                breakdown,
                values: (0..periods).map(at).collect(),
                total: value(&|line: &Line| line.total),
            }
        };
        let mut made: Vec<Line> = by_parts.into_values().map(made).collect();
        Line::greatest_first(&mut made);
        made
    }
}

impl Node {
    /// Null if anything in it is, or if it is beyond all numbers, as after a division by zero.
    fn value(&self, series: &dyn Fn(usize) -> Option<f64>) -> Option<f64> {
        let value = match self {
            Self::Number(number) => *number,
            Self::Series(letter) => series(*letter)?,
            Self::Minus(node) => -node.value(series)?,
            Self::Pair(a, operator, b) => {
                let (a, b) = (a.value(series)?, b.value(series)?);
                match operator {
                    Operator::Plus => a + b,
                    Operator::Minus => a - b,
                    Operator::Times => a * b,
                    Operator::Over => a / b,
                }
            }
        };
        value.is_finite().then_some(value)
    }
}

struct Reader<'a> {
    rest: &'a str,
    series: usize,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, is: impl Fn(char) -> bool) -> Option<char> {
        self.rest = self.rest.trim_start();
        let next = self.rest.chars().next().filter(|c| is(*c))?;
        self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
        Some(next)
    }

    fn sum(&mut self) -> Option<Node> {
        let mut left = self.product()?;
        while let Some(sign) = self.take(|c| matches!(c, '+' | '-')) {
            let operator = if sign == '+' { Operator::Plus } else { Operator::Minus };
            left = Node::Pair(Box::new(left), operator, Box::new(self.product()?));
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Node> {
        let mut left = self.factor()?;
        while let Some(sign) = self.take(|c| matches!(c, '*' | '/')) {
            let operator = if sign == '*' { Operator::Times } else { Operator::Over };
            left = Node::Pair(Box::new(left), operator, Box::new(self.factor()?));
        }
        Some(left)
    }

    fn factor(&mut self) -> Option<Node> {
        self.depth += 1;
        let node = (self.depth <= DEPTH_MAX).then(|| self.atom()).flatten();
        self.depth -= 1;
        node
    }

    fn atom(&mut self) -> Option<Node> {
        if self.take(|c| c == '-').is_some() {
            return Some(Node::Minus(Box::new(self.factor()?)));
        }
        if self.take(|c| c == '(').is_some() {
            let inside = self.sum()?;
            return self.take(|c| c == ')').map(|_| inside);
        }
        if let Some(letter) = self.take(|c| c.is_ascii_uppercase()) {
            let index = usize::from(letter as u8 - b'A');
            return (index < self.series).then_some(Node::Series(index));
        }
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        let number = number.parse().ok()?;
        self.rest = rest;
        Some(Node::Number(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, series: &[Option<f64>]) -> Option<f64> {
        let formula = Formula::read(text, series.len()).unwrap();
        formula.root.value(&|letter| series[letter])
    }

    #[test]
    fn a_formula_is_reckoned_as_at_school() {
        let series = [Some(6.0), Some(3.0), Some(0.0), None];
        for (text, expected) in [
            ("A", Some(6.0)),
            ("A / B * 100", Some(200.0)),
            ("A - B - 1", Some(2.0)),
            ("A - (B - 1)", Some(4.0)),
            ("-A + 2 * B", Some(0.0)),
            ("1.5*(A+B)", Some(13.5)),
            ("A / C", None),
            ("D + 1", None),
        ] {
            assert_eq!(value(text, &series), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        let nested = "(".repeat(100);
        for text in ["", "A B", "C", "a", "A /", "(A", "A)", "1.2.3", "A ** B", &nested] {
            assert!(Formula::read(text, 2).is_err(), "{text}");
        }
    }
}

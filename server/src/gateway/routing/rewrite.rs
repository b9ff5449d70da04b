//! The path that a service sees: built of the parts that the route's template has matched.

use std::fmt::Write;

/// A path with places for the parameters of a route's template: `/users/{rest}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Parameter(String),
}

impl Rewrite {
    /// Reads a rewrite of a template that has the parameters `known`.
    ///
    /// # Errors
    /// It does not begin with a slash, a brace is open, or a parameter is unknown.
    pub fn parse(text: &str, known: &[String]) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("\"{text}\" does not begin with a slash"));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| format!("\"{text}\" has a brace that is not closed"))?;
            if !known.iter().any(|known| known == name) {
                return Err(format!("\"{text}\" names {{{name}}}, which the path does not have"));
            }
            pieces.extend([Piece::Text(before.to_owned()), Piece::Parameter(name.to_owned())]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The path for these parameters, which are parts of a canonical path and stay as they are.
    pub fn render<'a>(&self, parameter: impl Fn(&str) -> Option<&'a str>) -> String {
        let mut path = String::with_capacity(64);
        for piece in &self.0 {
            let text = match piece {
                Piece::Text(text) => text,
                Piece::Parameter(name) => parameter(name).unwrap_or_default(),
            };
            let _ = path.write_str(text);
        }
        path
    }
}

/// The names of a template's parameters: `/users/{id}/{*rest}` has `id` and `rest`.
#[must_use]
pub fn parameters(template: &str) -> Vec<String> {
    let opened = template.split('{').skip(1);
    let names = opened
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name.trim_start_matches('*'));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(template: &str, text: &str) -> Result<Rewrite, String> {
        Rewrite::parse(text, &parameters(template))
    }

    #[test]
    fn parameters_go_where_they_are_named() {
        let rewrite = rewrite("/api/{tenant}/users/{*rest}", "/users/{rest}/of/{tenant}").unwrap();
        let path = rewrite.render(|name| match name {
            "tenant" => Some("acme"),
            "rest" => Some("1/orders"),
            _ => None,
        });
        assert_eq!(path, "/users/1/orders/of/acme");
    }

    #[test]
    fn an_unknown_parameter_an_open_brace_and_a_relative_path_are_refused() {
        for text in ["/users/{id}", "/users/{rest", "users"] {
            assert!(rewrite("/api/{*rest}", text).is_err(), "{text}");
        }
    }
}

//! `${NAME}` in the file's texts: secrets come from the environment, not from a file that is kept with the code.
//!
//! Names are of capitals, digits and underscores; `${claims.tenant}`, which is filled in for each request, stays.

use toml::Value;

/// Where names are looked up.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces every `${NAME}` in the texts of `value`; returns where one is not set, as `auth.jwt.main.secret: …`.
pub fn expand(value: &mut Value, lookup: Lookup<'_>) -> Vec<String> {
    let mut missing = Vec::new();
    walk(value, &mut String::new(), lookup, &mut missing);
    missing
}

fn walk(value: &mut Value, path: &mut String, lookup: Lookup<'_>, missing: &mut Vec<String>) {
    let mut step = |name: String, value: &mut Value| {
        let length = path.len();
        if !path.is_empty() && !name.starts_with('[') {
            path.push('.');
        }
        path.push_str(&name);
        walk(value, path, lookup, missing);
        path.truncate(length);
    };
    match value {
        Value::Table(table) => table.iter_mut().for_each(|(name, value)| step(name.to_owned(), value)),
        Value::Array(values) => values
            .iter_mut()
            .enumerate()
            .for_each(|(at, value)| step(format!("[{at}]"), value)),
        Value::String(text) => match expanded(text, lookup) {
            Ok(new) => *text = new,
            Err(name) => missing.push(format!("{path}: the environment has no {name}")),
        },
        _ => {}
    }
}

fn expanded(text: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, after)) if is_variable(name) => {
                out.push_str(&lookup(name).ok_or_else(|| name.to_owned())?);
                rest = after;
            }
            _ => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn is_variable(name: &str) -> bool {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    name.bytes().next().is_some_and(is_capital) && name.bytes().all(|byte| is_capital(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("users-1".to_owned()),
            "NESTED" => Some("${HOST}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced_once_and_templates_stay() {
        for (text, expected) in [
            ("http://${HOST}:4001", "http://users-1:4001"),
            ("${claims.tenant}-${HOST}", "${claims.tenant}-users-1"),
            ("${NESTED}", "${HOST}"),
            ("${", "${"),
            ("$HOST ${host}", "$HOST ${host}"),
        ] {
            assert_eq!(expanded(text, &lookup).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_set_is_named_with_its_place() {
        let mut value: Value = toml::from_str("[auth]\nsecret = \"${NOPE}\"\nlist = [\"a\", \"${NOPE_2}\"]").unwrap();
        let missing = expand(&mut value, &lookup);
        assert_eq!(
            missing,
            [
                "auth.list[1]: the environment has no NOPE_2",
                "auth.secret: the environment has no NOPE"
            ]
        );
    }
}

//! What of an error's message stays the same from one time to the next.
//!
//! Values give way to words in angle brackets: quoted texts, e-mail addresses, URLs, paths, times; ids and numbers become
//! `#`. A list of the same is one of it, so that its length does not matter.

use super::file::is_id;

/// Characters of a message that are looked at. What differs behind them hardly makes another error.
const CHARS: usize = 400;

/// The first line of a message that is not empty.
#[must_use]
pub fn first_line(message: &str) -> &str {
    message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("")
}

/// The message with placeholders for values.
#[must_use]
pub fn normal_message(message: &str) -> String {
    let line: String = first_line(message).chars().take(CHARS).collect();
    let line = without_quoted(&line);
    let mut out = String::with_capacity(line.len());
    let mut word = String::new();
    for char in line.chars() {
        let is_in_url = word.contains("://") && matches!(char, '=' | ',' | ';' | '[' | ']' | '|');
        if is_delimiter(char) && !is_in_url {
            out.push_str(&normal_word(&std::mem::take(&mut word)));
            out.push(char);
        } else {
            word.push(char);
        }
    }
    out.push_str(&normal_word(&word));
    collapsed(&out)
}

const fn is_delimiter(char: char) -> bool {
    char.is_ascii_whitespace()
        || matches!(
            char,
            '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '=' | '|' | '"' | '\'' | '`'
        )
}

/// `No user 'ann'` → `No user <text>`. An apostrophe within a word opens nothing.
fn without_quoted(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        let closes = match char {
            '"' | '\'' | '`' => Some(char),
            '“' => Some('”'),
            '‘' => Some('’'),
            '«' => Some('»'),
            _ => None,
        };
        let begins_a_word = at == 0 || chars.get(at - 1).is_some_and(|before| !before.is_alphanumeric());
        let end = closes
            .filter(|_| begins_a_word)
            .and_then(|closes| closing(&chars, at + 1, closes));
        match end {
            Some(end) => {
                out.push_str("<text>");
                at = end + 1;
            }
            None => {
                out.push(char);
                at += 1;
            }
        }
    }
    out
}

fn closing(chars: &[char], from: usize, closes: char) -> Option<usize> {
    let ends_a_word = |at: usize| chars.get(at + 1).is_none_or(|after| !after.is_alphanumeric());
    (from..chars.len()).find(|at| chars.get(*at) == Some(&closes) && ends_a_word(*at))
}

fn normal_word(word: &str) -> String {
    let core = word.trim_end_matches(['.', ':', '!', '?', '…']);
    let Some(tail) = word.get(core.len()..) else {
        return word.to_owned();
    };
    let head_end = core.len() - core.trim_start_matches(['#', '@', '$', '*']).len();
    let (head, core) = core.split_at(head_end);
    format!("{head}{}{tail}", normal_core(core))
}

fn normal_core(core: &str) -> String {
    let placeholder = if core.contains("://") {
        "<url>"
    } else if is_email(core) {
        "<email>"
    } else if is_time(core) {
        "<time>"
    } else if is_path(core) {
        "<path>"
    } else if is_id(core) || is_ip_v6(core) {
        "#"
    } else {
        return core
            .split_inclusive([':', '/', '@', '-', '_', '.', '+', '&', '%', '~', '!', '?'])
            .map(normal_piece)
            .collect();
    };
    placeholder.to_owned()
}

/// A piece of a word with what separates it from the next.
fn normal_piece(piece: &str) -> String {
    let name = piece.trim_end_matches(|char: char| !char.is_alphanumeric());
    let rest = piece.get(name.len()..).unwrap_or_default();
    if is_id(name) {
        return format!("#{rest}");
    }
    let mut out = String::with_capacity(piece.len());
    for char in name.chars() {
        if !char.is_numeric() {
            out.push(char);
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out + rest
}

fn is_email(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.') && !domain.starts_with('.'))
}

/// `2026-11-20T12:00:00Z`, `2026-11-20`, `20.11.2026`, `2026/11/20`, `12:00:00.5`, `12:00`.
fn is_time(word: &str) -> bool {
    let word = word.strip_suffix('Z').unwrap_or(word);
    let (date, clock) = match word.split_once(['T', 't']) {
        Some((date, clock)) => (Some(date), Some(clock)),
        None if word.contains(':') => (None, Some(word)),
        None => (Some(word), None),
    };
    let is_date = |date: &str| {
        let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
        let separators = date.chars().filter(|char| !char.is_ascii_digit()).collect::<Vec<_>>();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        parts.iter().all(|part| part.chars().all(|char| char.is_ascii_digit()))
            && separators.windows(2).all(|pair| pair.first() == pair.last())
            && matches!(lengths.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
    };
    let is_clock = |clock: &str| {
        let clock = clock.split(['+', '-']).next().unwrap_or_default();
        let parts: Vec<&str> = clock.split(':').collect();
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).count();
        let whole = parts.len() - 1;
        (2..=3).contains(&parts.len())
            && parts
                .iter()
                .take(whole)
                .all(|part| part.chars().all(|char| char.is_ascii_digit()))
            && parts
                .iter()
                .all(|part| part.chars().all(|char| char.is_ascii_digit() || char == '.'))
            && parts.iter().all(|part| digits(part) <= 2)
            && parts.iter().skip(1).all(|part| digits(part) == 2)
    };
    date.is_none_or(is_date) && clock.is_none_or(is_clock)
}

/// `/var/lib/x`, `~/x`, `C:\x`, `\\host\x`, `src/cart/pay.rs`; not `and/or`, nor `text/html`.
fn is_path(word: &str) -> bool {
    let separators = word.chars().filter(|char| matches!(char, '/' | '\\')).count();
    let has_drive = word.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/");
    let begins = ["/", "~/", "./", "../", "\\\\"]
        .iter()
        .any(|begin| word.starts_with(begin));
    has_drive || (begins && word.len() > 1) || separators >= 2
}

fn is_ip_v6(word: &str) -> bool {
    word.matches(':').count() >= 2
        && word
            .chars()
            .all(|char| char.is_ascii_hexdigit() || char == ':' || char == '.')
}

/// One of each list: `#, #, #` is `#`, `<time> <time>` is `<time>`, `#.#` is `#`, and a sign belongs to its number.
fn collapsed(line: &str) -> String {
    let mut out = line.split_whitespace().collect::<Vec<_>>().join(" ");
    for same in ["#", "<text>", "<email>", "<url>", "<path>", "<time>"] {
        for between in [", ", ",", ".", ":", " ", "-", "; ", "/"] {
            let twice = format!("{same}{between}{same}");
            while out.contains(&twice) {
                out = out.replace(&twice, same);
            }
        }
    }
    for sign in [" -#", " +#"] {
        out = out.replace(sign, " #");
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_give_way_to_placeholders() {
        for (message, expected) in [
            ("no card", "no card"),
            ("order 1234 not found", "order # not found"),
            ("order-77 of user_9 failed: 12.5 ms", "order-# of user_# failed: # ms"),
            ("No such customer: 'cus_NffrFeUfNV2Hib'", "No such customer: <text>"),
            ("can't read ann's \"cart\"", "can't read ann's <text>"),
            ("user ann@example.com is locked", "user <email> is locked"),
            (
                "GET https://api.example.com/orders/7?x=1 failed with 500",
                "GET <url> failed with #",
            ),
            (
                "ENOENT: no such file or directory, open /home/ann/x.json",
                "ENOENT: no such file or directory, open <path>",
            ),
            (
                "cannot open C:\\Users\\ann\\cart.db: denied",
                "cannot open <path>: denied",
            ),
            ("token expired at 2026-11-20T12:00:00.123Z", "token expired at <time>"),
            (
                "between 2026-11-20 12:00:00 and 20.11.2026",
                "between <time> and <time>",
            ),
            (
                "session 0193abcd-1234-7abc-8def-0123456789ab is gone",
                "session # is gone",
            ),
            ("connect ECONNREFUSED 10.0.0.7:5432", "connect ECONNREFUSED #"),
            ("connect ECONNREFUSED 10.0.0.77:53", "connect ECONNREFUSED #"),
            ("connect ECONNREFUSED fe80::1:2", "connect ECONNREFUSED #"),
            (
                "index out of bounds: the len is 3 but the index is 7",
                "index out of bounds: the len is # but the index is #",
            ),
            ("ids [1, 2, 3] and [4]", "ids [#] and [#]"),
            ("Cart@6d06d69c has no items", "Cart@# has no items"),
            ("<Cart object at 0x7f3a9c>", "<Cart object at #>"),
            ("commit 3f9a2c1 is not there", "commit # is not there"),
            ("\n  second line\nthird", "second line"),
            ("balance is -5 of +3", "balance is # of #"),
            ("this and/or that of text/html", "this and/or that of text/html"),
            ("", ""),
        ] {
            assert_eq!(normal_message(message), expected, "{message}");
        }
    }

    proptest! {
        #[test]
        fn numbers_never_matter_and_nothing_makes_it_panic(text in "\\PC{0,60}", one in 0u32.., other in 0u32..) {
            let _ = normal_message(&text);
            let of = |number: u32| normal_message(&format!("item {number} of {number}: no"));
            prop_assert_eq!(of(one), of(other));
        }

        #[test]
        fn what_is_normal_stays_so(words in prop::collection::vec("[a-z]{1,9}|[0-9]{1,5}|'[a-z]{1,5}'|/[a-z]{1,4}/[a-z]{1,4}", 0..8)) {
            let once = normal_message(&words.join(" "));
            prop_assert_eq!(normal_message(&once), once);
        }
    }
}

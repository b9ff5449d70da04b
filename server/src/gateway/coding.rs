//! Which content coding a client takes: RFC 9110 §12.5.3, for codings that lie ready.

use http::{HeaderMap, header};

/// The forms in which a file is kept, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
    /// As it is.
    Identity,
}

/// The name of no coding at all.
const IDENTITY: &str = "identity";

/// What a coding weighs that a client takes but has not named: less than anything it has. In thousandths.
const UNNAMED: u16 = 0;

impl Coding {
    /// Every coding, smallest form first.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// Its name in `Content-Encoding`; nothing for a file as it is.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What the name of the file in this form ends with.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The codings that the client takes, the one it likes best first, and of equals the smallest. A file as it is comes
    /// last even if the client refuses it: an answer that may do beats none.
    #[must_use]
    pub fn wished(asked: &HeaderMap) -> Vec<Self> {
        let wishes = wishes(asked);
        let mut weighed: Vec<_> = Self::ALL
            .into_iter()
            .filter_map(|coding| Some((weight(coding.name().unwrap_or(IDENTITY), &wishes)?, coding)))
            .collect();
        weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let mut codings: Vec<_> = weighed.into_iter().map(|(_, coding)| coding).collect();
        if !codings.contains(&Self::Identity) {
            codings.push(Self::Identity);
        }
        codings
    }
}

/// The codings that a client names, each with how much it likes it.
pub(super) fn wishes(asked: &HeaderMap) -> Vec<(&str, u16)> {
    let values = asked.get_all(header::ACCEPT_ENCODING).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(wish)
        .collect()
}

/// How much a client likes a coding, in thousandths; nothing if it does not take it.
pub(super) fn weight(coding: &str, wishes: &[(&str, u16)]) -> Option<u16> {
    let of = |name: &str| {
        let named = wishes.iter().find(|(wished, _)| wished.eq_ignore_ascii_case(name));
        named.map(|(_, weight)| *weight)
    };
    match of(coding).or_else(|| of("*")) {
        Some(0) => None,
        None => (coding == IDENTITY).then_some(UNNAMED),
        weight => weight,
    }
}

/// `br;q=0.8` as its name and weight in thousandths: 1 without one, and none that cannot be read.
fn wish(text: &str) -> (&str, u16) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight = parameters
        .split_once('=')
        .map_or(1.0, |(_, weight)| weight.trim().parse::<f32>().unwrap_or(0.0));
    (name.trim(), (weight.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wished(accepts: &[&'static str]) -> Vec<Coding> {
        let mut headers = HeaderMap::new();
        for accept in accepts {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
        }
        Coding::wished(&headers)
    }

    #[test]
    fn browsers_get_the_smallest_form_they_take() {
        use Coding::{Brotli, Gzip, Identity};
        assert_eq!(wished(&["gzip, deflate, br, zstd"]), [Brotli, Gzip, Identity]);
        assert_eq!(wished(&["gzip, deflate"]), [Gzip, Identity]);
        assert_eq!(
            wished(&["gzip", "BR"]),
            [Brotli, Gzip, Identity],
            "two lines are one list"
        );
        assert_eq!(wished(&["*"]), [Brotli, Gzip, Identity]);
    }

    #[test]
    fn who_asks_for_nothing_gets_the_file_as_it_is() {
        for nothing in [&[][..], &[""], &["zstd"], &["br;q=0, gzip;q=0"], &["br;q=x"]] {
            assert_eq!(wished(nothing), [Coding::Identity], "{nothing:?}");
        }
    }

    #[test]
    fn weights_decide_before_sizes() {
        use Coding::{Brotli, Gzip, Identity};
        assert_eq!(wished(&["br;q=0.5, gzip"]), [Gzip, Brotli, Identity]);
        assert_eq!(wished(&["br ; q=0.2, identity;q=0.9, *;q=0"]), [Identity, Brotli]);
        assert_eq!(wished(&["*;q=0.1, br;q=0"]), [Gzip, Identity]);
    }

    #[test]
    fn who_refuses_everything_gets_the_file_as_it_is() {
        assert_eq!(wished(&["*;q=0"]), [Coding::Identity]);
        assert_eq!(wished(&["identity;q=0"]), [Coding::Identity]);
        assert_eq!(wished(&["identity;q=0, gzip"]), [Coding::Gzip, Coding::Identity]);
    }
}

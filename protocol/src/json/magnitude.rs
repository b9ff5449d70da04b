//! Whether an `f64` holds a number, without the 13 KB of tables and code that parsing one takes: they would be a third of
//! what a web page loads.

use super::read::as_i64;
use super::scan::position;

/// 2¹⁰²⁴ − 2⁹⁷⁰, halfway between the largest `f64` and 2¹⁰²⁴. IEEE 754 rounds it, and all above it, to infinity.
const BOUND: &str = "\
    1797693134862315807937289714053034150799341327100378269361737789804449682927647509466490179775872070\
    9633028641669288791094655554785194040263065748867150582068190890200070838367627385484581771153176447\
    5730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904\
    174497792";

/// Whether a number of JSON's form (RFC 8259), with an exponent of at most ±400, rounds to a finite `f64`.
pub(super) fn is_finite(number: &str) -> bool {
    let number = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = split(number, b'e')
        .or_else(|| split(number, b'E'))
        .unwrap_or((number, "0"));
    let (whole, fraction) = split(mantissa, b'.').unwrap_or((mantissa, ""));
    let digits = whole.to_owned() + fraction;
    let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
    let exponent = as_i64(exponent).unwrap_or(0);
    // Digits before the decimal point, were it written without an exponent.
    let places = length(whole) - length_of(zeros) + exponent;
    let bound = length(BOUND);
    let significant = digits.get(zeros..).unwrap_or_default();
    places < bound || places == bound && significant < BOUND || significant.is_empty()
}

fn split(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = position(text, byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn length(text: &str) -> i64 {
    length_of(text.len())
}

fn length_of(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(number: &str) -> bool {
        is_finite(number) == number.parse::<f64>().is_ok_and(f64::is_finite)
    }

    #[test]
    fn the_last_number_that_fits_and_the_first_that_does_not() {
        // Its last digits are 792.
        let below = format!("{}791", &BOUND[..306]);
        for number in [
            BOUND,
            &below,
            &format!("{BOUND}.0"),
            &format!("{below}.99"),
            &format!("-{BOUND}"),
            &format!("0.{BOUND}e309"),
            &format!("0.000{below}e312"),
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e308",
            "1e309",
            "1e+400",
            "0e400",
            "0.00e400",
            "0",
            "-0.0",
            "5e-324",
            "1e-400",
            "0.0001e312",
            "0.0002e312",
        ] {
            assert!(agrees(number), "{number}");
        }
    }

    proptest! {
        #[test]
        fn it_says_what_parsing_says(number in r"-?(0|[1-9][0-9]{0,320})(\.[0-9]{1,40})?([eE][+-]?[0-3]?[0-9]{1,2})?") {
            prop_assert!(agrees(&number), "{}", number);
        }
    }
}

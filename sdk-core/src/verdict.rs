//! Reading a receipt: what became of each event of the request.

use std::borrow::Cow;

use trailmark_protocol::receipt::Refused;
use trailmark_protocol::{Reason, Receipt, Uuid, Verdict};

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// On the server's stable storage.
    Delivered,
    /// To be sent again.
    Again,
    /// Lost for good, and why.
    Dropped(Cow<'static, str>),
}

/// The fates of the events with these ids, if `receipt` accounts for each of them, once.
///
/// A receipt that does not add up is no receipt: perhaps it is somebody else's JSON (`{"status":"ok"}` from a captive
/// portal reads as one that accepted nothing), and sending again is harmless where believing it is not.
#[must_use]
pub fn fates(receipt: &Receipt, ids: &[Uuid]) -> Option<Vec<Fate>> {
    let mut fates: Vec<Fate> = ids.iter().map(|_| Fate::Delivered).collect();
    let mut refused = 0;
    for result in receipt
        .results
        .iter()
        .filter(|result| result.verdict != Verdict::Accepted)
    {
        let fate = place(result, ids).and_then(|at| fates.get_mut(at))?;
        if *fate != Fate::Delivered {
            return None;
        }
        *fate = fate_of(result);
        refused += 1;
    }
    (receipt.accepted + refused == ids.len()).then_some(fates)
}

/// The event that a result speaks of: by its place, which its id must not contradict, or else by its id.
fn place(result: &Refused, ids: &[Uuid]) -> Option<usize> {
    match (ids.get(result.index), result.id) {
        (Some(_), None) => Some(result.index),
        (Some(here), Some(id)) if *here == id => Some(result.index),
        (_, Some(id)) => ids.iter().position(|known| *known == id),
        (None, None) => None,
    }
}

fn fate_of(result: &Refused) -> Fate {
    match result.verdict {
        Verdict::Accepted => Fate::Delivered,
        Verdict::Retry => Fate::Again,
        Verdict::Dropped => Fate::Dropped(canonical(&result.reason)),
    }
}

/// Known reasons need no memory of their own.
pub(crate) fn canonical(reason: &str) -> Cow<'static, str> {
    match Reason::parse(reason) {
        Some(known) => Cow::Borrowed(known.as_str()),
        None => Cow::Owned(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [Uuid; 3] {
        [1, 2, 3].map(Uuid::from_u128)
    }

    fn read(json: &str) -> Option<Vec<Fate>> {
        fates(&Receipt::from_json(json).unwrap(), &ids())
    }

    #[test]
    fn events_that_are_not_named_were_accepted() {
        assert_eq!(read(r#"{"accepted":3,"results":[]}"#), Some(vec![Fate::Delivered; 3]));
    }

    #[test]
    fn verdicts_are_found_by_place_or_by_id() {
        let drop = |reason: &'static str| Fate::Dropped(Cow::Borrowed(reason));
        assert_eq!(
            read(
                r#"{"accepted":1,"results":[{"index":0,"result":"drop","reason":"too_large","detail":""},
                {"id":"00000000-0000-0000-0000-000000000003","result":"retry","reason":"","detail":""}]}"#
            ),
            Some(vec![drop("too_large"), Fate::Delivered, Fate::Again])
        );
        assert_eq!(
            read(r#"{"accepted":2,"results":[{"index":1,"result":"drop","reason":"from_the_future"}]}"#),
            Some(vec![Fate::Delivered, drop("from_the_future"), Fate::Delivered])
        );
    }

    #[test]
    fn a_receipt_that_does_not_account_for_every_event_once_is_none() {
        for json in [
            r"{}",
            r#"{"accepted":2,"results":[]}"#,
            r#"{"accepted":4,"results":[]}"#,
            r#"{"accepted":3,"results":[{"index":0,"result":"retry"}]}"#,
            r#"{"accepted":2,"results":[{"index":7,"result":"retry"}]}"#,
            r#"{"accepted":1,"results":[{"index":0,"result":"retry"},{"index":0,"result":"drop"}]}"#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}

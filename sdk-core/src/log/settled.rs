//! What became of events, as it is remembered: by their numbers, so that reading it twice counts nothing twice.

use std::borrow::Cow;

use trailmark_protocol::json::{Object, fields, pick};

use crate::ranges::Ranges;
use crate::verdict::{Fate, canonical};

/// Events that are decided, by number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    pub(crate) delivered: Ranges,
    /// By reason, in the order of the first of each.
    pub(crate) dropped: Vec<(Cow<'static, str>, Ranges)>,
}

impl Settled {
    /// Adds an event.
    pub(crate) fn add(&mut self, seq: u64, fate: &Fate) {
        match fate {
            Fate::Delivered => self.delivered.insert(seq, seq),
            Fate::Dropped(reason) => self.reason(Cow::clone(reason)).insert(seq, seq),
            Fate::Again => {}
        }
    }

    fn reason(&mut self, reason: Cow<'static, str>) -> &mut Ranges {
        let at = match self.dropped.iter().position(|(known, _)| *known == reason) {
            Some(at) => at,
            None => {
                self.dropped.push((reason, Ranges::default()));
                self.dropped.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
        &mut self.dropped[at].1
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.delivered.is_empty() && self.dropped.is_empty()
    }

    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        let mut object = Object::open(&mut out).raw("delivered", &self.delivered.to_json());
        let reasons = Object::open(object.key("dropped"));
        self.dropped
            .iter()
            .fold(reasons, |reasons, (reason, seqs)| reasons.raw(reason, &seqs.to_json()))
            .close();
        object.close();
        out
    }

    pub(crate) fn from_json(json: &str) -> Option<Self> {
        let [delivered, dropped] = pick(json, ["delivered", "dropped"]).ok()?;
        let mut settled = Self {
            delivered: Ranges::from_json(delivered?)?,
            dropped: Vec::new(),
        };
        for reason in fields(dropped?) {
            let (reason, seqs) = reason.ok()?;
            settled.dropped.push((canonical(&reason), Ranges::from_json(seqs)?));
        }
        Some(settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back() {
        let mut settled = Settled::default();
        assert!(settled.is_empty());
        let dropped = |reason: &'static str| Fate::Dropped(Cow::Borrowed(reason));
        let fates = [
            Fate::Delivered,
            dropped("too_large"),
            Fate::Again,
            Fate::Delivered,
            dropped("too_large"),
            dropped("new \"word\""),
        ];
        fates.iter().zip(1..).for_each(|(fate, seq)| settled.add(seq, fate));
        assert_eq!(
            settled.to_json(),
            r#"{"delivered":[[1,1],[4,4]],"dropped":{"too_large":[[2,2],[5,5]],"new \"word\"":[[6,6]]}}"#
        );
        assert_eq!(Settled::from_json(&settled.to_json()), Some(settled));
    }
}

//! The server's answer to a batch: one verdict per event, of which only the bad news is written out.

use std::borrow::Cow;

use uuid::Uuid;

use crate::id;
use crate::json::{Array, Fault, Object, as_string, as_u64, elements, pick};

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// On stable storage.
    Accepted,
    /// Not stored now; send this one again.
    Retry,
    /// Refused for good.
    Dropped,
}

/// One event that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Its id, where it had a readable one.
    pub id: Option<Uuid>,
    /// [`Verdict::Retry`] or [`Verdict::Dropped`].
    pub verdict: Verdict,
    /// The text of a [`Reason`](crate::Reason), perhaps one that this version does not know.
    pub reason: Cow<'static, str>,
    /// What exactly was wrong, for a person to read.
    pub detail: String,
}

/// The answer to a batch. An event that `results` does not name was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// How many events are on stable storage.
    pub accepted: usize,
    /// The events that are not, in the order of the batch.
    pub results: Vec<Refused>,
    /// How long the client should wait before its next batch, in milliseconds.
    pub next_send_after_ms: u64,
}

impl Receipt {
    /// The receipt's JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(64 + self.results.len() * 160);
        let mut object = Object::open(&mut out).int("accepted", self.accepted as u64);
        let mut array = Array::open(object.key("results"));
        for refused in &self.results {
            refused.write(array.element());
        }
        array.close();
        object.int("next_send_after_ms", self.next_send_after_ms).close();
        out
    }

    /// Reads a receipt; unknown fields are passed over, a result that cannot be read is left out.
    ///
    /// # Errors
    /// The first [`Fault`], if it is not JSON or not an object.
    pub fn from_json(text: &str) -> Result<Self, Fault> {
        let [accepted, results, wait] = pick(text, ["accepted", "results", "next_send_after_ms"])?;
        let number = |raw: Option<&str>| raw.and_then(as_u64).unwrap_or_default();
        let mut receipt = Self {
            accepted: number(accepted) as usize,
            results: Vec::new(),
            next_send_after_ms: number(wait),
        };
        for result in elements(results.unwrap_or("[]"))? {
            receipt.results.extend(Refused::read(result));
        }
        Ok(receipt)
    }
}

impl Refused {
    fn write(&self, out: &mut String) {
        let object = Object::open(out).int("index", self.index as u64);
        let object = match self.id {
            Some(id) => object.id("id", id),
            None => object,
        };
        let result = if self.verdict == Verdict::Retry {
            "retry"
        } else {
            "drop"
        };
        object
            .str("result", result)
            .str("reason", &self.reason)
            .str("detail", &self.detail)
            .close();
    }

    fn read(text: &str) -> Option<Self> {
        let [index, id, result, reason, detail] = pick(text, ["index", "id", "result", "reason", "detail"]).ok()?;
        let string = |raw: Option<&str>| raw.map_or(Some(String::new()), |raw| Some(as_string(raw)?.into_owned()));
        Some(Self {
            index: index.map_or(Some(usize::MAX), |raw| Some(as_u64(raw)? as usize))?,
            id: id.and_then(as_string).and_then(|text| id::read(&text)),
            verdict: verdict(result)?,
            reason: Cow::Owned(string(reason)?),
            detail: string(detail)?,
        })
    }
}

/// An unknown result is final: sending it again for ever would help nobody.
fn verdict(result: Option<&str>) -> Option<Verdict> {
    let text = result.map_or(Some(Cow::Borrowed("ok")), as_string)?;
    Some(match &*text {
        "retry" => Verdict::Retry,
        "ok" | "accepted" => Verdict::Accepted,
        _ => Verdict::Dropped,
    })
}

//! Where one person went: a pure function of the points they passed.

/// A pause of 30 minutes ends a way, as it ends a session; in microseconds.
const PAUSE: i64 = 30 * 60 * 1_000_000;

/// A point, when it was passed; points and sessions are texts, or numbers that stand for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed<S, P> {
    /// In microseconds.
    pub at: i64,
    /// The session.
    pub session: Option<S>,
    /// The point.
    pub point: P,
}

/// Which stretch of a way is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch<P> {
    /// It begins where this point is passed first.
    pub start: Option<P>,
    /// It ends where this point is passed first.
    pub end: Option<P>,
    /// Most points.
    pub max: usize,
}

/// Whether the next point belongs to the same way.
#[must_use]
pub fn goes_on<S: PartialEq, P>(last: &Passed<S, P>, next: &Passed<S, P>) -> bool {
    match (&last.session, &next.session) {
        (None, None) => next.at - last.at < PAUSE,
        (last, next) => last == next,
    }
}

impl<P: PartialEq> Stretch<P> {
    /// The stretch of a way, which has no point twice in a row.
    #[must_use]
    pub fn of<'p>(&self, way: &'p [P]) -> &'p [P] {
        let first = |way: &[P], point: &P| way.iter().position(|passed| passed == point);
        let begin = self.start.as_ref().map_or(Some(0), |start| first(way, start));
        let Some(way) = begin.and_then(|begin| way.get(begin..)) else {
            return &[];
        };
        let Some(end) = &self.end else {
            return way.get(..self.max.min(way.len())).unwrap_or_default();
        };
        let Some(way) = first(way, end).and_then(|last| way.get(..=last)) else {
            return &[];
        };
        match way.len().checked_sub(self.max) {
            Some(beyond) if beyond > 0 && self.start.is_some() => &[],
            beyond => way.get(beyond.unwrap_or(0)..).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(start: Option<&'static str>, end: Option<&'static str>, max: usize) -> String {
        let way: Vec<&str> = "a b c a d e".split(' ').collect();
        Stretch { start, end, max }.of(&way).join(" ")
    }

    #[test]
    fn a_stretch_begins_and_ends_where_its_points_are_passed_first() {
        assert_eq!(stretch(None, None, 3), "a b c");
        assert_eq!(stretch(Some("c"), None, 3), "c a d");
        assert_eq!(stretch(None, Some("d"), 3), "c a d");
        assert_eq!(stretch(Some("b"), Some("d"), 4), "b c a d");
        assert_eq!(stretch(Some("b"), Some("d"), 3), "", "longer than is looked at");
        assert_eq!(stretch(Some("x"), None, 3), "");
        assert_eq!(stretch(None, Some("x"), 3), "");
        assert_eq!(stretch(None, Some("a"), 3), "a");
    }

    #[test]
    fn a_way_ends_with_its_session_or_with_a_pause() {
        let passed = |minutes: i64, session: Option<&'static str>| Passed {
            at: minutes * 60_000_000,
            session,
            point: "a",
        };
        assert!(goes_on(&passed(0, Some("s")), &passed(90, Some("s"))));
        assert!(!goes_on(&passed(0, Some("s")), &passed(1, Some("t"))));
        assert!(!goes_on(&passed(0, Some("s")), &passed(1, None)));
        assert!(goes_on(&passed(0, None), &passed(29, None)));
        assert!(!goes_on(&passed(0, None), &passed(30, None)));
    }
}

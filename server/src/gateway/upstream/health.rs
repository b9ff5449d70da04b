//! What an instance's own answers to the gateway's questions say: rise and fall.

use super::config::HealthConfig;

/// Whether an instance is well. It is until it has been found otherwise.
#[derive(Debug)]
pub(super) struct Health {
    is_up: bool,
    against: u32,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            is_up: true,
            against: 0,
        }
    }
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.is_up
    }

    /// Takes an answer in, and says whether it changed the matter: `fall` bad ones in a row, or `rise` good ones.
    pub(super) fn observe(&mut self, is_good: bool, rules: &HealthConfig) -> bool {
        if is_good == self.is_up {
            self.against = 0;
            return false;
        }
        self.against += 1;
        let needed = if self.is_up { rules.fall } else { rules.rise };
        let changes = self.against >= needed;
        if changes {
            (self.is_up, self.against) = (is_good, 0);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::units::Span;

    #[test]
    fn three_bad_answers_in_a_row_take_it_out_and_two_good_ones_bring_it_back() {
        let rules = HealthConfig {
            path: "/".to_owned(),
            interval: Span::seconds(1),
            timeout: Span::seconds(1),
            rise: 2,
            fall: 3,
        };
        let mut health = Health::default();
        let answers = [false, false, true, false, false, false, true, false, true, true];
        let seen: Vec<_> = answers
            .map(|answer| (health.observe(answer, &rules), health.is_up()).1)
            .into();
        let expected = [true, true, true, true, true, false, false, false, false, true];
        assert_eq!(seen, expected);
    }
}

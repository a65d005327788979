//! Statements that are one utterance, told by several sources: tied together by what they refer
//! to, and heard once.

use std::collections::BTreeMap;

/// Which statements are tied together.
#[derive(Default)]
pub(super) struct Ties {
    /// Of a statement, another one that it is tied to, with a smaller index: a step towards the
    /// smallest.
    towards: BTreeMap<u64, u64>,
}

impl Ties {
    /// Ties two statements together, with everything that either is tied to.
    pub(super) fn tie(&mut self, one: u64, other: u64) {
        let (one, other) = (self.smallest(one), self.smallest(other));
        if one != other {
            self.towards.insert(one.max(other), one.min(other));
        }
    }

    /// The smallest index of everything that a statement is tied to.
    pub(super) fn smallest(&mut self, statement: u64) -> u64 {
        let mut smallest = statement;
        while let Some(next) = self.towards.get(&smallest) {
            smallest = *next;
        }
        // The next look takes one step.
        if smallest != statement {
            self.towards.insert(statement, smallest);
        }
        smallest
    }

    /// Whether nothing is tied.
    pub(super) fn is_empty(&self) -> bool {
        self.towards.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Ties;

    #[test]
    fn what_is_tied_by_several_steps_is_one() {
        let mut ties = Ties::default();
        assert!(ties.is_empty());
        for (one, other) in [(5, 3), (9, 7), (3, 7), (4, 4)] {
            ties.tie(one, other);
        }
        let found = [3, 4, 5, 7, 9, 11].map(|it| ties.smallest(it));
        assert_eq!(found, [3, 4, 3, 3, 3, 11]);
    }
}

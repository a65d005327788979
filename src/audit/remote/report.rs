//! What an audit has found, check by check.

use std::fmt::Display;

use serde::Serialize;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// It is as it should be.
    Holds,
    /// It is not.
    Fails,
    /// It could not be looked at.
    Unchecked,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What was looked at.
    pub check: String,
    /// What came of it.
    pub outcome: Outcome,
    /// In a sentence.
    pub says: String,
}

/// A checkpoint, as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// How many entries it commits to.
    pub size: u64,
    /// The root over them, in base64.
    pub root: String,
    /// The signed note.
    pub note: String,
}

/// What an audit has found. Of a history that was rewritten it holds both checkpoints, each with
/// the archive's signature: that is the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The archive, by its origin.
    pub origin: String,
    /// The checkpoint that the archive shows.
    pub checkpoint: Option<Signed>,
    /// The one that was remembered from earlier runs.
    pub remembered: Option<Signed>,
    /// How many entries were checked in earlier runs.
    pub checked_before: u64,
    /// How many are checked in all.
    pub checked: u64,
    /// By when a quorum of the witnesses asked for had seen the checkpoint: seconds since the
    /// epoch.
    pub witnessed_at: Option<u64>,
    /// The checks.
    pub checks: Vec<Line>,
    /// What is wrong with entries, the first findings of all runs.
    pub findings: Vec<String>,
    /// How many findings there are.
    pub findings_count: u64,
    /// Entries that could not be judged, the first of all runs.
    pub unjudged: Vec<String>,
    /// How many there are.
    pub unjudged_count: u64,
}

impl Report {
    pub(super) fn add(&mut self, check: impl Into<String>, outcome: Outcome, says: impl Display) {
        self.checks.push(Line {
            check: check.into(),
            outcome,
            says: says.to_string(),
        });
    }

    /// Whether everything that could be checked holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.with(Outcome::Fails) == 0
    }

    /// How many checks could not be made.
    #[must_use]
    pub fn unchecked(&self) -> usize {
        self.with(Outcome::Unchecked)
    }

    fn with(&self, outcome: Outcome) -> usize {
        self.checks
            .iter()
            .filter(|it| it.outcome == outcome)
            .count()
    }
}

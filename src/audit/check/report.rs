//! What a check has found, part by part.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How many findings of a part are told; the others are counted.
const FINDINGS_TOLD_MAX: usize = 100;

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was checked.
    pub data: PathBuf,
    /// Whether everything was looked at and is what it was.
    pub is_whole: bool,
    /// Its parts, in the order in which they were checked.
    pub parts: Vec<Part>,
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Which part.
    pub name: String,
    /// Whether it is whole.
    pub state: PartState,
    /// What was looked at, for people.
    pub looked_at: String,
    /// What is wrong, the first findings.
    pub findings: Vec<String>,
    /// How many findings there are.
    pub findings_count: u64,
}

/// Whether a part is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PartState {
    /// All of it was looked at and is what it was.
    Whole,
    /// It is not there, and need not be.
    Absent,
    /// Some of it is not what it was.
    Damaged,
    /// It could not be looked at, for what is wrong with another part.
    Skipped,
}

impl Report {
    pub(super) fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            is_whole: true,
            parts: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, part: Part) {
        self.is_whole &= matches!(part.state, PartState::Whole | PartState::Absent);
        self.parts.push(part);
    }
}

impl Part {
    /// A part that is whole until something is found.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            state: PartState::Whole,
            looked_at: String::new(),
            findings: Vec::new(),
            findings_count: 0,
        }
    }

    /// A part that is not there.
    pub(super) fn absent(name: impl Into<String>, looked_at: &str) -> Self {
        Self {
            state: PartState::Absent,
            looked_at: looked_at.to_owned(),
            ..Self::new(name)
        }
    }

    /// A part that could not be looked at.
    pub(super) fn skipped(name: impl Into<String>, why: &str) -> Self {
        Self {
            state: PartState::Skipped,
            looked_at: format!("not looked at: {why}"),
            ..Self::new(name)
        }
    }

    /// Adds what is wrong.
    pub(super) fn find(&mut self, finding: &impl Display) {
        self.state = PartState::Damaged;
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_TOLD_MAX {
            self.findings.push(finding.to_string());
        }
    }
}

//! What a check found: line by line, yes or no, or that it could not be looked at.

use std::fmt;

use super::Fault;
use crate::record::Micros;

/// By how much the clocks of an archive and of its witnesses may differ without a word: a minute.
const CLOCKS_DIFFER_SECONDS: i64 = 60;

/// What is to be said of an entry recorded at `recorded_at` which was on record, as the witnesses
/// say, by `by`, in seconds since 1970: something if that is earlier.
#[must_use]
pub fn clocks_differ(recorded_at: Micros, by: i64) -> Option<String> {
    (recorded_at.whole_seconds() - CLOCKS_DIFFER_SECONDS > by).then(|| {
        format!(
            "recorded at {recorded_at}, which is later than the witnesses say that it was on record: one of the clocks is wrong, and nothing but the order of the entries is certain"
        )
    })
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// The file's format.
    File,
    /// The checkpoint and its signatures.
    Checkpoint,
    /// The witnesses' cosignatures.
    Witnesses,
    /// That an entry stands in the ledger.
    Inclusion,
    /// That a record was admitted by the rules, as far as the entries given tell.
    Record,
    /// The sources' texts and bytes.
    Source,
    /// The answer to what is asked.
    Answer,
}

impl Check {
    /// Its name, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Checkpoint => "checkpoint",
            Self::Witnesses => "witnesses",
            Self::Inclusion => "inclusion",
            Self::Record => "record",
            Self::Source => "source",
            Self::Answer => "answer",
        }
    }
}

/// What a line says.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It holds.
    Yes(String),
    /// It does not hold.
    No(Fault),
    /// It could not be looked at: that is no yes.
    Unchecked(String),
}

impl Outcome {
    /// Its name, for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Yes(_) => "yes",
            Self::No(_) => "no",
            Self::Unchecked(_) => "unchecked",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(text) | Self::Unchecked(text) => f.write_str(text),
            Self::No(fault) => fault.fmt(f),
        }
    }
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is about.
    pub check: Check,
    /// The entry that it is about, if it is about one.
    pub entry: Option<u64>,
    /// What it says.
    pub outcome: Outcome,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was checked, in the order in which it was.
    pub lines: Vec<Line>,
    /// The time by which, as the witnesses say, everything in it was on record: seconds since
    /// 1970. None without witnesses.
    pub recorded_by: Option<u64>,
    finished: bool,
}

impl Report {
    /// Whether everything that could be checked holds, and the check came to its end.
    #[must_use]
    pub fn holds(&self) -> bool {
        let is_no = |line: &Line| matches!(line.outcome, Outcome::No(_));
        self.finished && !self.lines.iter().any(is_no)
    }

    /// How many things could not be checked.
    #[must_use]
    pub fn unchecked(&self) -> usize {
        let unchecked = |line: &&Line| matches!(line.outcome, Outcome::Unchecked(_));
        self.lines.iter().filter(unchecked).count()
    }

    /// The first thing that does not hold.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.lines.iter().find_map(|line| match &line.outcome {
            Outcome::No(fault) => Some(fault),
            Outcome::Yes(_) | Outcome::Unchecked(_) => None,
        })
    }

    /// Adds that something holds.
    pub fn yes(&mut self, check: Check, entry: Option<u64>, text: String) {
        self.line(check, entry, Outcome::Yes(text));
    }

    /// Adds that something could not be looked at.
    pub fn unchecked_line(&mut self, check: Check, entry: Option<u64>, text: String) {
        self.line(check, entry, Outcome::Unchecked(text));
    }

    /// Takes in when an entry says that it was recorded. If that is later than the witnesses say
    /// that it was on record, the first such entry is told of: one of the clocks is wrong.
    pub fn recorded_at(&mut self, entry: u64, recorded_at: Micros) {
        let is_told = |line: &Line| line.check == Check::Witnesses && line.entry.is_some();
        if let Some(by) = self.recorded_by.and_then(|by| i64::try_from(by).ok())
            && let Some(text) = clocks_differ(recorded_at, by)
            && !self.lines.iter().any(is_told)
        {
            self.unchecked_line(Check::Witnesses, Some(entry), text);
        }
    }

    /// Adds that something does not hold.
    pub fn no(&mut self, check: Check, entry: Option<u64>, fault: Fault) {
        self.line(check, entry, Outcome::No(fault));
    }

    /// Everything was looked at.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    fn line(&mut self, check: Check, entry: Option<u64>, outcome: Outcome) {
        self.lines.push(Line {
            check,
            entry,
            outcome,
        });
    }
}

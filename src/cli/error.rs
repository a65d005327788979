//! Why a command did not do what was asked, and the exit code that says so to scripts.
//!
//! Codes: 0 yes (also a list with nothing in it), 1 no (a check failed, a record was refused, a
//! name that was given is not on record), 2 what
//! was typed cannot be asked (so also a file that is missing or malformed, and a date or an
//! index out of range), 3 the daemon cannot be reached.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::authoring::{AuthoringError, Problem, SignedError};
use crate::app::AppError;
use crate::audit::CheckError;
use crate::audit::remote::{AuditError, is_tls};
use crate::backup::BackupError;
use crate::bag::BagError;
use crate::config::keys::KeyFileError;
use crate::ledger;
use crate::rpc::RESUME_FROM;

/// What stands between what is wrong with a field and what would be accepted.
pub(super) const ACCEPTED: &str = "; accepted: ";

/// The exit code for "no".
const NO: u8 = 1;
/// The exit code for what cannot be asked.
const USAGE: u8 = 2;
/// The exit code for a daemon that cannot be reached.
const UNREACHABLE: u8 = 3;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The daemon does not answer.
    #[error(
        "no daemon answers at {server}: {reason}\n{}or name another with --server or ONRECORD_SERVER",
        if is_tls(server) {
            "a daemon speaks plain text, and a TLS proxy before it has a certificate that browsers trust: ask it at http://HOST:PORT, "
        } else {
            "start one with `onrecord serve`, "
        }
    )]
    Unreachable {
        /// Where it was looked for.
        server: String,
        /// What the connection says.
        reason: String,
    },
    /// The address is none.
    #[error(
        "{}; accepted: http://HOST:PORT, HOST:PORT, or https://HOST:PORT behind a TLS proxy",
        no_address(server)
    )]
    Address {
        /// What was given.
        server: String,
    },
    /// The daemon answers with an error.
    #[error(transparent)]
    Answer(#[from] Answer),
    /// The daemon's answer lacks something that it must hold.
    #[error("the daemon's answer holds no {what}; is it of another release?")]
    Incomplete {
        /// What is lacking.
        what: &'static str,
    },
    /// What was typed cannot be asked.
    #[error("{what}; accepted: {accepted}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What would be right.
        accepted: &'static str,
    },
    /// No source goes by so much of an id.
    #[error("no source on record begins with {begins}; `onrecord list sources` shows all")]
    NoSource {
        /// What was given.
        begins: String,
    },
    /// A file is there that would be written over.
    #[error("{} is there already; name another file, or write over it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The steward's key cannot be kept where it would go.
    #[error(
        "{error}\nname a place that this user may write with --steward-key FILE; or have somebody who may found the archive: `onrecord init --data DIRECTORY --steward-key FILE`"
    )]
    StewardKey {
        /// Why not.
        error: KeyFileError,
    },
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file of records has mistakes; none of it was sent.
    #[error("{}", MistakesIn { path, errors })]
    Records {
        /// The file.
        path: PathBuf,
        /// Each line's first mistake.
        errors: Vec<AuthoringError>,
    },
    /// An archive was not restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A bag was not written, or no replica came of it.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// The entries that the daemon gave are not those of the root that it gave.
    #[error(
        "the {entries} entries that were read have the root {found}, and the daemon says {expected}: \
         the archive is damaged, or was changed while it was read"
    )]
    OtherRoot {
        /// How many entries.
        entries: u64,
        /// Their root.
        found: String,
        /// What the daemon says.
        expected: String,
    },
    /// A data directory could not be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// An archive could not be audited, or not to the end.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(getrandom::Error),
    /// A daemon in this process does not run.
    #[error(transparent)]
    App(#[from] AppError),
    /// A daemon in this process ended without a word.
    #[error("the daemon ended by itself")]
    Ended,
    /// What was signed cannot be kept.
    #[error(transparent)]
    Signed(#[from] SignedError),
    /// A downloaded document is not what its id says.
    #[error("the bytes that arrived hash to {found}, not to {asked}")]
    OtherBytes {
        /// The id that was asked for.
        asked: String,
        /// The id of what arrived.
        found: String,
    },
    /// Standard output cannot be written to.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    /// The system gives no threads.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    /// An answer cannot be shown as JSON.
    #[error("the answer cannot be shown as JSON: {reason}")]
    Json {
        /// Why.
        reason: String,
    },
}

impl CliError {
    /// The exit code. A reader of standard output that has seen enough is no failure.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Unreachable { .. } | Self::Audit(AuditError::Site(_)) => {
                ExitCode::from(UNREACHABLE)
            }
            Self::Address { .. }
            | Self::Usage { .. }
            | Self::File { .. }
            | Self::Records { .. }
            | Self::Audit(
                AuditError::NoKey
                | AuditError::OtherArchive { .. }
                | AuditError::NotTheArchives { .. }
                | AuditError::State { .. }
                | AuditError::Busy { .. }
                | AuditError::Leftover { .. },
            )
            | Self::Signed(SignedError::NeverAppended { .. })
            | Self::Key(
                KeyFileError::Missing { .. }
                | KeyFileError::NotAKey { .. }
                | KeyFileError::Readable { .. },
            )
            | Self::App(
                AppError::Config(_)
                | AppError::Origin { .. }
                | AppError::Ledger(ledger::OpenError::OtherOrigin { .. }),
            )
            | Self::Answer(Answer {
                code: Code::InvalidArgument | Code::OutOfRange,
                ..
            }) => ExitCode::from(USAGE),
            _ => ExitCode::from(NO),
        }
    }

    /// Whether there is anything to tell a person.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What is wrong with an address.
fn no_address(server: &str) -> String {
    if server.is_empty() {
        "--server or ONRECORD_SERVER is there and empty".to_owned()
    } else {
        format!("{server:?} is not a daemon's address")
    }
}

/// How many mistakes of a file are told: what somebody mends before they try again.
const MISTAKES_TOLD_MAX: usize = 20;

/// All mistakes of a file of records.
struct MistakesIn<'a> {
    path: &'a PathBuf,
    errors: &'a [AuthoringError],
}

impl fmt::Display for MistakesIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in self.errors.iter().take(MISTAKES_TOLD_MAX) {
            writeln!(f, "{}: {error}", self.path.display())?;
        }
        if let Some(more @ 1..) = self.errors.len().checked_sub(MISTAKES_TOLD_MAX) {
            writeln!(f, "and {more} more")?;
        }
        if let [first, _, ..] = self.errors
            && matches!(first.problem, Problem::NotJson { .. })
        {
            writeln!(
                f,
                "a record stands whole on one line: a file of JSON in many lines is not read"
            )?;
        }
        f.write_str("nothing was sent")
    }
}

/// A status that the daemon answered with, and its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The canonical code.
    pub code: Code,
    /// The reason from `google.rpc.ErrorInfo`; empty if there is none.
    pub reason: String,
    /// What is wrong, for people.
    pub message: String,
    /// The fields at fault, each with what would be accepted.
    pub fields: Vec<(String, String)>,
    /// After how many seconds to try again.
    pub retry_after: Option<u64>,
    /// The index to resume from, of a subscription that ended.
    pub resume_from: Option<u64>,
}

impl Answer {
    /// What a status says.
    #[must_use]
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let reason = info.map(|info| info.reason.clone());
        let resume_from = info.and_then(|info| info.metadata.get(RESUME_FROM));
        let fields = details.bad_request().map(|request| {
            let fields = request.field_violations.iter();
            fields
                .map(|one| (one.field.clone(), one.description.clone()))
                .collect()
        });
        let retry_after = details.retry_info().and_then(|info| info.retry_delay);
        Self {
            code: status.code(),
            reason: reason.unwrap_or_default(),
            message: status.message().to_owned(),
            fields: fields.unwrap_or_default(),
            retry_after: retry_after.map(|delay| delay.as_secs().max(1)),
            resume_from: resume_from.and_then(|index| index.parse().ok()),
        }
    }
}

impl CliError {
    /// The same error, in the names that `typed` has for the fields of a request that go by
    /// other names, or by the same as arguments, in other commands.
    #[must_use]
    pub fn typed(mut self, typed: &[(&str, &str)]) -> Self {
        if let Self::Answer(answer) = &mut self {
            let blamed = answer.message.split(": ").next().unwrap_or_default();
            if let Some((field, flag)) = typed.iter().find(|(field, _)| *field == blamed) {
                answer.message = answer.message.replacen(field, flag, 1);
            }
            for (blamed, _) in &mut answer.fields {
                if let Some((_, flag)) = typed.iter().find(|(field, _)| field == blamed) {
                    (*flag).clone_into(blamed);
                }
            }
        }
        self
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = if self.message.is_empty() {
            self.code.description()
        } else {
            &self.message
        };
        f.write_str(&typed(message))?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason)?;
        }
        let untold = |(_, description): &&(String, String)| !message.contains(description);
        for (field, description) in self.fields.iter().filter(untold) {
            write!(f, "\n  {}: {}", typed(field), typed(description))?;
        }
        if let Some(seconds) = self.retry_after {
            write!(f, "\n  try again in {seconds} s")?;
        }
        Ok(())
    }
}

impl std::error::Error for Answer {}

/// What people type where requests have fields.
const TYPED: &[(&str, &str)] = &[
    ("asOf", "--as-of"),
    ("fromAsOf", "--from"),
    ("toAsOf", "--to"),
    ("knownAt", "--known-at"),
    ("fromKnownAt", "--from-known-at"),
    ("toKnownAt", "--to-known-at"),
    ("knownAtTime", "--known-at"),
    ("fromKnownAtTime", "--from-known-at"),
    ("toKnownAtTime", "--to-known-at"),
    ("fromFilter", "--from-filter"),
    ("recordId", "INDEX"),
    ("mediaType", "--media-type"),
    ("saidAt", "--said"),
    ("recordedAt", "--recorded"),
    ("milestoneId", "--milestone"),
    ("statementId", "--statement"),
    ("textId", "--text-id"),
];

/// What people type where filters have fields of another name.
const FILTERS: &[(&str, &str)] = &[
    ("kinds", "--kind"),
    ("wordings", "--wording"),
    ("bases", "--basis"),
    ("attestationsMin", "--attestations-min"),
    ("verifiers", "--verifier"),
    ("verifiersExcluded", "--never-verifier"),
    ("sourceRoles", "--source-role"),
    ("publishers", "--publisher"),
    ("derivedExcluded", "--no-derived"),
    ("publishedBy", "--published-by"),
    ("mandatedOnly", "--mandated"),
];

/// A sentence about a field of a filter, which is an option; which of several values of a list
/// it is about, it shows itself.
fn in_filter(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let rest = match rest.split_once(']') {
        Some((index, rest)) if index.starts_with('[') => rest,
        _ => rest,
    };
    let flag = FILTERS.iter().find(|(field, _)| *field == name);
    flag.map_or_else(
        || format!("--{name}{rest}"),
        |(_, flag)| format!("{flag}{rest}"),
    )
}

/// A sentence about a request, in the names that its author typed. It begins with the path to a
/// field, if it blames one; what a path leads through, nobody types.
fn typed(text: &str) -> String {
    let text = match text.split_once('.') {
        Some(("header", field)) => field.to_owned(),
        Some(("filter", field)) => in_filter(field),
        _ => text.to_owned(),
    };
    // What readers have instead of the method.
    let text = text.replace("GetSourceRecord of ", "onrecord read --source ");
    let word = |c: char| c.is_ascii_alphanumeric();
    let mut said = String::with_capacity(text.len());
    for part in text.split_inclusive(|c| !word(c)) {
        let name = part.trim_end_matches(|c| !word(c));
        let flag = TYPED.iter().find(|(field, _)| *field == name);
        said.push_str(flag.map_or(name, |(_, flag)| flag));
        said.push_str(part.get(name.len()..).unwrap_or_default());
    }
    said
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_status_reads_with_its_reason_its_fields_and_when_to_try_again() {
        let mut details = ErrorDetails::new();
        details
            .set_error_info("INVALID_DATE", "onrecord", [])
            .add_bad_request_violation("asOf", "a day, as 2025-08-15")
            .set_retry_info(Some(std::time::Duration::from_secs(2)));
        let status = Status::with_error_details(Code::InvalidArgument, "not a date", details);
        assert_eq!(
            Answer::of(&status).to_string(),
            "not a date (INVALID_DATE)\n  --as-of: a day, as 2025-08-15\n  try again in 2 s"
        );
        assert_eq!(
            Answer::of(&Status::not_found("")).to_string(),
            Code::NotFound.description()
        );
    }

    #[test]
    fn fields_go_by_the_options_that_were_typed() {
        for (told, expected) in [
            ("filter.verifiers[0]: no", "--verifier: no"),
            ("filter.publishedBy: no", "--published-by: no"),
            ("filter.actor: no", "--actor: no"),
            ("fromFilter.wordings: no", "--from-filter.wordings: no"),
            ("toKnownAtTime: no", "--to-known-at: no"),
            (
                "milestoneId: a later knownAt",
                "--milestone: a later --known-at",
            ),
            (
                "source: the text is withheld; GetSourceRecord of ab says why",
                "source: the text is withheld; onrecord read --source ab says why",
            ),
        ] {
            assert_eq!(typed(told), expected);
        }
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("start", "too far");
        let status = Status::with_error_details(Code::OutOfRange, "start: start at 0", details);
        let error = CliError::Answer(Answer::of(&status));
        let said = error.typed(&[("start", "--from")]).to_string();
        assert_eq!(said, "--from: start at 0\n  --from: too far");
    }

    #[test]
    fn the_exit_code_tells_no_from_usage_from_an_absent_daemon() {
        let code = |error: CliError| format!("{:?}", error.exit_code());
        let is = |number: u8| format!("{:?}", ExitCode::from(number));
        let answered = |code| CliError::Answer(Answer::of(&Status::new(code, "")));
        assert_eq!(code(answered(Code::NotFound)), is(1));
        assert_eq!(code(answered(Code::InvalidArgument)), is(2));
        let away = |server: &str| CliError::Unreachable {
            server: server.to_owned(),
            reason: String::new(),
        };
        assert_eq!(code(away("http://localhost:1")), is(3));
        for (server, says) in [
            ("http://localhost:1", "`onrecord serve`"),
            ("HTTPS://localhost:1", "http://HOST:PORT"),
        ] {
            let said = away(server).to_string();
            assert!(said.contains(says), "{said}");
        }
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(code(CliError::Output(closed)), is(0));
    }
}

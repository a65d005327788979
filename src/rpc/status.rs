//! Errors become gRPC statuses here, and nowhere else.
//!
//! A call that fails as a whole gets a status with `google.rpc` details: an `ErrorInfo` whose
//! reason programs can rely on, a `BadRequest` that names the field and says what would be
//! accepted, a `RetryInfo` where trying again may help. [`Reason`] is the one table of reasons
//! and codes. A record that is refused is no error of its call: it has a refusal of its own,
//! whose reasons are admission's.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::admission::reasons;
use crate::documents::{KeepError, UploadError};
use crate::fold::FoldError;
use crate::ledger::{AppendError, ReadError};
use crate::record::near::did_you_mean;
use crate::record::{DateError, quoted};
use crate::storage::{BlobError, FaultKind};
use crate::text::ExtractError;

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "onrecord";

/// The name in an `ErrorInfo`'s metadata of the index that a subscription is resumed from.
pub const RESUME_FROM: &str = "resume_from";

/// What a caller is told to wait where nothing else says how long.
const RETRY_AFTER: Duration = Duration::from_millis(500);

reasons! {
    "Why a call failed as a whole. Names are stable."
    code: Code "The code of its status."

    InvalidRequest "INVALID_REQUEST" InvalidArgument "A field of the request is missing, malformed or contradicts another."
        "Mend the field named.",
    InvalidPageToken "INVALID_PAGE_TOKEN" InvalidArgument "The page token is damaged, another archive's, or of another question."
        "Give the token as it came, with the same question; or begin again without one.",
    InvalidDate "INVALID_DATE" InvalidArgument "A date is not in an accepted form."
        "Write it in the form that is named: a day, a month, a year, a range, or a time with its offset.",
    BatchTooLarge "BATCH_TOO_LARGE" InvalidArgument "The call carries more records than one call may."
        "Send fewer records in a call, or stream them with `AppendStream`.",
    SourceTooLarge "SOURCE_TOO_LARGE" InvalidArgument "The document is larger than this daemon takes."
        "Archive a smaller copy, or have the setting `source_bytes_max` raised.",
    SourceIdMismatch "SOURCE_ID_MISMATCH" InvalidArgument "The uploaded bytes have another id than the upload said."
        "Give the BLAKE3-256 hash of the bytes that follow, or none.",
    TextTooLarge "TEXT_TOO_LARGE" InvalidArgument "The document's text is larger than 16 MiB."
        "Upload it as a media type that has no text.",
    UnknownActor "UNKNOWN_ACTOR" NotFound "The actor is not on record, or was not at the size asked for."
        "Mind the spelling; ask by a later `known_at`, or define the actor.",
    UnknownMandate "UNKNOWN_MANDATE" NotFound "The mandate is not on record, or was not at the size asked for."
        "Mind the spelling; ask by a later `known_at`, or grant the mandate.",
    UnknownTopic "UNKNOWN_TOPIC" NotFound "The topic is not on record, or was not at the size asked for."
        "Mind the spelling; ask by a later `known_at`, or define the topic.",
    UnknownMilestone "UNKNOWN_MILESTONE" NotFound "The milestone is not on record, or was not at the size asked for."
        "Mind the spelling; ask by a later `known_at`, or define the milestone.",
    UnknownSource "UNKNOWN_SOURCE" NotFound "The source is not on record, or was not at the size asked for."
        "Give the id of a source that a `sourceArchived` record archived.",
    UnknownStatement "UNKNOWN_STATEMENT" NotFound "The statement is not on record, or was not at the size asked for."
        "Give the record id of the `statementRecorded` that introduced it, not of a correction.",
    UnknownVerifier "UNKNOWN_VERIFIER" NotFound "The key was never enrolled, or was not at the size asked for."
        "Give the public key of a verifier who was enrolled.",
    UnknownRecord "UNKNOWN_RECORD" NotFound "The record is not on record."
        "Give the id of a record that has entered.",
    SourceBytesMissing "SOURCE_BYTES_MISSING" NotFound "The document was never uploaded, or has expired."
        "Upload the document with `PutSource`, again if it has expired.",
    NoText "NO_TEXT" NotFound "The source has no such text."
        "Ask for a text that the source has, or for its bytes with `GetSource`.",
    Withheld "WITHHELD" FailedPrecondition "The document, or its text, is on record but no longer served."
        "Nothing: `GetSourceRecord` says by whose authority.",
    BeyondTheHead "BEYOND_THE_HEAD" OutOfRange "The ledger is not that large."
        "Give a size up to the one that is named.",
    BeyondTheText "BEYOND_THE_TEXT" OutOfRange "The text is not that long."
        "Give a position within the length that is named.",
    ProofTooLarge "PROOF_TOO_LARGE" ResourceExhausted "The answer rests on more entries than one bundle of evidence holds."
        "Ask without `proof`, or by a narrower question; `onrecord export archive` has everything.",
    Overloaded "OVERLOADED" Unavailable "The daemon has as much to do as it may have."
        "Wait as long as `RetryInfo` says, and send it again: nothing is recorded twice.",
    NoCheckpoint "NO_CHECKPOINT" FailedPrecondition "There is no such checkpoint, and waiting brings none; the message says why."
        "Have whoever runs the daemon look at `onrecord status`.",
    NotYet "NOT_YET" Unavailable "What was waited for did not come in time."
        "Send it again.",
    ProjectionBuilding "PROJECTION_BUILDING" Unavailable "The projection that answers is being built for the first time; the message says how far it is."
        "Send it again once it is built.",
    ProjectionBusy "PROJECTION_BUSY" FailedPrecondition "A rebuild or verification of the projection is under way, or what is asked for must wait for one."
        "Wait until `onrecord projections` shows it built, and ask again.",
    BackupUnderWay "BACKUP_UNDER_WAY" FailedPrecondition "A backup is under way, and there is one at a time."
        "Wait until it is written, and ask again.",
    BackupNotAllowed "BACKUP_NOT_ALLOWED" PermissionDenied "Without the setting `backup_dir`, backups are written for those alone who ask on the daemon's own machine."
        "Ask there; or have the setting `backup_dir` name a directory, below which anybody who reaches the daemon may have one written.",
    UnknownProjection "UNKNOWN_PROJECTION" NotFound "There is no projection of that name."
        "Give a name that `onrecord projections` lists.",
    SlowClient "SLOW_CLIENT" Aborted "The client took the messages of its subscription too slowly: subscribe again from the index that `resume_from` names."
        "Subscribe again from `resume_from`, and take messages as they come.",
    Stopping "STOPPING" Unavailable "The daemon is stopping."
        "Send it again once the daemon is back: nothing is recorded twice.",
    LedgerPoisoned "LEDGER_POISONED" FailedPrecondition "A write or sync failed: the ledger takes no more records until an operator acts."
        "Have whoever runs the daemon look at `onrecord status` and restart it; reads go on meanwhile.",
    NotContinued "NOT_CONTINUED" FailedPrecondition "The archive may not be the newest of its history: what was recorded here could never be signed as its continuation."
        "Have whoever runs the daemon look at `onrecord status` and start it with `--continue-from`; reads go on meanwhile.",
    UploadsFull "UPLOADS_FULL" ResourceExhausted "Uploads that no record names take as much as they may."
        "Put on record what was uploaded, or wait until uploads expire; or have the setting `unnamed_bytes_max` raised.",
    DiskFull "DISK_FULL" ResourceExhausted "There is no space left where documents are kept, but for what the setting `disk_reserve_bytes` keeps for the ledger."
        "Have whoever runs the daemon make space.",
    ProjectionFailed "PROJECTION_FAILED" Internal "The projection that answers has stopped."
        "Have whoever runs the daemon look at `onrecord status`.",
    StorageFailed "STORAGE_FAILED" Internal "What is stored cannot be read or written right now."
        "Have whoever runs the daemon look at its log and disk.",
    DataDamaged "DATA_DAMAGED" DataLoss "What is stored is not what was written."
        "Have whoever runs the daemon restore it from a backup.",
    Defect "DEFECT" Internal "The daemon did something that it must not."
        "Report it as a defect, with the daemon's log.",
}

/// A call that failed as a whole, on its way to becoming a status.
#[derive(Clone, Debug)]
pub struct Failure {
    reason: Reason,
    message: String,
    /// The field to blame, and what would be accepted.
    violation: Option<(String, String)>,
    retry_after: Option<Duration>,
    /// The first index that was not sent.
    resume_from: Option<u64>,
}

impl Failure {
    /// A failure that no field of the request is to blame for.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        let retry = reason.code() == Code::Unavailable;
        Self {
            reason,
            message: message.into(),
            violation: None,
            retry_after: retry.then_some(RETRY_AFTER),
            resume_from: None,
        }
    }

    /// A failure that the value at `field` is to blame for.
    #[must_use]
    pub fn at(
        reason: Reason,
        field: impl Into<String>,
        message: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Self {
        Self {
            violation: Some((field.into(), accepted.into())),
            ..Self::new(reason, message)
        }
    }

    /// A request whose value at `field` cannot be used.
    #[must_use]
    pub fn invalid(
        field: impl Into<String>,
        message: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Self {
        Self::at(Reason::InvalidRequest, field, message, accepted)
    }

    /// What is asked for at `field` is not on record, or was not yet at `known_at`, in a ledger
    /// of which `size` entries were read.
    #[must_use]
    pub fn unknown(reason: Reason, field: &str, id: &str, known_at: u64, size: u64) -> Self {
        if known_at < size {
            let message = format!("{id:?} is not on record among the first {known_at} entries");
            let accepted = "an id that was on record then; or a later knownAt";
            return Self::at(reason, field, message, accepted);
        }
        let message = format!("{id:?} is not on record among the {size} entries");
        let accepted = "an id that is on record; what defines it must be appended first";
        Self::at(reason, field, message, accepted)
    }

    /// The same failure, which asks whether one of these was meant.
    #[must_use]
    pub fn suggesting(mut self, near: &[impl AsRef<str>]) -> Self {
        self.message.push_str(&did_you_mean(near));
        self
    }

    /// A date that is not in an accepted form.
    #[must_use]
    pub fn date(field: &str, value: &str, error: &DateError) -> Self {
        let message = format!("{}: {error}", quoted(value));
        Self::at(Reason::InvalidDate, field, message, error.accepted())
    }

    /// Something that cannot be: work that panicked or was dropped.
    #[must_use]
    pub fn defect(message: impl Into<String>) -> Self {
        Self::new(Reason::Defect, message)
    }

    /// The failure of a subscription that is to be resumed from `index`: all entries below it
    /// have been considered, and sent where they were wanted.
    #[must_use]
    pub fn resume_from(self, index: u64) -> Self {
        Self {
            resume_from: Some(index),
            ..self
        }
    }

    /// Its reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The failure of what is stored, by what is to be done about it.
    pub(super) fn stored(kind: FaultKind, message: String) -> Self {
        let reason = match kind {
            FaultKind::DiskFull => Reason::DiskFull,
            FaultKind::Damaged => Reason::DataDamaged,
            FaultKind::Retry | FaultKind::FixInput | FaultKind::Operator => Reason::StorageFailed,
        };
        Self::new(reason, message)
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let Failure {
            reason,
            mut message,
            violation,
            retry_after,
            resume_from,
        } = failure;
        if matches!(reason.code(), Code::Internal | Code::DataLoss) {
            tracing::error!(reason = reason.name(), %message, "a call failed");
        }
        let mut details = ErrorDetails::new();
        let metadata = resume_from.map(|index| (RESUME_FROM.to_owned(), index.to_string()));
        let metadata = metadata.into_iter().collect::<HashMap<_, _>>();
        details.set_error_info(reason.name(), DOMAIN, metadata);
        if let Some((field, accepted)) = violation {
            let description = format!("{message}; accepted: {accepted}");
            message = format!("{field}: {description}");
            details.add_bad_request_violation(field, description);
        } else {
            message = format!("{message}. {}", reason.advice());
        }
        if retry_after.is_some() {
            details.set_retry_info(retry_after);
        }
        Self::with_error_details(reason.code(), message, details)
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        let message = error.to_string();
        match error {
            AppendError::Overloaded { retry_after } => Self {
                retry_after: Some(retry_after),
                ..Self::new(Reason::Overloaded, message)
            },
            AppendError::TooMuch { .. } => Self::at(
                Reason::BatchTooLarge,
                "envelopes",
                message,
                "fewer records in one call",
            ),
            AppendError::Poisoned { .. } => Self::new(Reason::LedgerPoisoned, message),
            AppendError::Stopping => Self::new(Reason::Stopping, message),
            AppendError::Panicked => Self::defect(message),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::Store(store) => store.kind(),
            _ => FaultKind::Damaged,
        };
        Self::stored(kind, error.to_string())
    }
}

impl From<FoldError> for Failure {
    fn from(error: FoldError) -> Self {
        let kind = match &error {
            FoldError::Tables(_) => FaultKind::Operator,
            FoldError::Row { .. } | FoldError::Entry { .. } => FaultKind::Damaged,
        };
        Self::stored(kind, error.to_string())
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        let message = error.to_string();
        match error {
            BlobError::Missing { .. } => Self::at(
                Reason::SourceBytesMissing,
                "source",
                message,
                "the id of a document that was uploaded with PutSource",
            ),
            BlobError::TooLarge { bytes_max } => Self::at(
                Reason::SourceTooLarge,
                "chunk",
                message,
                format!("a document of at most {bytes_max} bytes"),
            ),
            error => Self::stored(error.kind(), message),
        }
    }
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Blob(error) => error.into(),
            UploadError::Unnamed { .. } => Self::new(Reason::UploadsFull, message),
            UploadError::Reserve { .. } => Self::new(Reason::DiskFull, message),
        }
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Blob(error) => error.into(),
            KeepError::Extract(error @ ExtractError::TooLarge { bytes_max }) => Self::at(
                Reason::TextTooLarge,
                "chunk",
                error.to_string(),
                format!(
                    "a document whose text has at most {bytes_max} bytes; or a media type that has no text, such as \"application/octet-stream\""
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::admission;

    #[test]
    fn every_reason_becomes_a_status_with_its_code_name_and_domain() {
        let mut names = BTreeSet::new();
        for reason in Reason::ALL {
            assert!(
                names.insert(reason.name()),
                "{} stands twice",
                reason.name()
            );
            let status = Status::from(Failure::at(*reason, "field", "what is wrong", "this"));
            assert_eq!(status.code(), reason.code(), "{}", reason.name());
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(
                (&info.reason[..], &info.domain[..]),
                (reason.name(), DOMAIN)
            );
            let violations = &details.bad_request().unwrap().field_violations;
            assert_eq!(violations[0].field, "field");
            assert!(violations[0].description.contains("accepted: this"));
            let retry = details.retry_info().is_some();
            assert_eq!(
                retry,
                reason.code() == Code::Unavailable,
                "{}",
                reason.name()
            );
            assert!(!reason.meaning().is_empty());
        }
    }

    #[test]
    fn reasons_are_upper_snake_case() {
        let refusals = admission::Reason::ALL.iter().map(|reason| reason.name());
        for name in Reason::ALL
            .iter()
            .map(|reason| reason.name())
            .chain(refusals)
        {
            let fit = |b: u8| b.is_ascii_uppercase() || b == b'_';
            assert!(name.bytes().all(fit) && name.len() <= 63, "{name}");
        }
    }

    #[test]
    fn every_refusal_s_code_is_a_canonical_one_and_only_retry_is_retryable() {
        let codes: BTreeSet<&str> = admission::Reason::ALL
            .iter()
            .map(|reason| reason.remedy().code())
            .collect();
        let canonical = [
            "FAILED_PRECONDITION",
            "INVALID_ARGUMENT",
            "PERMISSION_DENIED",
            "UNAVAILABLE",
        ];
        assert!(codes.iter().eq(canonical.iter()), "{codes:?}");
    }

    #[test]
    fn a_date_is_refused_with_the_field_and_the_form_to_use_instead() {
        let error = "2025-08-15T19:30"
            .parse::<crate::record::Date>()
            .unwrap_err();
        let status = Status::from(Failure::date("asOf", "2025-08-15T19:30", &error));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "asOf");
        assert!(violation.description.contains(error.accepted()));
    }

    #[test]
    fn a_full_disk_a_damaged_document_and_a_missing_one_are_told_apart() {
        let id = crate::record::ContentId::of(b"");
        let full = crate::storage::IoFault {
            action: "write",
            path: "documents".into(),
            source: std::io::ErrorKind::StorageFull.into(),
        };
        let (expected, found) = (id, id);
        for (error, reason) in [
            (BlobError::Io(full), Reason::DiskFull),
            (BlobError::Damaged { expected, found }, Reason::DataDamaged),
            (BlobError::Missing { id }, Reason::SourceBytesMissing),
            (BlobError::TooLarge { bytes_max: 1 }, Reason::SourceTooLarge),
            (BlobError::Incomplete, Reason::StorageFailed),
        ] {
            assert_eq!(Failure::from(error).reason(), reason);
        }
    }
}

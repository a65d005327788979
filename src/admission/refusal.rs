//! Why a record may not enter: every reason, in one table.
//!
//! A [`Refusal`] tells the author what is wrong, where, and what would be accepted. The
//! reason is stable and meant for programs; the sentences are meant for people.

use std::fmt::{self, Display};

use crate::text::Passage;

/// Why a record did not enter the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, for programs.
    pub reason: Reason,
    /// The path to the field, in protobuf-JSON names.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub accepted: String,
    /// For a quotation: passages that come near, or the several that match.
    pub nearest: Vec<Passage>,
}

impl Refusal {
    /// A refusal of the value at `field`.
    #[must_use]
    pub fn new(
        reason: Reason,
        field: impl Display,
        message: impl Into<String>,
        accepted: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            field: field.to_string(),
            message: message.into(),
            accepted: accepted.into(),
            nearest: Vec::new(),
        }
    }

    /// The same refusal of a value inside `parent`.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = match (parent.is_empty(), self.field.is_empty()) {
            (true, _) => self.field,
            (false, true) => parent.to_owned(),
            (false, false) => format!("{parent}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {}: {}; accepted: {}",
            self.reason, self.field, self.message, self.accepted
        )
    }
}

/// What a client can do about a refusal. Each is a canonical gRPC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Mend the record (`INVALID_ARGUMENT`).
    Mend,
    /// Put something else on record first, or build on the newest version
    /// (`FAILED_PRECONDITION`).
    Prepare,
    /// Have it signed by somebody who may (`PERMISSION_DENIED`).
    Authorise,
    /// Send the same record again later (`UNAVAILABLE`).
    Retry,
}

impl Remedy {
    /// The canonical gRPC code's name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mend => "INVALID_ARGUMENT",
            Self::Prepare => "FAILED_PRECONDITION",
            Self::Authorise => "PERMISSION_DENIED",
            Self::Retry => "UNAVAILABLE",
        }
    }
}

/// Makes the enum of a table of reasons: to each its name, which is stable, what follows from
/// it for a program, what it means, and what to do about it.
macro_rules! reasons {
    (
        $about:literal
        $column:ident: $Column:ident $about_column:literal
        $($variant:ident $name:literal $value:ident $meaning:literal $advice:literal,)+
    ) => {
        #[doc = $about]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)+
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that programs see.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            #[doc = $about_column]
            #[must_use]
            pub const fn $column(self) -> $Column {
                match self { $(Self::$variant => $Column::$value,)+ }
            }

            /// What it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }

            /// What to do about it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)+ }
            }
        }
    };
}

#[cfg(feature = "daemon")]
pub(crate) use reasons;

reasons! {
    "The reason of a refusal. Names are stable."
    remedy: Remedy "What a client can do about it."

    MalformedRecord "MALFORMED_RECORD" Mend "The payload is not one whole record in its canonical encoding, or a field is missing or out of range."
        "Mend the field named. A client that does not encode as others do is told the first offset that differs.",
    UnsupportedKind "UNSUPPORTED_KIND" Mend "This release does not take records of this kind."
        "Use a kind that the refusal lists, or a newer release.",
    WrongOrigin "WRONG_ORIGIN" Mend "The record was signed for another archive."
        "Sign it for this archive: `GetHead` tells its origin.",
    RecordTooLarge "RECORD_TOO_LARGE" Mend "The record, or a list or text in it, is larger than its bound."
        "Shorten what is named, or spread it over several records.",
    InvalidSlug "INVALID_SLUG" Mend "A name is not a slug."
        "Name it with 1 to 64 of a-z, 0-9 and '-', which does not come first.",
    NotNfc "NOT_NFC" Mend "A text is not in Unicode normalisation form C."
        "Normalise the text to NFC before it is signed, from the code point named on.",
    InvalidDate "INVALID_DATE" Mend "A date is not in an accepted form."
        "Write it in the form that is named: a day, a month, a year, a range, or a time with its offset.",
    InconsistentReading "INCONSISTENT_READING" Mend "A reading contradicts itself or its statement."
        "Mend the reading: only ANSWERED carries a polarity, and the holder is the speaker or somebody spoken for.",
    AlreadyFounded "ALREADY_FOUNDED" Mend "Only entry 0 founds an archive."
        "Leave it out: an archive is founded once, by `onrecord init` or `onrecord serve`.",
    NotFounded "NOT_FOUNDED" Prepare "Entry 0 must found the archive."
        "Found the archive first: `onrecord init`.",
    UnknownVerifier "UNKNOWN_VERIFIER" Authorise "A signer is not enrolled."
        "Have a steward enrol the key with a `verifierEnrolled` record, or sign with one that is enrolled.",
    VerifierRevoked "VERIFIER_REVOKED" Authorise "A signer was revoked."
        "Sign with a key that is enrolled; a revoked one stays so.",
    WeakKey "WEAK_KEY" Mend "A public key is malformed, of small order or with a torsion component."
        "Make another key, with `onrecord keygen` or any Ed25519 library.",
    RoleMissing "ROLE_MISSING" Authorise "A signer does not have the role that this kind asks for."
        "Have it signed by a verifier with the role named, or have a steward give the role.",
    BadSignature "BAD_SIGNATURE" Mend "A signature does not hold over these bytes."
        "Sign the exact bytes that are sent, under the payload type named.",
    TooFewAttestations "TOO_FEW_ATTESTATIONS" Authorise "Fewer distinct verifiers signed than are asked for."
        "Put the signatures of so many verifiers over the same payload into one envelope (`--key` several times).",
    AlreadyAttested "ALREADY_ATTESTED" Mend "The verifier's signature over the record is on record."
        "Nothing: the signature is there.",
    NotYoursToCorrect "NOT_YOURS_TO_CORRECT" Authorise "Only an original signer or a steward corrects or retracts a statement."
        "Have an original signer or a steward sign it.",
    WouldLockArchive "WOULD_LOCK_ARCHIVE" Prepare "Too few verifiers would be left to sign."
        "Enrol others first.",
    UnknownActor "UNKNOWN_ACTOR" Prepare "An actor is not on record, or is of a kind that cannot do this."
        "Mind the spelling; define the actor first, in a kind that can do this.",
    UnknownMandate "UNKNOWN_MANDATE" Prepare "No mandate on record covers the topic and the time."
        "Mind the spelling; put the mandate on record first, or give basis STATED where the source says for whom.",
    UnknownTopic "UNKNOWN_TOPIC" Prepare "A topic, or this version of it, is not on record."
        "Mind the spelling; define the topic first.",
    PropositionChanged "PROPOSITION_CHANGED" Mend "A new version of a definition changes what must never change."
        "Keep the value on record, or define another under a new id.",
    CircularPart "CIRCULAR_PART" Mend "An actor would be part of itself."
        "Name a whole that is no part of this actor.",
    UnknownSource "UNKNOWN_SOURCE" Prepare "A source is not on record."
        "Put a `sourceArchived` record on record first: an upload alone is not enough.",
    SourceBytesMissing "SOURCE_BYTES_MISSING" Prepare "The source's bytes were never uploaded."
        "Upload the document with `PutSource` first, again if it has expired.",
    SizeMismatch "SIZE_MISMATCH" Mend "The source has another size."
        "Give the size that `PutSource` answered.",
    DocumentUnreadable "DOCUMENT_UNREADABLE" Retry "The daemon cannot read an archived document, or an entry of its ledger, right now."
        "Send it again later; whoever runs the daemon looks at its log and disk.",
    TextTooLarge "TEXT_TOO_LARGE" Mend "The source's text is larger than 16 MiB."
        "Archive it without text, and quote it through a smaller document that EXCERPTS or TRANSCRIBES it.",
    TextIdMismatch "TEXT_ID_MISMATCH" Mend "The text has another id."
        "Give the text id that `PutSource` answered for this media type.",
    UnknownProfile "UNKNOWN_PROFILE" Mend "This release does not know the extraction profile."
        "Give the profile that `PutSource` answered.",
    Withheld "WITHHELD" Prepare "The text of a source is withheld: nothing new can be quoted from it."
        "Quote another source.",
    UnknownMilestone "UNKNOWN_MILESTONE" Prepare "A milestone is not on record."
        "Mind the spelling; define the milestone first.",
    UnknownRecord "UNKNOWN_RECORD" Prepare "A record is not on record."
        "Give the id of a record that has entered.",
    UnknownStatement "UNKNOWN_STATEMENT" Prepare "A statement is not on record."
        "Give the record id of the `statementRecorded` that introduced it, not of a correction.",
    StatementIsRetracted "STATEMENT_IS_RETRACTED" Prepare "The statement was retracted."
        "Record it anew.",
    StaleVersion "STALE_VERSION" Prepare "The record does not build on the newest version."
        "Look at the newest version, whose id is named, and build on that.",
    CapacityDiffers "CAPACITY_DIFFERS" Mend "The record names another speaker or capacity than its statement."
        "Repeat the statement's speaker and organisations; where they are wrong, retract it and record it anew.",
    QuoteNotFound "QUOTE_NOT_FOUND" Mend "A quoted passage does not stand in the source's text."
        "Look at the nearest passages, or at the whole text (`onrecord source text`), and quote what stands there.",
    QuoteAmbiguous "QUOTE_AMBIGUOUS" Mend "A quoted passage stands in the source's text more than once."
        "Quote more, or add a prefix, a suffix or a start.",
    PositionMismatch "POSITION_MISMATCH" Mend "A quoted passage does not stand where its position says."
        "Count code points of the extracted text from 0, or leave the position out.",
    TextDiffersFromSelection "TEXT_DIFFERS_FROM_SELECTION" Mend "The statement's text is not the quoted passage."
        "Let the text say what the passage says, or choose wording PARAPHRASED.",
    NotVerbatim "NOT_VERBATIM" Mend "The text is not in the language spoken, or the source is a translation."
        "Choose TRANSLATED, or quote a source in the language spoken.",
    SaidAfterCaptured "SAID_AFTER_CAPTURED" Mend "Said after the source was captured."
        "Mend the date, or when the source was captured.",
    SaidAfterPublished "SAID_AFTER_PUBLISHED" Mend "Said after the source was published."
        "Mend the date, or when the source was published.",
    InTheFuture "IN_THE_FUTURE" Mend "Said, or captured, after it was recorded."
        "Mend the date, or the clock of whoever captured it.",
    ClockJumped "CLOCK_JUMPED" Retry "The daemon's clock is not to be trusted right now."
        "Send it again later; whoever runs the daemon sets its clock right or restarts it.",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

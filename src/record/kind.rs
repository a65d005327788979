//! The kinds of records, by name: what a record is, apart from what it says.

use std::fmt;
use std::str::FromStr;

use super::proto::record::Kind;

macro_rules! kinds {
    ($($variant:ident $number:literal $name:literal,)+) => {
        /// A kind of record. Its name and number are those of its field in `Record`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RecordKind {
            $(#[doc = concat!("`", $name, "`.")] $variant = $number,)+
        }

        impl RecordKind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of its field: "`statement_recorded`".
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The number of its field: 101 to 121.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)+ }
            }
        }

        impl From<&Kind> for RecordKind {
            fn from(kind: &Kind) -> Self {
                match kind { $(Kind::$variant(_) => Self::$variant,)+ }
            }
        }
    };
}

kinds! {
    ArchiveFounded 101 "archive_founded",
    VerifierEnrolled 102 "verifier_enrolled",
    VerifierRevoked 103 "verifier_revoked",
    PolicySet 104 "policy_set",
    CheckpointKeySet 105 "checkpoint_key_set",
    WitnessPolicySet 106 "witness_policy_set",
    ActorDefined 107 "actor_defined",
    MandateGranted 108 "mandate_granted",
    MandateEnded 109 "mandate_ended",
    TopicDefined 110 "topic_defined",
    MilestoneDefined 111 "milestone_defined",
    SourceArchived 112 "source_archived",
    SourceWithheld 113 "source_withheld",
    SourceRead 114 "source_read",
    StatementRecorded 115 "statement_recorded",
    EvidenceAdded 116 "evidence_added",
    ReadingAdded 117 "reading_added",
    StatementCorrected 118 "statement_corrected",
    StatementRetracted 119 "statement_retracted",
    AttestationAdded 120 "attestation_added",
    ReviewPublished 121 "review_published",
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RecordKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let known = Self::ALL.iter().find(|kind| kind.name() == text);
        known.copied().ok_or(UnknownKind)
    }
}

/// No kind of record has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownKind;

impl std::error::Error for UnknownKind {}

impl fmt::Display for UnknownKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one of ")?;
        for (place, kind) in RecordKind::ALL.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{kind}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::record::proto;

    #[test]
    fn a_kind_s_number_is_that_of_its_field() {
        for kind in [
            Kind::ArchiveFounded(proto::ArchiveFounded::default()),
            Kind::StatementRecorded(proto::Statement::default()),
            Kind::ReviewPublished(proto::ReviewPublished::default()),
        ] {
            let number = RecordKind::from(&kind).number();
            let record = proto::Record {
                kind: Some(kind),
                ..proto::Record::default()
            };
            // A field's key is its number × 8 + 2, in two bytes of seven bits.
            let encoded = record.encode_to_vec();
            let key = u32::from(encoded[0] & 0x7f) | u32::from(encoded[1]) << 7;
            assert_eq!(key >> 3, u32::from(number));
        }
    }

    #[test]
    fn a_kind_is_found_by_its_name_alone() {
        for kind in RecordKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        let error = "StatementRecorded".parse::<RecordKind>().unwrap_err();
        assert!(error.to_string().starts_with("one of archive_founded, "));
    }
}

//! The kinds of records, in one list: how each is called, and in which role it is signed.

use crate::record::proto::{Role, record::Kind};

macro_rules! kinds {
    ($($variant:ident $name:literal $role:ident,)+) => {
        /// The kinds that this release takes, by their protobuf-JSON names, in the order of
        /// the proto.
        pub const KINDS: &[&str] = &[$($name,)+];

        /// The name of a record's kind, as protobuf-JSON has it.
        #[must_use]
        pub const fn kind_name(kind: &Kind) -> &'static str {
            match kind { $(Kind::$variant(_) => $name,)+ }
        }

        /// The role that signs records of this kind.
        pub(super) const fn role_for(kind: &Kind) -> Role {
            match kind { $(Kind::$variant(_) => Role::$role,)+ }
        }
    };
}

kinds! {
    ArchiveFounded "archiveFounded" Steward,
    VerifierEnrolled "verifierEnrolled" Steward,
    VerifierRevoked "verifierRevoked" Steward,
    PolicySet "policySet" Steward,
    CheckpointKeySet "checkpointKeySet" Steward,
    WitnessPolicySet "witnessPolicySet" Steward,
    ActorDefined "actorDefined" Attestor,
    MandateGranted "mandateGranted" Attestor,
    MandateEnded "mandateEnded" Attestor,
    TopicDefined "topicDefined" Attestor,
    MilestoneDefined "milestoneDefined" Attestor,
    SourceArchived "sourceArchived" Attestor,
    SourceWithheld "sourceWithheld" Steward,
    SourceRead "sourceRead" Coder,
    StatementRecorded "statementRecorded" Attestor,
    EvidenceAdded "evidenceAdded" Attestor,
    ReadingAdded "readingAdded" Coder,
    StatementCorrected "statementCorrected" Attestor,
    StatementRetracted "statementRetracted" Attestor,
    AttestationAdded "attestationAdded" Attestor,
    ReviewPublished "reviewPublished" Reviewer,
}

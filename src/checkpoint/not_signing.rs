//! Why no checkpoint is signed. Each sentence says what is wrong and what to do.

use crate::merkle::{Hash, KeyName, KeyNameError};

/// How somebody says which checkpoint an archive continues.
const CONTINUE: &str = "start once with --continue-from and the newest checkpoint that anybody has";

/// Why the daemon serves and signs no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigning {
    /// The signer's directory cannot be used.
    #[error("the signer's directory cannot be used: {detail}; mend that and start again")]
    Home {
        /// What is wrong with it.
        detail: String,
    },
    /// The signer's directory is missing, or empty.
    #[error("nothing says which checkpoint was signed last ({detail}); {CONTINUE}")]
    NothingNoted {
        /// What is missing.
        detail: String,
    },
    /// The data directory came from a backup.
    #[error("this archive was restored from a backup; {CONTINUE}")]
    Restored,
    /// The data directory came from a bag.
    #[error(
        "this is a replica of {origin}, which is served for reading and has no key to sign with; checkpoints come from the archive itself"
    )]
    Replica {
        /// The archive.
        origin: String,
    },
    /// The signer's directory is another archive's.
    #[error(
        "the signer's directory belongs to {found:?}; name the directory of {origin:?} with --signer"
    )]
    OtherOrigin {
        /// The origin of this archive.
        origin: String,
        /// The origin that is noted there.
        found: String,
    },
    /// The archive's origin cannot name a key.
    #[error("the origin cannot stand in a signed note: {0}")]
    Origin(KeyNameError),
    /// Entries that were signed are missing.
    #[error(
        "a checkpoint of {signed} entries was signed and the ledger holds {found}: entries are missing; restore a newer backup"
    )]
    Shorter {
        /// How many entries were signed.
        signed: u64,
        /// How many there are.
        found: u64,
    },
    /// The ledger is not the one that was signed.
    #[error(
        "the checkpoint of {size} entries that was signed has the root {signed}, and the ledger has {found} there: it is another history; restore the one that was signed"
    )]
    Forked {
        /// The size of both.
        size: u64,
        /// The root that was signed.
        signed: Hash,
        /// The root that the ledger has.
        found: Hash,
    },
    /// Ledger and tiles contradict each other.
    #[error(
        "at {size} entries the ledger has the root {ledger} and its tiles have {tiles}; rebuild the projection `tiles` and start again"
    )]
    TilesDiffer {
        /// The size of both.
        size: u64,
        /// The root that the ledger has.
        ledger: Hash,
        /// The root that the tiles give.
        tiles: Hash,
    },
    /// What is to be signed could not be noted.
    #[error("what is to be signed cannot be noted: {detail}; mend that and start again")]
    Unnoted {
        /// What went wrong.
        detail: String,
    },
    /// A witness has seen more than was ever signed here.
    #[error(
        "the witness {witness} says that it has seen a checkpoint of {seen} entries and the newest that was signed here has {signed}: somebody else signs with this archive's key, or this ledger lost its end; find out which, and {CONTINUE}, or without that witness in the settings"
    )]
    WitnessAhead {
        /// The witness.
        witness: KeyName,
        /// The size that it has seen.
        seen: u64,
        /// The size that was signed last.
        signed: u64,
    },
    /// A witness says that its checkpoint is not what the ledger begins with.
    #[error(
        "the witness {witness} says that the {seen} entries that it has seen are not those that the {signed} signed here begin with: it may know another history of this archive; find out which, and {CONTINUE}, or without that witness in the settings"
    )]
    WitnessDisagrees {
        /// The witness.
        witness: KeyName,
        /// The size that it has seen.
        seen: u64,
        /// The size of the checkpoint that it was sent.
        signed: u64,
    },
    /// The signer ended by itself.
    #[error("the signer ended by itself, which is a defect; start again")]
    Ended,
    /// No secret of a key that is on record lies in the signer's directory.
    #[error(
        "the secret of none of the archive's {recorded} checkpoint keys is in the signer's directory{detail}; put it there, or have a steward record a new key with a checkpointKeySet"
    )]
    NoKey {
        /// How many keys are on record.
        recorded: usize,
        /// What is wrong with the files that are there.
        detail: String,
    },
    /// The tiles have not been read as far.
    #[error("the tiles cover {read} of {size} entries so far")]
    Behind {
        /// How many entries the tiles cover.
        read: u64,
        /// How many it takes.
        size: u64,
    },
    /// What is needed cannot be read.
    #[error("what is to be signed cannot be read: {detail}")]
    Unreadable {
        /// What went wrong.
        detail: String,
    },
}

impl NotSigning {
    /// Whether the ledger may not be the newest of its history, so that what it takes could never
    /// be signed as the continuation of what was. A key that is missing says nothing of that.
    #[must_use]
    pub const fn bars_records(&self) -> bool {
        matches!(
            self,
            Self::Restored
                | Self::Replica { .. }
                | Self::Shorter { .. }
                | Self::Forked { .. }
                | Self::WitnessAhead { .. }
                | Self::WitnessDisagrees { .. }
        )
    }

    /// Whether it may pass without a new start.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::NoKey { .. } | Self::Behind { .. } | Self::Unreadable { .. }
        )
    }
}

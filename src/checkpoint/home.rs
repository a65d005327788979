//! Where the signer keeps what it must not lose: its secret keys, and what was last signed.

use crate::merkle::Hash;
use crate::record::SigningKey;
use crate::storage::{Signed, SignerDir, SignerDirError, Suspicion};

/// What was last signed, kept apart from the ledger and its backups.
pub trait SignerHome: Send + Sync {
    /// What was last signed, or was about to be; none if nothing says.
    fn signed(&self) -> Result<Option<Signed>, SignerDirError>;

    /// Notes what is about to be signed, durably and as a whole.
    fn note(&self, signed: &Signed) -> Result<(), SignerDirError>;

    /// What a witness said that forbids to sign on, if anything.
    fn suspicion(&self) -> Result<Option<Suspicion>, SignerDirError>;

    /// Notes what a witness said that forbids to sign on, durably.
    fn note_suspicion(&self, suspicion: &Suspicion) -> Result<(), SignerDirError>;

    /// Drops that note, durably; nothing is wrong if there is none.
    fn clear_suspicion(&self) -> Result<(), SignerDirError>;

    /// The secret keys that lie there, and what is wrong with those that cannot be used.
    fn keys(&self) -> Result<(Vec<SigningKey>, Vec<String>), SignerDirError>;
}

/// A signer's directory whose key files are read by a function: how a key file looks is not
/// for this room to know.
pub struct HomeDir<Read> {
    /// The directory.
    pub dir: SignerDir,
    /// Reads a key file.
    pub read: Read,
}

impl<Read, Error> SignerHome for HomeDir<Read>
where
    Read: Fn(&std::path::Path) -> Result<SigningKey, Error> + Send + Sync,
    Error: std::fmt::Display,
{
    fn signed(&self) -> Result<Option<Signed>, SignerDirError> {
        self.dir.read_signed()
    }

    fn note(&self, signed: &Signed) -> Result<(), SignerDirError> {
        self.dir.write_signed(signed)
    }

    fn suspicion(&self) -> Result<Option<Suspicion>, SignerDirError> {
        self.dir.read_suspicion()
    }

    fn note_suspicion(&self, suspicion: &Suspicion) -> Result<(), SignerDirError> {
        self.dir.write_suspicion(suspicion)
    }

    fn clear_suspicion(&self) -> Result<(), SignerDirError> {
        self.dir.clear_suspicion()
    }

    fn keys(&self) -> Result<(Vec<SigningKey>, Vec<String>), SignerDirError> {
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        for file in self.dir.key_files()? {
            match (self.read)(&file) {
                Ok(key) => keys.push(key),
                Err(error) => unusable.push(error.to_string()),
            }
        }
        Ok((keys, unusable))
    }
}

/// The root of what was signed.
pub(super) fn root_of(signed: &Signed) -> Hash {
    signed.root.into()
}

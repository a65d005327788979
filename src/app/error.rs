//! Why a daemon does not run, or an archive was not founded.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::admission::Refusal;
use crate::checkpoint::{ContinueError, NotSigning};
use crate::config::ConfigError;
use crate::config::keys::KeyFileError;
use crate::ledger::{self, AppendError, ReadError};
use crate::projection::{NotFollowing, RunnerError};
use crate::rpc;
use crate::storage::{self, DataDirError, IoFault, SignerDirError, TableError};

/// What makes an address free to be listened on.
fn freed(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AddrNotAvailable => {
            "it is none of this machine's addresses: 0.0.0.0 and [::] stand for all that it has"
        }
        io::ErrorKind::PermissionDenied => "take a port from 1024 on",
        _ => "stop what listens there",
    }
}

/// Why a daemon does not run, or an archive was not founded. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The data directory holds no archive yet.
    #[error("{} was begun and holds no archive yet; found it with `onrecord init`", path.display())]
    NotFounded {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory holds an archive already.
    #[error("{} holds an archive already; use it, or name another directory", path.display())]
    AlreadyFounded {
        /// The data directory.
        path: PathBuf,
    },
    /// The origin cannot name an archive.
    #[error("{}; accepted: {}", refusal.message, refusal.accepted)]
    Origin {
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// Admission does not let the founding record in.
    #[error("the archive was not founded: {refusal}")]
    FoundingRefused {
        /// Why not.
        refusal: Refusal,
    },
    /// The ledger did not say what became of the founding record.
    #[error("the archive may not have been founded; run `onrecord init` again")]
    FoundingUnanswered,
    /// The ledger's database does not open.
    #[error(transparent)]
    Frames(#[from] storage::OpenError),
    /// The ledger must not be opened.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger did not take the founding record.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger's threads cannot be started.
    #[error(transparent)]
    Start(#[from] ledger::StartError),
    /// Admission's state cannot be opened.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The directories of documents cannot be opened.
    #[error(transparent)]
    Documents(#[from] IoFault),
    /// A projection cannot be started.
    #[error(transparent)]
    Projection(#[from] RunnerError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The signer's directory cannot be used.
    #[error(transparent)]
    SignerDir(#[from] SignerDirError),
    /// The signer's directory is in use by an archive that was founded before.
    #[error("{} says that checkpoints of {origin:?} were signed already; name another directory with --signer", path.display())]
    SignerInUse {
        /// The signer's directory.
        path: PathBuf,
        /// The archive that it belongs to.
        origin: String,
    },
    /// There is no signer that could continue from a checkpoint.
    #[error("{why}")]
    NoSigner {
        /// Why not.
        why: NotSigning,
    },
    /// The archive does not continue the checkpoint that was given.
    #[error(transparent)]
    Continue(Box<ContinueError>),
    /// The tiles, by which checkpoints are held against the ledger, are not read.
    #[error(transparent)]
    Tiles(NotFollowing),
    /// The system gives no randomness.
    #[error("the system gives no randomness ({0}); mend it and start again")]
    Randomness(#[from] getrandom::Error),
    /// The services cannot be described.
    #[error(transparent)]
    Reflection(#[from] rpc::ReflectionError),
    /// The runtime's threads cannot be started.
    #[error("threads cannot be started ({0}); raise the limit on threads")]
    Runtime(#[source] io::Error),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} ({source}); {}, or choose another address with --listen",
        freed(source)
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the server ended by itself: {0}")]
    Serve(#[source] tonic::transport::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_listened_on_says_what_would_free_it() {
        let told = |kind: io::ErrorKind| {
            let address = SocketAddr::from(([192, 0, 2, 1], 7450));
            let source = io::Error::from(kind);
            AppError::Listen { address, source }.to_string()
        };
        for (kind, freed) in [
            (io::ErrorKind::AddrNotAvailable, "none of this machine's"),
            (io::ErrorKind::PermissionDenied, "a port from 1024 on"),
            (io::ErrorKind::AddrInUse, "stop what listens there"),
        ] {
            let said = told(kind);
            assert!(said.contains(freed) && said.contains("--listen"), "{said}");
        }
    }
}

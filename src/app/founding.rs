//! Founding an archive: a data directory, a signer's directory with a key, and entry 0, by the way that every
//! record takes.
//!
//! Founding that was interrupted can be done again: what was made is kept, what is missing is
//! made. Once entry 0 is on record there is an archive, and it is not founded again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;

use super::archive::Archive;
use super::{AppError, Stores, World, closing};
use crate::admission::{ADMISSION_RULES, check_origin};
use crate::config::Config;
use crate::config::keys::{self, KeyFileError};
use crate::ledger::Outcome;
use crate::merkle::empty_root;
use crate::record::proto::{
    ArchiveFounded, PolicySet, Record, Role, VerifierEnrolled, record::Kind,
};
use crate::record::{ContentId, Micros, SigningKey, VerifierKey};
use crate::storage::{
    DataDir, DataDirError, FrameStore as _, FramesOptions, Signed, SignerDir, SledFrames,
};

/// The name of the steward who founds an archive, until it is enrolled under another.
const STEWARD_NAME: &str = "founding steward";

/// The checkpoint key's file in the signer's directory.
const CHECKPOINT_KEY: &str = "checkpoint.key";

/// An archive that is founded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founded {
    /// Where it lies.
    pub data_dir: PathBuf,
    /// Its origin.
    pub origin: String,
    /// The id of entry 0.
    pub record_id: ContentId,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveState {
    /// Nothing, or an empty directory.
    Nothing,
    /// A data directory whose founding was interrupted.
    Unfounded,
    /// An archive.
    Founded,
}

/// Looks at what stands at `path`, without changing it but for the lock, which it takes while
/// it looks.
pub fn look(path: &Path) -> Result<ArchiveState, AppError> {
    let dir = match DataDir::open(path) {
        Ok(dir) => dir,
        Err(DataDirError::Missing { .. }) => return Ok(ArchiveState::Nothing),
        Err(error) => return Err(error.into()),
    };
    let noted = dir.read_head()?.is_some_and(|head| head.size > 0);
    Ok(if noted || holds_entries(&dir)? {
        ArchiveState::Founded
    } else {
        ArchiveState::Unfounded
    })
}

/// Whether there are entries that no `HEAD` names: founding was cut short just after entry 0,
/// or the file was taken away.
fn holds_entries(dir: &DataDir) -> Result<bool, AppError> {
    let ledger = dir.parts().ledger();
    if !SledFrames::exists(&ledger) {
        return Ok(false);
    }
    let copy = SledFrames::open_copy(&ledger, &FramesOptions::default())?;
    Ok(copy.next_index() > 0)
}

/// Founds an archive in `config.data_dir` under `origin`, with `steward` in all four roles.
/// Not to be called on a thread that drives a runtime.
pub fn found(
    config: &Config,
    origin: &str,
    steward: &SigningKey,
    world: World,
) -> Result<Founded, AppError> {
    config.check()?;
    acceptable(origin)?;
    let path = &config.data_dir;
    let already = || AppError::AlreadyFounded { path: path.clone() };
    let dir = match look(path)? {
        ArchiveState::Founded => return Err(already()),
        ArchiveState::Nothing => DataDir::create(path)?,
        ArchiveState::Unfounded => DataDir::open(path)?,
    };
    let founding = Founding {
        origin,
        steward,
        checkpoint_key: make_signer(&config.signer_dir(), origin, &world)?.public(),
    };
    if !SledFrames::exists(&dir.parts().ledger()) {
        SledFrames::create(&dir.parts().ledger(), &*dir.syncer())?;
    }
    let record_id = found_on(Stores::in_dir(dir, config)?, config, &founding, world)?;
    Ok(Founded {
        data_dir: path.clone(),
        origin: origin.to_owned(),
        record_id,
    })
}

/// What entry 0 says.
#[derive(Debug)]
pub struct Founding<'a> {
    /// The archive's origin.
    pub origin: &'a str,
    /// Who signs it, and may sign everything from there on.
    pub steward: &'a SigningKey,
    /// The key that will sign checkpoints.
    pub checkpoint_key: VerifierKey,
}

/// Puts entry 0 into an empty ledger, on stores that are passed in; its record id.
pub fn found_on(
    stores: Stores,
    config: &Config,
    founding: &Founding<'_>,
    world: World,
) -> Result<ContentId, AppError> {
    acceptable(founding.origin)?;
    let record = founding.record(world.clock.now());
    let envelope = founding.steward.seal(Bytes::from(record.encode_to_vec()));
    let runtime = super::runtime()?;
    let origin = Some(founding.origin.to_owned());
    let archive = Archive::open(stores, config, world, origin, &runtime)?;
    let outcomes = runtime.block_on(archive.appender.append(vec![envelope]));
    closing::close(runtime, archive, Instant::now() + config.stop_max());
    recorded(outcomes?.into_iter().next())
}

/// Refuses an origin that cannot name an archive.
pub fn acceptable(origin: &str) -> Result<(), AppError> {
    check_origin(origin).map_err(|refusal| AppError::Origin { refusal })
}

impl Founding<'_> {
    fn record(&self, signed_at: Micros) -> Record {
        let roles = [Role::Steward, Role::Attestor, Role::Coder, Role::Reviewer];
        let founded = ArchiveFounded {
            checkpoint_key: self.checkpoint_key.to_string(),
            verifiers: vec![VerifierEnrolled {
                verifier: self.steward.public().to_string(),
                name: STEWARD_NAME.to_owned(),
                roles: roles.map(i32::from).to_vec(),
                replaces: String::new(),
            }],
            policy: Some(PolicySet {
                attestations_min: 1,
                admission_rules: ADMISSION_RULES,
            }),
        };
        Record {
            origin: self.origin.to_owned(),
            signed_at: Some(signed_at.to_timestamp()),
            kind: Some(Kind::ArchiveFounded(founded)),
        }
    }
}

/// Makes the signer's directory, which says that nothing was signed yet, with the key that will
/// sign: the one that is there, or else a new one.
fn make_signer(path: &Path, origin: &str, world: &World) -> Result<SigningKey, AppError> {
    let dir = SignerDir::create(path)?;
    let nothing = Signed {
        origin: origin.to_owned(),
        size: 0,
        root: empty_root().into(),
    };
    match dir.read_signed()? {
        Some(signed) if signed == nothing => {}
        Some(signed) => {
            return Err(AppError::SignerInUse {
                path: path.to_owned(),
                origin: signed.origin,
            });
        }
        None => dir.write_signed(&nothing)?,
    }
    let path = path.join(CHECKPOINT_KEY);
    match keys::read(&path) {
        Err(KeyFileError::Missing { .. }) => {
            let seed = (world.seed)()?;
            Ok(keys::write_new(&path, seed, "checkpoints")?)
        }
        found => Ok(found?),
    }
}

fn recorded(outcome: Option<Outcome>) -> Result<ContentId, AppError> {
    match outcome {
        Some(Outcome::Recorded { record_id, .. } | Outcome::AlreadyRecorded { record_id, .. }) => {
            Ok(record_id)
        }
        Some(Outcome::Refused(refusal)) => Err(AppError::FoundingRefused { refusal }),
        None => Err(AppError::FoundingUnanswered),
    }
}

//! Founding an archive: a data directory, a checkpoint key, and entry 0, by the way that every
//! record takes.
//!
//! Founding that was interrupted can be done again with the same steward key and origin: what
//! was made is kept, what is missing is made. Once entry 0 is on record with another steward
//! or origin, it is refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::{AppError, Archive, Stores, World};
use crate::admission::{ADMISSION_RULES, check_origin};
use crate::config::Config;
use crate::config::keys::{self, KeyFileError};
use crate::ledger::Outcome;
use crate::record::proto::{
    ArchiveFounded, PolicySet, Record, Role, VerifierEnrolled, record::Kind,
};
use crate::record::{ContentId, SigningKey};
use crate::storage::{DataDir, SledFrames};

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
    match DataDir::open(path) {
        Ok(dir) => Ok(match dir.read_head()? {
            Some(head) if head.size > 0 => ArchiveState::Founded,
            _ => ArchiveState::Unfounded,
        }),
        Err(crate::storage::DataDirError::Missing { .. }) => Ok(ArchiveState::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// Founds an archive in `config.data_dir` under `origin`, with `steward` in all four roles.
pub fn found(
    config: &Config,
    origin: &str,
    steward: &SigningKey,
    world: World,
) -> Result<Founded, AppError> {
    config.check()?;
    check_origin(origin).map_err(|refusal| AppError::Origin { refusal })?;
    let path = &config.data_dir;
    let dir = match look(path)? {
        ArchiveState::Founded => return Err(AppError::AlreadyFounded { path: path.clone() }),
        ArchiveState::Nothing => DataDir::create(path)?,
        ArchiveState::Unfounded => DataDir::open(path)?,
    };
    let checkpoint_key = checkpoint_key(&dir.signer(), &world)?;
    if !SledFrames::exists(&dir.ledger()) {
        SledFrames::create(&dir.ledger(), &*dir.syncer())?;
    }
    let envelope = steward.seal(Bytes::from(
        founding_record(origin, steward, &checkpoint_key, &world).encode_to_vec(),
    ));

    let runtime = super::runtime()?;
    let stores = Stores::in_dir(dir, config)?;
    let archive = Archive::open(stores, config, world, Some(origin.to_owned()))?;
    let founded = match archive.reader.entry(0)? {
        Some(first) => signed_by(&first, steward)
            .then_some(first.record_id)
            .ok_or_else(|| AppError::OtherSteward { path: path.clone() }),
        None => runtime
            .block_on(archive.appender.append(vec![envelope]))
            .map_or_else(
                |error| Err(error.into()),
                |outcomes| recorded(outcomes.into_iter().next()),
            ),
    };
    archive.close(config.commit_max());
    Ok(Founded {
        data_dir: path.clone(),
        origin: origin.to_owned(),
        record_id: founded?,
    })
}

/// The key that signs checkpoints: the one that is there, or else a new one.
fn checkpoint_key(signer: &Path, world: &World) -> Result<SigningKey, AppError> {
    let path = signer.join(CHECKPOINT_KEY);
    match keys::read(&path) {
        Err(KeyFileError::Missing { .. }) => {
            let seed = (world.seed)()?;
            Ok(keys::write_new(&path, seed, "checkpoints")?)
        }
        found => Ok(found?),
    }
}

fn founding_record(
    origin: &str,
    steward: &SigningKey,
    checkpoint_key: &SigningKey,
    world: &World,
) -> Record {
    let roles = [Role::Steward, Role::Attestor, Role::Coder, Role::Reviewer];
    let founded = ArchiveFounded {
        checkpoint_key: checkpoint_key.public().to_string(),
        verifiers: vec![VerifierEnrolled {
            verifier: steward.public().to_string(),
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
        origin: origin.to_owned(),
        signed_at: Some(world.clock.now().to_timestamp()),
        kind: Some(Kind::ArchiveFounded(founded)),
    }
}

fn signed_by(entry: &Arc<crate::record::Entry>, steward: &SigningKey) -> bool {
    let steward = steward.public();
    let signatures = &entry.envelope.signatures;
    signatures
        .iter()
        .any(|signature| signature.public_key[..] == steward.as_bytes()[..])
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

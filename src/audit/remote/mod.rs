//! An archive audited from outside, by somebody who trusts neither it nor whoever mirrors it: the
//! checkpoint it signs, its history since the last audit, every tile, entry, signature and
//! verdict, and the digests of its projections, replayed on the auditor's own machine.
//!
//! What is remembered between two audits is the newest checkpoint, the archive's keys and the
//! folded state: so each downloads what is new and no more, and an archive that shows anybody
//! another history than it showed before is caught, with both checkpoints as evidence.
//!
//! The invariant: nothing is folded that the checkpoint does not commit to, and nothing passes
//! unseen. What could not be looked at is told as such.
//!
//! - `site`, `tree`, `entries`: tiles and entries, read and held against the root
//! - `sources`, `texts`: documents, read and held against their ids
//! - `projected`: the projections, replayed
//! - `state`: what is remembered
//! - `history`: whether a checkpoint continues the one before
//! - `following`: the replay of what is new
//! - `waiting`: what waited for documents

mod entries;
mod fault;
mod following;
mod history;
mod projected;
mod report;
mod site;
mod sources;
mod state;
mod texts;
mod tree;
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use fault::Fault;
pub use projected::Said;
pub use report::{Line, Outcome, Report, Signed};
pub use site::{HttpSite, Site, SiteError, URL_ACCEPTED, is_tls};
pub use sources::Archive;

use crate::admission;
use crate::bundle::clocks_differ;
use crate::fold::{Fold, FoldError};
use crate::merkle::{
    Checkpoint, CosignatureTime, NOTE_BYTES_MAX, NoteKey, NoteKeyType, OpenError, SignedNote,
    WitnessPolicy,
};
use crate::record::{Entry, quoted};
use crate::storage::{IoFault, TableError};
use entries::LookedBack;
use following::Following;
use history::History;
use sources::Sources;
use state::State;
use tree::Tree;

/// What each set of tables may keep in memory of the blocks that it read.
const CACHE_BYTES: u64 = 16 << 20;

/// How long a checkpoint is waited for that covers what the projections have read.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait before looking again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// What an audit stands on.
pub struct AuditParts<'a> {
    /// Where tiles, entries and checkpoint are read.
    pub site: &'a dyn Site,
    /// What answers beside them, or why nothing does.
    pub archive: Result<Arc<dyn Archive>, String>,
    /// A folder of documents.
    pub sources: Option<&'a Path>,
    /// The projections that are replayed.
    pub folds: &'a [Arc<dyn Fold>],
    /// The file of what is remembered.
    pub state: &'a Path,
    /// Keys of the archive that the auditor has from elsewhere.
    pub keys: &'a [NoteKey],
    /// Who must have cosigned.
    pub witnesses: &'a WitnessPolicy,
    /// 32 bytes that no signer knows.
    pub seed: [u8; 32],
    /// After how many entries the state is written out: so many are judged again after a kill,
    /// which is done in a second or so.
    pub write_after_entries: u64,
    /// Is told how many entries were checked, of how many.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// Why an audit could not be carried out, or not to its end; what was checked is remembered.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// No key of the archive is known.
    #[error(
        "no key of the archive is known yet, and what it says of itself proves nothing; \
         give --key NAME+HEX+BASE64, which whoever runs the archive reads off `onrecord status`, \
         from somebody you trust"
    )]
    NoKey,
    /// The keys are of different archives.
    #[error("a key of {found} is no key of {expected}; a file remembers one archive")]
    OtherArchive {
        /// The archive of the first key.
        expected: String,
        /// The archive of another.
        found: String,
    },
    /// A witness's key was given for the archive's.
    #[error("{key} is a witness's key; the archive's signs notes (type 0x01)")]
    NotTheArchives {
        /// The key.
        key: String,
    },
    /// The site is not there, or answers no more.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// What is remembered cannot be read.
    #[error("{}: {reason}; restore it, or begin anew with another file", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another audit is at it.
    #[error(
        "another audit has {}: wait for it to end, or give this one a file of its own",
        path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Tables are there, and nothing says what they were checked against.
    #[error(
        "{} is there without {}; restore that file, or remove the directory",
        directory.display(), path.display()
    )]
    Leftover {
        /// The directory.
        directory: PathBuf,
        /// The file that is missing.
        path: PathBuf,
    },
    /// The tables are not what was checked.
    #[error(
        "{} does not hold what was checked: {reason}; remove it, and all is downloaded again",
        directory.display()
    )]
    Tables {
        /// The directory.
        directory: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be written or read.
    #[error(transparent)]
    Io(#[from] IoFault),
    /// A table cannot be opened or written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A table cannot be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// A thread ended by itself.
    #[error("a thread that prepares entries ended by itself")]
    Panicked,
}

/// A checkpoint that was read and opened.
pub(super) struct Shown {
    note: SignedNote,
    checkpoint: Checkpoint,
    key: NoteKey,
}

impl Shown {
    fn signed(&self) -> Signed {
        Signed {
            size: self.checkpoint.size(),
            root: self.checkpoint.root().to_string(),
            note: self.note.to_string(),
        }
    }
}

/// Audits an archive as far as it goes; what was found.
pub fn audit(parts: &AuditParts<'_>) -> Result<Report, AuditError> {
    let mut state = State::load(parts.state)?;
    let keys = known_keys(&state, parts.keys)?;
    let origin = keys.first().ok_or(AuditError::NoKey)?.key_name().clone();
    let mut report = Report {
        origin: origin.to_string(),
        remembered: state.checkpoint.as_ref().map(|it| Signed {
            size: it.size(),
            root: it.root().to_string(),
            note: state.note().to_owned(),
        }),
        ..Report::default()
    };
    let archive = parts.archive.as_ref().map_err(Clone::clone);
    let told = archive.and_then(|it| Ok((Arc::clone(it), it.projections()?)));
    let (archive, said, silent) = match told {
        Ok((archive, said)) => (Some(archive), said, None),
        Err(why) => (None, Vec::new(), Some(why)),
    };
    let Some(shown) = newest(parts.site, &keys, &said, &mut report)? else {
        return Ok(finish(report, &state));
    };
    report.checkpoint = Some(shown.signed());
    witnessed(parts.witnesses, &shown, &mut report);
    let history = History {
        state: &state,
        folds: parts.folds,
    };
    if let Some(why) = history.contradiction(&shown.checkpoint)? {
        report.add("history", Outcome::Fails, why);
        return Ok(finish(report, &state));
    }
    let tree = match Tree::open(parts.site, &shown.checkpoint) {
        Ok(tree) => tree,
        Err(fault) => return fails(report, &state, "tiles", fault),
    };
    match history.continues(&tree, &shown.checkpoint) {
        Ok(Ok(says)) => report.add("history", Outcome::Holds, says),
        Ok(Err(why)) => {
            report.add("history", Outcome::Fails, why);
            return Ok(finish(report, &state));
        }
        Err(fault) => return fails(report, &state, "tiles", fault),
    }
    history.holds_what_was_read()?;
    state.accept(&shown.note, &shown.checkpoint, &keys)?;
    let scratch = prepare_directory(&state)?;
    let sources = Sources::new(parts.sources, archive.clone(), scratch.path())?;
    let following = Following::open(parts, archive, &tree, &mut state, &said)?;
    report.checked_before = following.checked();
    let on_record = match following.run(&origin, &Arc::new(sources), &mut report)? {
        Ok(keys) => keys,
        Err(fault) => return fails(report, &state, "entries", fault),
    };
    report.checked = shown.checkpoint.size();
    if let Err(fault) = clocks(&tree, &mut report) {
        return fails(report, &state, "entries", fault);
    }
    if on_record.contains(&shown.key) {
        let says = format!(
            "the checkpoint's key is one of {} on record",
            on_record.len()
        );
        report.add("key", Outcome::Holds, says);
        if state.findings().count == 0 {
            // One that was replaced goes on counting, and those that are new do.
            state.set_keys(&on_record)?;
        }
    } else {
        let says = format!("{} signed the checkpoint, and is not on record", shown.key);
        report.add("key", Outcome::Fails, says);
    }
    if let Some(why) = silent {
        let says = format!("their digests could not be compared: {why}");
        report.add("projections", Outcome::Unchecked, says);
    }
    Ok(finish(report, &state))
}

/// The keys by which checkpoints are believed: those given, and those remembered.
fn known_keys(state: &State, given: &[NoteKey]) -> Result<Vec<NoteKey>, AuditError> {
    let mut keys = state.keys.clone();
    for key in given {
        if key.key_type() != NoteKeyType::Log {
            let key = key.to_string();
            return Err(AuditError::NotTheArchives { key });
        }
        if let Some(first) = keys.first()
            && first.key_name() != key.key_name()
        {
            return Err(AuditError::OtherArchive {
                expected: first.key_name().to_string(),
                found: key.key_name().to_string(),
            });
        }
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    Ok(keys)
}

/// The newest checkpoint, waited for until it covers what the projections have read; none if
/// what is there is none of the archive's.
fn newest(
    site: &dyn Site,
    keys: &[NoteKey],
    said: &[Said],
    report: &mut Report,
) -> Result<Option<Shown>, AuditError> {
    let needed = said.iter().map(|said| said.size).max().unwrap_or(0);
    let by = Instant::now() + CHECKPOINT_WITHIN;
    loop {
        let bytes = site.get("checkpoint", NOTE_BYTES_MAX)?;
        match open(&bytes, keys) {
            Ok(shown) if shown.checkpoint.size() >= needed || Instant::now() >= by => {
                let says = format!(
                    "{} entries, root {}, signed by {}",
                    shown.checkpoint.size(),
                    shown.checkpoint.root(),
                    shown.key
                );
                report.add("checkpoint", Outcome::Holds, says);
                return Ok(Some(shown));
            }
            Ok(_) => thread::sleep(LOOK_AGAIN_AFTER),
            Err(why) => {
                report.checkpoint = Some(Signed {
                    size: 0,
                    root: String::new(),
                    note: String::from_utf8_lossy(&bytes).into_owned(),
                });
                report.add("checkpoint", Outcome::Fails, why);
                return Ok(None);
            }
        }
    }
}

/// Opens a checkpoint by one of the keys.
fn open(bytes: &[u8], keys: &[NoteKey]) -> Result<Shown, String> {
    let note =
        SignedNote::parse(bytes).map_err(|error| format!("it is no signed note: {error}"))?;
    let mut why = String::new();
    for key in keys {
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => {
                let key = key.clone();
                return Ok(Shown {
                    note,
                    checkpoint,
                    key,
                });
            }
            Err(error @ OpenError::Unsigned { .. }) => why = error.to_string(),
            Err(error) => return Err(error.to_string()),
        }
    }
    // Whoever signed it, it does not claim to be the archive's.
    if let (Some(key), Some(named)) = (keys.first(), note.text().lines().next())
        && named != key.key_name().as_str()
    {
        return Err(format!(
            "it is a checkpoint of {}, and the keys that are known are of {}: look whether the URL is that of the archive that --state remembers or --key names, and give each archive a file of its own",
            quoted(named),
            key.key_name()
        ));
    }
    Err(format!(
        "it is signed by none of the {} keys that are known ({why}); if the archive has replaced its key, give the new one with --key, from somebody you trust",
        keys.len()
    ))
}

/// Whether the witnesses that were asked for have cosigned.
fn witnessed(policy: &WitnessPolicy, shown: &Shown, report: &mut Report) {
    if policy.quorum() == 0 {
        return;
    }
    match policy.witnessed(&shown.note) {
        Ok(witnessed) => {
            let by: Vec<String> = witnessed.by.iter().map(|it| it.name.to_string()).collect();
            report.witnessed_at = witnessed.time.map(CosignatureTime::unix_seconds);
            let outcome = if witnessed.is_quorum {
                Outcome::Holds
            } else {
                Outcome::Fails
            };
            let (quorum, all) = (policy.quorum(), policy.keys().len());
            let says = format!(
                "cosigned by {} of {all} ({}), of whom {quorum} must",
                by.len(),
                by.join(", ")
            );
            report.add("witnesses", outcome, says);
        }
        Err(error) => report.add("witnesses", Outcome::Fails, error),
    }
}

/// Whether the last entry, the latest of all by the archive's clock, was recorded by the time of
/// the witnesses.
fn clocks(tree: &Tree<'_>, report: &mut Report) -> Result<(), Fault> {
    let by = report.witnessed_at.and_then(|by| i64::try_from(by).ok());
    let (Some(by), Some(last)) = (by, tree.size().checked_sub(1)) else {
        return Ok(());
    };
    // One that does not decode was told of.
    if let Ok(entry) = Entry::decode(last, LookedBack::at(tree).leaf(last)?)
        && let Some(odd) = clocks_differ(entry.recorded_at, by)
    {
        let says = format!("entry {last}: {odd}");
        report.add("clocks", Outcome::Unchecked, says);
    }
    Ok(())
}

/// Makes the directory of the tables; one for what is fetched meanwhile.
fn prepare_directory(state: &State) -> Result<tempfile::TempDir, AuditError> {
    let directory = state.directory();
    let failed = |source| IoFault {
        action: "create the directory",
        path: directory.clone(),
        source,
    };
    fs::create_dir_all(&directory).map_err(failed)?;
    Ok(tempfile::tempdir_in(&directory).map_err(failed)?)
}

/// A report that ends with what is served not being what the checkpoint commits to.
fn fails(
    mut report: Report,
    state: &State,
    check: &str,
    fault: Fault,
) -> Result<Report, AuditError> {
    match fault {
        Fault::Site(error @ SiteError::Away { .. }) => Err(error.into()),
        fault => {
            report.add(check, Outcome::Fails, fault);
            Ok(finish(report, state))
        }
    }
}

/// Adds what all runs have found in entries.
fn finish(mut report: Report, state: &State) -> Report {
    let (findings, unjudged) = (state.findings(), state.unjudged());
    if findings.count > 0 {
        let says = format!("{} findings, of this run and those before", findings.count);
        report.add("findings", Outcome::Fails, says);
    }
    if unjudged.count > 0 {
        let waiting = state.waiting().len() as u64;
        let which = match unjudged.count.checked_sub(waiting) {
            None | Some(0) => String::from("they are"),
            Some(_) => format!("the first {waiting} are"),
        };
        let says = format!(
            "{} entries could not be judged, for want of documents; {which} judged by a later audit to which the documents are given",
            unjudged.count
        );
        report.add("documents", Outcome::Unchecked, says);
    }
    report.findings.clone_from(&findings.says);
    report.findings_count = findings.count;
    report.unjudged.clone_from(&unjudged.says);
    report.unjudged_count = unjudged.count;
    report
}

/// The keys of an archive, as its ledger records them.
fn ledger_keys(
    state: &dyn crate::fold::Tables,
    origin: &crate::merkle::KeyName,
    size: u64,
) -> Result<Vec<NoteKey>, FoldError> {
    let keys = admission::checkpoint_keys(state, size)?;
    let named = |key| NoteKey::new(origin.clone(), NoteKeyType::Log, key);
    Ok(keys.into_iter().map(named).collect())
}

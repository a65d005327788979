//! A sled database as files on disk, handled while sled does not have it open: creating it so
//! that a power cut leaves the whole or nothing, making what it holds durable before sled
//! draws conclusions from it, copying it to be examined, and looking for what must not be there.
//!
//! sled 0.34.7 keeps `conf`, the log `db`, at most one `snap.<lsn>` and the directory `blobs/`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::fault::{Attempt, IoFault};
use super::guard::{EngineFault, guarded};
use super::lock_file::LockFile;
use super::sync::{Syncer, beside};

/// How many of the newest segments are written again before sled opens. What one commit writes,
/// a few leaf pages of at most a quarter segment each, touches two; opening touches the newest.
const SEGMENTS_REWRITTEN: usize = 4;

/// A segment begins with a checksum (4 bytes) and its log sequence number (8 bytes,
/// little-endian, with all bits but the sign flipped).
const SEGMENT_LSN_AT: u64 = 4;
const SEGMENT_LSN_MASK: i64 = i64::MAX;

/// How often, and how far apart, the lock is tried for: five seconds in all. sled's threads let go
/// of a database that was just closed a moment after its handle is gone, and have to be given a
/// processor for it. Another daemon holds the lock of the whole directory, and is told of at once.
const LOCK_ATTEMPTS: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The smallest page cache: sled panics below 256 bytes, and crawls long before.
const CACHE_BYTES_MIN: u64 = 1 << 20;

/// The log file of the database in `dir`.
pub(super) fn log_path(dir: &Path) -> PathBuf {
    dir.join("db")
}

/// Opens a sled database, without a flusher of its own.
pub(super) fn open_sled(
    dir: &Path,
    segment_bytes: usize,
    cache_bytes: u64,
) -> Result<sled::Db, EngineFault> {
    guarded(|| {
        sled::Config::new()
            .path(dir)
            .segment_size(segment_bytes)
            .cache_capacity(cache_bytes.max(CACHE_BYTES_MIN))
            .flush_every_ms(None)
            .open()
    })
}

/// Creates an empty database at `dir`: under a temporary name, synced whole, then renamed, since
/// a creation that was cut short is something that sled calls corrupt.
pub(super) fn create(
    syncer: &dyn Syncer,
    dir: &Path,
    segment_bytes: usize,
) -> Result<(), EngineFault> {
    let creating = beside(dir, "creating");
    remove_dir(&creating)?;
    let db = open_sled(&creating, segment_bytes, 0)?;
    syncer.flush(&mut || guarded(|| db.flush()).map(|_| ()).map_err(into_io))?;
    guarded(|| {
        drop(db);
        Ok::<(), io::Error>(())
    })?;
    sync_tree(syncer, &creating)?;
    syncer.rename(&creating, dir)?;
    syncer.sync_dir(dir.parent().unwrap_or(dir))?;
    Ok(())
}

/// A fault behind sled as the operating system's.
pub(super) fn into_io(fault: EngineFault) -> io::Error {
    match fault {
        EngineFault::Io(error) => error,
        other => io::Error::other(other),
    }
}

/// Removes a directory and all in it, if it is there.
pub(super) fn remove_dir(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Syncs every file below `dir`, then the directories from the innermost out, `dir` last.
pub(super) fn sync_tree(syncer: &dyn Syncer, dir: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            sync_tree(syncer, &path)?;
        } else {
            syncer.sync_file(&File::open(&path)?, &path)?;
        }
    }
    syncer.sync_dir(dir)
}

/// Removes `snap.*.generating`, which a kill during an open leaves and which makes every later
/// open fail.
pub(super) fn remove_half_snapshots(dir: &Path) -> Result<(), IoFault> {
    for name in names(dir)? {
        if name.starts_with("snap.") && name.ends_with(".generating") {
            let path = dir.join(&name);
            fs::remove_file(&path).attempt("remove", &path)?;
            tracing::info!(path = %path.display(), "removed a snapshot that was never finished");
        }
    }
    Ok(())
}

/// How many records left the log for files of their own, which are never synced. A copy may lack
/// a directory that was empty.
pub(super) fn blob_files(dir: &Path) -> Result<usize, IoFault> {
    let blobs = dir.join("blobs");
    if !blobs.try_exists().attempt("look for", &blobs)? {
        return Ok(0);
    }
    Ok(names(&blobs)?.len())
}

fn names(dir: &Path) -> Result<Vec<String>, IoFault> {
    fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect()
        })
        .attempt("list the directory", dir)
}

/// What a database's log is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// To be written.
    Write,
    /// To be read alone, where it may be that nothing can be written.
    Read,
}

/// Takes the lock that sled takes; `None` if somebody else has it. Must be let go of before
/// sled opens the database.
pub(super) fn try_lock(dir: &Path, access: Access) -> Result<Option<LockFile>, IoFault> {
    let path = log_path(dir);
    let mut file = OpenOptions::new()
        .read(true)
        .write(access == Access::Write)
        .open(&path)
        .attempt("open", &path)?;
    for _ in 0..LOCK_ATTEMPTS {
        match LockFile::try_lock(file) {
            Ok(held) => return Ok(Some(held)),
            Err((TryLockError::WouldBlock, unlocked)) => file = unlocked,
            Err((TryLockError::Error(error), _)) => return Err(error).attempt("lock", &path),
        }
        thread::sleep(LOCK_PAUSE);
    }
    Ok(None)
}

/// Makes durable what an earlier process wrote, before sled reads it.
///
/// After a failed sync the page cache shows bytes that are not on disk and that no later sync
/// writes, because the kernel takes them for clean. sled would recover from them and put a
/// snapshot on disk that points at them. Writing the same bytes again makes them dirty; what
/// was not synced lies in the newest segments, since sled writes only at the head of its log.
pub(super) fn rewrite_newest(
    syncer: &dyn Syncer,
    dir: &Path,
    log: &File,
    segment_bytes: usize,
) -> io::Result<()> {
    let length = log.metadata()?.len();
    let mut buffer = vec![0; segment_bytes];
    for at in newest_segments(log, length, segment_bytes as u64)? {
        let end = length.min(at + segment_bytes as u64);
        let Some(bytes) = usize::try_from(end - at)
            .ok()
            .and_then(|bytes| buffer.get_mut(..bytes))
        else {
            continue;
        };
        log.read_exact_at(bytes, at)?;
        log.write_all_at(bytes, at)?;
    }
    syncer.sync_data(log, &log_path(dir))
}

/// Offsets of the [`SEGMENTS_REWRITTEN`] segments that were written last.
fn newest_segments(log: &File, length: u64, segment_bytes: u64) -> io::Result<Vec<u64>> {
    let mut newest: Vec<(i64, u64)> = Vec::new();
    let mut at = 0;
    while at < length {
        let mut lsn = [0; 8];
        if length - at >= SEGMENT_LSN_AT + 8 {
            log.read_exact_at(&mut lsn, at + SEGMENT_LSN_AT)?;
        }
        let lsn = i64::from_le_bytes(lsn) ^ SEGMENT_LSN_MASK;
        // A segment that was freed and blanked, or whose header is damaged, has no such number.
        if lsn >= 0 && lsn.cast_unsigned().is_multiple_of(segment_bytes) {
            newest.push((lsn, at));
            newest.sort_unstable_by(|a, b| b.cmp(a));
            newest.truncate(SEGMENTS_REWRITTEN);
        }
        at += segment_bytes;
    }
    Ok(newest.into_iter().map(|(_, at)| at).collect())
}

/// Copies the database in `from` to `to`, so that it can be opened without changing a byte of
/// the original. `blobs/` is left empty, as it must be.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), IoFault> {
    remove_dir(to).attempt("remove", to)?;
    let blobs = to.join("blobs");
    fs::create_dir_all(&blobs).attempt("create the directory", &blobs)?;
    for name in names(from)? {
        let path = from.join(&name);
        if name != "blobs" && !name.ends_with(".generating") {
            copy_file(&path, &to.join(&name)).attempt("copy", &path)?;
        }
    }
    Ok(())
}

/// Copies a file's bytes, not its permissions: the copy is to be opened, whatever the original
/// lies on.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    io::copy(&mut from, &mut File::create(to)?).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::sync::DiskSyncer;
    use super::*;

    const SEGMENT: usize = 512;
    /// One segment further on in the log.
    const NEXT: i64 = 512;

    fn log_with_lsns(path: &Path, lsns: &[i64], last_bytes: u64) -> File {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap();
        for (segment, lsn) in lsns.iter().enumerate() {
            let at = (segment * SEGMENT) as u64 + SEGMENT_LSN_AT;
            file.write_all_at(&(lsn ^ SEGMENT_LSN_MASK).to_le_bytes(), at)
                .unwrap();
        }
        file.set_len(((lsns.len() - 1) * SEGMENT) as u64 + last_bytes)
            .unwrap();
        file
    }

    #[test]
    fn the_newest_segments_are_those_with_the_highest_sequence_numbers_wherever_they_lie() {
        let dir = tempfile::tempdir().unwrap();
        let lsns = [7 * NEXT, NEXT, 9 * NEXT + 1, 8 * NEXT, 2 * NEXT, 5 * NEXT];
        let log = log_with_lsns(&dir.path().join("db"), &lsns, 40);
        let length = log.metadata().unwrap().len();
        let segments = newest_segments(&log, length, SEGMENT as u64).unwrap();
        let numbers: Vec<u64> = segments.iter().map(|at| at / SEGMENT as u64).collect();
        assert_eq!(numbers, [3, 0, 5, 4]);
    }

    #[test]
    fn the_newest_segments_of_a_real_log_include_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        let db = open_sled(&path, SEGMENT, 1 << 20).unwrap();
        for key in 0..2_000_u64 {
            db.insert(key.to_be_bytes(), b"value".to_vec()).unwrap();
            db.flush().unwrap();
        }
        let log = File::open(log_path(&path)).unwrap();
        let length = log.metadata().unwrap().len();
        assert!(length > 10 * SEGMENT as u64);
        let segments = newest_segments(&log, length, SEGMENT as u64).unwrap();
        assert_eq!(segments.len(), SEGMENTS_REWRITTEN);
        let needle = 1_999_u64.to_be_bytes();
        let found = segments.iter().any(|at| {
            let mut bytes = vec![0; SEGMENT.min(usize::try_from(length - at).unwrap())];
            log.read_exact_at(&mut bytes, *at).unwrap();
            bytes.windows(8).any(|window| window == needle)
        });
        assert!(found, "the last key is not in the segments {segments:?}");
    }

    #[test]
    fn rewriting_changes_no_byte_and_ends_in_a_sync() {
        let dir = tempfile::tempdir().unwrap();
        let log = log_with_lsns(&dir.path().join("db"), &[0, NEXT, 2 * NEXT], 100);
        let before = fs::read(dir.path().join("db")).unwrap();
        let syncer = super::super::RecordingSyncer::below(dir.path());
        rewrite_newest(&syncer, dir.path(), &log, SEGMENT).unwrap();
        assert_eq!(syncer.take(), ["sync_data db"]);
        assert_eq!(fs::read(dir.path().join("db")).unwrap(), before);
    }

    #[test]
    fn rewriting_writes_and_does_not_only_sync() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        log_with_lsns(&path, &[0, NEXT], 100);
        let unwritable = File::open(&path).unwrap();
        assert!(rewrite_newest(&DiskSyncer, dir.path(), &unwritable, SEGMENT).is_err());
    }

    #[test]
    fn a_half_written_snapshot_is_removed_and_a_whole_one_stays() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["snap.00AA", "snap.00BB.generating", "conf"] {
            fs::write(dir.path().join(name), b"x").unwrap();
        }
        remove_half_snapshots(dir.path()).unwrap();
        let mut left = names(dir.path()).unwrap();
        left.sort();
        assert_eq!(left, ["conf", "snap.00AA"]);
    }

    #[test]
    fn a_database_that_is_open_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sled");
        create(&DiskSyncer, &path, SEGMENT).unwrap();
        assert!(try_lock(&path, Access::Write).unwrap().is_some());
        let db = open_sled(&path, SEGMENT, 1 << 20).unwrap();
        assert!(try_lock(&path, Access::Write).unwrap().is_none());
        drop(db);
    }
}

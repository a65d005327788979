//! The sync seam: every call on which durability rests goes through a [`Syncer`], so that a
//! test can pass in one that records the calls and their order, or fails one of them.
//!
//! The rules it serves: a file is synced before it is renamed into place, a directory after a
//! name in it changed, and sled's `flush` is followed by an fdatasync of the database file,
//! because `flush` ends in `sync_file_range`, which does not reach a disk's own cache.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::fault::{Attempt, IoFault};

/// Makes writes durable. See the module.
pub trait Syncer: Send + Sync + fmt::Debug {
    /// Has a database hand what it buffers to the operating system, by calling `write_out`.
    fn flush(&self, write_out: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()>;

    /// Syncs a file's bytes and length (fdatasync), also those that another handle wrote.
    fn sync_data(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Syncs a file's bytes and all that is known about it (fsync).
    fn sync_file(&self, file: &File, path: &Path) -> io::Result<()>;

    /// Syncs the names in a directory.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Renames a file or directory, in place of whatever file bore that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The real thing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskSyncer;

impl Syncer for DiskSyncer {
    fn flush(&self, write_out: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        write_out()
    }

    fn sync_data(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_file(&self, file: &File, _path: &Path) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}

/// Puts `bytes` into the file at `path`, durably, in place of what it held: at every moment it
/// holds the old bytes or the new ones.
pub fn replace_file(syncer: &dyn Syncer, path: &Path, bytes: &[u8]) -> Result<(), IoFault> {
    let new = beside(path, "new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&new)
        .attempt("create", &new)?;
    file.write_all(bytes).attempt("write", &new)?;
    syncer.sync_file(&file, &new).attempt("sync", &new)?;
    syncer.rename(&new, path).attempt("replace", path)?;
    // A name alone lies in the directory that the process works in.
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let dir = parent.unwrap_or(Path::new("."));
    syncer.sync_dir(dir).attempt("sync the directory", dir)
}

/// Sees to it that the directory `dir` is in its parent, durably: one that is there already
/// may have been made just before a crash.
pub(super) fn make_dir(syncer: &dyn Syncer, dir: &Path) -> Result<(), IoFault> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error).attempt("create the directory", dir);
        }
        _ => {}
    }
    let parent = dir.parent().unwrap_or(dir);
    syncer
        .sync_dir(parent)
        .attempt("sync the directory", parent)
}

/// `path` with `.suffix` after its whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

#[cfg(test)]
pub(crate) mod recording {
    use std::sync::Mutex;

    use super::*;

    /// Does what [`DiskSyncer`] does, keeps a list of it with paths relative to a directory,
    /// and fails the calls that it was told to.
    #[derive(Debug)]
    pub(crate) struct RecordingSyncer {
        root: PathBuf,
        state: Mutex<State>,
    }

    #[derive(Debug, Default)]
    struct State {
        calls: Vec<String>,
        failing: Option<(String, io::ErrorKind)>,
    }

    impl RecordingSyncer {
        pub(crate) fn below(root: &Path) -> Self {
            Self {
                root: root.to_owned(),
                state: Mutex::default(),
            }
        }

        /// The calls since the last time this was asked.
        pub(crate) fn take(&self) -> Vec<String> {
            std::mem::take(&mut self.state.lock().unwrap().calls)
        }

        /// From here on, calls that are recorded with this beginning fail. Nothing is done then.
        pub(crate) fn fail(&self, call: &str, kind: io::ErrorKind) {
            self.state.lock().unwrap().failing = Some((call.to_owned(), kind));
        }

        /// From here on, nothing fails.
        pub(crate) fn heal(&self) {
            self.state.lock().unwrap().failing = None;
        }

        fn record(&self, verb: &str, paths: &[&Path]) -> io::Result<()> {
            let mut call = verb.to_owned();
            for path in paths {
                let path = path.strip_prefix(&self.root).unwrap_or(path);
                call.push(' ');
                call.push_str(&path.to_string_lossy());
            }
            let mut state = self.state.lock().unwrap();
            let failing = match &state.failing {
                Some((beginning, kind)) if call.starts_with(beginning) => Some(*kind),
                _ => None,
            };
            state.calls.push(call);
            failing.map_or(Ok(()), |kind| Err(kind.into()))
        }
    }

    impl Syncer for RecordingSyncer {
        fn flush(&self, write_out: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
            self.record("flush", &[])?;
            DiskSyncer.flush(write_out)
        }

        fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
            self.record("sync_data", &[path])?;
            DiskSyncer.sync_data(file, path)
        }

        fn sync_file(&self, file: &File, path: &Path) -> io::Result<()> {
            self.record("sync_file", &[path])?;
            DiskSyncer.sync_file(file, path)
        }

        fn sync_dir(&self, dir: &Path) -> io::Result<()> {
            self.record("sync_dir", &[dir])?;
            DiskSyncer.sync_dir(dir)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.record("rename", &[from, to])?;
            DiskSyncer.rename(from, to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::recording::RecordingSyncer;
    use super::*;

    #[test]
    fn a_replaced_file_is_synced_then_renamed_then_its_directory_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let syncer = RecordingSyncer::below(dir.path());
        let path = dir.path().join("HEAD");
        replace_file(&syncer, &path, b"new").unwrap();
        assert_eq!(
            syncer.take(),
            ["sync_file HEAD.new", "rename HEAD.new HEAD", "sync_dir "]
        );
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_file_whose_new_bytes_cannot_be_synced_keeps_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let syncer = RecordingSyncer::below(dir.path());
        let path = dir.path().join("HEAD");
        replace_file(&syncer, &path, b"old").unwrap();
        syncer.fail("sync_file", io::ErrorKind::StorageFull);
        let fault = replace_file(&syncer, &path, b"new").unwrap_err();
        assert!(fault.is_disk_full());
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}

//! A lock on a file, held as long as the handle is and no longer.
//!
//! A process that is forked meanwhile has the file open, too, until it begins its own program: so
//! the lock is let go of by name. Closing the file would leave it to whoever has it last.

use std::fs::{File, TryLockError};

/// See the module.
#[derive(Debug)]
pub(crate) struct LockFile(File);

impl LockFile {
    /// Locks a file; what stands in the way gives it back, where that is another who has locked it.
    pub fn try_lock(file: File) -> Result<Self, (TryLockError, File)> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(error) => Err((error, file)),
        }
    }

    /// The file.
    pub const fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "a lock is let go of once its file is closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_handle_though_a_process_that_was_forked_has_the_file_open() {
        let home = tempfile::tempdir().unwrap();
        let open = || File::create(home.path().join("LOCK")).unwrap();
        let lock = LockFile::try_lock(open()).unwrap();
        // As a fork has it: the same open file by another descriptor.
        let inherited = lock.file().try_clone().unwrap();
        assert!(matches!(
            LockFile::try_lock(open()),
            Err((TryLockError::WouldBlock, _))
        ));
        drop(lock);
        LockFile::try_lock(open()).unwrap();
        drop(inherited);
    }
}

//! Secret keys in files: one text file a key, for its owner alone.
//!
//! ```text
//! # An onrecord signing key (steward). Its public part is 64 hex digits.
//! # Whoever reads this file can sign in its owner's name.
//! onrecord-ed25519-seed 64 hex digits
//! ```
//!
//! A file is made anew with mode 0600 and never written over; one that others may read is
//! refused, as its key may have been read. Lines that begin with `#` say nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;

use crate::record::SigningKey;

/// What stands before the seed.
const LABEL: &str = "onrecord-ed25519-seed";

/// The longest key file that is read, in bytes: a few comments and one line of 86.
const FILE_BYTES_MAX: u64 = 4096;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Why a key file cannot be used. Each says in one sentence what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is something already.
    #[error("{} exists already; name another file, or move that one away", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing.
    #[error("there is no key at {}; make one with `onrecord keygen`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read it.
    #[error("{} can be read by others (mode {mode:04o}); replace the key, or if nobody has read it run `chmod 600 {}`", path.display(), path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It does not hold a key.
    #[error("{} is not a key file; such a file holds one line, `{LABEL}` and 64 lower-case hex digits", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// An operation on it failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },
}

/// Writes the key that `seed` stands for into a new file, durably. `purpose` says in a few
/// words what the key is for, to whoever opens the file.
pub fn write_new(path: &Path, seed: [u8; 32], purpose: &str) -> Result<SigningKey, KeyFileError> {
    let key = SigningKey::from_seed(seed);
    let purpose = purpose.replace(char::is_control, " ");
    let text = format!(
        "# An onrecord signing key ({purpose}). Its public part is {}.\n\
         # Whoever reads this file can sign in its owner's name.\n\
         {LABEL} {}\n",
        key.public(),
        HEXLOWER.encode(&seed)
    );
    let io = |action| move |source| failed(action, path, source);
    // Written whole beside its place, so that no half of a key is ever found there.
    let new = path.with_added_extension("new");
    match fs::remove_file(&new) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &new, source));
        }
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(io("create"))?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(io("write"))
        // Unlike a rename, a link is never put in place of something else.
        .and_then(|()| {
            fs::hard_link(&new, path).map_err(|source| match source.kind() {
                io::ErrorKind::AlreadyExists => KeyFileError::Exists {
                    path: path.to_owned(),
                },
                _ => failed("create", path, source),
            })
        });
    let removed = fs::remove_file(&new).map_err(|source| failed("remove", &new, source));
    written.and(removed)?;
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| failed("sync the directory", directory, source))?;
    Ok(key)
}

/// Reads a key.
pub fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing {
            path: path.to_owned(),
        },
        _ => failed("open", path, source),
    })?;
    let metadata = file
        .metadata()
        .map_err(|source| failed("examine", path, source))?;
    let not_a_key = || KeyFileError::NotAKey {
        path: path.to_owned(),
    };
    if !metadata.is_file() {
        return Err(not_a_key());
    }
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(|source| failed("read", path, source))?;
    let seed = std::str::from_utf8(&text).ok().and_then(parse);
    let seed = seed.ok_or_else(not_a_key)?;
    if metadata.mode() & OTHERS != 0 {
        return Err(KeyFileError::Readable {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
        });
    }
    Ok(SigningKey::from_seed(seed))
}

/// A seed from the system's randomness.
pub fn new_seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

/// The one line that is neither empty nor a comment.
fn parse(text: &str) -> Option<[u8; 32]> {
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let mut lines = text.lines().map(str::trim).filter(said);
    let (label, hex) = lines.next()?.split_once(' ')?;
    let seed = HEXLOWER.decode(hex.trim().as_bytes()).ok()?;
    let alone = lines.next().is_none();
    seed.try_into().ok().filter(|_| alone && label == LABEL)
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_read_back_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steward.key");
        let key = write_new(&path, [7; 32], "steward").unwrap();
        assert_eq!(key.public(), SigningKey::from_seed([7; 32]).public());
        assert_eq!(read(&path).unwrap().public(), key.public());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steward.key");
        write_new(&path, [7; 32], "steward").unwrap();
        let again = write_new(&path, [8; 32], "steward");
        assert!(matches!(again, Err(KeyFileError::Exists { .. })));
        let kept = SigningKey::from_seed([7; 32]).public();
        assert_eq!(read(&path).unwrap().public(), kept);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("steward.key");
        write_new(&path, [7; 32], "steward").unwrap();
        for mode in [0o640, 0o604, 0o620] {
            set_mode(&path, mode);
            let error = read(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Readable { .. }));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        set_mode(&path, 0o400);
        assert!(read(&path).is_ok());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other");
        let hex = "07".repeat(32);
        for text in [
            String::new(),
            "# only a comment\n".to_owned(),
            hex.clone(),
            format!("{LABEL} {}", hex.get(2..).unwrap()),
            format!("{LABEL} {}", hex.replace('7', "G")),
            format!("another-label {hex}"),
            format!("{LABEL} {hex}\n{LABEL} {hex}\n"),
        ] {
            fs::write(&path, &text).unwrap();
            // What is no key is not told to be kept better.
            for mode in [0o600, 0o644] {
                set_mode(&path, mode);
                assert!(
                    matches!(read(&path), Err(KeyFileError::NotAKey { .. })),
                    "{text:?}"
                );
            }
        }
        assert!(matches!(
            read(dir.path()),
            Err(KeyFileError::NotAKey { .. })
        ));
        assert!(matches!(
            read(&dir.path().join("nothing")),
            Err(KeyFileError::Missing { .. })
        ));
    }
}

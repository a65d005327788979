//! Where a backup may be written, and for whom: whoever reaches the daemon must not have it write
//! wherever it may. Without a directory for backups, only those are heard who ask on the daemon's
//! own machine, and not through a proxy there.

use std::path::{Component, Path, PathBuf};

use tonic::Request;

use super::proto::CreateBackupRequest;
use super::{Failure, Reason};
use crate::record::quoted;
use crate::storage::{FaultKind, lies_in};

/// What proxies add to say for whom they ask (RFC 7239, and what was there before it).
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Who asks for a backup, and where it is to be.
pub struct Asked {
    directory: String,
    /// Whether whoever asks is on the daemon's own machine.
    is_here: bool,
}

impl Asked {
    /// What a request asks for.
    pub fn of(request: &Request<CreateBackupRequest>) -> Self {
        let peer = request.remote_addr();
        let is_loopback = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
        let is_forwarded = FORWARDED
            .iter()
            .any(|name| request.metadata().contains_key(*name));
        Self {
            directory: request.get_ref().directory.clone(),
            is_here: is_loopback && !is_forwarded,
        }
    }

    /// The directory to write to, if that is allowed.
    pub fn place(&self, backup_dir: Option<&Path>) -> Result<PathBuf, Failure> {
        let directory = PathBuf::from(&self.directory);
        let refused = |why: &str, accepted: String| {
            let message = format!("{} {why}", quoted(&self.directory));
            Err(Failure::invalid("directory", message, accepted))
        };
        if !directory.is_absolute() {
            return refused(
                "does not begin at the root",
                "the whole path, from / on, of an empty or absent directory on the daemon's machine"
                    .to_owned(),
            );
        }
        if directory.components().any(|it| it == Component::ParentDir) {
            return refused("goes up with ..", "a path without ..".to_owned());
        }
        let Some(backup_dir) = backup_dir else {
            if self.is_here {
                return Ok(directory);
            }
            return Err(Failure::new(
                Reason::BackupNotAllowed,
                "a backup is written for those alone who ask on the daemon's own machine, as the setting backup_dir names no directory for others",
            ));
        };
        match lies_in(&directory, backup_dir) {
            Ok(true) => Ok(directory),
            Ok(false) => {
                let accepted = format!("a directory below {}", backup_dir.display());
                refused("does not lie where backups may be written", accepted)
            }
            Err(error) if error.kind() == FaultKind::Operator => {
                refused("cannot be looked at", error.to_string())
            }
            Err(error) => Err(Failure::stored(error.kind(), error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn asked(directory: &Path, is_here: bool) -> Asked {
        Asked {
            directory: directory.display().to_string(),
            is_here,
        }
    }

    fn refused(asked: &Asked, backup_dir: Option<&Path>) -> tonic::Status {
        asked.place(backup_dir).unwrap_err().into()
    }

    #[test]
    fn without_a_directory_for_backups_only_those_on_the_machine_have_one_written() {
        let place = Path::new("/anywhere/at/all");
        assert_eq!(asked(place, true).place(None).unwrap(), place);
        let status = refused(&asked(place, false), None);
        assert_eq!(status.code(), Code::PermissionDenied);
        assert!(status.message().contains("backup_dir"), "{status}");
    }

    #[test]
    fn with_one_anybody_has_them_written_below_it_and_nobody_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        let backups = home.path().join("backups");
        std::fs::create_dir(&backups).unwrap();
        std::os::unix::fs::symlink(home.path(), backups.join("link")).unwrap();
        let fit = backups.join("2026/05");
        for is_here in [true, false] {
            assert_eq!(asked(&fit, is_here).place(Some(&backups)).unwrap(), fit);
            for (outside, says) in [
                (home.path().join("other"), "does not lie"),
                (home.path().join("backups-2"), "does not lie"),
                (backups.join("link/other"), "does not lie"),
                (backups.join("new/../../other"), "goes up"),
                (PathBuf::from("backups/new"), "from / on"),
            ] {
                let status = refused(&asked(&outside, is_here), Some(&backups));
                assert_eq!(status.code(), Code::InvalidArgument);
                assert!(status.message().contains(says), "{outside:?}: {status}");
            }
        }
    }

    #[test]
    fn who_asks_through_a_proxy_is_not_on_the_machine() {
        use tonic::transport::server::TcpConnectInfo;
        let from = |peer: &str| {
            let mut request = Request::new(CreateBackupRequest::default());
            request.extensions_mut().insert(TcpConnectInfo {
                local_addr: None,
                remote_addr: Some(peer.parse().unwrap()),
            });
            request
        };
        for here in ["127.0.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            assert!(Asked::of(&from(here)).is_here, "{here}");
        }
        assert!(!Asked::of(&from("192.0.2.1:9")).is_here);
        assert!(!Asked::of(&Request::new(CreateBackupRequest::default())).is_here);
        for name in FORWARDED {
            let mut forwarded = from("127.0.0.1:9");
            let value = "192.0.2.1".parse().unwrap();
            forwarded.metadata_mut().insert(name, value);
            assert!(!Asked::of(&forwarded).is_here, "{name}");
        }
    }
}

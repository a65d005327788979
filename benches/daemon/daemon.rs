//! The real daemon as a child process on a free port.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use onrecord::rpc::proto::GetStatusRequest;
use onrecord::rpc::proto::admin_service_client::AdminServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::Fallible;

/// A running daemon, ended when dropped.
pub struct Daemon {
    directory: PathBuf,
    child: Child,
    address: String,
}

impl Daemon {
    /// Starts a daemon on a directory, founding the archive if there is none.
    pub fn start(directory: &Path) -> Fallible<Self> {
        let (child, address) = spawn(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            child,
            address,
        })
    }

    /// Starts the daemon again after its end.
    pub fn restart(&mut self) -> Fallible<()> {
        (self.child, self.address) = spawn(&self.directory)?;
        Ok(())
    }

    /// Ends the daemon cleanly.
    pub fn stop(&mut self) -> Fallible<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends the daemon with kill -9.
    pub fn kill(&mut self) -> Fallible<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends the daemon and removes what it derived from the ledger.
    pub fn forget_projections(&mut self) -> Fallible<()> {
        self.stop()?;
        fs::remove_dir_all(self.data().join("projections"))?;
        fs::create_dir(self.data().join("projections"))?;
        Ok(())
    }

    /// A connection of its own.
    pub async fn connect(&self) -> Fallible<Channel> {
        connect(self.address.clone()).await
    }

    /// Waits until every projection has read the whole ledger.
    pub async fn caught_up(&self) -> Fallible<()> {
        let mut admin = AdminServiceClient::new(self.connect().await?);
        loop {
            let status = admin.get_status(GetStatusRequest {}).await?.into_inner();
            let size = status.head.map(|head| head.size);
            let behind = |cursor: Option<u64>| cursor != size;
            if let Some(failed) = status.projections.iter().find(|p| !p.failed.is_empty()) {
                return Err(format!("{} failed: {}", failed.name, failed.failed).into());
            }
            if !status
                .projections
                .iter()
                .any(|p| behind(p.cursor.as_ref().map(|c| c.size)))
            {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// The steward's secret seed.
    pub fn steward_seed(&self) -> Fallible<[u8; 32]> {
        let is_key = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains("steward") && path.extension().is_some_and(|e| e == "key")
        };
        let file = files(&self.directory)?.into_iter().find(is_key);
        let text = fs::read_to_string(file.ok_or("no steward's key")?)?;
        let seed = text.split_whitespace().rfind(|word| word.len() == 64);
        let seed = data_encoding::HEXLOWER.decode(seed.ok_or("no seed")?.as_bytes())?;
        Ok(seed.as_slice().try_into()?)
    }

    /// Resident memory.
    pub fn resident_bytes(&self) -> Fallible<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kilobytes.ok_or("no VmHWM")?.parse::<u64>()? * 1024)
    }

    /// What the ledger takes on disk.
    pub fn bytes_on_disk(&self) -> Fallible<u64> {
        let sizes = files(&self.data().join("ledger"))?;
        sizes.iter().map(|path| Ok(fs::metadata(path)?.len())).sum()
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Flow control windows, wide enough that 64 calls in flight never wait for one.
pub const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Of a whole connection.
pub const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// A connection to a server.
pub async fn connect(address: String) -> Fallible<Channel> {
    let endpoint = Endpoint::from_shared(address)?
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    Ok(endpoint.connect().await?)
}

fn spawn(directory: &Path) -> Fallible<(Child, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onrecord"))
        .arg("serve")
        .arg("--data")
        .arg(directory.join("data"))
        .args(["--origin", "bench.example.org", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("http"));
    let address = address
        .ok_or_else(|| format!("no address in {line:?}"))?
        .to_owned();
    Ok((child, address))
}

/// All files below a directory.
fn files(directory: &Path) -> Fallible<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

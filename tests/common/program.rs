//! The real program: run to its end, or as a daemon that serves.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;
use tokio::net::TcpSocket;

/// The program, in an environment of its own.
pub fn onrecord() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("onrecord"));
    command.env_remove("ONRECORD_SERVER").env_remove("NO_COLOR");
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// The files below a directory, in order.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code, and shows everything if it is another.
    #[track_caller]
    pub fn code(self, expected: i32) -> Self {
        assert_eq!(
            self.code,
            Some(expected),
            "stdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Asserts that standard output holds `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "no {text:?} in:\n{}", self.out);
        self
    }

    /// Asserts that standard error holds `text`.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no {text:?} in:\n{}", self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A port of this machine that is kept from everybody who asks for a free one. Whoever connects to
/// it is refused, until a daemon is started there by name; and again once that has ended.
pub struct Port {
    /// Bound, and never listened on.
    _held: TcpSocket,
    /// The address, with the port.
    pub address: String,
}

impl Port {
    pub fn held() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        // Of several that are bound so, one may listen.
        held.set_reuseaddr(true).unwrap();
        held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = held.local_addr().unwrap().to_string();
        Self {
            _held: held,
            address,
        }
    }

    /// Where a client looks for a daemon.
    pub fn server(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A directory with an archive in it, and the daemon that serves it.
pub struct Daemon {
    pub home: TempDir,
    child: Child,
    out: BufReader<ChildStdout>,
    /// The line that it wrote once it was ready.
    pub ready: String,
    /// Its address.
    pub server: String,
}

impl Daemon {
    /// Founds an archive in a new directory and serves it.
    pub fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), &[])
    }

    /// Serves the archive in `home`, on a free port.
    pub fn start_in(home: TempDir, arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", home, arguments)
    }

    /// Serves the archive in `home`, at an address.
    pub fn start_at(address: &str, home: TempDir, arguments: &[&str]) -> Self {
        let mut child = onrecord()
            .current_dir(home.path())
            .args(["serve", "--listen", address])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        let server = ready
            .split_whitespace()
            .find(|word| word.starts_with("http://"));
        let stderr = || std::fs::read_to_string(home.path().join("stderr")).unwrap();
        let server = server
            .unwrap_or_else(|| panic!("not ready: {ready:?}\n{}", stderr()))
            .to_owned();
        Self {
            home,
            child,
            out,
            ready,
            server,
        }
    }

    /// What it told on standard error so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.home.path().join("stderr")).unwrap()
    }

    /// Runs a command against it.
    pub fn ask(&self, arguments: &[&str]) -> Ended {
        run(onrecord()
            .args(arguments)
            .env("ONRECORD_SERVER", &self.server)
            .current_dir(self.home.path()))
    }

    /// Waits until the newest checkpoint commits to all that is on record.
    pub fn wait_for_checkpoint(&self) {
        loop {
            let status = self.ask(&["status", "--json"]).json();
            if status["checkpoints"]["size"] == status["head"]["size"] {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// The key that the archive signs checkpoints with, as its keeper tells it once it has.
    pub fn verifier_key(&self) -> String {
        self.ask(&["checkpoint"]).code(0);
        let status = self.ask(&["status", "--json"]).code(0).json();
        let key = status["checkpoints"]["keys"][0].as_str();
        key.unwrap().to_owned()
    }

    /// The steward's key, made at founding.
    pub fn key(&self) -> PathBuf {
        let mut keys: Vec<PathBuf> = std::fs::read_dir(self.home.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "key"))
            .collect();
        assert_eq!(keys.len(), 1, "one key file: {keys:?}");
        keys.remove(0)
    }

    /// Appends a copy of the example that lies beside the archive.
    pub fn append_example(&self) -> Ended {
        let example = self.home.path().join("example");
        if !example.exists() {
            copy_example(&example);
        }
        let key = self.key();
        self.ask(&[
            "append",
            "--key",
            key.to_str().unwrap(),
            "example/records.jsonl",
        ])
    }

    /// Kills it as a power cut would (SIGKILL), and gives back where it lived.
    pub fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.disarm()
    }

    /// Asks it to end (SIGTERM); gives back how it ended and what else it wrote on standard
    /// output.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        let killed = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (status, rest)
    }

    /// Asks it to end (SIGTERM), and gives back where it lived.
    pub fn terminate_in_place(mut self) -> TempDir {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success());
        self.disarm()
    }

    fn disarm(&mut self) -> TempDir {
        std::mem::replace(&mut self.home, tempfile::tempdir().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example as it stands in the repository.
pub fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/alaska-summit")
}

/// Copies the example's records and documents.
pub fn copy_example(to: &Path) {
    std::fs::create_dir_all(to.join("sources")).unwrap();
    std::fs::copy(example().join("records.jsonl"), to.join("records.jsonl")).unwrap();
    for entry in std::fs::read_dir(example().join("sources")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join("sources").join(entry.file_name())).unwrap();
    }
}

//! A witness after C2SP tlog-witness, on a socket of this machine, that does as a test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use onrecord::config;
use onrecord::merkle::{
    AddCheckpoint, Checkpoint, CosignatureTime, Hash, NoteKey, WitnessKey, WitnessSize, cosign,
    empty_root,
};
use onrecord::record::SigningKey;

/// No request is longer.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

/// What a witness does with a request.
pub enum Reply {
    /// It answers.
    Answer(u16, Vec<u8>),
    /// It says nothing until it goes.
    Stall,
}

/// What a witness knows.
pub struct Memory {
    pub key: SigningKey,
    pub name: String,
    /// The verifier key of the archive.
    pub log: NoteKey,
    pub size: u64,
    pub root: Hash,
    /// What it tells as the time, in seconds.
    pub time: u64,
}

impl Memory {
    /// As the specification has it.
    pub fn honest(&mut self, request: &AddCheckpoint) -> Reply {
        let Ok(checkpoint) = Checkpoint::open(request.note(), &self.log) else {
            return Reply::Answer(403, b"unknown key\n".to_vec());
        };
        if request.old() != self.size {
            let size = WitnessSize(self.size).to_string();
            return Reply::Answer(409, size.into_bytes());
        }
        let proof = request.proof();
        let new = (checkpoint.size(), checkpoint.root());
        if self.size > 0 && proof.verify(self.size, new.0, &self.root, &new.1).is_err() {
            return Reply::Answer(422, Vec::new());
        }
        (self.size, self.root) = new;
        Reply::Answer(200, self.line(&checkpoint))
    }

    /// The cosignature on `checkpoint`, whatever it has seen.
    pub fn line(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let time = CosignatureTime::from_unix_seconds(self.time).unwrap();
        let name = self.name.parse().unwrap();
        format!("{}\n", cosign(checkpoint, name, &self.key, time)).into_bytes()
    }
}

type Behavior = Box<dyn Fn(&mut Memory, &AddCheckpoint) -> Reply + Send + Sync>;

/// A running witness.
pub struct TestWitness {
    pub memory: Arc<Mutex<Memory>>,
    behavior: Arc<Mutex<Behavior>>,
    address: SocketAddr,
    stop: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl TestWitness {
    pub fn start(
        seed: u8,
        log: NoteKey,
        behavior: impl Fn(&mut Memory, &AddCheckpoint) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let memory = Arc::new(Mutex::new(Memory {
            key: SigningKey::from_seed([seed; 32]),
            name: format!("witness-{seed}.example"),
            log,
            size: 0,
            root: empty_root(),
            time: 1_756_700_000 + u64::from(seed),
        }));
        let behavior: Arc<Mutex<Behavior>> = Arc::new(Mutex::new(Box::new(behavior)));
        let stop = Arc::new(Mutex::new(false));
        let (known, does, stopped) = (memory.clone(), behavior.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            // Those that are kept waiting.
            let mut stalled: Vec<TcpStream> = Vec::new();
            for stream in listener.incoming() {
                if *stopped.lock().unwrap() {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(request) = request(&stream) else {
                    continue;
                };
                let reply = does.lock().unwrap()(&mut known.lock().unwrap(), &request);
                match reply {
                    Reply::Answer(status, body) => answer(&mut stream, status, &body),
                    Reply::Stall => stalled.push(stream),
                }
            }
        });
        Self {
            memory,
            behavior,
            address,
            stop,
            thread: Some(thread),
        }
    }

    pub fn honest(seed: u8, log: NoteKey) -> Self {
        Self::start(seed, log, Memory::honest)
    }

    /// From here on it does something else.
    pub fn becomes(
        &self,
        behavior: impl Fn(&mut Memory, &AddCheckpoint) -> Reply + Send + Sync + 'static,
    ) {
        *self.behavior.lock().unwrap() = Box::new(behavior);
    }

    pub fn key(&self) -> WitnessKey {
        let memory = self.memory.lock().unwrap();
        WitnessKey::new(memory.name.parse().unwrap(), memory.key.public())
    }

    pub fn setting(&self) -> config::Witness {
        config::Witness {
            key: self.key().note_key().to_string(),
            url: format!("http://{}/log/", self.address),
        }
    }

    pub fn size(&self) -> u64 {
        self.memory.lock().unwrap().size
    }
}

impl Drop for TestWitness {
    fn drop(&mut self) {
        *self.stop.lock().unwrap() = true;
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().unwrap().join();
        assert!(std::thread::panicking() || ended.is_ok());
    }
}

/// The request on a connection; none if there is none that can be read.
fn request(stream: &TcpStream) -> Option<AddCheckpoint> {
    // A client that says nothing is a failure to be seen soon.
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut reader = BufReader::new(stream).take(REQUEST_BYTES_MAX);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(
        line.starts_with("POST /log/add-checkpoint HTTP/1.1"),
        "{line}"
    );
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(AddCheckpoint::parse(&body).expect("a request that can be read"))
}

fn answer(stream: &mut TcpStream, status: u16, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} told\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // Whoever asked may have gone.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body);
    let _ = stream.shutdown(Shutdown::Write);
}

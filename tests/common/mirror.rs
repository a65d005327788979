//! A mirror of an archive's tiles: a small static file server, apart from everything that the
//! daemon is built of, whose files a test may doctor.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use onrecord::merkle::{
    BundleId, Checkpoint, Hash, TileId, TilePath, decode_bundle, encode_bundle, leaf_hash,
    new_bundles, new_tiles, root_of,
};
use onrecord::record::SigningKey;

use super::http;

/// What stands at each path, without the slash before it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A server of files.
pub struct Mirror {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: Mutex<Files>,
    /// The path that is not answered, and who is told that it was asked for.
    held: Mutex<Option<(String, Sender<()>)>>,
    asked: Mutex<Vec<String>>,
}

impl Mirror {
    pub fn of(files: Files) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        *shared.files.lock().unwrap() = files;
        let serving = Arc::clone(&shared);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.answer(stream));
            }
        });
        Self { url, shared }
    }

    /// Serves other files from now on.
    pub fn set(&self, files: Files) {
        *self.shared.files.lock().unwrap() = files;
    }

    /// Has nobody get an answer at `path`; tells once somebody waits for one.
    pub fn hold(&self, path: &str) -> Receiver<()> {
        let (told, asked) = channel();
        *self.shared.held.lock().unwrap() = Some((path.to_owned(), told));
        asked
    }

    /// Answers at every path again.
    pub fn release(&self) {
        *self.shared.held.lock().unwrap() = None;
    }

    /// What was asked for since this was asked last.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().unwrap())
    }
}

impl Shared {
    /// Answers one request.
    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let first = lines.next().and_then(Result::ok).unwrap_or_default();
        while lines
            .next()
            .and_then(Result::ok)
            .is_some_and(|it| !it.is_empty())
        {}
        let path = first
            .strip_prefix("GET /")
            .and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
        let Some(path) = path else {
            // Whoever speaks gRPC finds nobody who does.
            return;
        };
        if let Some((held, told)) = &*self.held.lock().unwrap()
            && held == path
        {
            // Nobody may wait for it any more.
            let _ = told.send(());
            std::mem::forget(stream);
            return;
        }
        self.asked.lock().unwrap().push(path.to_owned());
        let found = self.files.lock().unwrap().get(path).cloned();
        let (status, body) = match found {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", Vec::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // A client that has gone away needs none.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body);
    }
}

/// Everything that checks an archive of the checkpoint that it shows, read by GET.
pub fn copied(address: SocketAddr) -> Files {
    let get = |path: &str| {
        let answer = http::get(address, &format!("/{path}"));
        assert_eq!(answer.status, 200, "{path}");
        answer.body
    };
    let note = get("checkpoint");
    let size = size_of(&note);
    let tiles = new_tiles(0, size).map(TilePath::from);
    let bundles = new_bundles(0, size).map(TilePath::from);
    let mut files: Files = tiles
        .chain(bundles)
        .map(|path| path.to_string())
        .map(|path| (path.clone(), get(&path)))
        .collect();
    files.insert("checkpoint".to_owned(), note);
    files
}

/// The size that a checkpoint names.
pub fn size_of(note: &[u8]) -> u64 {
    let text = std::str::from_utf8(note).unwrap();
    text.lines().nth(1).unwrap().parse().unwrap()
}

/// The entries that such files hold.
pub fn entries(files: &Files) -> Vec<Vec<u8>> {
    let size = size_of(&files["checkpoint"]);
    let mut entries = Vec::new();
    for bundle in new_bundles(0, size) {
        let bytes = &files[&TilePath::from(bundle).to_string()];
        let decoded = decode_bundle(bytes, bundle.width()).unwrap();
        entries.extend(decoded.into_iter().map(<[u8]>::to_vec));
    }
    entries
}

/// The files of an archive with these entries, whose checkpoint `key` signs.
pub fn signed(entries: &[Vec<u8>], origin: &str, key: &SigningKey) -> Files {
    let leaves: Vec<Hash> = entries.iter().map(|it| leaf_hash(it)).collect();
    let size = entries.len() as u64;
    let origin = origin.parse().unwrap();
    let checkpoint = Checkpoint::new(origin, size, root_of(&leaves)).unwrap();
    let mut files = Files::new();
    files.insert(
        "checkpoint".to_owned(),
        checkpoint.sign(key).to_string().into_bytes(),
    );
    for id in new_tiles(0, size) {
        files.insert(TilePath::from(id).to_string(), tile(&leaves, id));
    }
    for id in new_bundles(0, size) {
        files.insert(TilePath::from(id).to_string(), bundle(entries, id));
    }
    files
}

fn tile(leaves: &[Hash], id: TileId) -> Vec<u8> {
    let under = 256_usize.pow(u32::from(id.level()));
    let first = usize::try_from(id.index()).unwrap() * 256 * under;
    let hashes = leaves[first..].chunks_exact(under).map(root_of);
    let hashes = hashes.take(usize::from(id.width()));
    hashes.flat_map(|hash| *hash.as_bytes()).collect()
}

fn bundle(entries: &[Vec<u8>], id: BundleId) -> Vec<u8> {
    let first = usize::try_from(id.first_entry()).unwrap();
    let entries = &entries[first..][..usize::from(id.width())];
    encode_bundle(entries.iter().map(Vec::as_slice)).unwrap()
}

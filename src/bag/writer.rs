//! Writes a bag: every file hashed as it is written, the tag files last. A bag that is given up
//! is taken away; one that a kill cut short has no `bagit.txt`, and is none.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha512};

use super::error::BagError;

/// How much of a file is in memory at a time.
const CHUNK_BYTES: usize = 256 << 10;

const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const MANIFEST: &str = "manifest-sha512.txt";

/// The lines of `bag-info.txt` beside those that the writer counts by itself, in order.
pub type BagInfo<'a> = [(&'a str, &'a str)];

/// See the module.
#[derive(Debug)]
pub struct BagWriter {
    root: PathBuf,
    manifest: BufWriter<File>,
    manifest_hash: Sha512,
    bytes: u64,
    files: u64,
    is_new: bool,
    is_finished: bool,
}

impl BagWriter {
    /// Begins a bag in `root`, which is missing or an empty directory.
    pub fn begin(root: &Path) -> Result<Self, BagError> {
        let is_new = !root.exists();
        if !is_new {
            let mut entries = fs::read_dir(root).map_err(at(root))?;
            if entries.next().is_some() {
                return Err(BagError::NotEmpty {
                    path: root.to_owned(),
                });
            }
        }
        let data = root.join("data");
        fs::create_dir_all(&data).map_err(at(&data))?;
        let path = root.join(MANIFEST);
        let manifest = File::create(&path).map_err(at(&path))?;
        Ok(Self {
            root: root.to_owned(),
            manifest: BufWriter::new(manifest),
            manifest_hash: Sha512::new(),
            bytes: 0,
            files: 0,
            is_new,
            is_finished: false,
        })
    }

    /// Adds the file `name`, as it is written below `data/`: letters, digits, `.`, `-` and `/`.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), BagError> {
        self.add_from(name, bytes).map(drop)
    }

    /// As [`add`](Self::add), with the bytes that `from` gives; how many they are.
    pub fn add_from(&mut self, name: &str, mut from: impl Read) -> Result<u64, BagError> {
        let path = self.root.join("data").join(name);
        let failed = at(&path);
        let (bytes, hash) = copy_hashed(&path, &mut from).map_err(failed)?;
        let line = format!("{hash}  data/{name}\n");
        self.manifest_hash.update(line.as_bytes());
        let written = self.manifest.write_all(line.as_bytes());
        written.map_err(at(&self.root.join(MANIFEST)))?;
        self.bytes += bytes;
        self.files += 1;
        Ok(bytes)
    }

    /// How many bytes the files have so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the tag files and syncs all of it.
    pub fn finish(mut self, info: &BagInfo<'_>) -> Result<(), BagError> {
        self.manifest
            .flush()
            .map_err(at(&self.root.join(MANIFEST)))?;
        let mut text = String::new();
        for (name, value) in info {
            let _ = writeln!(text, "{name}: {value}");
        }
        let _ = writeln!(text, "Payload-Oxum: {}.{}", self.bytes, self.files);
        self.tag("bag-info.txt", &text)?;
        let hash = |text: &str| HEXLOWER.encode(&Sha512::digest(text));
        let manifest_hash = HEXLOWER.encode(&self.manifest_hash.clone().finalize());
        let tags = format!(
            "{}  bag-info.txt\n{}  bagit.txt\n{manifest_hash}  {MANIFEST}\n",
            hash(&text),
            hash(DECLARATION)
        );
        self.tag("tagmanifest-sha512.txt", &tags)?;
        self.sync()?;
        self.tag("bagit.txt", DECLARATION)?;
        self.sync()?;
        self.is_finished = true;
        Ok(())
    }

    fn tag(&self, name: &str, text: &str) -> Result<(), BagError> {
        let path = self.root.join(name);
        fs::write(&path, text).map_err(at(&path))
    }

    /// Syncs the whole file system that the bag lies on: it may have files by the ten thousand.
    fn sync(&self) -> Result<(), BagError> {
        let root = File::open(&self.root).map_err(at(&self.root))?;
        let synced = rustix::fs::syncfs(&root).map_err(io::Error::from);
        synced.map_err(at(&self.root))
    }

    fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(self.root.join("data"))?;
        for entry in fs::read_dir(&self.root)? {
            fs::remove_file(entry?.path())?;
        }
        if self.is_new {
            fs::remove_dir(&self.root)?;
        }
        Ok(())
    }
}

impl Drop for BagWriter {
    fn drop(&mut self) {
        if !self.is_finished
            && let Err(error) = self.remove()
        {
            let path = self.root.display();
            tracing::warn!(%path, %error, "a bag that was given up could not be removed");
        }
    }
}

/// Writes a new file, and those above it; its bytes and SHA-512.
fn copy_hashed(path: &Path, from: &mut impl Read) -> io::Result<(u64, String)> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create_new(path)?;
    let (mut hasher, mut bytes) = (Sha512::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk)?;
        let Some(read) = chunk.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        hasher.update(read);
        file.write_all(read)?;
        bytes += read.len() as u64;
    }
    Ok((bytes, HEXLOWER.encode(&hasher.finalize())))
}

/// Names the file that an operation failed on.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BagError + use<> {
    let path = path.to_owned();
    move |error| BagError::File { path, error }
}

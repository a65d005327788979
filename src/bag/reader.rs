//! Reads a bag, and believes its files only as far as the manifests vouch for them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest as _, Sha512};

use super::error::BagError;
use super::writer::at;

/// The longest tag file that is read whole, and the longest line of a manifest.
const TAG_BYTES_MAX: u64 = 64 << 10;

/// How much of a file is in memory at a time.
const CHUNK_BYTES: usize = 256 << 10;

const HASH_BYTES: usize = 64;

/// A bag whose every file is what its manifests say.
#[derive(Debug)]
pub struct BagReader {
    root: PathBuf,
    /// The payload, by the name below `data/`.
    files: BTreeMap<String, [u8; HASH_BYTES]>,
    info: Vec<(String, String)>,
}

impl BagReader {
    /// Opens the bag in `root` and holds every file against its manifest, telling `progress` of
    /// the bytes that it has read.
    pub fn open(root: &Path, mut progress: impl FnMut(u64)) -> Result<Self, BagError> {
        let declared = tag(root, "bagit.txt")?;
        if !declared.starts_with("BagIt-Version: 1.0\n")
            && !declared.starts_with("BagIt-Version: 0.97\n")
        {
            return Err(not_a_bag(
                root,
                "bagit.txt declares no version that is read here",
            ));
        }
        for (name, expected) in manifest(root, "tagmanifest-sha512.txt")? {
            held_against(root, &name, &expected, &mut |_| {})?;
        }
        let mut files = BTreeMap::new();
        let (mut bytes, mut count) = (0, 0_u64);
        for (name, expected) in manifest(root, "manifest-sha512.txt")? {
            let Some(below) = name.strip_prefix("data/") else {
                return Err(not_a_bag(
                    root,
                    "manifest-sha512.txt names a file beside data/",
                ));
            };
            bytes += held_against(root, &name, &expected, &mut progress)?;
            count += 1;
            files.insert(below.to_owned(), expected);
        }
        nothing_beside(root, &files)?;
        let info = parse_info(&tag(root, "bag-info.txt")?);
        let oxum = format!("{bytes}.{count}");
        let said = info.iter().find(|(name, _)| name == "Payload-Oxum");
        if said.is_some_and(|(_, said)| *said != oxum) {
            return Err(not_a_bag(
                root,
                "its payload has not the size that Payload-Oxum says",
            ));
        }
        Ok(Self {
            root: root.to_owned(),
            files,
            info,
        })
    }

    /// What `bag-info.txt` says of `name`.
    #[must_use]
    pub fn info(&self, name: &str) -> Option<&str> {
        let mut info = self.info.iter();
        info.find(|(key, _)| key == name)
            .map(|(_, value)| &value[..])
    }

    /// Whether the payload has this file.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The names of the payload's files that begin so.
    pub fn names<'a>(&'a self, begins: &'a str) -> impl Iterator<Item = &'a str> {
        let from = self.files.range(begins.to_owned()..);
        from.map(|(name, _)| &name[..])
            .take_while(move |name| name.starts_with(begins))
    }

    /// Opens a file of the payload.
    pub fn open_file(&self, name: &str) -> Result<File, BagError> {
        if !self.has(name) {
            return Err(BagError::Manifest {
                name: format!("data/{name}"),
                problem: "missing from the manifest",
            });
        }
        let path = self.root.join("data").join(name);
        File::open(&path).map_err(at(&path))
    }

    /// A file of the payload, which has at most `bytes_max` bytes.
    pub fn read(&self, name: &str, bytes_max: usize) -> Result<Vec<u8>, BagError> {
        let mut bytes = Vec::new();
        let file = self.open_file(name)?;
        let limit = bytes_max as u64 + 1;
        let read = file.take(limit).read_to_end(&mut bytes);
        read.map_err(at(&self.root.join("data").join(name)))?;
        if bytes.len() > bytes_max {
            return Err(BagError::Manifest {
                name: format!("data/{name}"),
                problem: "larger than any such file",
            });
        }
        Ok(bytes)
    }
}

fn not_a_bag(root: &Path, why: &str) -> BagError {
    BagError::NotABag {
        path: root.to_owned(),
        why: why.to_owned(),
    }
}

/// A tag file, whole.
fn tag(root: &Path, name: &str) -> Result<String, BagError> {
    let path = root.join(name);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(not_a_bag(root, &format!("it has no {name}")));
        }
        other => other.map_err(at(&path))?,
    };
    let mut text = String::new();
    let read = file.take(TAG_BYTES_MAX).read_to_string(&mut text);
    read.map_err(at(&path))?;
    Ok(text)
}

/// Refuses a payload with a file that its manifest does not list: a bag is complete only if each
/// stands in every manifest of the payload (RFC 8493, section 3).
fn nothing_beside(
    root: &Path,
    listed: &BTreeMap<String, [u8; HASH_BYTES]>,
) -> Result<(), BagError> {
    let mut open = vec![PathBuf::from("data")];
    while let Some(directory) = open.pop() {
        let path = root.join(&directory);
        for entry in fs::read_dir(&path).map_err(at(&path))? {
            let entry = entry.map_err(at(&path))?;
            let name = directory.join(entry.file_name());
            if entry.file_type().map_err(at(&path))?.is_dir() {
                open.push(name);
                continue;
            }
            let below = name.strip_prefix("data").ok().and_then(Path::to_str);
            if below.is_none_or(|below| !listed.contains_key(below)) {
                return Err(BagError::Manifest {
                    name: name.display().to_string(),
                    problem: "listed in no manifest",
                });
            }
        }
    }
    Ok(())
}

/// The lines of `bag-info.txt`; those that continue another are passed over.
fn parse_info(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// The files of a manifest, each with its hash.
fn manifest(root: &Path, name: &str) -> Result<Vec<(String, [u8; HASH_BYTES])>, BagError> {
    let path = root.join(name);
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(not_a_bag(root, &format!("it has no {name}")));
        }
        other => other.map_err(at(&path))?,
    };
    let malformed = || {
        not_a_bag(
            root,
            &format!("{name} has a line that is none of a manifest"),
        )
    };
    let mut reader = BufReader::new(file);
    let mut files = Vec::new();
    loop {
        let mut line = String::new();
        let read = (&mut reader).take(TAG_BYTES_MAX).read_line(&mut line);
        if read.map_err(at(&path))? == 0 {
            return Ok(files);
        }
        let (hash, name) = line
            .trim_end()
            .split_once([' ', '\t'])
            .ok_or_else(malformed)?;
        let hash = HEXLOWER_PERMISSIVE.decode(hash.as_bytes());
        let hash = hash.ok().and_then(|hash| hash.try_into().ok());
        let name = name.trim_start_matches([' ', '\t', '*']);
        let is_inside = !name.starts_with('/') && !name.split('/').any(|part| part == "..");
        match hash.filter(|_| is_inside) {
            Some(hash) => files.push((name.to_owned(), hash)),
            None => return Err(malformed()),
        }
    }
}

/// Holds a file against its hash; its size.
fn held_against(
    root: &Path,
    name: &str,
    expected: &[u8; HASH_BYTES],
    progress: &mut impl FnMut(u64),
) -> Result<u64, BagError> {
    let wrong = |problem| BagError::Manifest {
        name: name.to_owned(),
        problem,
    };
    let path = root.join(name);
    if !fs::symlink_metadata(&path).is_ok_and(|it| it.is_file()) {
        return Err(wrong("missing"));
    }
    let mut file = File::open(&path).map_err(at(&path))?;
    let (mut hasher, mut bytes) = (Sha512::new(), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk).map_err(at(&path))?;
        let Some(read) = chunk.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        hasher.update(read);
        bytes += read.len() as u64;
        progress(read.len() as u64);
    }
    if hasher.finalize()[..] == expected[..] {
        Ok(bytes)
    } else {
        Err(wrong("damaged"))
    }
}

//! The example archive, as it ships inside the binary.

use std::io;
use std::path::{Path, PathBuf};

/// The example's file of records.
pub const RECORDS: &str = "records.jsonl";

/// The example's directory of documents.
const SOURCES: &str = "sources";

/// The example's directory of the files of other verifiers, by number and by the name of the key
/// that signs each. A copy may lack it.
const TRUST: &str = "trust";

/// Whose files the steward's key signs.
pub const STEWARD: &str = "steward";

macro_rules! files {
    ($($path:literal,)+) => {
        /// The example's files, by their paths in it.
        const FILES: &[(&str, &str)] = &[$((
            $path,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/examples/alaska-summit/",
                $path
            )),
        ),)+];
    };
}

files! {
    "records.jsonl",
    "sources/digest-0807.txt",
    "sources/digest-0809.txt",
    "sources/digest-0815.txt",
    "sources/digest-0818.txt",
    "sources/digest-0819.txt",
    "sources/digest-0822.txt",
    "sources/digest-0903.txt",
    "sources/digest-europe.txt",
    "trust/1-steward.jsonl",
    "trust/2-freelance.jsonl",
    "trust/3-newsroom.jsonl",
    "trust/4-desk.jsonl",
    "trust/5-steward.jsonl",
    "trust/6-newsroom.jsonl",
}

/// Writes the example into `directory`, which exists.
pub fn unpack(directory: &Path) -> io::Result<()> {
    std::fs::create_dir(directory.join(SOURCES))?;
    std::fs::create_dir(directory.join(TRUST))?;
    for (path, text) in FILES {
        std::fs::write(directory.join(path), text)?;
    }
    Ok(())
}

/// Copies a directory of the example's form into `directory`, which exists: its records and
/// its documents, and nothing that lies beside them. An error names what cannot be copied.
pub fn copy(from: &Path, directory: &Path) -> Result<(), (PathBuf, io::Error)> {
    let records = from.join(RECORDS);
    std::fs::copy(&records, directory.join(RECORDS)).map_err(|error| (records, error))?;
    copy_files(&from.join(SOURCES), &directory.join(SOURCES), |_| true)?;
    let trust = from.join(TRUST);
    if trust.is_dir() {
        let is_records = |path: &Path| path.extension().is_some_and(|it| it == "jsonl");
        copy_files(&trust, &directory.join(TRUST), is_records)?;
    }
    Ok(())
}

fn copy_files(
    from: &Path,
    to: &Path,
    wanted: impl Fn(&Path) -> bool,
) -> Result<(), (PathBuf, io::Error)> {
    let of = |path: &Path| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    std::fs::create_dir(to).map_err(of(to))?;
    for entry in std::fs::read_dir(from).map_err(of(from))? {
        let path = entry.map_err(of(from))?.path();
        if let (true, Some(name)) = (path.is_file() && wanted(&path), path.file_name()) {
            std::fs::copy(&path, to.join(name)).map_err(of(&path))?;
        }
    }
    Ok(())
}

/// The files of other verifiers in an example's directory, in their order, each with the name of
/// the key that signs it: `3-newsroom.jsonl` is the newsroom's.
pub fn trust(example: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let directory = example.join(TRUST);
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str());
        if let Some((_, key)) = name.and_then(|name| name.split_once('-')) {
            let key = key.to_owned();
            files.push((path, key));
        }
    }
    files.sort();
    Ok(files)
}

/// Where the key of this name lies, which the files of other verifiers name.
pub fn key(example: &Path, name: &str) -> PathBuf {
    example.join(TRUST).join(format!("{name}.key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_records_name_is_in_the_binary() {
        let records = FILES.iter().find(|(path, _)| *path == RECORDS).unwrap().1;
        let mut named: Vec<&str> = records
            .split(r#""file": ""#)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let mut shipped: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        shipped.retain(|path| path.starts_with(SOURCES));
        named.sort_unstable();
        shipped.sort_unstable();
        assert_eq!(named, shipped);
    }
}

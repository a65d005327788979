//! The example archive, as it ships inside the binary.

use std::io;
use std::path::{Path, PathBuf};

/// The example's file of records.
pub const RECORDS: &str = "records.jsonl";

/// The example's directory of documents.
const SOURCES: &str = "sources";

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
}

/// Writes the example into `directory`, which exists.
pub fn unpack(directory: &Path) -> io::Result<()> {
    std::fs::create_dir(directory.join(SOURCES))?;
    for (path, text) in FILES {
        std::fs::write(directory.join(path), text)?;
    }
    Ok(())
}

/// Copies a directory of the example's form into `directory`, which exists: its records and
/// its documents, and nothing that lies beside them. An error names what cannot be copied.
pub fn copy(from: &Path, directory: &Path) -> Result<(), (PathBuf, io::Error)> {
    let of = |path: PathBuf| move |error| (path, error);
    let records = from.join(RECORDS);
    std::fs::copy(&records, directory.join(RECORDS)).map_err(of(records))?;
    let sources = directory.join(SOURCES);
    std::fs::create_dir(&sources).map_err(of(sources.clone()))?;
    let documents = from.join(SOURCES);
    for entry in std::fs::read_dir(&documents).map_err(of(documents.clone()))? {
        let path = entry.map_err(of(documents.clone()))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            std::fs::copy(&path, sources.join(name)).map_err(of(path.clone()))?;
        }
    }
    Ok(())
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
        shipped.retain(|path| *path != RECORDS);
        named.sort_unstable();
        shipped.sort_unstable();
        assert_eq!(named, shipped);
    }
}

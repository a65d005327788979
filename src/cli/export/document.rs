//! A JSON document written as it comes: an opening, one line an item, a closing.
//!
//! It is JSON only once it is closed. A file is written beside its place and moved there then.

use std::io::{self, BufWriter, Stdout, Write};
use std::path::PathBuf;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::cli::error::CliError;
use crate::cli::transfer;

/// A document under way.
pub struct Document {
    out: Out,
    /// Until there is something to say: what fails at once leaves standard output empty.
    opening: String,
    items: u64,
}

enum Out {
    Stdout(BufWriter<Stdout>),
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
}

impl Document {
    /// Begins a document in the file at `path`, or else on standard output. `opening` ends
    /// where the first item stands.
    pub fn open(path: Option<PathBuf>, opening: String) -> Result<Self, CliError> {
        let out = match path {
            None => Out::Stdout(BufWriter::new(io::stdout())),
            Some(path) => Out::File {
                file: BufWriter::new(transfer::file_to_be(&path)?),
                path,
            },
        };
        Ok(Self {
            out,
            opening,
            items: 0,
        })
    }

    /// Adds an item, on a line of its own.
    pub fn item(&mut self, item: &Value) -> Result<(), CliError> {
        let separator = if self.items == 0 { "\n" } else { ",\n" };
        self.begin()?;
        self.items += 1;
        self.write(separator)?;
        self.write(&item.to_string())
    }

    /// How many items it has.
    pub const fn items(&self) -> u64 {
        self.items
    }

    /// Ends the document.
    pub fn close(mut self, closing: &str) -> Result<(), CliError> {
        self.begin()?;
        self.write("\n")?;
        self.write(closing)?;
        self.write("\n")?;
        match self.out {
            Out::Stdout(mut out) => Ok(out.flush()?),
            Out::File { file, path } => {
                let whole = file.into_inner().map_err(io::IntoInnerError::into_error);
                let placed = whole.and_then(|file| Ok(file.persist(&path)?));
                placed.map_err(|error| transfer::write_error(&path, error))?;
                Ok(())
            }
        }
    }

    fn begin(&mut self) -> Result<(), CliError> {
        let opening = std::mem::take(&mut self.opening);
        self.write(&opening)
    }

    fn write(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.out {
            Out::Stdout(out) => Ok(out.write_all(text.as_bytes())?),
            Out::File { file, path } => {
                let written = file.write_all(text.as_bytes());
                written.map_err(|error| transfer::write_error(path, error))
            }
        }
    }
}

//! Standard output: written whole, and an error if nobody takes it.

use std::io::Write as _;
use std::path::Path;

use super::error::CliError;

/// Writes `text`, with a line end if it has none.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// Writes bytes as they are.
pub fn write(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

/// Writes `text` to a file, in place of what was there.
pub fn save(path: &Path, text: &str) -> Result<(), CliError> {
    save_bytes(path, text.as_bytes())
}

/// Writes `bytes` to a file, in place of what was there.
pub fn save_bytes(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| CliError::Write {
        path: path.to_owned(),
        error,
    })
}

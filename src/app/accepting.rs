//! Accepting a ledger as it is found, where `HEAD`, which would vouch for its length, is missing
//! or damaged: what somebody does who knows by other means that nothing is missing.
//!
//! Every frame is verified, on a copy; then `HEAD` is noted anew. A `HEAD` that can be read is
//! left alone, whatever the ledger beside it holds.

use super::AppError;
use super::stores::frames_options;
use crate::config::Config;
use crate::ledger::{Head, verify_chain};
use crate::storage::{DataDir, DataDirError, FrameStore as _, SledFrames};

/// Notes what the ledger at `config.data_dir` holds, and answers it; none if there is nothing
/// to accept, as `HEAD` can be read or no entry is there.
pub fn accept_ledger_as_found(config: &Config) -> Result<Option<Head>, AppError> {
    let dir = DataDir::open(&config.data_dir)?;
    match dir.read_head() {
        Ok(None) | Err(DataDirError::HeadDamaged { .. }) => {}
        Ok(Some(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let ledger = dir.parts().ledger();
    if !SledFrames::exists(&ledger) {
        return Ok(None);
    }
    let copy = SledFrames::open_copy(&ledger, &frames_options(config, &dir))?;
    if copy.next_index() == 0 {
        return Ok(None);
    }
    let head = verify_chain(&copy)?;
    dir.write_head(&head.into())?;
    Ok(Some(head))
}

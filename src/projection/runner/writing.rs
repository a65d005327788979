//! Writes a batch on a thread of its own, so that the next one is folded beside.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::JoinHandle;

use super::RunnerError;
use super::projection::Opened;
use crate::fold::Batch;
use crate::storage::{ProjectionStore as _, TableError, give_way};

/// A batch on its way into a file of tables that are being built. Dropping it waits for its end,
/// so that nobody writes who is not known of.
pub(super) struct Writing {
    batch: Arc<Batch>,
    /// None once it was waited for.
    thread: Option<JoinHandle<Result<(), TableError>>>,
}

impl Writing {
    /// Begins to write.
    pub(super) fn start(
        name: String,
        opened: Arc<Opened>,
        batch: Batch,
    ) -> Result<Self, RunnerError> {
        let batch = Arc::new(batch);
        let written = Arc::clone(&batch);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            give_way();
            opened.tables.ingest(&written.sorted())
        });
        Ok(Self {
            batch,
            thread: Some(thread.map_err(RunnerError::Thread)?),
        })
    }

    /// What is being written: until it was waited for, readers may or may not find it in the
    /// tables.
    pub(super) fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Waits until it is written; gives back the batch, whose memory is of use for another.
    pub(super) fn wait(mut self) -> Result<Batch, TableError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written?,
            Some(Err(panic)) => resume_unwind(panic),
            None => {}
        }
        let batch = std::mem::take(&mut self.batch);
        Ok(Arc::into_inner(batch).unwrap_or_default())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Whoever drops it does not ask what came of it.
            let _ = thread.join();
        }
    }
}

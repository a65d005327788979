//! The checkpoints that are published: what gRPC and HTTP hand out.
//!
//! A handle shows the newest note that was signed, with the cosignatures that have joined it,
//! and the newest that a quorum of witnesses has cosigned. A note that is shown never comes to
//! say another size or root; it may come to bear further signatures.

use std::sync::Arc;

use tokio::sync::watch;

use crate::merkle::Hash;
use crate::record::Micros;

/// A signed checkpoint as it is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedNote {
    /// The C2SP signed note, whole: text, signatures of the archive, cosignatures.
    pub note: String,
    /// How many entries it commits to.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
    /// When the archive signed it, by its own clock, which nobody vouches for.
    pub signed_at: Micros,
    /// The time by which a quorum of witnesses had seen it, by their clocks; none while no
    /// quorum has, or where the archive names no witnesses.
    pub witnessed_at: Option<Micros>,
}

/// What a [`Published`] shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The newest that was signed; none before the first.
    pub newest: Option<Arc<PublishedNote>>,
    /// The newest that a quorum has cosigned; none if none has in this run.
    pub witnessed: Option<Arc<PublishedNote>>,
}

/// A cheap handle on the checkpoints that are published. Clones show the same ones.
#[derive(Clone, Debug)]
pub struct Published {
    notes: Arc<watch::Sender<Notes>>,
}

impl Default for Published {
    fn default() -> Self {
        Self::new()
    }
}

impl Published {
    /// Nothing is published yet.
    #[must_use]
    pub fn new() -> Self {
        let notes = watch::Sender::new(Notes::default());
        Self {
            notes: Arc::new(notes),
        }
    }

    /// The newest signed checkpoint; none before the first of this run.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<PublishedNote>> {
        self.notes.borrow().newest.clone()
    }

    /// The newest checkpoint that a quorum of witnesses has cosigned; none if none has in this
    /// run.
    #[must_use]
    pub fn witnessed(&self) -> Option<Arc<PublishedNote>> {
        self.notes.borrow().witnessed.clone()
    }

    /// The notes as they change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Notes> {
        self.notes.subscribe()
    }

    /// Waits for a checkpoint of at least `size` entries. For ever, if there never is one: the
    /// caller bounds the wait.
    pub async fn wait_for_size(&self, size: u64) -> Arc<PublishedNote> {
        let mut notes = self.watch();
        loop {
            let newest = notes.borrow_and_update().newest.clone();
            if let Some(note) = newest.filter(|note| note.size >= size) {
                return note;
            }
            if notes.changed().await.is_err() {
                // This handle holds the sender.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Changes what is shown.
    pub(super) fn change(&self, change: impl FnOnce(&mut Notes)) {
        self.notes.send_modify(change);
    }
}

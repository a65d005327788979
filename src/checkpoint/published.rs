//! The checkpoints that are published: what gRPC and HTTP hand out.
//!
//! A handle shows the newest note that was signed, with the cosignatures that have joined it,
//! and the newest that a quorum of witnesses has cosigned. A note that is shown never comes to
//! say another size or root; it may come to bear further signatures.

use std::sync::Arc;

use tokio::sync::watch;

use super::not_signing::NotSigning;
use crate::merkle::{Hash, NoteKey};
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
    /// When the last of these entries was recorded, by the archive's clock; none of none.
    pub recorded_at: Option<Micros>,
    /// When the archive signed it, by its own clock, which nobody vouches for.
    pub signed_at: Micros,
    /// The time by which a quorum of witnesses had seen it, by their clocks; none while no
    /// quorum has, or where the archive names no witnesses.
    pub witnessed_at: Option<Micros>,
    /// The archive's keys that signed it.
    pub keys: Vec<NoteKey>,
}

/// What a [`Published`] shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The newest that was signed; none before the first.
    pub newest: Option<Arc<PublishedNote>>,
    /// The newest that a quorum has cosigned; none if none has in this run.
    pub witnessed: Option<Arc<PublishedNote>>,
    /// Why nothing is signed; none while the signer follows the ledger.
    pub not_signing: Option<NotSigning>,
}

impl Notes {
    /// Whether no checkpoint will come by itself. Tiles that are behind are waited for.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let why = self.not_signing.as_ref();
        why.is_some_and(|why| !matches!(why, NotSigning::Behind { .. }))
    }
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

    /// All that is shown.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.notes.borrow().clone()
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

    /// Why nothing is signed; none while the signer follows the ledger.
    #[must_use]
    pub fn not_signing(&self) -> Option<NotSigning> {
        self.notes.borrow().not_signing.clone()
    }

    /// Shows a checkpoint that was just signed. What kept it from being signed has passed, if it
    /// can.
    pub(crate) fn publish(&self, note: PublishedNote) {
        self.notes.send_modify(|notes| {
            notes.newest = Some(Arc::new(note));
            notes.not_signing.take_if(|why| why.may_pass());
        });
    }

    /// Says why nothing is signed, unless there is a reason that does not pass; whether that is
    /// news.
    pub(crate) fn halt(&self, why: &NotSigning) -> bool {
        self.notes.send_if_modified(|notes| {
            let before = notes.not_signing.as_ref();
            if before == Some(why) || before.is_some_and(|before| !before.may_pass()) {
                return false;
            }
            notes.not_signing = Some(why.clone());
            true
        })
    }

    /// Shows a checkpoint with the cosignatures that have joined it: in place of itself, and
    /// as the newest that is witnessed, if it is.
    pub(super) fn join(&self, note: PublishedNote) {
        let note = Arc::new(note);
        let size = |note: &Option<Arc<PublishedNote>>| note.as_ref().map_or(0, |note| note.size);
        self.notes.send_modify(|notes| {
            if size(&notes.newest) == note.size {
                notes.newest = Some(Arc::clone(&note));
            }
            if note.witnessed_at.is_some() && size(&notes.witnessed) <= note.size {
                notes.witnessed = Some(note);
            }
        });
    }
}

//! The admission state: what the checks need to know of the ledger below an entry.
//!
//! A fold of the ledger in tables of its own, read and extended by the sequencer alone, so
//! that entry *i* is judged by exactly the entries below *i*. It keeps the newest version of
//! each definition and one small row a record; texts and payloads stay where they are.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fold::{FoldError, Tables, near};
use crate::record::near::did_you_mean;
use crate::record::proto::{ActorKind, Role, WithholdingScope};
use crate::record::{ContentId, Interval, Micros, Slug, Term};

/// A table of the admission state. The name starts the keys of its rows.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Table {
    Archive = b'o',
    Policy = b'p',
    Verifier = b'v',
    Record = b'r',
    Actor = b'a',
    Mandate = b'm',
    MandateOf = b'M',
    Topic = b't',
    Codebook = b'T',
    Milestone = b'e',
    Source = b's',
    Text = b'x',
    AddedWords = b'w',
    Untrusted = b'u',
    CheckpointKey = b'k',
    Witnesses = b'W',
}

impl Table {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Policy => "policy",
            Self::Verifier => "verifier",
            Self::Record => "record",
            Self::Actor => "actor",
            Self::Mandate => "mandate",
            Self::MandateOf => "mandate-of",
            Self::Topic => "topic",
            Self::Codebook => "codebook",
            Self::Milestone => "milestone",
            Self::Source => "source",
            Self::Text => "text",
            Self::AddedWords => "added-words",
            Self::Untrusted => "untrusted",
            Self::CheckpointKey => "checkpoint-key",
            Self::Witnesses => "witnesses",
        }
    }

    /// The key of the row that `parts` name, in order. Parts of variable length are slugs,
    /// which hold no zero byte.
    pub fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                key.push(0);
            }
            key.extend_from_slice(part);
        }
        key
    }

    /// Reads the row that `parts` name.
    pub fn get<Row: DeserializeOwned>(
        self,
        state: &dyn Tables,
        parts: &[&[u8]],
    ) -> Result<Option<Row>, FoldError> {
        let row = state.get(&self.key(parts))?;
        row.map(|bytes| self.decode(&bytes)).transpose()
    }

    /// What to ask whoever names a slug that has no row in this table, of slugs: empty if none
    /// comes near.
    pub fn did_you_mean(self, state: &dyn Tables, slug: &str) -> Result<String, FoldError> {
        let near = near(state, &self.key(&[]), slug, |key| {
            std::str::from_utf8(key).ok()
        })?;
        Ok(did_you_mean(&near))
    }

    pub fn decode<Row: DeserializeOwned>(self, bytes: &[u8]) -> Result<Row, FoldError> {
        postcard::from_bytes(bytes).map_err(|_| FoldError::Row { table: self.name() })
    }
}

/// The archive, once it is founded.
#[derive(Serialize, Deserialize)]
pub struct ArchiveRow {
    pub origin: String,
    /// How many verifiers were ever enrolled: the number of the next.
    pub verifiers: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct PolicyRow {
    pub attestations_min: u32,
}

/// A verifier. Its number is what other rows call it by.
#[derive(Clone, Serialize, Deserialize)]
pub struct VerifierRow {
    pub number: u32,
    pub roles: Vec<i32>,
    pub revoked: bool,
    pub newest: ContentId,
}

impl VerifierRow {
    pub fn has(&self, role: Role) -> bool {
        !self.revoked && self.roles.contains(&(role as i32))
    }
}

/// Any record: where it stands and who signed it.
#[derive(Clone, Serialize, Deserialize)]
pub struct RecordRow {
    pub index: u64,
    /// The role that signs records of its kind.
    pub role: i32,
    /// The numbers of the verifiers who signed it.
    pub signers: Vec<u32>,
    /// The numbers of those who vouched for it later, and the entries that say so.
    pub attested: Vec<(u32, u64)>,
    /// What else is to be known if it introduced a statement.
    pub statement: Option<StatementRow>,
}

impl RecordRow {
    /// Whether the verifier's signature is on record, from the first or added later.
    pub fn is_signed_by(&self, verifier: u32) -> bool {
        self.signatures().any(|(signer, _)| signer == verifier)
    }

    /// Who signed it, from the first or later, and the entry that brought the signature.
    fn signatures(&self) -> impl Iterator<Item = (u32, u64)> {
        let own = self.signers.iter().map(|signer| (*signer, self.index));
        own.chain(self.attested.iter().copied())
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct StatementRow {
    pub speaker: Option<Slug>,
    pub said_for: Vec<Slug>,
    /// Its corrections, oldest first.
    pub corrections: Vec<ContentId>,
    /// Its retractions: several, where those before are no longer trusted.
    pub retractions: Vec<ContentId>,
}

/// Where what a verifier signed is not trusted: from one entry on, up to its revocation.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct UntrustedRow {
    pub from: u64,
    pub revoked: u64,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ActorRow {
    pub kind: i32,
    pub part_of: Option<Slug>,
    pub newest: ContentId,
}

impl ActorRow {
    pub fn is_any_of(&self, kinds: &[ActorKind]) -> bool {
        kinds.iter().any(|kind| *kind as i32 == self.kind)
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub struct MandateRow {
    pub person: Slug,
    pub organization: Slug,
    pub authority: i32,
    pub topics: Vec<Slug>,
    pub term: Term,
    pub newest: ContentId,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct TopicRow {
    pub kind: i32,
    pub proposition: ContentId,
    pub newest: ContentId,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct SourceRow {
    pub published_at: Option<Published>,
    pub captured_at: Micros,
    /// Whether its newest version is a translation.
    pub translates: bool,
    /// The sources on record that its newest version came from.
    pub derived_from: Vec<ContentId>,
    pub newest: ContentId,
    /// How much of it is withheld: a [`WithholdingScope`].
    pub withheld: i32,
}

impl SourceRow {
    /// How much of it is withheld.
    pub fn withheld_scope(&self) -> WithholdingScope {
        WithholdingScope::try_from(self.withheld).unwrap_or_default()
    }
}

/// When a source was published.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Published {
    pub interval: Interval,
    pub has_time_of_day: bool,
}

/// Who must cosign checkpoints, from one entry on.
#[derive(Clone, Serialize, Deserialize)]
pub struct WitnessesRow {
    /// Verifier keys, as text.
    pub keys: Vec<String>,
    pub quorum: u32,
}

/// All verifiers.
pub fn verifiers(state: &dyn Tables) -> Result<Vec<([u8; 32], VerifierRow)>, FoldError> {
    let table = Table::Verifier;
    let mut verifiers = Vec::new();
    for row in state.scan(&table.key(&[])) {
        let (key, value) = row?;
        let key = key.get(1..).and_then(|key| key.try_into().ok());
        let key = key.ok_or(FoldError::Row {
            table: table.name(),
        })?;
        verifiers.push((key, table.decode(&value)?));
    }
    Ok(verifiers)
}

/// The newest of some records that a trusted signature is on.
pub fn newest_trusted(
    state: &dyn Tables,
    records: &[ContentId],
) -> Result<Option<RecordRow>, FoldError> {
    for record in records.iter().rev() {
        let row: Option<RecordRow> = Table::Record.get(state, &[record.as_bytes()])?;
        if let Some(row) = row
            && is_trusted(state, &row)?
        {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Whether any signature on a record is trusted.
fn is_trusted(state: &dyn Tables, row: &RecordRow) -> Result<bool, FoldError> {
    for (verifier, index) in row.signatures() {
        let untrusted: Option<UntrustedRow> =
            Table::Untrusted.get(state, &[&verifier.to_be_bytes()])?;
        if !untrusted.is_some_and(|it| (it.from..it.revoked).contains(&index)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The sources of the words of evidence that was added to a statement.
pub fn added_words(state: &dyn Tables, statement: &ContentId) -> Result<Vec<SourceRow>, FoldError> {
    let prefix = Table::AddedWords.key(&[statement.as_bytes(), b""]);
    let mut sources = Vec::new();
    for row in state.scan(&prefix) {
        let (key, _) = row?;
        let id = key.get(prefix.len()..).unwrap_or_default();
        sources.extend(Table::Source.get::<SourceRow>(state, &[id])?);
    }
    Ok(sources)
}

/// The mandates on which `person` speaks, or is affiliated, for `organization`.
pub fn mandates(
    state: &dyn Tables,
    person: &Slug,
    organization: &Slug,
) -> Result<Vec<MandateRow>, FoldError> {
    let prefix = Table::MandateOf.key(&[
        person.as_str().as_bytes(),
        organization.as_str().as_bytes(),
        b"",
    ]);
    let mut mandates = Vec::new();
    for row in state.scan(&prefix) {
        let (key, _) = row?;
        let id = key.get(prefix.len()..).unwrap_or_default();
        mandates.extend(Table::Mandate.get::<MandateRow>(state, &[id])?);
    }
    Ok(mandates)
}

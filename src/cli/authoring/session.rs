//! One run over a file of records: each line is resolved, filled in, signed, kept, and only
//! then given out to be sent.
//!
//! The order of calls: [`prepare`](Session::prepare) lines in their order, as many at a time
//! as one likes; [`release`](Session::release) syncs what was signed and hands it out; send it;
//! tell of each [`refused`](Session::refused) record. A line that builds on one above is
//! prepared as if that one had entered; if it then is refused, the next run mends it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};

use super::archive::{Archive, Subject};
use super::draft::Draft;
use super::error::{AuthoringError, Problem};
use super::fill::{FillError, Filler, attestation};
use super::known::{Known, subject};
use super::parse::Path as At;
use super::schema;
use super::signed::{Found, Kept, SignedError, SignedFile};
use crate::admission::prove_possession;
use crate::config::keys;
use crate::record::envelope::RECORD_PAYLOAD_TYPE;
use crate::record::near::nearest;
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Micros, SigningKey, proto, quoted};

/// What line ids begin with, so that no other hash is one.
const LINE_ID_DOMAIN: &[u8] = b"onrecord authoring line 1\n";

/// A line, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthoredRecord {
    /// The line, counted from 1.
    pub line: usize,
    /// The line's key, if it has one.
    pub key: Option<String>,
    /// What it holds, by its protobuf-JSON name.
    pub kind: String,
    /// The whole record as it was signed.
    pub record: proto::Record,
    /// Its id.
    pub record_id: ContentId,
    /// The record's bytes with the signatures over them.
    pub envelope: proto::Envelope,
    /// Whether it was signed before, by an earlier run or for a line above that says the same,
    /// and not refused since.
    pub kept: bool,
    /// Whether the client filled in the version that it builds on.
    pub version_filled_in: bool,
    /// What its author may want to know of it.
    pub notes: Vec<Note>,
}

/// Something about a line that is no mistake, and may not be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// A line that is recorded was edited.
    #[error(
        "the line with the key {key:?} was signed before with another content; what is recorded \
         is never edited, so this is a second record (to correct the first, add a \
         statementCorrected; to take it back, a statementRetracted)"
    )]
    Edited {
        /// The line's key.
        key: String,
    },
    /// The journal is new, and what the line defines is not.
    #[error(
        "what this line defines is on record already, and {} was begun by this run: if the file \
         was recorded before, its .signed belongs beside it; without it every line is recorded anew",
        journal.display()
    )]
    Begun {
        /// The journal.
        journal: PathBuf,
    },
    /// The journal was there, and nothing in it.
    #[error(
        "{} is there and empty: if this file was recorded before, put back an intact copy; \
         without it every line is recorded anew",
        journal.display()
    )]
    Emptied {
        /// The journal.
        journal: PathBuf,
    },
    /// The end of the journal was lost.
    #[error(
        "the last line of {} was torn and is cut off: nothing is lost if a run was cut short; if \
         a copy was, put back an intact one, as lines that it lacks are recorded anew",
        journal.display()
    )]
    Torn {
        /// The journal.
        journal: PathBuf,
    },
    /// The journal is of other archives.
    #[error(
        "{} holds what was signed for the archive {}; this one is {origin}, for which every line \
         is signed and recorded anew",
        journal.display(),
        others.join(" and ")
    )]
    OtherArchive {
        /// The journal.
        journal: PathBuf,
        /// The origins of these archives.
        others: Vec<String>,
        /// This archive's.
        origin: String,
    },
    /// A source without text, of a media type that is nearly one with text.
    #[error(
        "the media type {} has no text, so that nothing can be quoted from the source (did you mean {meant:?}?)",
        quoted(media_type)
    )]
    NoText {
        /// The media type.
        media_type: String,
        /// What may have been meant.
        meant: &'static str,
    },
}

/// The media types whose documents have a text.
const WITH_TEXT: [&str; 3] = ["text/plain", "text/html", "application/xhtml+xml"];

/// Why a line was not prepared. The lines after it can be all the same, save those that refer
/// to it.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError<E> {
    /// The line is at fault, or what it refers to.
    #[error(transparent)]
    Line(#[from] AuthoringError),
    /// The archive could not be asked, or did not take the upload.
    #[error("line {line}: {error}")]
    Archive {
        /// The line, counted from 1.
        line: usize,
        /// Why.
        error: E,
    },
    /// What was signed cannot be kept, so nothing more may be sent.
    #[error(transparent)]
    Signed(#[from] SignedError),
}

/// What to tell of a source whose media type looks mistyped.
fn mistyped(record: &proto::Record) -> Option<Note> {
    let Some(Kind::SourceArchived(source)) = &record.kind else {
        return None;
    };
    if !source.profile.is_empty() {
        return None;
    }
    let essence = source.media_type.split(';').next().unwrap_or_default();
    let near = nearest(essence.trim(), WITH_TEXT);
    near.first().map(|&meant| Note::NoText {
        media_type: source.media_type.clone(),
        meant,
    })
}

/// What the keys of the lines so far stand for, with the line; none for lines that came to
/// nothing.
type Ids = HashMap<String, (usize, Option<ContentId>)>;

/// A run over a file of records.
pub struct Session<A> {
    archive: A,
    origin: String,
    keys: Arc<[SigningKey]>,
    directory: PathBuf,
    signed: SignedFile,
    known: Known,
    ids: Ids,
    /// The lines below which no other of the file gives a version of the same.
    last: HashSet<usize>,
    /// Whether it was told that the journal is new.
    told_begun: bool,
    /// What is to be told of the journal with the first line that is signed afresh.
    of_journal: Option<Note>,
    held: Vec<AuthoredRecord>,
}

impl<A: Archive> Session<A> {
    /// A run over the file `records`, which holds `drafts`, for the archive `origin`, signing with each of `keys`.
    ///
    /// # Errors
    /// If the journal beside the file cannot be used.
    pub fn open(
        archive: A,
        origin: String,
        keys: Arc<[SigningKey]>,
        records: &Path,
        drafts: &[Draft],
    ) -> Result<Self, SignedError> {
        let signed = SignedFile::beside(records)?;
        let of_journal = told_of(&signed, &origin);
        Ok(Self {
            archive,
            origin,
            keys,
            directory: records.parent().unwrap_or(Path::new("")).to_owned(),
            signed,
            known: Known::default(),
            ids: HashMap::new(),
            last: last_of_each(drafts),
            told_begun: false,
            of_journal,
            held: Vec::new(),
        })
    }

    /// Makes a record of a line: uploads its file, resolves its references, fills in what it
    /// leaves out, signs it as at `signed_at`; or finds what was signed for it before.
    pub async fn prepare(
        &mut self,
        draft: &Draft,
        signed_at: Micros,
    ) -> Result<(), PrepareError<A::Error>> {
        if let Some(key) = &draft.key {
            self.ids.insert(key.clone(), (draft.line, None));
        }
        let mut written = self.resolved(draft)?;
        let file = self.file(draft, &mut written)?;
        self.key_file(draft, &mut written)?;
        let line = self.line_id(draft, &written);
        let kept = self.signed.find(&line).cloned();
        let sent = match &kept {
            Some(kept) => self.stands(draft, &written, line, kept).await?,
            None => false,
        };
        let version_filled_in = leaves_version_out(&written);
        let payload = match kept {
            Some(kept) if sent => {
                self.upload_again(draft, &written, file).await?;
                kept.envelope.payload
            }
            kept => {
                self.fill(draft, &mut written, file).await?;
                self.payload(written, signed_at, kept.as_ref())
            }
        };
        let mut authored = self.authored(draft, payload, sent)?;
        authored.version_filled_in = version_filled_in;
        if !sent {
            authored.notes = self.notes(draft, line, &authored);
        }
        let unchanged = self
            .signed
            .find(&line)
            .is_some_and(|kept| !kept.refused && kept.envelope == authored.envelope);
        if !unchanged {
            let envelope = authored.envelope.clone();
            let key = draft.key.as_deref();
            self.signed
                .signed(line, authored.record_id, envelope, key)?;
        }
        self.note(draft, &authored);
        self.held.push(authored);
        Ok(())
    }

    /// Hands out what was prepared since the last call, in order, once it is kept durably.
    pub fn release(&mut self) -> Result<Vec<AuthoredRecord>, SignedError> {
        self.signed.sync()?;
        Ok(std::mem::take(&mut self.held))
    }

    /// For a record that was on record without these signatures: the records that add them, one
    /// a key, so that those which are on record keep no other out.
    pub fn attestations(&self, of: &AuthoredRecord, signed_at: Micros) -> Vec<proto::Envelope> {
        let keys = self.keys.iter();
        keys.map(|key| {
            let key = std::slice::from_ref(key);
            let added = attestation(of.record_id, &of.envelope.payload, key);
            let record = proto::Record {
                origin: self.origin.clone(),
                signed_at: Some(signed_at.to_timestamp()),
                kind: Some(proto::record::Kind::AttestationAdded(added)),
            };
            let payload = Bytes::from(record.encode_to_vec());
            let signatures = key
                .iter()
                .map(|key| key.sign(RECORD_PAYLOAD_TYPE, &payload));
            proto::Envelope {
                signatures: signatures.collect(),
                payload,
            }
        })
        .collect()
    }

    /// Takes note that the archive refused a record: its line is filled in afresh by the next
    /// run, and nothing below it builds on it.
    pub fn refused(&mut self, record: &AuthoredRecord, reason: &str) -> Result<(), SignedError> {
        self.known.forget(record.record_id);
        self.signed.refused(record.record_id, reason)
    }

    /// The line's record with every `@key` replaced by what it stands for.
    fn resolved(&self, draft: &Draft) -> Result<proto::Record, AuthoringError> {
        let mut message = draft.message.clone();
        resolve(&mut message, &self.ids, &At::Root).map_err(|(path, problem)| AuthoringError {
            line: draft.line,
            path,
            problem,
        })?;
        message.transcode_to().map_err(|error| AuthoringError {
            line: draft.line,
            path: draft.kind.clone(),
            problem: Problem::WrongType {
                found: error.to_string(),
                expected: "a record".to_owned(),
            },
        })
    }

    /// Finds a source's file and names the id of its bytes in the record.
    fn file(
        &self,
        draft: &Draft,
        record: &mut proto::Record,
    ) -> Result<Option<PathBuf>, AuthoringError> {
        let (Some(file), Some(proto::record::Kind::SourceArchived(source))) =
            (&draft.extras.file, &mut record.kind)
        else {
            return Ok(None);
        };
        let error = |problem| AuthoringError {
            line: draft.line,
            path: format!("{}.file", draft.kind),
            problem,
        };
        let file = file.clone();
        if Path::new(&file).is_absolute() {
            return Err(error(Problem::AbsolutePath { file }));
        }
        let path = self.directory.join(&file);
        let id = content_id(&path).map_err(|reason| {
            let reason = reason.to_string();
            error(Problem::UnreadableFile { file, reason })
        })?;
        let found = id.to_string();
        if !source.source.is_empty() && source.source != found {
            return Err(error(Problem::OtherBytes { found }));
        }
        source.source = found;
        Ok(Some(path))
    }

    /// Takes a verifier's public key from a key file; has a new checkpoint key sign for itself.
    fn key_file(&self, draft: &Draft, record: &mut proto::Record) -> Result<(), AuthoringError> {
        let Some(file) = &draft.extras.key_file else {
            return Ok(());
        };
        let key = keys::read(&self.directory.join(file)).map_err(|error| AuthoringError {
            line: draft.line,
            path: format!("{}.keyFile", draft.kind),
            problem: Problem::UnusableKey {
                file: file.clone(),
                reason: error.to_string(),
                instead: match draft.kind.as_str() {
                    "checkpointKeySet" => "checkpointKey and proofOfPossession",
                    _ => "verifier, the public key as 64 lower-case hex digits",
                },
            },
        })?;
        let public = key.public().to_string();
        match &mut record.kind {
            Some(proto::record::Kind::CheckpointKeySet(set)) => {
                set.checkpoint_key = public;
                set.proof_of_possession = prove_possession(&key, &self.origin);
            }
            Some(proto::record::Kind::VerifierEnrolled(it)) => it.verifier = public,
            Some(proto::record::Kind::VerifierRevoked(it)) => it.verifier = public,
            _ => {}
        }
        Ok(())
    }

    fn line_id(&self, draft: &Draft, written: &proto::Record) -> ContentId {
        let mut hasher = blake3::Hasher::new();
        hasher.update(LINE_ID_DOMAIN);
        hasher.update(self.origin.as_bytes());
        hasher.update(if draft.extras.personal {
            b"\n1"
        } else {
            b"\n0"
        });
        hasher.update(&written.encode_to_vec());
        hasher.finalize().into()
    }

    /// Whether what was signed for a line before is sent again as it is. What was refused is
    /// filled in afresh, unless it is on record all the same: a run with other keys can be
    /// refused what an earlier run put there. So is what the file defined otherwise in between.
    async fn stands(
        &self,
        draft: &Draft,
        written: &proto::Record,
        line: ContentId,
        kept: &Kept,
    ) -> Result<bool, PrepareError<A::Error>> {
        let stands = if kept.refused {
            self.archive.holds(kept.record_id).await
        } else {
            let reverts = self.reverts(draft, written, line, kept).await;
            reverts.map(|reverts| !reverts)
        };
        stands.map_err(|error| PrepareError::Archive {
            line: draft.line,
            error,
        })
    }

    /// Whether a line defines again what this file has since defined otherwise, on a line that
    /// was edited away. What others define otherwise stands.
    async fn reverts(
        &self,
        draft: &Draft,
        written: &proto::Record,
        line: ContentId,
        kept: &Kept,
    ) -> Result<bool, A::Error> {
        let Some((subject, "")) = written.kind.as_ref().and_then(versioned) else {
            return Ok(false);
        };
        if !self.last.contains(&draft.line) || !self.signed.has_versions(&subject) {
            return Ok(false);
        }
        let newest = self.known.newest(&self.archive, &subject).await?;
        Ok(newest.is_some_and(|newest| {
            let by_other_line = self.signed.line_of(&newest).is_some_and(|by| *by != line);
            by_other_line && !builds_on(kept, newest)
        }))
    }

    /// What to tell about a line that was signed afresh.
    fn notes(&mut self, draft: &Draft, line: ContentId, authored: &AuthoredRecord) -> Vec<Note> {
        let mut notes: Vec<Note> = self.of_journal.take().into_iter().collect();
        notes.extend(mistyped(&authored.record));
        let versioned = authored.record.kind.as_ref().and_then(versioned);
        match (versioned, &draft.key) {
            (Some((_, replaced)), _) => {
                let foreign = replaced.parse().is_ok_and(|replaced| {
                    authored.version_filled_in && self.signed.line_of(&replaced).is_none()
                });
                if self.signed.found() == Found::Absent && foreign && !self.told_begun {
                    let journal = self.signed.path().to_owned();
                    notes.push(Note::Begun { journal });
                    self.told_begun = true;
                }
            }
            (None, Some(key)) => {
                let before = self.signed.under(key);
                let other = |kept: &Kept| self.signed.line_of(&kept.record_id) != Some(&line);
                let here = |kept: &Kept| kept.origin == self.origin;
                if before.is_some_and(|kept| here(kept) && !kept.refused && other(kept)) {
                    notes.push(Note::Edited { key: key.clone() });
                }
            }
            (None, None) => {}
        }
        notes
    }

    /// The archive may have forgotten bytes that no record named when a run was cut short.
    async fn upload_again(
        &self,
        draft: &Draft,
        written: &proto::Record,
        file: Option<PathBuf>,
    ) -> Result<(), PrepareError<A::Error>> {
        let (Some(file), Some(proto::record::Kind::SourceArchived(source))) = (file, &written.kind)
        else {
            return Ok(());
        };
        let Ok(id) = source.source.parse() else {
            return Ok(());
        };
        let in_line = |error| PrepareError::Archive {
            line: draft.line,
            error,
        };
        if self.archive.source(id).await.map_err(in_line)?.is_none() {
            let uploaded = self.archive.upload(id, &source.media_type, &file).await;
            uploaded.map_err(in_line)?;
        }
        Ok(())
    }

    async fn fill(
        &mut self,
        draft: &Draft,
        record: &mut proto::Record,
        file: Option<PathBuf>,
    ) -> Result<(), PrepareError<A::Error>> {
        let Some(kind) = &mut record.kind else {
            return Ok(());
        };
        let mut filler = Filler {
            archive: &self.archive,
            known: &mut self.known,
            line: draft.line,
            kind: &draft.kind,
            file,
            personal: draft.extras.personal,
            keys: &self.keys,
        };
        filler.fill(kind).await.map_err(|error| match error {
            FillError::Line(error) => error.into(),
            FillError::Archive(error) => PrepareError::Archive {
                line: draft.line,
                error,
            },
        })
    }

    /// The payload of a filled-in record: the one refused before, if it says the same.
    fn payload(
        &self,
        mut record: proto::Record,
        signed_at: Micros,
        refused: Option<&Kept>,
    ) -> Bytes {
        record.origin.clone_from(&self.origin);
        if let Some(kept) = refused
            && let Ok(before) = proto::Record::decode(kept.envelope.payload.clone())
        {
            record.signed_at = before.signed_at;
            if record == before {
                return kept.envelope.payload.clone();
            }
        }
        record.signed_at = Some(signed_at.to_timestamp());
        record.encode_to_vec().into()
    }

    /// Signs. Signatures are deterministic (RFC 8032), so the same key gives the same envelope.
    fn authored(
        &self,
        draft: &Draft,
        payload: Bytes,
        kept: bool,
    ) -> Result<AuthoredRecord, PrepareError<A::Error>> {
        let record = proto::Record::decode(payload.clone()).map_err(|error| AuthoringError {
            line: draft.line,
            path: draft.kind.clone(),
            problem: Problem::WrongType {
                found: error.to_string(),
                expected: "a record".to_owned(),
            },
        })?;
        let keys = self.keys.iter();
        let signatures = keys.map(|key| key.sign(RECORD_PAYLOAD_TYPE, &payload));
        Ok(AuthoredRecord {
            line: draft.line,
            key: draft.key.clone(),
            kind: draft.kind.clone(),
            record,
            record_id: ContentId::of(&payload),
            envelope: proto::Envelope {
                signatures: signatures.collect(),
                payload,
            },
            kept,
            version_filled_in: false,
            notes: Vec::new(),
        })
    }

    /// Remembers what later lines may refer to or build on.
    fn note(&mut self, draft: &Draft, authored: &AuthoredRecord) {
        let Some(kind) = &authored.record.kind else {
            return;
        };
        if authored.kept {
            self.known.learn_kept(authored.record_id, kind);
        } else {
            self.known.learn_fresh(authored.record_id, kind);
        }
        let id = match kind {
            proto::record::Kind::SourceArchived(source) => source.source.parse().ok(),
            _ => Some(authored.record_id),
        };
        if let Some(key) = &draft.key {
            self.ids.insert(key.clone(), (draft.line, id));
        }
    }
}

/// What to tell of a journal that was found otherwise than a run leaves it.
fn told_of(signed: &SignedFile, origin: &str) -> Option<Note> {
    let journal = signed.path().to_owned();
    let others = signed.other_archives(origin);
    match signed.found() {
        Found::Empty => Some(Note::Emptied { journal }),
        Found::Torn => Some(Note::Torn { journal }),
        Found::Whole if !others.is_empty() => Some(Note::OtherArchive {
            journal,
            others,
            origin: origin.to_owned(),
        }),
        Found::Absent | Found::Whole => None,
    }
}

/// What a record gives a version of, and the version that it names.
fn versioned(kind: &proto::record::Kind) -> Option<(Subject, &str)> {
    subject(kind).map(|(subject, named)| (subject, named.as_str()))
}

/// Whether the author left it to the client on which version to build.
fn leaves_version_out(written: &proto::Record) -> bool {
    match &written.kind {
        Some(proto::record::Kind::StatementCorrected(it)) => it.corrects.is_empty(),
        Some(kind) => versioned(kind).is_some_and(|(_, named)| named.is_empty()),
        None => false,
    }
}

/// Whether what was signed names `version` as the one that it replaces.
fn builds_on(kept: &Kept, version: ContentId) -> bool {
    let record = proto::Record::decode(kept.envelope.payload.clone());
    let kind = record.ok().and_then(|record| record.kind);
    let named = kind.as_ref().and_then(versioned);
    named.is_some_and(|(_, named)| named == version.to_string())
}

/// The last line of each subject that lines define by a slug or a key. Sources are told by their
/// bytes, which nobody reads for this.
fn last_of_each(drafts: &[Draft]) -> HashSet<usize> {
    let mut last = HashMap::new();
    for draft in drafts {
        let record = draft.message.transcode_to::<proto::Record>();
        let kind = record.ok().and_then(|record| record.kind);
        if let Some((subject, _)) = kind.as_ref().and_then(versioned)
            && !matches!(subject, Subject::Source(_))
        {
            last.insert(subject, draft.line);
        }
    }
    last.into_values().collect()
}

/// Replaces every `@key` in the fields that hold content ids; or tells where one stands for
/// nothing.
fn resolve(message: &mut DynamicMessage, ids: &Ids, at: &At<'_>) -> Result<(), (String, Problem)> {
    for (field, value) in message.fields_mut() {
        let at = at.key(field.json_name());
        match value {
            Value::Message(inner) => resolve(inner, ids, &at)?,
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Message(inner) = item {
                        resolve(inner, ids, &at.item(index))?;
                    }
                }
            }
            Value::String(text) if schema::holds_content_id(&field) => {
                let Some(key) = text.strip_prefix('@').map(str::to_owned) else {
                    continue;
                };
                let (line, id) = ids.get(&key).copied().unwrap_or_default();
                *text = id
                    .map(|id| id.to_string())
                    .ok_or_else(|| (at.to_string(), Problem::KeyUnprepared { key, line }))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The content id of a file's bytes, read in bounded memory.
fn content_id(path: &Path) -> std::io::Result<ContentId> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(hasher.finalize().into())
}

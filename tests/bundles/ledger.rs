//! A ledger in memory, which admits records as the daemon does, and makes bundles.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use onrecord::admission::{
    self, AdmissionFold, Below, BelowError, Documents, DocumentsError, TextError, Verdict,
};
use onrecord::bundle::proto::bundle::Question;
use onrecord::bundle::proto::{
    Bundle, PositionQuestion, RecordsQuestion, SourceBytes, SourceText, StatementQuestion,
};
use onrecord::bundle::{self, Archive, Gathered, Trusted, Views};
use onrecord::fold::{Fold, MemoryTables};
use onrecord::merkle::{
    Checkpoint, Hash, HashReader, NoteKey, NoteKeyType, SignedNote, WitnessPolicy, leaf_hash,
    root_of,
};
use onrecord::projection::catalog::CatalogFold;
use onrecord::projection::positions::PositionsFold;
use onrecord::projection::postings::PostingsFold;
use onrecord::projection::statements::StatementsFold;
use onrecord::record::proto::{
    ActorKind, ArchiveFounded, Authority, CapacityBasis, Envelope, Polarity, PolicySet, Role,
    VerifierEnrolled, record::Kind,
};
use onrecord::record::{ContentId, Entry, Micros, SigningKey};
use onrecord::text::{Profile, SearchText};

use super::records::{
    ORIGIN, SIGNED_AT, Signer, actor, answered, mandate, only_if, part_of, said_for, source,
    statement, topic,
};

/// The text of the source on record.
pub const TEXT: &str = "The minister spoke on Tuesday.\n\
    Any contact at the top must be prepared with extreme care, he said.";

/// A passage in it.
pub const PASSAGE: &str = "Any contact at the top must be prepared with extreme care";

/// More than any bundle of these tests has.
const BYTES_MAX: usize = 1 << 22;

/// A ledger in memory.
pub struct Ledger {
    pub entries: Vec<Arc<Entry>>,
    leaves: Vec<Hash>,
    tables: Tables,
    documents: Given,
    pub steward: Signer,
    pub coder: Signer,
    pub key: SigningKey,
}

#[derive(Default)]
struct Tables {
    admission: MemoryTables,
    catalog: MemoryTables,
    positions: MemoryTables,
    postings: MemoryTables,
    statements: MemoryTables,
}

impl Ledger {
    /// Founds an archive.
    pub fn new() -> Self {
        let (steward, coder) = (Signer::steward(), Signer::new(3));
        let key = SigningKey::from_seed([9; 32]);
        let mut ledger = Self {
            entries: Vec::new(),
            leaves: Vec::new(),
            tables: Tables::default(),
            documents: Given::default(),
            steward,
            coder,
            key,
        };
        let roles = [Role::Steward, Role::Attestor, Role::Coder, Role::Reviewer];
        let founded = ArchiveFounded {
            checkpoint_key: ledger.key.public().to_string(),
            verifiers: vec![VerifierEnrolled {
                verifier: ledger.steward.id(),
                name: "The steward".to_owned(),
                roles: roles.iter().map(|role| i32::from(*role)).collect(),
                replaces: String::new(),
            }],
            policy: Some(PolicySet {
                attestations_min: 1,
                admission_rules: 1,
            }),
        };
        ledger.append(Kind::ArchiveFounded(founded));
        ledger
    }

    /// An archive with a state, whom its people speak for, and a statement; and things that have
    /// nothing to do with it.
    pub fn with_statement() -> (Self, ContentId) {
        let mut ledger = Self::new();
        let coder = ledger.coder.enrolled(&[Role::Coder]);
        ledger.append(coder);
        for kind in [
            Kind::ActorDefined(actor("russia", ActorKind::State)),
            Kind::ActorDefined(part_of("kremlin", "russia")),
            Kind::ActorDefined(actor("lavrov", ActorKind::Person)),
            Kind::ActorDefined(actor("nobody", ActorKind::Person)),
            Kind::MandateGranted(mandate("lavrov", "kremlin", Authority::Delegate)),
            Kind::TopicDefined(topic("meeting")),
            Kind::TopicDefined(topic("price")),
        ] {
            ledger.append(kind);
        }
        ledger.archive(TEXT);
        let id = ledger.append(Kind::StatementRecorded(lavrov(
            "2025-08-19",
            Polarity::Open,
        )));
        (ledger, id)
    }

    /// Archives a plain text.
    pub fn archive(&mut self, text: &str) {
        let id = ContentId::of(text.as_bytes());
        self.documents.0.insert(id, text.to_owned());
        self.append(Kind::SourceArchived(source(text)));
    }

    /// Appends a record that the steward signs. Gives its id.
    pub fn append(&mut self, kind: Kind) -> ContentId {
        let envelope = self.steward.seal(kind);
        self.append_envelope(envelope)
    }

    /// Appends a record that must be admitted.
    pub fn append_envelope(&mut self, envelope: Envelope) -> ContentId {
        let index = self.entries.len() as u64;
        let recorded_at = Micros((SIGNED_AT + i64::try_from(index).unwrap()) * 1_000_000);
        let prepared = admission::prepare(
            vec![envelope],
            ORIGIN,
            &self.tables.admission,
            &self.documents,
            Counter(0),
        );
        let [prepared] = <[_; 1]>::try_from(prepared).unwrap();
        let prepared = prepared.unwrap();
        let verdict = admission::judge(
            &self.tables.admission,
            &self.documents,
            &self.below(),
            &prepared,
            index,
            recorded_at,
        );
        assert_eq!(verdict.unwrap(), Verdict::Admit);
        let id = prepared.record_id;
        let entry = Entry::new(index, recorded_at, id, prepared.record, prepared.envelope);
        self.put(entry);
        id
    }

    /// Takes an entry, whatever the rules say of it.
    pub fn put(&mut self, entry: Entry) {
        let folds: [(&dyn Fold, &mut MemoryTables); 5] = [
            (&AdmissionFold, &mut self.tables.admission),
            (&CatalogFold, &mut self.tables.catalog),
            (&PositionsFold, &mut self.tables.positions),
            (&PostingsFold, &mut self.tables.postings),
            (&StatementsFold, &mut self.tables.statements),
        ];
        for (fold, tables) in folds {
            let changes = fold.fold(tables, &entry).unwrap();
            tables.apply(changes);
        }
        self.leaves.push(leaf_hash(&entry.encoded));
        self.entries.push(Arc::new(entry));
    }

    /// Takes an entry into the tree alone.
    pub fn smuggle(&mut self, entry: Entry) {
        self.leaves.push(leaf_hash(&entry.encoded));
        self.entries.push(Arc::new(entry));
    }

    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    fn below(&self) -> Entries<'_> {
        Entries(&self.entries)
    }

    pub fn checkpoint(&self) -> (Checkpoint, SignedNote) {
        let root = root_of(&self.leaves);
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), self.size(), root).unwrap();
        let note = checkpoint.sign(&self.key);
        (checkpoint, note)
    }

    /// The archive's verifier key.
    pub fn note_key(&self) -> NoteKey {
        note_key(&self.key)
    }

    fn gather<T>(&self, gather: impl FnOnce(&Archive<'_>) -> T) -> T {
        gather(&Archive {
            views: Views {
                catalog: &self.tables.catalog,
                positions: &self.tables.positions,
                statements: &self.tables.statements,
            },
            postings: &self.tables.postings,
            records: &self.tables.admission,
            entries: &self.below(),
            size: self.size(),
            bytes_max: BYTES_MAX,
        })
    }

    /// The bundle that says how a statement stands, with its text.
    pub fn statement(&self, id: &ContentId) -> Bundle {
        let known_at = self.size();
        let (answer, gathered) = self
            .gather(|archive| archive.statement(id, known_at))
            .unwrap();
        let question = Question::Statement(StatementQuestion {
            statement: id.to_string(),
            known_at,
            answer: Some(answer),
        });
        self.bundle(&gathered, question)
    }

    /// The bundle of a position, with its texts.
    pub fn position(&self, mut question: PositionQuestion) -> Bundle {
        let found = self.gather(|archive| archive.position(&question));
        let (answer, gathered) = found.unwrap();
        question.answer = Some(answer);
        self.bundle(&gathered, Question::Position(question))
    }

    /// The bundle of some records.
    pub fn records(&self, indexes: &[u64]) -> Bundle {
        let gathered = self.gather(|archive| archive.records(indexes)).unwrap();
        let indexes = indexes.to_vec();
        self.bundle(&gathered, Question::Records(RecordsQuestion { indexes }))
    }

    fn bundle(&self, gathered: &Gathered, question: Question) -> Bundle {
        let (checkpoint, note) = self.checkpoint();
        let mut nodes = Leaves(&self.leaves);
        let mut bundle = bundle::make(&note, &checkpoint, &mut nodes, gathered, question).unwrap();
        let archived = gathered
            .values()
            .filter_map(|entry| match &entry.record.kind {
                Some(Kind::SourceArchived(source)) => Some(source),
                _ => None,
            });
        for source in archived {
            let text = &self.documents.0[&source.source.parse().unwrap()];
            bundle.texts.push(SourceText {
                text_id: source.text_id.clone(),
                source: source.source.clone(),
                profile: source.profile.clone(),
                text: text.clone(),
            });
            bundle.documents.push(SourceBytes {
                source: source.source.clone(),
                content: text.clone().into(),
            });
        }
        bundle
            .texts
            .sort_by(|one, other| one.text_id.cmp(&other.text_id));
        bundle
            .documents
            .sort_by(|one, other| one.source.cmp(&other.source));
        bundle
    }

    /// The proofs for entries as they stand, whatever they say.
    pub fn prove(&self, bundle: &mut Bundle) {
        let (checkpoint, note) = self.checkpoint();
        let entries = self.entries.iter().map(|it| (it.index, Arc::clone(it)));
        let question = bundle.question.clone().unwrap();
        let all = bundle::make(
            &note,
            &checkpoint,
            &mut Leaves(&self.leaves),
            &entries.collect(),
            question,
        );
        let all = all.unwrap();
        let wanted: Vec<u64> = bundle.entries.iter().map(|it| it.index).collect();
        bundle.entries = all.entries;
        bundle.entries.retain(|it| wanted.contains(&it.index));
        bundle.checkpoint = all.checkpoint;
    }

    /// What is found of a bundle by whoever trusts the archive's key and no witnesses.
    pub fn check(&self, bundle: &Bundle) -> bundle::Report {
        check(&bundle::encode(bundle), &[self.note_key()])
    }
}

/// What is found of a file by whoever trusts these keys and no witnesses.
pub fn check(file: &[u8], keys: &[NoteKey]) -> bundle::Report {
    let witnesses = &WitnessPolicy::nobody();
    bundle::check(file, &Trusted { keys, witnesses })
}

/// The verifier key of an archive that has this secret key.
pub fn note_key(key: &SigningKey) -> NoteKey {
    NoteKey::new(ORIGIN.parse().unwrap(), NoteKeyType::Log, key.public())
}

/// What Lavrov said for the Kremlin on a day.
pub fn lavrov(said_at: &str, polarity: Polarity) -> onrecord::record::proto::Statement {
    let mut said = statement("lavrov", said_at, TEXT, PASSAGE);
    said.said_for = vec![said_for("kremlin", CapacityBasis::Implied)];
    let mut reading = answered("meeting", polarity);
    reading.conditions = vec![only_if("prepared")];
    said.readings = vec![reading];
    said
}

struct Entries<'a>(&'a [Arc<Entry>]);

impl Below for Entries<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let entry = usize::try_from(index).ok().and_then(|it| self.0.get(it));
        entry.cloned().ok_or_else(|| BelowError("none".to_owned()))
    }
}

struct Leaves<'a>(&'a [Hash]);

impl HashReader for Leaves<'_> {
    type Error = Infallible;

    fn hash(&mut self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let width = 1 << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(root_of(&self.0[start..start + width]))
    }
}

/// Plain texts, each its own document.
#[derive(Default)]
struct Given(HashMap<ContentId, String>);

impl Documents for Given {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
        Ok(self.0.get(source).map(|text| text.len() as u64))
    }

    fn text_of(
        &self,
        source: &ContentId,
        _: Profile,
        _: &str,
    ) -> Result<Option<ContentId>, TextError> {
        Ok(self.0.contains_key(source).then_some(*source))
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(self.0.get(text_id).cloned().map(SearchText::new))
    }
}

/// Numbers that nobody has to guess: the records of these tests are signed by friends.
struct Counter(u64);

impl rand_core::TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 += 1;
        Ok(u32::try_from(self.0 % 1_000_003).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill_with(|| {
            self.0 += 1;
            self.0.to_le_bytes()[0]
        });
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counter {}

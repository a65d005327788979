//! A ledger of everything that can change a position, in an order that nobody chose: steps
//! that admission does not take leave no trace.

use std::collections::BTreeMap;

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorKind, Authority, CapacityBasis, Envelope, MandateEnded, Polarity, ReadingAdded,
    ReferenceKind, RefersTo, Role, SourceArchived, SourceRole, Statement, StatementCorrected,
    StatementRetracted, VerifierRevoked, statement::Voice,
};
use onrecord::rpc::proto::append_result::Outcome;

use crate::common::archive::{PASSAGE, TEXT};
use crate::common::client::{countersign, id_of};
use crate::common::records::{
    actor, answered, attestation_added, evidence, evidence_added, mandate, only_if, part_of,
    said_for, source, statement, topic,
};
use crate::common::{Signer, TestArchive};

pub const ACTORS: [&str; 6] = [
    "capitals", "kremlin", "lavrov", "ministry", "putin", "russia",
];
pub const TOPICS: [&str; 2] = ["meeting", "truce"];

const PEOPLE: [&str; 2] = ["putin", "lavrov"];
const BODIES: [&str; 3] = ["kremlin", "ministry", "russia"];
const DATES: [&str; 6] = [
    "2025-08-19",
    "2025-08-18",
    "2025-08-15",
    "2025-08",
    "[..2025-08-16]",
    "",
];

/// Another text that has the passage.
const OTHER: &str = "Agency. Any contact at the top must be prepared with extreme care, he said.";

/// Picks that follow from one number.
pub struct Dice(pub u32);

impl Dice {
    /// One of the first `count` numbers: by a linear congruential generator, whose upper bits
    /// are the good ones.
    pub fn roll(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as usize % count
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())]
    }
}

struct Said {
    statement: Statement,
    envelope: Envelope,
    /// The record id of the version that stands.
    newest: String,
}

/// The archive, and what its next records name.
pub struct Ledger {
    pub archive: TestArchive,
    /// An attestor who comes and goes.
    pub second: Signer,
    pub dice: Dice,
    said: Vec<Said>,
    /// The newest version of what has versions.
    newest: BTreeMap<String, String>,
}

impl Ledger {
    pub async fn new(seed: u32) -> Self {
        let mut archive = TestArchive::new().await;
        let second = Signer::new(7);
        let client = &mut archive.client;
        client
            .put_source("text/plain", OTHER.as_bytes())
            .await
            .unwrap();
        let mut newest = BTreeMap::new();
        for (name, kind) in [
            ("second", second.enrolled(&[Role::Attestor, Role::Coder])),
            (
                "ministry",
                Kind::ActorDefined(actor("ministry", ActorKind::Organization)),
            ),
            ("truce", Kind::TopicDefined(topic("truce"))),
            (OTHER, Kind::SourceArchived(source(OTHER))),
        ] {
            let recorded = client.append(&archive.steward, kind).await;
            archive.size = recorded.ledger_size;
            newest.insert(name.to_owned(), recorded.record);
        }
        Self {
            archive,
            second,
            dice: Dice(seed),
            said: Vec::new(),
            newest,
        }
    }

    /// Takes so many steps.
    pub async fn grow(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        match self.dice.roll(18) {
            0..=4 => self.say().await,
            5 => self.correct().await,
            6 => self.retract().await,
            7 | 8 => self.read().await,
            9 => self.grant().await,
            10 => self.end().await,
            11 => self.move_part().await,
            12 => self.archive_again().await,
            13 => self.evidence().await,
            14..=16 => self.attest().await,
            _ => self.revoke_and_enrol_again().await,
        }
    }

    /// Whether it was recorded.
    async fn put(&mut self, envelope: Envelope) -> bool {
        match self.archive.client.append_envelope(envelope).await {
            Outcome::Recorded(recorded) => {
                self.archive.size = recorded.ledger_size;
                true
            }
            _ => false,
        }
    }

    /// Puts a version of what goes by `name` on record.
    async fn define(&mut self, name: &str, kind: Kind) {
        let envelope = self.archive.steward.seal(kind);
        let id = id_of(&envelope);
        if self.put(envelope).await {
            self.newest.insert(name.to_owned(), id);
        }
    }

    fn replaces(&self, name: &str) -> String {
        self.newest.get(name).cloned().unwrap_or_default()
    }

    fn words(&mut self, speaker: &str, bodies: &[&str]) -> Statement {
        let text = self.dice.of(&[TEXT, OTHER]);
        let date = self.dice.of(&DATES);
        let mut said = statement(speaker, date, text, PASSAGE);
        let basis = CapacityBasis::Implied;
        said.said_for = bodies.iter().map(|body| said_for(body, basis)).collect();
        let topic = self.dice.of(&["meeting", "meeting", "truce"]);
        let polarities = [Polarity::Supports, Polarity::Open, Polarity::Opposes];
        let mut reading = answered(topic, self.dice.of(&polarities));
        if self.dice.roll(3) == 0 {
            reading.conditions = vec![only_if("prepared")];
        }
        said.readings = vec![reading];
        said
    }

    async fn say(&mut self) {
        let speaker = self.dice.of(&PEOPLE);
        let bodies: &[&str] = self.dice.of(&[
            &[][..],
            &["kremlin"],
            &["kremlin"],
            &["ministry"],
            &["kremlin", "ministry"],
        ]);
        let mut statement = self.words(speaker, bodies);
        if self.dice.roll(4) == 0 && !self.said.is_empty() {
            let other = self.dice.roll(self.said.len());
            statement.refers_to = vec![RefersTo {
                statement: id_of(&self.said[other].envelope),
                kind: ReferenceKind::SameUtterance.into(),
            }];
        }
        let kind = Kind::StatementRecorded(statement.clone());
        let mut envelope = self.archive.attestor.seal(kind.clone());
        match self.dice.roll(3) {
            0 => envelope = self.second.seal(kind),
            1 => envelope = countersign(envelope, &self.second.key),
            _ => {}
        }
        let newest = id_of(&envelope);
        if self.put(envelope.clone()).await {
            self.said.push(Said {
                statement,
                envelope,
                newest,
            });
        }
    }

    /// One of the statements, the ids of whose speaker and bodies are repeated beside it.
    fn some(&mut self) -> Option<(usize, String, String, Vec<String>)> {
        let count = self.said.len();
        let place = (count > 0).then(|| self.dice.roll(count))?;
        let said = &self.said[place];
        let Some(Voice::Speaker(speaker)) = &said.statement.voice else {
            return None;
        };
        let bodies = said.statement.said_for.iter().map(|it| it.actor.clone());
        let id = id_of(&said.envelope);
        Some((place, id, speaker.clone(), bodies.collect()))
    }

    async fn correct(&mut self) {
        let Some((place, statement, speaker, bodies)) = self.some() else {
            return;
        };
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let corrected = self.words(&speaker, &bodies);
        let kind = Kind::StatementCorrected(StatementCorrected {
            statement,
            corrects: self.said[place].newest.clone(),
            corrected: Some(corrected),
            reason: "A slip.".to_owned(),
        });
        let envelope = self.signed(kind);
        let id = id_of(&envelope);
        if self.put(envelope).await {
            self.said[place].newest = id;
        }
    }

    /// By the one attestor or the other.
    fn signed(&mut self, kind: Kind) -> Envelope {
        match self.dice.roll(2) {
            0 => self.second.seal(kind),
            _ => self.archive.attestor.seal(kind),
        }
    }

    async fn retract(&mut self) {
        let Some((_, statement, speaker, said_for)) = self.some() else {
            return;
        };
        let kind = Kind::StatementRetracted(StatementRetracted {
            statement,
            speaker,
            said_for,
            reason: "It was fabricated.".to_owned(),
        });
        let envelope = self.signed(kind);
        self.put(envelope).await;
    }

    async fn read(&mut self) {
        let Some((_, statement, speaker, said_for)) = self.some() else {
            return;
        };
        let topic = self.dice.of(&TOPICS);
        let polarity = self.dice.of(&[Polarity::Supports, Polarity::Opposes]);
        let kind = Kind::ReadingAdded(ReadingAdded {
            statement,
            speaker,
            said_for,
            reading: Some(answered(topic, polarity)),
            rationale: "Listened again.".to_owned(),
        });
        let envelope = match self.dice.roll(2) {
            0 => self.second.seal(kind),
            _ => self.archive.coder.seal(kind),
        };
        self.put(envelope).await;
    }

    async fn grant(&mut self) {
        let authorities = [
            Authority::Principal,
            Authority::Spokesperson,
            Authority::Delegate,
            Authority::Affiliated,
        ];
        let (person, body) = (self.dice.of(&PEOPLE), self.dice.of(&BODIES));
        let mut granted = mandate(person, body, self.dice.of(&authorities));
        granted.start = self.dice.of(&["", "2025-08-18"]).to_owned();
        granted.topics = self
            .dice
            .of(&[&[][..], &["truce"]])
            .iter()
            .map(ToString::to_string)
            .collect();
        let name = granted.mandate_id.clone();
        granted.replaces = self.mandate_now(&name);
        self.define(&name, Kind::MandateGranted(granted)).await;
    }

    /// The archive's own mandates are on record, each in one version.
    fn mandate_now(&self, name: &str) -> String {
        let authority = match name {
            "putin-kremlin" => Authority::Principal,
            "lavrov-kremlin" => Authority::Delegate,
            _ => return self.replaces(name),
        };
        let (person, body) = name.split_once('-').unwrap();
        let first = Kind::MandateGranted(mandate(person, body, authority));
        let first = || id_of(&self.archive.steward.seal(first));
        self.newest.get(name).cloned().unwrap_or_else(first)
    }

    async fn end(&mut self) {
        let name = format!("{}-{}", self.dice.of(&PEOPLE), self.dice.of(&BODIES));
        let ended = Kind::MandateEnded(MandateEnded {
            replaces: self.mandate_now(&name),
            mandate_id: name.clone(),
            end: self.dice.of(&["2025-08-14", "2025-08-18"]).to_owned(),
            reason: "Left.".to_owned(),
            ..MandateEnded::default()
        });
        self.define(&name, ended).await;
    }

    async fn move_part(&mut self) {
        let body = self.dice.of(&["kremlin", "ministry"]);
        let whole = self.dice.of(&["", "russia"]);
        self.part(body, whole).await;
    }

    async fn part(&mut self, body: &str, whole: &str) {
        let mut defined = part_of(body, whole);
        let first = || {
            let kremlin = Kind::ActorDefined(part_of("kremlin", "russia"));
            id_of(&self.archive.steward.seal(kremlin))
        };
        defined.replaces = self.newest.get(body).cloned().unwrap_or_else(first);
        self.define(body, Kind::ActorDefined(defined)).await;
    }

    async fn archive_again(&mut self) {
        let text = self.dice.of(&[TEXT, OTHER]);
        let publisher = self.dice.of(&["", "Agency"]);
        self.publish(text, publisher).await;
    }

    async fn publish(&mut self, text: &str, publisher: &str) {
        let first = || {
            id_of(
                &self
                    .archive
                    .steward
                    .seal(Kind::SourceArchived(source(text))),
            )
        };
        let archived = SourceArchived {
            replaces: self.newest.get(text).cloned().unwrap_or_else(first),
            role: SourceRole::Primary.into(),
            publisher: publisher.to_owned(),
            ..source(text)
        };
        self.define(text, Kind::SourceArchived(archived)).await;
    }

    /// Changes, and changes back, what no statement says: parts, sources and mandates.
    pub async fn rearrange(&mut self) {
        for (whole, publisher) in [("", "Agency"), ("russia", ""), ("russia", "Agency")] {
            self.part("kremlin", whole).await;
            self.publish(TEXT, publisher).await;
        }
        for authority in [Authority::Affiliated, Authority::Principal] {
            for person in PEOPLE {
                let mut granted = mandate(person, "kremlin", authority);
                let name = granted.mandate_id.clone();
                granted.replaces = self.mandate_now(&name);
                self.define(&name, Kind::MandateGranted(granted)).await;
            }
        }
    }

    async fn evidence(&mut self) {
        let Some((_, statement, speaker, said_for)) = self.some() else {
            return;
        };
        let said_for: Vec<&str> = said_for.iter().map(String::as_str).collect();
        let text = self.dice.of(&[TEXT, OTHER]);
        let further = vec![evidence(text, PASSAGE)];
        let added = evidence_added(&statement, &speaker, &said_for, further);
        let envelope = self.signed(Kind::EvidenceAdded(added));
        self.put(envelope).await;
    }

    async fn attest(&mut self) {
        let second = self.second.key.public();
        let lacks = |said: &Said| {
            let mut signatures = said.envelope.signatures.iter();
            signatures.all(|it| it.public_key[..] != second.as_bytes()[..])
        };
        let without: Vec<usize> = (0..self.said.len())
            .filter(|place| lacks(&self.said[*place]))
            .collect();
        if without.is_empty() {
            return;
        }
        let place = self.dice.of(&without);
        let added = attestation_added(&self.said[place].envelope, &[&self.second]);
        let envelope = self.archive.steward.seal(Kind::AttestationAdded(added));
        self.put(envelope).await;
    }

    async fn revoke_and_enrol_again(&mut self) {
        let size = usize::try_from(self.archive.size).unwrap();
        let from = self.dice.roll(size);
        let revoked = Kind::VerifierRevoked(VerifierRevoked {
            verifier: self.second.id(),
            reason: "The key was lost.".to_owned(),
            untrusted_from: (!from.is_multiple_of(4)).then_some(from as u64),
        });
        let envelope = self.archive.steward.seal(revoked);
        self.put(envelope).await;
        let mut again = self.second.enrolled(&[Role::Attestor, Role::Coder]);
        if let Kind::VerifierEnrolled(enrolled) = &mut again {
            enrolled.replaces = self.replaces("second");
            enrolled.name = format!("the second, at {size}");
        }
        self.define("second", again).await;
    }
}

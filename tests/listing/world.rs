//! A ledger of all that can be said of statements, written at random.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use onrecord::app::World;
use onrecord::ledger::{Clock, SystemClock};
use onrecord::record::Micros;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{
    ActorKind, AnonymityReason, AnonymousSpeaker, CapacityBasis, Envelope, Polarity, ReadingAdded,
    Role, SourceArchived, Statement, StatementCorrected, StatementRetracted, Wording, record::Kind,
};

use crate::Dice;
use crate::common::archive::{PASSAGE, TEXT};
use crate::common::client::id_of;
use crate::common::daemon::Home;
use crate::common::records::{
    actor, answered, attestation_added, evidence, evidence_added, said_for, source, topic,
};
use crate::common::{Client, Signer, TestArchive};

/// Texts in which the passage stands, without and with a date of publication.
pub const OTHER: &str =
    "Another report.\nAny contact at the top must be prepared with extreme care";
const TEXTS: [&str; 2] = [TEXT, OTHER];
/// When the other report may be said to have been published.
const PUBLISHED: [&str; 3] = ["", "2025-08-12", "2025-08-18"];
pub const SPEAKERS: [&str; 4] = ["lavrov", "putin", "kremlin", ""];
pub const BODIES: [&str; 2] = ["kremlin", "russia"];
pub const TOPICS: [&str; 3] = ["meeting", "meeting-place", "price"];
const SAID: [&str; 8] = [
    "",
    "2024",
    "2025-07-03",
    "2025-07",
    "[2025-07-20..2025-08-02]",
    "[..2025-06-30]",
    "2025-08-05T12:00:00Z",
    "2025-08-10",
];
pub const WORDINGS: [Wording; 4] = [
    Wording::Verbatim,
    Wording::Translated,
    Wording::Retranslated,
    Wording::Paraphrased,
];

/// A clock on which a third of a second goes by whenever somebody looks.
struct Ticking {
    start: i64,
    micros: AtomicI64,
}

const TICK_MICROS: i64 = 333_333;

impl Clock for Ticking {
    fn now(&self) -> Micros {
        Micros(self.start + self.micros.fetch_add(TICK_MICROS, Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Who writes it.
pub struct Writer {
    pub archive: TestArchive,
    pub second: Signer,
    dice: Dice,
    /// Each statement that stands, with its newest version and the envelope that introduced it.
    standing: Vec<Standing>,
    /// The newest record of the other report.
    other: String,
    written: usize,
}

struct Standing {
    id: String,
    newest: String,
    statement: Statement,
    introduced: Envelope,
}

impl Writer {
    pub async fn new(seed: u64) -> Self {
        let home = Home::new().found();
        let world = World {
            clock: Arc::new(Ticking {
                start: SystemClock::start().now().0,
                micros: AtomicI64::new(1),
            }),
            ..World::real()
        };
        let mut archive = TestArchive::on(home.start_in(world)).await;
        let second = Signer::new(4);
        let (client, steward) = (&mut archive.client, &archive.steward);
        client
            .append(steward, second.enrolled(&[Role::Attestor]))
            .await;
        for id in &TOPICS[1..] {
            client.append(steward, Kind::TopicDefined(topic(id))).await;
        }
        let bytes = OTHER.as_bytes();
        client.put_source("text/plain", bytes).await.unwrap();
        let other = client
            .append(steward, Kind::SourceArchived(report("")))
            .await;
        Self {
            archive,
            second,
            dice: Dice(seed),
            standing: Vec::new(),
            other: other.record,
            written: 0,
        }
    }

    pub fn client(&self) -> Client {
        self.archive.client.clone()
    }

    /// Writes so many records.
    pub async fn write(&mut self, records: usize) {
        for _ in 0..records {
            self.written += 1;
            let about = match self.standing.len() {
                0 => None,
                length => Some(self.dice.roll(length)),
            };
            match (self.dice.roll(12), about) {
                (7, Some(place)) => self.correct(place).await,
                (8, Some(place)) => self.read(place).await,
                (9, Some(place)) => self.add_evidence(place).await,
                (10, Some(place)) => self.attest(place).await,
                (11, Some(place)) if self.dice.roll(3) == 0 => self.retract(place).await,
                (11, _) => self.archive_again().await,
                (6, _) => self.newcomer().await,
                _ => self.say().await,
            }
        }
    }

    async fn append(&mut self, signer: u8, kind: Kind) -> String {
        let signer = Signer::new(signer);
        self.archive.client.append(&signer, kind).await.record
    }

    async fn say(&mut self) {
        let speaker = self.dice.pick(&SPEAKERS);
        let bodies = self.dice.some(&BODIES);
        let statement = self.version(speaker, &bodies);
        let signer = self.dice.pick(&[1, 2, 4]);
        let introduced = Signer::new(signer).seal(Kind::StatementRecorded(statement.clone()));
        let outcome = self
            .archive
            .client
            .append_envelope(introduced.clone())
            .await;
        crate::common::client::recorded(outcome);
        let id = id_of(&introduced);
        self.standing.push(Standing {
            newest: id.clone(),
            id,
            statement,
            introduced,
        });
    }

    /// A version of what somebody said.
    fn version(&mut self, speaker: &str, bodies: &[&str]) -> Statement {
        let voice = match speaker {
            "" => Voice::Anonymous(AnonymousSpeaker {
                description: "a diplomat".to_owned(),
                reason: AnonymityReason::Unidentified.into(),
            }),
            speaker => Voice::Speaker(speaker.to_owned()),
        };
        let dice = &mut self.dice;
        let said_at = dice.pick(&SAID);
        let repeated = said_at.starts_with("2025-0") && dice.roll(4) == 0;
        let wording = dice.pick(&WORDINGS);
        let quoted = matches!(wording, Wording::Verbatim | Wording::Translated);
        let spoken = if wording == Wording::Verbatim {
            "en"
        } else {
            "ru"
        };
        let mut texts = dice.some(&TEXTS);
        if texts.is_empty() {
            texts.push(TEXT);
        }
        let topics = dice.some(&TOPICS).into_iter();
        let readings = topics.filter(|_| !speaker.is_empty());
        Statement {
            said_for: bodies
                .iter()
                .map(|body| said_for(body, CapacityBasis::Stated))
                .collect(),
            said_at: said_at.to_owned(),
            repeated_until: if repeated { "2025-08-11" } else { "" }.to_owned(),
            // No two are the same record.
            venue: format!("No. {}", self.written),
            wording: wording.into(),
            language: "en".to_owned(),
            spoken_language: spoken.to_owned(),
            text: if quoted { PASSAGE } else { "In other words." }.to_owned(),
            evidence: texts.iter().map(|text| evidence(text, PASSAGE)).collect(),
            readings: readings
                .map(|topic| answered(topic, Polarity::Open))
                .collect(),
            voice: Some(voice),
            ..Statement::default()
        }
    }

    async fn correct(&mut self, place: usize) {
        let before = &self.standing[place];
        let (id, newest) = (before.id.clone(), before.newest.clone());
        let (speaker, bodies) = capacity(&before.statement);
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let corrected = self.version(&speaker, &bodies);
        let kind = Kind::StatementCorrected(StatementCorrected {
            statement: id,
            corrects: newest,
            corrected: Some(corrected),
            reason: "It was misread.".to_owned(),
        });
        self.standing[place].newest = self.append(1, kind).await;
    }

    async fn read(&mut self, place: usize) {
        let standing = &self.standing[place];
        let (speaker, said_for) = capacity(&standing.statement);
        let statement = standing.id.clone();
        let mut reading = answered(self.dice.pick(&TOPICS), Polarity::Opposes);
        if speaker.is_empty() {
            "putin".clone_into(&mut reading.holder);
        }
        let kind = Kind::ReadingAdded(ReadingAdded {
            statement,
            speaker,
            said_for,
            reading: Some(reading),
            rationale: format!("No. {}", self.written),
        });
        self.append(3, kind).await;
    }

    async fn add_evidence(&mut self, place: usize) {
        let standing = &self.standing[place];
        let (speaker, bodies) = capacity(&standing.statement);
        let id = standing.id.clone();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let further = vec![evidence(self.dice.pick(&TEXTS), PASSAGE)];
        let added = evidence_added(&id, &speaker, &bodies, further);
        let envelope = Signer::new(2).seal(Kind::EvidenceAdded(added));
        // The same evidence again is on record already.
        let results = self.archive.client.try_append(vec![envelope]).await;
        results.unwrap();
    }

    /// The second attestor vouches, where they have not yet.
    async fn attest(&mut self, place: usize) {
        let of = &self.standing[place].introduced;
        let attested = attestation_added(of, &[&self.second]);
        let envelope = Signer::new(2).seal(Kind::AttestationAdded(attested));
        let results = self.archive.client.try_append(vec![envelope]).await;
        results.unwrap();
    }

    async fn retract(&mut self, place: usize) {
        let standing = self.standing.swap_remove(place);
        let (speaker, said_for) = capacity(&standing.statement);
        let kind = Kind::StatementRetracted(StatementRetracted {
            statement: standing.id,
            speaker,
            said_for,
            reason: "It was fabricated.".to_owned(),
        });
        self.append(1, kind).await;
    }

    /// The other report turns out to have been published at another time.
    async fn archive_again(&mut self) {
        let again = SourceArchived {
            replaces: self.other.clone(),
            title: format!("No. {}", self.written),
            ..report(self.dice.pick(&PUBLISHED))
        };
        self.other = self.append(1, Kind::SourceArchived(again)).await;
    }

    /// A record about no statement.
    async fn newcomer(&mut self) {
        let id = format!("newcomer-{}", self.written);
        self.append(1, Kind::ActorDefined(actor(&id, ActorKind::Person)))
            .await;
    }
}

fn report(published_at: &str) -> SourceArchived {
    SourceArchived {
        published_at: published_at.to_owned(),
        ..source(OTHER)
    }
}

/// The speaker, and for whom they spoke.
fn capacity(statement: &Statement) -> (String, Vec<String>) {
    let speaker = match &statement.voice {
        Some(Voice::Speaker(speaker)) => speaker.clone(),
        _ => String::new(),
    };
    let said_for = statement.said_for.iter().map(|body| body.actor.clone());
    (speaker, said_for.collect())
}

//! Every reason for which admission refuses a record, through gRPC: its code, its name, and
//! the field that it blames.

// Cases are tables: as long as they are, and with plain assignments for what is wrong.
#![allow(missing_docs, clippy::assigning_clones, clippy::too_many_lines)]

#[path = "../common/mod.rs"]
mod common;

mod beside;
mod evidence;
mod lengths;
mod references;
mod shape;
mod signatures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use common::Signer;
use common::archive::TestArchive;
use common::daemon::Home;
use common::records::{actor, source, statement};
use onrecord::admission::{
    self, Below, BelowError, Documents, DocumentsError, Reason, Remedy, TextError, Verdict,
};
use onrecord::app::World;
use onrecord::fold::MemoryTables;
use onrecord::ledger::{Clock, SystemClock};
use onrecord::record::proto::{ActorKind, Envelope, Role, StatementRetracted, record::Kind};
use onrecord::record::{ContentId, Entry as LedgerEntry, Micros};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::get_entry_request::Entry;
use onrecord::rpc::proto::{GetActorRequest, GetEntryRequest, GetTopicRequest, Refusal};
use onrecord::text::{Profile, SearchText};

/// A record that is refused, and what the refusal says.
pub struct Case {
    pub reason: Reason,
    pub field: &'static str,
    pub envelope: Envelope,
}

/// An archive with everything that a record can be wrong about.
pub struct Scene {
    pub archive: TestArchive,
    /// An attestor who was revoked.
    pub revoked: Signer,
    /// A statement that was retracted.
    pub retracted: String,
    /// A text that was uploaded and is not on record.
    pub uploaded: &'static str,
    /// A document whose text is larger than may be.
    pub huge: Vec<u8>,
    /// The text of a source that translates another.
    pub translation: &'static str,
    /// The text of a source that reports another, which later turned out to be a translation.
    pub report: &'static str,
    /// What stands beside statements, and is wrong to build on.
    pub beside: beside::Props,
    /// The record ids of definitions, by what they define.
    pub versions: BTreeMap<&'static str, String>,
}

impl Scene {
    async fn new() -> Self {
        let mut archive = TestArchive::new().await;
        let revoked = Signer::new(9);
        let said = statement(
            "putin",
            "2025-08-07",
            common::archive::TEXT,
            common::archive::PASSAGE,
        );
        let retracted = archive.attestor.seal(Kind::StatementRecorded(said));
        let id = common::client::id_of(&retracted);
        let client = &mut archive.client;
        common::client::recorded(client.append_envelope(retracted).await);
        let retraction = StatementRetracted {
            statement: id.clone(),
            speaker: "putin".to_owned(),
            said_for: Vec::new(),
            reason: "Nobody said it.".to_owned(),
        };
        let uploaded = "A text that no record names.";
        let translation = "The words as somebody translated them.";
        for text in [uploaded, translation] {
            client
                .put_source("text/plain", text.as_bytes())
                .await
                .unwrap();
        }
        let huge = vec![b'a'; onrecord::text::TEXT_BYTES_MAX + 1];
        client
            .put_source("application/octet-stream", &huge)
            .await
            .unwrap();
        for kind in [
            Kind::StatementRetracted(retraction),
            revoked.enrolled(&[Role::Attestor]),
            signatures::revocation(&revoked, "The key was lost."),
            Kind::SourceArchived(evidence::translating(source(translation))),
        ] {
            client.append(&archive.steward, kind).await;
        }
        let report = evidence::report_of_a_translation(&mut archive).await;
        references::office_with_a_limited_mandate(&mut archive).await;
        let versions = versions(&mut archive).await;
        let beside = beside::Props::new(&mut archive).await;
        Self {
            archive,
            beside,
            revoked,
            retracted: id,
            uploaded,
            huge,
            translation,
            report,
            versions,
        }
    }

    fn cases(&self) -> Vec<Case> {
        [
            shape::cases(self),
            lengths::cases(self),
            signatures::cases(self),
            references::cases(self),
            evidence::cases(self),
            beside::cases(self),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Where the definitions stand that cases build on.
async fn versions(archive: &mut TestArchive) -> BTreeMap<&'static str, String> {
    let at_least_size = archive.client.head().await.size;
    let mut versions = BTreeMap::new();
    for id in ["russia", "kremlin"] {
        let request = GetActorRequest {
            actor_id: id.to_owned(),
            at_least_size,
            ..GetActorRequest::default()
        };
        let found = archive.client.catalog.get_actor(request).await.unwrap();
        let provenance = found.into_inner().actor.unwrap().provenance;
        versions.insert(id, provenance.unwrap().record);
    }
    let request = GetTopicRequest {
        topic_id: "meeting".to_owned(),
        at_least_size,
        ..GetTopicRequest::default()
    };
    let found = archive.client.catalog.get_topic(request).await.unwrap();
    let provenance = found.into_inner().topic.unwrap().provenance;
    versions.insert("meeting", provenance.unwrap().record);
    let request = GetEntryRequest {
        entry: Some(Entry::Index(0)),
        decode: false,
        proof: false,
    };
    let found = archive.client.ledger.get_entry(request).await.unwrap();
    versions.insert("steward", found.into_inner().entry.unwrap().record_id);
    versions
}

fn assert_refused(refusal: &Refusal, reason: Reason, field: &str) {
    assert_eq!(refusal.reason, reason.name(), "{refusal:?}");
    assert_eq!(refusal.field, field, "{refusal:?}");
    assert_eq!(refusal.code, reason.remedy().code(), "{refusal:?}");
    assert_eq!(
        refusal.retryable,
        reason.remedy() == Remedy::Retry,
        "{refusal:?}"
    );
    assert!(!refusal.message.is_empty(), "{refusal:?}");
    assert!(!refusal.accepted.is_empty(), "{refusal:?}");
    // A thousand of them go into one answer.
    let told = refusal.message.len() + refusal.accepted.len();
    assert!(told < 1_000, "{refusal:?}");
}

/// Proved by the other tests of this file.
const ELSEWHERE: [Reason; 3] = [
    Reason::NotFounded,
    Reason::ClockJumped,
    Reason::DocumentUnreadable,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_refused_with_its_code_and_field_and_nothing_enters() {
    let mut scene = Scene::new().await;
    let before = scene.archive.client.head().await;
    let cases = scene.cases();
    let mut seen: BTreeSet<&str> = ELSEWHERE.iter().map(|reason| reason.name()).collect();
    for Case {
        reason,
        field,
        envelope,
    } in cases
    {
        let refusal = scene.archive.client.refused(envelope).await;
        assert_refused(&refusal, reason, field);
        seen.insert(reason.name());
    }
    let missing: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.name())
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    assert_eq!(scene.archive.client.head().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_keeps_the_others_of_its_batch_not_out() {
    let mut archive = TestArchive::new().await;
    let steward = &archive.steward;
    let define = |id| steward.seal(Kind::ActorDefined(actor(id, ActorKind::Person)));
    let batch = vec![
        define("one"),
        define("Not A Slug"),
        define("two"),
        define("one"),
    ];
    let results = archive.client.try_append(batch).await.unwrap();
    let outcomes: Vec<_> = results
        .into_iter()
        .map(|result| result.outcome.unwrap())
        .collect();
    let size = archive.size;
    match &outcomes[..] {
        [
            Outcome::Recorded(one),
            Outcome::Refusal(refusal),
            Outcome::Recorded(two),
            Outcome::AlreadyRecorded(again),
        ] => {
            assert_eq!((one.index, two.index, again.index), (size, size + 1, size));
            assert_refused(refusal, Reason::InvalidSlug, "actorDefined.actorId");
        }
        other => panic!("{other:?}"),
    }
}

/// The machine's clock, set back by some microseconds.
struct SetBack {
    machine: SystemClock,
    by: AtomicI64,
}

impl Clock for SetBack {
    fn now(&self) -> Micros {
        Micros(self.machine.now().0 - self.by.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.machine.monotonic()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_is_refused_for_the_time_being() {
    let clock = Arc::new(SetBack {
        machine: SystemClock::start(),
        by: AtomicI64::new(0),
    });
    let world = World {
        clock: clock.clone(),
        ..World::real()
    };
    let mut archive = TestArchive::on(Home::new().found().start_in(world)).await;
    let envelope = archive
        .steward
        .seal(Kind::ActorDefined(actor("late", ActorKind::Person)));
    clock.by.store(3_600_000_000, Ordering::SeqCst);
    let refusal = archive.client.refused(envelope.clone()).await;
    assert_refused(&refusal, Reason::ClockJumped, "");
    clock.by.store(0, Ordering::SeqCst);
    common::client::recorded(archive.client.append_envelope(envelope).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_damaged_is_refused_until_it_can_be_read() {
    let mut archive = TestArchive::new().await;
    let text = "A document on a failing disk.";
    let uploaded = archive
        .client
        .put_source("text/plain", text.as_bytes())
        .await
        .unwrap();
    let (shard, rest) = uploaded.source.split_at(2);
    let path = archive
        .daemon
        .data_dir()
        .join("sources")
        .join(shard)
        .join(rest);
    std::fs::write(&path, text.replace('A', "a")).unwrap();
    let envelope = archive.steward.seal(Kind::SourceArchived(source(text)));
    let refusal = archive.client.refused(envelope.clone()).await;
    assert_refused(&refusal, Reason::DocumentUnreadable, "sourceArchived");
    archive
        .client
        .put_source("text/plain", text.as_bytes())
        .await
        .unwrap();
    common::client::recorded(archive.client.append_envelope(envelope).await);
}

/// No documents.
struct Nothing;

impl Documents for Nothing {
    fn size(&self, _: &ContentId) -> Result<Option<u64>, DocumentsError> {
        Ok(None)
    }

    fn text_of(&self, _: &ContentId, _: Profile, _: &str) -> Result<Option<ContentId>, TextError> {
        Ok(None)
    }

    fn text(&self, _: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(None)
    }
}

impl Below for Nothing {
    fn entry(&self, index: u64) -> Result<Arc<LedgerEntry>, BelowError> {
        Err(BelowError(format!("there is no entry {index}")))
    }
}

/// Weighs a batch of one signature, which nobody forged.
struct Unguessed(blake3::OutputReader);

impl rand_core::TryRng for Unguessed {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Unguessed {}

/// A daemon does not serve a ledger without entry 0, so that this one is asked of admission.
#[test]
fn entry_0_must_found_the_archive() {
    let envelope = Signer::steward().seal(Kind::ActorDefined(actor("first", ActorKind::Person)));
    let randomness = Unguessed(blake3::Hasher::new().finalize_xof());
    let prepared = admission::prepare(
        vec![envelope],
        common::records::ORIGIN,
        &MemoryTables::default(),
        &Nothing,
        randomness,
    );
    let prepared = prepared.into_iter().next().unwrap().unwrap();
    let now = SystemClock::start().now();
    let state = MemoryTables::default();
    let verdict = admission::judge(&state, &Nothing, &Nothing, &prepared, 0, now).unwrap();
    match verdict {
        Verdict::Refuse(refusal) => {
            assert_eq!(refusal.reason, Reason::NotFounded);
            assert_eq!(refusal.field, "actorDefined");
        }
        other => panic!("{other:?}"),
    }
}

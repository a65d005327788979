//! Bytes from anybody: whatever arrives, admission answers, what it lets through is the one
//! encoding of what it says, and only who may sign has it look at documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use onrecord::admission::{
    AdmissionFold, Below, BelowError, Documents, DocumentsError, Prepared, Reason, TextError,
    Verdict, judge, prepare,
};
use onrecord::fold::{Fold as _, MemoryTables};
use onrecord::record::proto::{self, Envelope};
use onrecord::record::{ContentId, Entry, Micros, SigningKey};
use onrecord::text::{Profile, SearchText};
use proptest::prelude::*;
use prost::Message as _;

const ORIGIN: &str = "hostile.example.org";
const TEXT: &str = "The harbour should be closed. The harbour should stay open, he said.";

/// One document, whose text is itself, and how often anybody looked for it.
#[derive(Default)]
struct OneDocument {
    looks: AtomicUsize,
}

impl Documents for OneDocument {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Ok((*source == ContentId::of(TEXT.as_bytes())).then_some(TEXT.len() as u64))
    }

    fn text_of(
        &self,
        source: &ContentId,
        _: Profile,
        _: &str,
    ) -> Result<Option<ContentId>, TextError> {
        Ok(self.size(source)?.map(|_| *source))
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(self
            .size(text_id)?
            .map(|_| SearchText::new(TEXT.to_owned())))
    }
}

fn statement(exact: &str) -> proto::Record {
    let source = ContentId::of(TEXT.as_bytes()).to_string();
    let evidence = proto::Evidence {
        source: source.clone(),
        text_id: source,
        segments: vec![proto::Segment {
            exact: exact.to_owned(),
            ..proto::Segment::default()
        }],
        establishes: vec![1, 2],
    };
    proto::Record {
        origin: ORIGIN.to_owned(),
        signed_at: Some(prost_types::Timestamp {
            seconds: 1_755_600_000,
            nanos: 0,
        }),
        kind: Some(proto::record::Kind::StatementRecorded(proto::Statement {
            voice: Some(proto::statement::Voice::Speaker("speaker".to_owned())),
            said_at: "2025-08-19".to_owned(),
            wording: proto::Wording::Verbatim as i32,
            language: "en".to_owned(),
            spoken_language: "en".to_owned(),
            text: exact.to_owned(),
            evidence: vec![evidence],
            ..proto::Statement::default()
        })),
    }
}

/// No entry that anybody asks for.
struct NothingBelow;

impl Below for NothingBelow {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        Err(BelowError(format!("there is no entry {index}")))
    }
}

/// Weighs signature batches with fixed numbers: nobody attacks a test.
struct Fixed(u64);

impl rand_core::TryRng for Fixed {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

fn key() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

/// A record on record, and what the state is with it.
fn fold(state: &mut MemoryTables, index: u64, record: proto::Record, signer: &SigningKey) {
    let envelope = signer.seal(record.encode_to_vec().into());
    let id = ContentId::of(&envelope.payload);
    let entry = Entry::new(index, Micros(1_755_700_000_000_000), id, record, envelope);
    let changes = AdmissionFold.fold(state, &entry).expect("a fit record");
    state.apply(changes);
}

/// An archive that was founded by an attestor with [`key`].
fn founded() -> MemoryTables {
    let founded = proto::ArchiveFounded {
        checkpoint_key: key().public().to_string(),
        verifiers: vec![proto::VerifierEnrolled {
            verifier: key().public().to_string(),
            name: "a verifier".to_owned(),
            roles: vec![proto::Role::Steward.into(), proto::Role::Attestor.into()],
            ..proto::VerifierEnrolled::default()
        }],
        policy: Some(proto::PolicySet {
            attestations_min: 1,
            admission_rules: 1,
        }),
    };
    let record = proto::Record {
        kind: Some(proto::record::Kind::ArchiveFounded(founded)),
        ..statement("")
    };
    let mut state = MemoryTables::default();
    fold(&mut state, 0, record, &key());
    state
}

/// What is prepared of one envelope, and how often that looked for a document.
fn prepared(state: &MemoryTables, envelope: Envelope) -> (Result<Prepared, Reason>, usize) {
    let documents = OneDocument::default();
    let mut verdicts = prepare(vec![envelope], ORIGIN, state, &documents, Fixed(1));
    assert_eq!(verdicts.len(), 1);
    let verdict = verdicts.remove(0).map_err(|refusal| refusal.reason);
    (verdict, documents.looks.into_inner())
}

fn verdict(envelope: Envelope) -> Result<Prepared, Reason> {
    prepared(&founded(), envelope).0
}

#[test]
fn the_unaltered_record_passes() {
    let payload = statement("The harbour should be closed.").encode_to_vec();
    let prepared = verdict(key().seal(payload.into())).expect("a fit record");
    assert_eq!(prepared.evidence.unwrap().verdict(), &Ok(()));
    assert_eq!(prepared.signers, Ok(vec![*key().public().as_bytes()]));
}

#[test]
fn a_kind_given_twice_is_refused() {
    let mut payload = statement("The harbour should be closed.").encode_to_vec();
    let mut second = statement("The harbour should stay open").encode_to_vec();
    payload.append(&mut second);
    assert_eq!(
        verdict(key().seal(payload.into())).err(),
        Some(Reason::MalformedRecord)
    );
}

#[test]
fn documents_are_looked_at_only_for_records_that_may_enter_as_things_stand() {
    let record = statement("The harbour should be closed.");
    let sealed = |key: SigningKey| key.seal(record.encode_to_vec().into());
    let state = founded();
    let (fit, looks) = prepared(&state, sealed(key()));
    assert!(fit.is_ok() && looks > 0);

    let mut on_record = state.clone();
    fold(&mut on_record, 1, record.clone(), &key());
    let mut forged = sealed(key());
    forged.signatures[0].signature = vec![0; 64].into();
    for (state, envelope) in [
        (&state, sealed(SigningKey::from_seed([8; 32]))),
        (&state, forged),
        (&on_record, sealed(key())),
        (&MemoryTables::default(), sealed(key())),
    ] {
        let (waiting, looks) = prepared(state, envelope);
        assert_eq!((waiting.expect("a fit shape").evidence, looks), (None, 0));
    }
}

#[test]
fn a_record_that_is_refused_for_its_shape_lends_its_signers_to_no_other() {
    let fit = key().seal(
        statement("The harbour should be closed.")
            .encode_to_vec()
            .into(),
    );
    let mut unfit = fit.clone();
    unfit.payload = Bytes::from_static(b"unfit");
    let mut forged = fit.clone();
    forged.signatures[0].signature = vec![0; 64].into();
    let batch = vec![unfit.clone(), forged, unfit, fit];
    let documents = OneDocument::default();
    let prepared = prepare(batch, ORIGIN, &founded(), &documents, Fixed(1));
    let holds: Vec<_> = prepared
        .into_iter()
        .map(|it| it.ok().map(|it| it.signers.is_ok()))
        .collect();
    assert_eq!(holds, [None, Some(false), None, Some(true)]);
}

#[test]
fn a_stranger_s_record_is_refused_without_a_look_at_documents() {
    let record = statement("The harbour should be closed.");
    let stranger = SigningKey::from_seed([8; 32]);
    let envelope = stranger.seal(record.encode_to_vec().into());
    let state = founded();
    let prepared = verdict(envelope).expect("a fit shape");
    let documents = OneDocument::default();
    let now = Micros(1_755_700_000_000_001);
    match judge(&state, &documents, &NothingBelow, &prepared, 1, now) {
        Ok(Verdict::Refuse(refusal)) => assert_eq!(refusal.reason, Reason::UnknownVerifier),
        other => panic!("{other:?}"),
    }
    assert_eq!(documents.looks.into_inner(), 0);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verdict(key().seal(payload.into())).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_still_canonical_and_never_signed(
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let mut envelope = key().seal(statement("The harbour should be closed.").encode_to_vec().into());
        let mut payload = envelope.payload.to_vec();
        let place = place.index(payload.len());
        payload[place] ^= change;
        envelope.payload = Bytes::from(payload.clone());
        if let Ok(prepared) = verdict(envelope) {
            prop_assert_eq!(prepared.record.encode_to_vec(), payload);
            prop_assert_eq!(prepared.signers.map_err(|refusal| refusal.reason), Err(Reason::BadSignature));
        }
    }

    #[test]
    fn any_text_is_found_or_refused(exact in "\\PC{0,40}") {
        if let Ok(prepared) = verdict(key().seal(statement(&exact).encode_to_vec().into())) {
            let found = prepared.evidence.expect("an attestor signed");
            let found = found.verdict().is_ok();
            prop_assert!(!found || TEXT.contains(exact.trim()));
        }
    }
}

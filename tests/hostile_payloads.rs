//! Bytes from anybody: whatever arrives, admission answers, and what it lets through is the
//! one encoding of what it says.

use bytes::Bytes;
use onrecord::admission::{Documents, DocumentsError, Reason, TextError, prepare};
use onrecord::record::proto::{self, Envelope};
use onrecord::record::{ContentId, SigningKey};
use onrecord::text::{Profile, SearchText};
use proptest::prelude::*;
use prost::Message as _;

const ORIGIN: &str = "hostile.example.org";
const TEXT: &str = "The harbour should be closed. The harbour should stay open, he said.";

/// One document, whose text is itself.
struct OneDocument;

impl Documents for OneDocument {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
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

fn verdict(envelope: Envelope) -> Result<onrecord::admission::Prepared, Reason> {
    let mut verdicts = prepare(vec![envelope], ORIGIN, &OneDocument, Fixed(1));
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0).map_err(|refusal| refusal.reason)
}

fn key() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

#[test]
fn the_unaltered_record_passes() {
    let payload = statement("The harbour should be closed.").encode_to_vec();
    let prepared = verdict(key().seal(payload.into())).expect("a fit record");
    assert_eq!(prepared.evidence, Ok(Vec::new()));
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
            let found = prepared.evidence.is_ok();
            prop_assert!(!found || TEXT.contains(exact.trim()));
        }
    }
}

//! What stands beside statements and sources: further evidence, further signatures, readings of
//! sources, reviews; and what is promised of checkpoints.

use bytes::Bytes;
use onrecord::admission::{Reason, prove_possession};
use onrecord::record::ContentId;
use onrecord::record::proto::{
    AttestationAdded, CheckpointKeySet, Envelope, EvidenceAdded, ReadingAdded, ReviewPublished,
    SourceRead, SourceWithheld, Statement, StatementCorrected, WithholdingScope, WitnessPolicySet,
    Wording, record::Kind, review_published::Target,
};

use super::evidence::translating;
use super::{Case, Scene};
use crate::common::Signer;
use crate::common::archive::{PASSAGE, TEXT, TestArchive, for_the_kremlin};
use crate::common::client::{id_of, recorded};
use crate::common::records::{
    ORIGIN, answered, attestation_added, evidence, evidence_added, milestone, review, source,
    statement, withheld, witness,
};
use onrecord::record::proto::Polarity;

/// A translation of 1 August 2025 that has the passage.
const EARLY: &str =
    "An early report.\nAny contact at the top must be prepared with extreme care, it said.";

/// A source whose text is withheld.
const WITHHELD: &str = "A text that a court has withheld.";

pub struct Props {
    /// The id of a statement by Putin of 18 August whose text is the passage.
    verbatim: String,
    /// The id of a paraphrase of 30 July with further evidence in the translation.
    july: String,
    /// The statement of the archive, as its attestor signed it, and a coder's reading of it.
    signed: Envelope,
    read: Envelope,
}

impl Props {
    pub async fn new(archive: &mut TestArchive) -> Self {
        let (attestor, steward) = (&archive.attestor, &archive.steward);
        let client = &mut archive.client;
        for text in [EARLY, WITHHELD] {
            let uploaded = client.put_source("text/plain", text.as_bytes()).await;
            uploaded.unwrap();
        }
        let mut verbatim = statement("putin", "2025-08-18", TEXT, PASSAGE);
        verbatim.wording = Wording::Verbatim.into();
        verbatim.spoken_language = "en".to_owned();
        verbatim.text = PASSAGE.to_owned();
        let july = statement("putin", "2025-07-30", TEXT, PASSAGE);
        let verbatim = attestor.seal(Kind::StatementRecorded(verbatim));
        let july = attestor.seal(Kind::StatementRecorded(july));
        let read = archive.coder.seal(Kind::ReadingAdded(ReadingAdded {
            statement: archive.statement.clone(),
            speaker: "lavrov".to_owned(),
            said_for: vec!["kremlin".to_owned()],
            reading: Some(answered("meeting", Polarity::Open)),
            rationale: String::new(),
        }));
        let props = Self {
            verbatim: id_of(&verbatim),
            july: id_of(&july),
            signed: attestor.seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19"))),
            read: read.clone(),
        };
        assert_eq!(id_of(&props.signed), archive.statement);
        let added = evidence_added(&props.july, "putin", &[], vec![evidence(EARLY, PASSAGE)]);
        for envelope in [
            verbatim,
            july,
            read,
            steward.seal(Kind::SourceArchived(translating(source(EARLY)))),
            steward.seal(Kind::SourceArchived(source(WITHHELD))),
            steward.seal(Kind::SourceWithheld(withheld(
                WITHHELD,
                WithholdingScope::BytesAndText,
            ))),
            attestor.seal(Kind::EvidenceAdded(added)),
        ] {
            recorded(client.append_envelope(envelope).await);
        }
        props
    }
}

pub fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases = further_evidence(scene);
    cases.extend(quoting_what_is_withheld(scene));
    cases.extend(sources(scene));
    cases.extend(reviews(scene));
    cases.extend(attestations(scene));
    cases.extend(checkpoint_keys(scene));
    cases.extend(witnesses(scene));
    cases
}

fn further_evidence(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let case = |reason, field, statement: &str, change: &dyn Fn(&mut EvidenceAdded)| {
        let speaker = if statement == archive.statement {
            "lavrov"
        } else {
            "putin"
        };
        let said_for: &[&str] = if speaker == "lavrov" {
            &["kremlin"]
        } else {
            &[]
        };
        let passage = evidence(TEXT, PASSAGE);
        let mut added = evidence_added(statement, speaker, said_for, vec![passage]);
        change(&mut added);
        Case {
            reason,
            field,
            envelope: archive.attestor.seal(Kind::EvidenceAdded(added)),
        }
    };
    let early = |added: &mut EvidenceAdded| added.evidence = vec![evidence(EARLY, PASSAGE)];
    let (kremlin, verbatim) = (&archive.statement, &scene.beside.verbatim);
    let nothing = ContentId::of(b"nothing").to_string();
    let mut moved = statement("putin", "2025-08-19", TEXT, PASSAGE);
    moved.venue = "elsewhere".to_owned();
    vec![
        case(
            Reason::MalformedRecord,
            "evidenceAdded.evidence",
            kremlin,
            &|added| {
                added.evidence.clear();
            },
        ),
        case(
            Reason::UnknownStatement,
            "evidenceAdded.statement",
            kremlin,
            &|added| {
                added.statement.clone_from(&nothing);
            },
        ),
        case(
            Reason::StatementIsRetracted,
            "evidenceAdded.statement",
            &scene.retracted,
            &|_| {},
        ),
        case(
            Reason::CapacityDiffers,
            "evidenceAdded.speaker",
            kremlin,
            &|added| {
                added.speaker = "putin".to_owned();
            },
        ),
        case(
            Reason::CapacityDiffers,
            "evidenceAdded.saidFor",
            kremlin,
            &|added| {
                added.said_for.clear();
            },
        ),
        case(
            Reason::UnknownSource,
            "evidenceAdded.evidence[0].source",
            kremlin,
            &|added| added.evidence[0].source.clone_from(&nothing),
        ),
        case(
            Reason::QuoteNotFound,
            "evidenceAdded.evidence[0].segments[0].exact",
            kremlin,
            &|added| added.evidence = vec![evidence(TEXT, "he promised a meeting")],
        ),
        case(
            Reason::TextDiffersFromSelection,
            "evidenceAdded.evidence[0].segments",
            verbatim,
            &|added| added.evidence = vec![evidence(TEXT, "The minister spoke on Tuesday")],
        ),
        case(
            Reason::NotVerbatim,
            "evidenceAdded.evidence[0].source",
            verbatim,
            &early,
        ),
        case(
            Reason::SaidAfterPublished,
            "evidenceAdded.evidence[0].source",
            kremlin,
            &early,
        ),
        Case {
            reason: Reason::SaidAfterPublished,
            field: "statementCorrected.corrected.saidAt",
            envelope: archive
                .attestor
                .seal(Kind::StatementCorrected(StatementCorrected {
                    statement: scene.beside.july.clone(),
                    corrects: scene.beside.july.clone(),
                    corrected: Some(moved),
                    reason: "The day was wrong.".to_owned(),
                })),
        },
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive.coder.seal(Kind::EvidenceAdded(evidence_added(
                kremlin,
                "lavrov",
                &["kremlin"],
                vec![evidence(TEXT, PASSAGE)],
            ))),
        },
    ]
}

fn quoting_what_is_withheld(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let passage = || vec![evidence(WITHHELD, "a court has withheld")];
    let said = Statement {
        evidence: passage(),
        ..for_the_kremlin("2025-08-19")
    };
    let mut talks = milestone("talks", "2025-08-15");
    talks.evidence = passage();
    let added = evidence_added(&archive.statement, "lavrov", &["kremlin"], passage());
    [
        (
            "statementRecorded.evidence[0].source",
            Kind::StatementRecorded(said),
        ),
        (
            "evidenceAdded.evidence[0].source",
            Kind::EvidenceAdded(added),
        ),
        (
            "milestoneDefined.evidence[0].source",
            Kind::MilestoneDefined(talks),
        ),
    ]
    .map(|(field, kind)| Case {
        reason: Reason::Withheld,
        field,
        envelope: archive.attestor.seal(kind),
    })
    .into()
}

fn sources(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let withhold = |reason, field, change: &dyn Fn(&mut SourceWithheld)| {
        let mut record = withheld(TEXT, WithholdingScope::Bytes);
        change(&mut record);
        Case {
            reason,
            field,
            envelope: archive.steward.seal(Kind::SourceWithheld(record)),
        }
    };
    let read = |reason, field, change: &dyn Fn(&mut SourceRead)| {
        let mut record = SourceRead {
            source: ContentId::of(TEXT.as_bytes()).to_string(),
            topics: vec!["meeting".to_owned()],
            whole: true,
        };
        change(&mut record);
        Case {
            reason,
            field,
            envelope: archive.coder.seal(Kind::SourceRead(record)),
        }
    };
    let nothing = ContentId::of(b"nothing").to_string();
    vec![
        withhold(Reason::UnknownSource, "sourceWithheld.source", &|record| {
            record.source.clone_from(&nothing);
        }),
        withhold(Reason::MalformedRecord, "sourceWithheld.scope", &|record| {
            record.scope = 0;
        }),
        withhold(
            Reason::MalformedRecord,
            "sourceWithheld.reason",
            &|record| {
                record.reason.clear();
            },
        ),
        withhold(
            Reason::MalformedRecord,
            "sourceWithheld.authority",
            &|record| record.authority.clear(),
        ),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive.attestor.seal(Kind::SourceWithheld(withheld(
                TEXT,
                WithholdingScope::Bytes,
            ))),
        },
        read(Reason::UnknownSource, "sourceRead.source", &|record| {
            record.source.clone_from(&nothing);
        }),
        read(Reason::UnknownTopic, "sourceRead.topics[1]", &|record| {
            record.topics.push("weather".to_owned());
        }),
        read(Reason::MalformedRecord, "sourceRead.topics", &|record| {
            record.topics.clear();
        }),
        read(Reason::MalformedRecord, "sourceRead.topics[1]", &|record| {
            record.topics.push("meeting".to_owned());
        }),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive.attestor.seal(Kind::SourceRead(SourceRead {
                source: ContentId::of(TEXT.as_bytes()).to_string(),
                topics: vec!["meeting".to_owned()],
                whole: true,
            })),
        },
    ]
}

fn reviews(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let nothing = || ContentId::of(b"nothing").to_string();
    let case = |reason, field, change: &dyn Fn(&mut ReviewPublished)| {
        let mut review = review(Target::Statement(archive.statement.clone()));
        change(&mut review);
        Case {
            reason,
            field,
            envelope: archive.steward.seal(Kind::ReviewPublished(review)),
        }
    };
    let shape =
        |field, change: &dyn Fn(&mut ReviewPublished)| case(Reason::MalformedRecord, field, change);
    vec![
        case(
            Reason::UnknownStatement,
            "reviewPublished.statement",
            &|it| it.target = Some(Target::Statement(nothing())),
        ),
        case(Reason::UnknownSource, "reviewPublished.source", &|it| {
            it.target = Some(Target::Source(nothing()));
        }),
        case(
            Reason::UnknownMilestone,
            "reviewPublished.milestone",
            &|it| it.target = Some(Target::Milestone("nothing".to_owned())),
        ),
        shape("reviewPublished.statement", &|it| it.target = None),
        shape("reviewPublished.verdict", &|it| it.verdict.clear()),
        shape("reviewPublished.url", &|it| it.url.clear()),
        shape("reviewPublished.publisher", &|it| it.publisher.clear()),
        shape("reviewPublished.rating", &|it| it.rating = 6),
        shape("reviewPublished.rating", &|it| it.rating_best = 1),
        case(Reason::InvalidDate, "reviewPublished.publishedAt", &|it| {
            it.published_at.clear();
        }),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive
                .attestor
                .seal(Kind::ReviewPublished(review(Target::Milestone(
                    "summit".to_owned(),
                )))),
        },
    ]
}

fn attestations(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let (attestor, steward) = (&archive.attestor, &archive.steward);
    let props = &scene.beside;
    let case = |reason, field, added: AttestationAdded| Case {
        reason,
        field,
        envelope: attestor.seal(Kind::AttestationAdded(added)),
    };
    let of = |signers: &[&Signer]| attestation_added(&props.signed, signers);
    let mut forged = of(&[steward]);
    forged.signatures = of(&[attestor]).signatures;
    let mut of_other_bytes = attestation_added(&props.read, &[steward]);
    of_other_bytes.record = of(&[]).record;
    let mut unknown = of(&[steward]);
    unknown.record = ContentId::of(b"nothing").to_string();
    let mut unsigned = of(&[steward]);
    unsigned.signatures.clear();
    let mut short = of(&[steward]);
    short.signatures[0] = Bytes::from_static(b"short");
    let mut weak = of(&[steward]);
    weak.verifiers[0] = format!("01{}", "00".repeat(31));
    vec![
        case(
            Reason::MalformedRecord,
            "attestationAdded.verifiers",
            of(&[]),
        ),
        case(
            Reason::MalformedRecord,
            "attestationAdded.signatures",
            unsigned,
        ),
        case(
            Reason::MalformedRecord,
            "attestationAdded.signatures[0]",
            short,
        ),
        case(
            Reason::MalformedRecord,
            "attestationAdded.verifiers[1]",
            of(&[steward, steward]),
        ),
        case(Reason::WeakKey, "attestationAdded.verifiers[0]", weak),
        case(Reason::UnknownRecord, "attestationAdded.record", unknown),
        case(
            Reason::UnknownVerifier,
            "attestationAdded.verifiers[1]",
            of(&[steward, &Signer::new(8)]),
        ),
        case(
            Reason::VerifierRevoked,
            "attestationAdded.verifiers[0]",
            of(&[&scene.revoked]),
        ),
        case(
            Reason::RoleMissing,
            "attestationAdded.verifiers[0]",
            of(&[&archive.coder]),
        ),
        case(
            Reason::RoleMissing,
            "attestationAdded.verifiers[0]",
            attestation_added(&props.read, &[attestor]),
        ),
        case(
            Reason::AlreadyAttested,
            "attestationAdded.verifiers[0]",
            of(&[attestor]),
        ),
        case(
            Reason::BadSignature,
            "attestationAdded.signatures[0]",
            forged,
        ),
        case(
            Reason::BadSignature,
            "attestationAdded.signatures[0]",
            of_other_bytes,
        ),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive.coder.seal(Kind::AttestationAdded(of(&[steward]))),
        },
    ]
}

fn checkpoint_keys(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let new = Signer::new(11);
    let set = |key: &Signer, proof: Bytes| {
        Kind::CheckpointKeySet(CheckpointKeySet {
            checkpoint_key: key.id(),
            proof_of_possession: proof,
        })
    };
    let case = |reason, field, kind| Case {
        reason,
        field,
        envelope: archive.steward.seal(kind),
    };
    let elsewhere = prove_possession(&new.key, "archive.example/other");
    let another = prove_possession(&Signer::new(12).key, ORIGIN);
    let proof = "checkpointKeySet.proofOfPossession";
    vec![
        case(Reason::BadSignature, proof, set(&new, elsewhere)),
        case(Reason::BadSignature, proof, set(&new, another)),
        case(Reason::MalformedRecord, proof, set(&new, Bytes::new())),
        case(
            Reason::WeakKey,
            "checkpointKeySet.checkpointKey",
            Kind::CheckpointKeySet(CheckpointKeySet {
                checkpoint_key: format!("01{}", "00".repeat(31)),
                proof_of_possession: Bytes::from(vec![0; 64]),
            }),
        ),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive
                .attestor
                .seal(set(&new, prove_possession(&new.key, ORIGIN))),
        },
    ]
}

fn witnesses(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let key = |seed| *Signer::new(seed).key.public().as_bytes();
    let one = witness("witness.example/one", &key(21));
    let case = |reason, field, keys: &[&str], quorum| Case {
        reason,
        field,
        envelope: archive
            .steward
            .seal(Kind::WitnessPolicySet(WitnessPolicySet {
                witness_keys: keys.iter().map(|&key| key.to_owned()).collect(),
                quorum,
            })),
    };
    let malformed =
        |field, keys: &[&str], quorum| case(Reason::MalformedRecord, field, keys, quorum);
    let many: Vec<String> = (30..46)
        .map(|seed| witness(&format!("witness.example/{seed}"), &key(seed)))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let weak = witness("w", &[&[1][..], &[0; 31]].concat());
    let same_name = witness("witness.example/one", &key(22));
    let same_key = witness("witness.example/two", &key(21));
    let (quorum, first) = ("witnessPolicySet.quorum", "witnessPolicySet.witnessKeys[0]");
    let second = "witnessPolicySet.witnessKeys[1]";
    vec![
        malformed(quorum, &[&one], 0),
        malformed(quorum, &[&one], 2),
        malformed(quorum, &[], 1),
        malformed(first, &["no key"], 1),
        malformed(first, &[&one.replace("/one", "/two")], 1),
        malformed(
            first,
            &["example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"],
            1,
        ),
        malformed(second, &[&one, &same_name], 1),
        malformed(second, &[&one, &same_key], 1),
        case(Reason::WeakKey, first, &[&weak], 1),
        case(
            Reason::RecordTooLarge,
            "witnessPolicySet.witnessKeys",
            &many,
            1,
        ),
        Case {
            reason: Reason::RoleMissing,
            field: "signatures[0]",
            envelope: archive
                .attestor
                .seal(Kind::WitnessPolicySet(WitnessPolicySet {
                    witness_keys: vec![one.clone()],
                    quorum: 1,
                })),
        },
    ]
}

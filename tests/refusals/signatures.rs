//! Who signed, and whether they may.

use bytes::Bytes;
use onrecord::admission::Reason;
use onrecord::record::proto::{
    ActorKind, ArchiveFounded, PolicySet, Role, StatementRetracted, VerifierRevoked, record::Kind,
};

use super::{Case, Scene};
use crate::common::Signer;
use crate::common::client::countersign;
use crate::common::records::actor;

pub fn revocation(of: &Signer, reason: &str) -> Kind {
    Kind::VerifierRevoked(VerifierRevoked {
        verifier: of.id(),
        reason: reason.to_owned(),
        untrusted_from: None,
    })
}

pub fn cases(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let (steward, attestor, coder) = (&archive.steward, &archive.attestor, &archive.coder);
    let stranger = Signer::new(8);
    let case = |reason, field, signer: &Signer, kind| Case {
        reason,
        field,
        envelope: signer.seal(kind),
    };
    let define = || Kind::ActorDefined(actor("somebody", ActorKind::Person));
    let retract = Kind::StatementRetracted(StatementRetracted {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "Not mine to say.".to_owned(),
    });
    let policy = |attestations_min| {
        Kind::PolicySet(PolicySet {
            attestations_min,
            admission_rules: 1,
        })
    };
    let only_attestor = |of: &Signer, roles: &[Role]| {
        let mut kind = of.enrolled(roles);
        if let Kind::VerifierEnrolled(enrolled) = &mut kind {
            enrolled.replaces.clone_from(&scene.versions["steward"]);
        }
        kind
    };
    let mut unsigned = attestor.seal(define());
    unsigned.signatures.clear();
    let mut forged = countersign(steward.seal(define()), &attestor.key);
    forged.signatures[1].signature = forged.signatures[0].signature.clone();
    vec![
        case(Reason::UnknownVerifier, "signatures[0]", &stranger, define()),
        Case {
            reason: Reason::UnknownVerifier,
            field: "signatures[1]",
            envelope: countersign(steward.seal(define()), &stranger.key),
        },
        case(
            Reason::UnknownVerifier,
            "verifierRevoked.verifier",
            steward,
            revocation(&stranger, "They left."),
        ),
        case(Reason::VerifierRevoked, "signatures[0]", &scene.revoked, define()),
        case(
            Reason::VerifierRevoked,
            "verifierRevoked.verifier",
            steward,
            revocation(&scene.revoked, "They left."),
        ),
        case(
            Reason::VerifierRevoked,
            "verifierEnrolled.verifier",
            steward,
            scene.revoked.enrolled(&[Role::Coder]),
        ),
        Case {
            reason: Reason::WeakKey,
            field: "signatures[0].publicKey",
            envelope: signed_by_a_weak_key(define()),
        },
        case(Reason::RoleMissing, "signatures[0]", coder, define()),
        case(Reason::RoleMissing, "signatures[0]", attestor, policy(1)),
        Case {
            reason: Reason::BadSignature,
            field: "signatures[1]",
            envelope: forged,
        },
        Case {
            reason: Reason::TooFewAttestations,
            field: "signatures",
            envelope: unsigned,
        },
        case(Reason::NotYoursToCorrect, "signatures[0]", coder, retract),
        case(Reason::WouldLockArchive, "policySet", steward, policy(32)),
        case(
            Reason::WouldLockArchive,
            "verifierRevoked",
            steward,
            revocation(steward, "They left."),
        ),
        case(
            Reason::WouldLockArchive,
            "verifierEnrolled",
            steward,
            only_attestor(steward, &[Role::Attestor]),
        ),
        case(
            Reason::AlreadyFounded,
            "archiveFounded",
            steward,
            founding_again(steward),
        ),
    ]
}

fn founding_again(steward: &Signer) -> Kind {
    let enrolled = steward.enrolled(&[Role::Steward]);
    Kind::ArchiveFounded(ArchiveFounded {
        checkpoint_key: steward.id(),
        verifiers: match enrolled {
            Kind::VerifierEnrolled(enrolled) => vec![enrolled],
            _ => Vec::new(),
        },
        policy: Some(PolicySet {
            attestations_min: 1,
            admission_rules: 1,
        }),
    })
}

/// Under a key of small order the neutral element and zero sign everything: such a signature
/// holds, and proves nothing.
fn signed_by_a_weak_key(kind: Kind) -> onrecord::record::proto::Envelope {
    let mut envelope = Signer::new(8).seal(kind);
    let neutral = [&[1_u8][..], &[0; 31]].concat();
    let signature = &mut envelope.signatures[0];
    signature.signature = Bytes::from([&neutral[..], &[0; 32]].concat());
    signature.public_key = Bytes::from(neutral);
    envelope
}

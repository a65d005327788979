use super::*;

fn policy(seeds: &[u8], quorum: usize) -> Result<WitnessPolicy, WitnessPolicyError> {
    let keys = seeds.iter().map(|&seed| witness_key(seed)).collect();
    WitnessPolicy::new(keys, quorum)
}

/// The checkpoint at 15 entries, cosigned by each of these witnesses at its time.
fn note(cosigned_by: &[(u8, u64)]) -> SignedNote {
    let lines = cosigned_by
        .iter()
        .map(|&(seed, time)| cosigned(15, seed, time));
    signed_at(15).with(lines.collect()).unwrap()
}

#[test]
fn a_cosignature_is_over_the_time_and_the_text_and_carries_the_time() {
    let line = cosigned(15, 2, 1_679_315_147);
    assert_eq!(line.key_id(), witness_key(2).note_key().id());
    let (time, signature) = line.signature().split_at(8);
    assert_eq!(time, 1_679_315_147_u64.to_be_bytes());
    let text = checkpoint_at(15).to_string();
    let signed = format!("cosignature/v1\ntime 1679315147\n{text}");
    assert!(secret(2).public().verify(signed.as_bytes(), signature));
    assert_eq!(signature.len(), 64);
}

#[test]
fn a_cosignature_holds_for_its_time_its_checkpoint_and_its_witness_alone() {
    let witness = witness_key(2);
    let keys = [witness.note_key().clone()];
    let line = cosigned(15, 2, 1000);
    let signers = note(&[(2, 1000)]).signers(&keys).map(|it| it[0].time);
    assert_eq!(signers, Ok(Some(at(1000))));

    let elsewhere = signed_at(14).with(vec![line.clone()]).unwrap();
    assert!(elsewhere.signers(&keys).is_err());
    for bit in 0..72 * 8 {
        let mut bytes = line.signature().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let bad = NoteSignature::by(witness.note_key(), bytes);
        let note = signed_at(15).with(vec![bad]).unwrap();
        assert!(note.signers(&keys).is_err(), "bit {bit}");
    }
    for length in [1, 7, 8, 71, 73] {
        let mut bytes = line.signature().to_vec();
        bytes.resize(length, 0);
        let bad = NoteSignature::by(witness.note_key(), bytes);
        let note = signed_at(15).with(vec![bad]).unwrap();
        assert!(note.signers(&keys).is_err(), "{length} bytes");
    }
}

#[test]
fn a_cosignature_of_time_0_or_beyond_a_signed_integer_does_not_hold() {
    for seconds in [0, 1 << 63, u64::MAX] {
        assert_eq!(CosignatureTime::from_unix_seconds(seconds), None);
        let signed = format!("cosignature/v1\ntime {seconds}\n{}", checkpoint_at(15));
        let signature = secret(2).sign_message(signed.as_bytes());
        let bytes = [&seconds.to_be_bytes(), &signature[..]].concat();
        let line = NoteSignature::by(witness_key(2).note_key(), bytes);
        let note = signed_at(15).with(vec![line]).unwrap();
        assert!(note.signers(policy(&[2], 1).unwrap().keys()).is_err());
    }
    let last = (1 << 63) - 1;
    let witnessed = policy(&[2], 1).unwrap().witnessed(&note(&[(2, last)]));
    assert_eq!(witnessed.unwrap().time, Some(at(last)));
}

#[test]
fn a_quorum_has_seen_a_checkpoint_since_the_latest_of_its_earliest_members() {
    let of_three = policy(&[2, 3, 4], 2).unwrap();
    let witnessed = of_three
        .witnessed(&note(&[(4, 300), (2, 100), (3, 200)]))
        .unwrap();
    let by: Vec<_> = witnessed
        .by
        .iter()
        .map(|it| (it.name.clone(), it.time))
        .collect();
    let expected =
        [(2, 100), (3, 200), (4, 300)].map(|(seed, time)| (witness_name(seed), at(time)));
    assert_eq!(by, expected);
    assert!(witnessed.is_quorum);
    assert_eq!(witnessed.time, Some(at(200)));

    let witnessed = of_three.witnessed(&note(&[(4, 300)])).unwrap();
    assert_eq!(
        (witnessed.by.len(), witnessed.is_quorum, witnessed.time),
        (1, false, None)
    );
}

#[test]
fn a_witness_that_cosigns_twice_counts_once_since_the_first_time() {
    let witnessed = policy(&[2, 3], 2)
        .unwrap()
        .witnessed(&note(&[(2, 500), (2, 100)]))
        .unwrap();
    assert_eq!((witnessed.by.len(), witnessed.is_quorum), (1, false));
    assert_eq!(witnessed.by[0].time, at(100));
}

#[test]
fn strangers_do_not_make_a_quorum_and_a_witness_whose_signature_fails_spoils_the_note() {
    let policy = policy(&[2], 1).unwrap();
    let witnessed = policy.witnessed(&note(&[(7, 100), (8, 100)])).unwrap();
    assert_eq!((witnessed.by.len(), witnessed.is_quorum), (0, false));
    let bad = signed_at(15).with(vec![cosigned(14, 2, 100)]).unwrap();
    let refusal = policy.witnessed(&bad).unwrap_err();
    assert_eq!(refusal.name, witness_name(2));
}

#[test]
fn without_witnesses_nobody_has_to_cosign() {
    let nobody = WitnessPolicy::nobody();
    assert_eq!(WitnessPolicy::new(Vec::new(), 0), Ok(nobody.clone()));
    let witnessed = nobody.witnessed(&note(&[(2, 100)])).unwrap();
    assert_eq!(
        (witnessed.by.len(), witnessed.is_quorum, witnessed.time),
        (0, true, None)
    );
}

#[test]
fn a_policy_counts_nobody_twice_and_asks_for_some_of_those_it_has() {
    let twice = WitnessPolicyError::Twice {
        name: witness_name(2),
    };
    assert_eq!(policy(&[2, 3, 2], 1), Err(twice.clone()));
    let alias = WitnessKey::new(name("alias.example"), secret(2).public());
    let refusal = WitnessPolicy::new(vec![witness_key(2), alias], 1);
    assert_eq!(refusal, Err(twice));
    for (seeds, quorum) in [(&[][..], 1), (&[2, 3], 0), (&[2, 3], 3)] {
        let found = seeds.len();
        let refusal = policy(seeds, quorum);
        assert_eq!(refusal, Err(WitnessPolicyError::Quorum { quorum, found }));
    }
    let many: Vec<u8> = (2..18).collect();
    let found = 16;
    assert_eq!(policy(&many, 9), Err(WitnessPolicyError::TooMany { found }));
    assert_eq!(policy(&many[1..], 9).unwrap().quorum(), 9);
}

#[test]
fn a_ledgers_key_is_no_witness() {
    let witness = witness_key(2);
    assert_eq!(witness.note_key().to_string().parse(), Ok(witness));
    let refusal = ledger_key().to_string().parse::<WitnessKey>();
    assert_eq!(refusal, Err(WitnessKeyError::Log));
    let refusal = "a+b".parse::<WitnessKey>();
    assert_eq!(refusal, Err(WitnessKeyError::NoteKey(NoteKeyError::Form)));
}

#[test]
fn the_answer_of_a_witness_is_signature_lines_to_append() {
    let lines = [cosigned(15, 2, 100), cosigned(15, 3, 100)];
    let answer = format!("{}\n{}\n", lines[0], lines[1]);
    let read = NoteSignature::parse_lines(answer.as_bytes()).unwrap();
    assert_eq!(read, lines);
    let note = signed_at(15).with(read).unwrap();
    assert!(
        policy(&[2, 3], 2)
            .unwrap()
            .witnessed(&note)
            .unwrap()
            .is_quorum
    );

    let refused = |text: &str| NoteSignature::parse_lines(text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), NoteError::NoSignature);
    assert_eq!(refused(answer.trim_end()), NoteError::Unterminated);
    let (place, error) = (2, SignatureLineError::Form);
    let refusal = refused(&format!("{answer}\n"));
    assert_eq!(refusal, NoteError::Signature { place, error });
}

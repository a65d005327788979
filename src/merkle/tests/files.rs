use proptest::prelude::*;

use super::*;

fn proof_file(index: u64, size: u64) -> TlogProof {
    TlogProof::new(index, path_of(index, size), signed_at(size))
}

fn request(old: u64, new: u64) -> AddCheckpoint {
    AddCheckpoint::new(old, consistency_of(old, new), signed_at(new)).unwrap()
}

fn policy() -> WitnessPolicy {
    WitnessPolicy::new(vec![witness_key(2), witness_key(3)], 2).unwrap()
}

#[test]
fn a_proof_file_is_written_as_in_the_specification() {
    let file = proof_file(4, 7);
    let hashes = file.inclusion().hashes();
    let [first, second, third] = hashes else {
        panic!("{hashes:?}");
    };
    let note = signed_at(7);
    let body = format!("index 4\n{first}\n{second}\n{third}\n\n{note}");
    assert_eq!(file.to_string(), format!("c2sp.org/tlog-proof@v1\n{body}"));
    let file = file.with_extra(b"extra data".to_vec()).unwrap();
    let text = format!("c2sp.org/tlog-proof@v1\nextra ZXh0cmEgZGF0YQ==\n{body}");
    assert_eq!(file.to_string(), text);
    let read = TlogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(read.extra(), Some(&b"extra data"[..]));
    assert_eq!((read.index(), read.note()), (4, &note));
    // The only entry of a ledger has nothing between its index and the checkpoint.
    let only = proof_file(0, 1).to_string();
    assert!(only.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\narchive.example/ledger\n1\n"));
    assert_eq!(TlogProof::parse(only.as_bytes()), Ok(proof_file(0, 1)));
}

#[test]
fn a_proof_file_shows_its_entry_to_whoever_has_the_keys() {
    let cosignatures = vec![cosigned(7, 2, 100), cosigned(7, 3, 200)];
    let note = signed_at(7).with(cosignatures).unwrap();
    let file = TlogProof::new(4, path_of(4, 7), note);
    let proven = file.verify(&entry(4), &ledger_key(), &policy()).unwrap();
    assert_eq!((proven.index, proven.checkpoint), (4, checkpoint_at(7)));
    assert_eq!(proven.witnessed.time, Some(at(200)));
    let proven = proof_file(4, 7).verify(&entry(4), &ledger_key(), &policy());
    assert!(!proven.unwrap().witnessed.is_quorum);
}

#[test]
fn a_proof_file_shows_nothing_about_another_entry_place_ledger_or_by_a_bad_signature() {
    let verify = |file: &TlogProof, at| file.verify(&entry(at), &ledger_key(), &policy());
    let refusal = verify(&proof_file(4, 7), 5);
    assert!(matches!(
        refusal,
        Err(TlogProofRefusal::Inclusion(InclusionError::Root { .. }))
    ));
    let moved = TlogProof::new(5, path_of(4, 7), signed_at(7));
    assert!(matches!(
        verify(&moved, 4),
        Err(TlogProofRefusal::Inclusion(_))
    ));
    let beyond = TlogProof::new(7, path_of(4, 7), signed_at(7));
    let (index, size) = (7, 7);
    let error = InclusionError::Index { index, size };
    assert_eq!(verify(&beyond, 4), Err(TlogProofRefusal::Inclusion(error)));
    let elsewhere = Checkpoint::new(name("other.example"), 7, root_at(7)).unwrap();
    let elsewhere = TlogProof::new(4, path_of(4, 7), elsewhere.sign(&secret(1)));
    assert!(matches!(
        verify(&elsewhere, 4),
        Err(TlogProofRefusal::Checkpoint(_))
    ));
    let spoilt = signed_at(7).with(vec![cosigned(8, 2, 100)]).unwrap();
    let spoilt = TlogProof::new(4, path_of(4, 7), spoilt);
    assert!(matches!(
        verify(&spoilt, 4),
        Err(TlogProofRefusal::BadCosignature(_))
    ));
}

#[test]
fn each_way_of_a_proof_file_to_be_malformed_is_named() {
    use TlogProofError::{Extra, Hash, Header, Index, NoEmptyLine, NotUtf8, Note, TooLong};
    let good = proof_file(4, 7).with_extra(vec![1]).unwrap().to_string();
    let refused = |text: &str| TlogProof::parse(text.as_bytes()).unwrap_err();
    assert_eq!(refused(""), NoEmptyLine);
    assert_eq!(refused(&good.replace("\n\n", "\n")), NoEmptyLine);
    assert_eq!(refused(&good.replace("@v1", "@v2")), Header);
    assert_eq!(refused(&format!("\n{good}")), Header);
    for extra in ["extra \n", "extra AQ\n", "extra AR==\n", "extra A Q==\n"] {
        assert_eq!(
            refused(&good.replace("extra AQ==\n", extra)),
            Extra,
            "{extra}"
        );
    }
    assert_eq!(
        refused(&good.replace("extra AQ==\n", "extra AQ==\nextra AQ==\n")),
        Index
    );
    assert_eq!(refused(&good.replace("extra", "Extra")), Index);
    for index in [
        "index 04",
        "index -4",
        "index  4",
        "index 4 ",
        "index",
        "Index 4",
        "index 9223372036854775808",
    ] {
        assert_eq!(refused(&good.replace("index 4", index)), Index, "{index}");
    }
    let (place, error) = (1, HashError);
    let second = proof_file(4, 7).inclusion().hashes()[1].to_string();
    assert_eq!(
        refused(&good.replace(&second, &second[1..])),
        Hash { place, error }
    );
    assert_eq!(
        refused(&good.replace(&second, &format!("{second}\r"))),
        Hash { place, error }
    );
    let many = format!("{second}\n").repeat(62);
    let many = good.replace(&format!("{second}\n"), &many);
    let too_long = ProofTooLong {
        most: 63,
        found: 64,
    };
    assert_eq!(refused(&many), TlogProofError::TooManyHashes(too_long));
    assert_eq!(refused(good.trim_end()), Note(NoteError::Unterminated));
    let bytes = [good.as_bytes(), &[0xff]].concat();
    assert_eq!(TlogProof::parse(&bytes), Err(NotUtf8));
    let found = TLOG_PROOF_BYTES_MAX + 1;
    assert_eq!(refused(&"a".repeat(found)), TooLong { found });
    for bytes in [0, TLOG_PROOF_EXTRA_BYTES_MAX + 1] {
        assert_eq!(proof_file(4, 7).with_extra(vec![7; bytes]), Err(Extra));
    }
    let full = proof_file(4, 7)
        .with_extra(vec![7; TLOG_PROOF_EXTRA_BYTES_MAX])
        .unwrap();
    assert_eq!(TlogProof::parse(full.to_string().as_bytes()), Ok(full));
}

#[test]
fn a_request_to_a_witness_is_written_as_in_the_specification() {
    let request_to = request(3, 7);
    let [a, b, c, d] = request_to.proof().hashes() else {
        panic!("{request_to:?}");
    };
    let note = signed_at(7);
    let text = format!("old 3\n{a}\n{b}\n{c}\n{d}\n\n{note}");
    assert_eq!(request_to.to_string(), text);
    let read = AddCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!((read.old(), read.note()), (3, &note));
    assert_eq!(request(0, 7).to_string(), format!("old 0\n\n{note}"));
    assert_eq!(request(7, 7).to_string(), format!("old 7\n\n{note}"));
    assert_eq!(
        AddCheckpoint::parse(request(0, 7).to_string().as_bytes()),
        Ok(request(0, 7))
    );
}

#[test]
fn each_way_of_a_request_to_a_witness_to_be_malformed_is_named() {
    use AddCheckpointError::{Hash, NoEmptyLine, NotUtf8, Note, Old, TooLong, TooManyHashes};
    let good = request(3, 7).to_string();
    let refused = |text: &str| AddCheckpoint::parse(text.as_bytes()).unwrap_err();
    for old in [
        "old 03",
        "old -3",
        "old  3",
        "old",
        "Old 3",
        "old 3 ",
        "old 9223372036854775808",
    ] {
        assert_eq!(refused(&good.replace("old 3", old)), Old, "{old}");
    }
    assert_eq!(refused(""), NoEmptyLine);
    assert_eq!(refused("old 3\n"), NoEmptyLine);
    let (most, found) = (0, 4);
    let refusal = refused(&good.replace("old 3", "old 0"));
    assert_eq!(refusal, TooManyHashes(ProofTooLong { most, found }));
    let first = request(3, 7).proof().hashes()[0];
    let (place, error) = (0, HashError);
    let line = first.to_string();
    assert_eq!(
        refused(&good.replace(&line, &line[1..])),
        Hash { place, error }
    );
    assert_eq!(
        refused(&good.replace(&line, &format!("{line} "))),
        Hash { place, error }
    );
    assert_eq!(refused(good.trim_end()), Note(NoteError::Unterminated));
    assert_eq!(AddCheckpoint::parse(b"\xff"), Err(NotUtf8));
    let found = ADD_CHECKPOINT_BYTES_MAX + 1;
    assert_eq!(refused(&"a".repeat(found)), TooLong { found });

    let proof = |count| ConsistencyProof::new(vec![first; count]).unwrap();
    assert!(AddCheckpoint::new(3, proof(63), signed_at(7)).is_ok());
    let (most, found) = (63, 64);
    let refusal = AddCheckpoint::new(3, proof(64), signed_at(7));
    assert_eq!(refusal, Err(TooManyHashes(ProofTooLong { most, found })));
    let text = good.replace(&format!("{first}\n"), &format!("{first}\n").repeat(61));
    assert_eq!(refused(&text), TooManyHashes(ProofTooLong { most, found }));
    assert_eq!(
        AddCheckpoint::new(1 << 63, proof(0), signed_at(7)),
        Err(Old)
    );
}

#[test]
fn the_size_of_a_witness_is_a_number_and_a_newline() {
    for size in [0, 7, Frontier::SIZE_MAX, u64::MAX] {
        assert_eq!(WitnessSize(size).to_string(), format!("{size}\n"));
        assert_eq!(format!("{size}\n").parse(), Ok(WitnessSize(size)));
    }
    for text in [
        "",
        "\n",
        "7",
        "07\n",
        "+7\n",
        "7\n\n",
        " 7\n",
        "7\r\n",
        "18446744073709551616\n",
    ] {
        assert_eq!(
            text.parse::<WitnessSize>(),
            Err(WitnessSizeError),
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn every_proof_file_and_request_is_read_back(
        size in 1..=LEAVES as u64, at in any::<u64>(),
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 1..50))
    ) {
        let index = at % size;
        let mut file = proof_file(index, size);
        if let Some(extra) = extra {
            file = file.with_extra(extra).unwrap();
        }
        let verdict = file.verify(&entry(index), &ledger_key(), &WitnessPolicy::nobody());
        prop_assert!(verdict.is_ok());
        prop_assert_eq!(TlogProof::parse(file.to_string().as_bytes()), Ok(file));
        let request = request(index, size);
        prop_assert_eq!(AddCheckpoint::parse(request.to_string().as_bytes()), Ok(request));
    }

    #[test]
    fn garbage_is_no_file_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(TlogProof::parse(&bytes).is_err());
        prop_assert!(AddCheckpoint::parse(&bytes).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_changed_file_is_read_as_it_stands_and_proves_only_what_it_did(
        change in any::<(u8, usize, u8)>()
    ) {
        let good = proof_file(4, 7).with_extra(vec![1, 2, 3]).unwrap();
        let bytes = changed(&good.to_string(), change);
        if let Ok(file) = TlogProof::parse(&bytes) {
            prop_assert_eq!(file.to_string().into_bytes(), bytes.clone());
            let verdict = file.verify(&entry(4), &ledger_key(), &WitnessPolicy::nobody());
            if let Ok(proven) = verdict {
                prop_assert_eq!((proven.index, proven.checkpoint), (4, checkpoint_at(7)));
                prop_assert_eq!(file.inclusion(), good.inclusion());
            }
        }
        let bytes = changed(&request(3, 7).to_string(), change);
        if let Ok(request) = AddCheckpoint::parse(&bytes) {
            prop_assert_eq!(request.to_string().into_bytes(), bytes.clone());
        }
    }
}

use data_encoding::BASE64;
use proptest::prelude::*;

use super::*;

/// A signature of an unknown kind by `name`.
fn stranger(name: &str, byte: u8) -> NoteSignature {
    let encoded = BASE64.encode(&[byte; 70]);
    format!("\u{2014} {name} {encoded}").parse().unwrap()
}

fn parse(text: &str) -> Result<SignedNote, NoteError> {
    SignedNote::parse(text.as_bytes())
}

#[test]
fn a_signed_checkpoint_is_three_lines_an_empty_one_and_a_signature() {
    let note = signed_at(15).to_string();
    let lines: Vec<&str> = note.split('\n').collect();
    let [origin, size, root, "", signature, ""] = lines[..] else {
        panic!("{note}");
    };
    assert_eq!(
        (origin, size, root),
        (ORIGIN, "15", &root_at(15).to_string()[..])
    );
    let encoded = signature
        .strip_prefix("\u{2014} archive.example/ledger ")
        .unwrap();
    let decoded = BASE64.decode(encoded.as_bytes()).unwrap();
    let (id, signature) = decoded.split_at(4);
    assert_eq!(id, ledger_key().id().0);
    let signed = format!("{origin}\n{size}\n{root}\n");
    assert!(secret(1).public().verify(signed.as_bytes(), signature));
}

#[test]
fn a_note_is_parted_at_its_last_empty_line() {
    let text = "first\n\nsecond\n\n\u{2014} not.a.signature\n";
    let note = SignedNote::new(text.to_owned(), vec![stranger("a", 1)]).unwrap();
    let read = parse(&note.to_string()).unwrap();
    assert_eq!(read.text(), text);
    assert_eq!(read, note);
}

#[test]
fn signers_are_the_known_keys_that_signed_and_strangers_say_nothing() {
    let (key, other) = (
        ledger_key(),
        NoteKey::new(name("b"), NoteKeyType::Log, secret(2).public()),
    );
    // The same name with another key, and another name with the same key.
    let renamed = NoteKey::new(name("c"), NoteKeyType::Log, secret(1).public());
    let rekeyed = NoteKey::new(name(ORIGIN), NoteKeyType::Log, secret(3).public());
    let note = signed_at(7)
        .with(vec![stranger("b", 1), stranger(ORIGIN, 2)])
        .unwrap();
    let keys = [other, renamed, rekeyed, key.clone()];
    let signers = note.signers(&keys).unwrap();
    assert_eq!(
        signers,
        [NoteSigner {
            key: &key,
            time: None
        }]
    );
    assert_eq!(note.signers(&keys[..3]), Ok(vec![]));
}

#[test]
fn a_known_key_whose_signature_does_not_hold_makes_the_note_invalid() {
    let good = signed_at(7);
    let text = good.text().replace('7', "8");
    let forged = SignedNote::new(text, good.signatures().to_vec()).unwrap();
    let bad = BadSignature {
        name: name(ORIGIN),
        key_id: ledger_key().id(),
    };
    assert_eq!(forged.signers(&[ledger_key()]), Err(bad.clone()));
    // A good one beside it does not heal it, in either order.
    let twice = [good.signatures(), forged_line(&good)].concat();
    let twice = SignedNote::new(good.text().to_owned(), twice).unwrap();
    assert_eq!(twice.signers(&[ledger_key()]), Err(bad.clone()));
    let twice = [forged_line(&good), good.signatures()].concat();
    let twice = SignedNote::new(good.text().to_owned(), twice).unwrap();
    assert_eq!(twice.signers(&[ledger_key()]), Err(bad));
}

/// The signature line of another checkpoint by the same key.
fn forged_line(good: &SignedNote) -> &'static [NoteSignature] {
    let other = signed_at(9).signatures().to_vec();
    assert_ne!(good.signatures(), other);
    other.leak()
}

#[test]
fn every_bit_of_a_signature_counts() {
    let good = signed_at(7);
    let line = good.signatures()[0].signature().to_vec();
    assert_eq!(line.len(), 64);
    for bit in 0..512 {
        let mut bytes = line.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let bad = NoteSignature::by(&ledger_key(), bytes);
        let note = SignedNote::new(good.text().to_owned(), vec![bad]).unwrap();
        assert!(note.signers(&[ledger_key()]).is_err(), "bit {bit}");
    }
    for length in [1, 63, 65] {
        let mut bytes = line.clone();
        bytes.resize(length, 0);
        let bad = NoteSignature::by(&ledger_key(), bytes);
        let note = SignedNote::new(good.text().to_owned(), vec![bad]).unwrap();
        assert!(note.signers(&[ledger_key()]).is_err(), "{length} bytes");
    }
}

#[test]
fn sixteen_signatures_and_more_are_read_and_there_is_a_bound() {
    let with = |count: u8| {
        let others = (1..count).map(|byte| stranger("b", byte)).collect();
        signed_at(7).with(others)
    };
    for count in [1, 16, 100] {
        let note = with(count).unwrap();
        assert_eq!(parse(&note.to_string()), Ok(note.clone()));
        assert_eq!(note.signers(&[ledger_key()]).unwrap().len(), 1);
    }
    let found = 101;
    assert_eq!(with(101), Err(NoteError::TooManySignatures { found }));
    let text = format!("{}{}\n", with(100).unwrap(), stranger("b", 1));
    assert_eq!(parse(&text), Err(NoteError::TooManySignatures { found }));
    let bytes = NOTE_BYTES_MAX + 1;
    let long = "a".repeat(bytes);
    assert_eq!(parse(&long), Err(NoteError::TooLong { bytes }));
    let long = SignedNote::new(format!("{}\n", &long[2..]), vec![stranger("b", 1)]);
    assert!(matches!(long, Err(NoteError::TooLong { .. })));
}

#[test]
fn each_way_of_a_note_to_be_malformed_is_named() {
    let good = signed_at(7).to_string();
    assert_eq!(parse(&good), Ok(signed_at(7)));
    let refused = |text: &str| parse(text).unwrap_err();
    let head = good.split('\u{2014}').next().unwrap();
    assert_eq!(refused(""), NoteError::NoEmptyLine);
    assert_eq!(refused("text\n"), NoteError::NoEmptyLine);
    assert_eq!(refused(&good.replace("\n\n", "\n")), NoteError::NoEmptyLine);
    assert_eq!(refused(head), NoteError::NoSignature);
    assert_eq!(refused(&format!("{good}\n")), NoteError::NoSignature);
    assert_eq!(refused(good.trim_end()), NoteError::Unterminated);
    let at = ORIGIN.len();
    for control in ["\r\n", "\t\n", "\0\n", "\u{7f}\n", "\u{85}\n"] {
        let text = good.replacen('\n', control, 1);
        assert_eq!(refused(&text), NoteError::Control { at }, "{control:?}");
    }
    let refusal = SignedNote::parse(&[good.as_bytes(), b"\xff"].concat());
    assert_eq!(refusal, Err(NoteError::NotUtf8));
    let refusal = SignedNote::new("text".to_owned(), vec![stranger("a", 1)]);
    assert_eq!(refusal, Err(NoteError::Unterminated));
    let refusal = SignedNote::new("text\n".to_owned(), Vec::new());
    assert_eq!(refusal, Err(NoteError::NoSignature));
    let refusal = SignedNote::new("te\0xt\n".to_owned(), vec![stranger("a", 1)]);
    assert_eq!(refusal, Err(NoteError::Control { at: 2 }));
}

#[test]
fn each_way_of_a_signature_line_to_be_malformed_is_named() {
    use SignatureLineError::{Base64, Form, Name, Short};
    let unnamed = Name(KeyNameError);
    let all = [
        ("- a AAAAAAA=", Form),
        ("\u{2013} a AAAAAAA=", Form),
        ("\u{2014}a AAAAAAA=", Form),
        ("\u{2014} AAAAAAA=", Form),
        ("\u{2014}  AAAAAAA=", unnamed),
        ("\u{2014} a+b AAAAAAA=", unnamed),
        ("\u{2014} a\u{a0}b AAAAAAA=", unnamed),
        ("\u{2014} a\u{2003}b AAAAAAA=", unnamed),
        ("\u{2014} a  AAAAAAA=", Base64),
        ("\u{2014} a AAAAAAA= ", Base64),
        ("\u{2014} a AAAAAAA", Base64),
        ("\u{2014} a AAAAAAB=", Base64),
        ("\u{2014} a AAAAAA-=", Base64),
        ("\u{2014} a AAAAAA==", Short { found: 4 }),
        ("\u{2014} a ", Short { found: 0 }),
    ];
    for (line, error) in all {
        assert_eq!(line.parse::<NoteSignature>(), Err(error), "{line}");
        let note = format!("text\n\n{}\n{line}\n", stranger("a", 1));
        let place = 1;
        assert_eq!(parse(&note), Err(NoteError::Signature { place, error }));
    }
    let line = "\u{2014} a AAAAAAE=".parse::<NoteSignature>().unwrap();
    assert_eq!((line.key_id().0, line.signature()), ([0; 4], &[1][..]));
}

#[test]
fn a_checkpoint_has_one_text() {
    use CheckpointError::{EmptyRoot, Lines, Origin, Root, Size, Unterminated};
    let (root, empty) = (root_at(15), empty_root());
    let parse = |text: String| text.parse::<Checkpoint>();
    assert_eq!(
        parse(format!("{ORIGIN}\n15\n{root}\n")),
        Ok(checkpoint_at(15))
    );
    assert_eq!(
        parse(format!("{ORIGIN}\n0\n{empty}\n")),
        Ok(checkpoint_at(0))
    );
    assert!(parse(format!("{ORIGIN}\n{}\n{root}\n", Frontier::SIZE_MAX)).is_ok());
    for size in [
        "015",
        "+15",
        "-1",
        "",
        " 15",
        "1e1",
        "9223372036854775808",
        "٣",
    ] {
        assert_eq!(
            parse(format!("{ORIGIN}\n{size}\n{root}\n")),
            Err(Size),
            "{size}"
        );
    }
    assert_eq!(parse(format!("{ORIGIN}\n15\n{root}")), Err(Unterminated));
    assert_eq!(parse(format!("{ORIGIN}\n15\n")), Err(Lines { found: 2 }));
    assert_eq!(
        parse(format!("{ORIGIN}\n15\n{root}\nmore\n")),
        Err(Lines { found: 4 })
    );
    assert_eq!(
        parse(format!("{ORIGIN}\n15\n{root}\n\n")),
        Err(Lines { found: 4 })
    );
    assert_eq!(parse(format!("\n15\n{root}\n")), Err(Origin(KeyNameError)));
    assert_eq!(
        parse(format!("a b\n15\n{root}\n")),
        Err(Origin(KeyNameError))
    );
    assert_eq!(
        parse(format!("{ORIGIN}\n0\n{root}\n")),
        Err(EmptyRoot { root })
    );
    let root = root.to_string();
    for root in [
        "",
        &root[..43],
        &format!("{root}="),
        &format!("{}A", &root[..43]),
        "AAAA",
    ] {
        assert_eq!(
            parse(format!("{ORIGIN}\n15\n{root}\n")),
            Err(Root(HashError)),
            "{root}"
        );
    }
    // The last character has two bits that no byte needs.
    let (head, tail) = root.split_at(42);
    let loose = char::from(tail.as_bytes()[0] + 1);
    assert_eq!(
        parse(format!("{ORIGIN}\n15\n{head}{loose}=\n")),
        Err(Root(HashError))
    );
}

#[test]
fn a_checkpoint_is_opened_by_the_key_of_its_origin_alone() {
    let (note, key) = (signed_at(15), ledger_key());
    assert_eq!(Checkpoint::open(&note, &key), Ok(checkpoint_at(15)));

    let other = NoteKey::new(name(ORIGIN), NoteKeyType::Log, secret(2).public());
    let refusal = Checkpoint::open(&note, &other);
    let unsigned = |key: &NoteKey| OpenError::Unsigned {
        key: Box::new(key.clone()),
    };
    assert_eq!(refusal, Err(unsigned(&other)));

    // Another ledger's checkpoint, signed under this one's name.
    let root = root_at(15);
    let (expected, found) = (name(ORIGIN), name("other.example"));
    let text = Checkpoint::new(found.clone(), 15, root)
        .unwrap()
        .to_string();
    let signature = secret(1).sign_message(text.as_bytes()).to_vec();
    let signature = NoteSignature::by(&key, signature);
    let note = SignedNote::new(text, vec![signature]).unwrap();
    let refusal = Checkpoint::open(&note, &key);
    assert_eq!(refusal, Err(OpenError::Origin { expected, found }));

    // A cosignature does not make a checkpoint.
    let witness = witness_key(2);
    let note = SignedNote::new(checkpoint_at(15).to_string(), vec![cosigned(15, 2, 9)]).unwrap();
    let refusal = Checkpoint::open(&note, witness.note_key());
    assert_eq!(refusal, Err(unsigned(witness.note_key())));

    let text = "not a checkpoint\n".to_owned();
    let signature = secret(1).sign_message(text.as_bytes()).to_vec();
    let note = SignedNote::new(text, vec![NoteSignature::by(&key, signature)]).unwrap();
    let refusal = Checkpoint::open(&note, &key);
    let lines = CheckpointError::Lines { found: 1 };
    assert_eq!(refusal, Err(OpenError::Checkpoint(lines)));
    assert_eq!(
        Checkpoint::new(name(ORIGIN), 1 << 63, root),
        Err(CheckpointError::Size)
    );
}

proptest! {
    #[test]
    fn every_note_is_read_back(
        lines in prop::collection::vec("[^\\p{Cc}]{0,20}", 1..6),
        names in prop::collection::vec("[^\\p{Cc}\\s+]{1,20}", 1..20),
        bytes in prop::collection::vec(any::<u8>(), 5..90)
    ) {
        let text = lines.join("\n") + "\n";
        let encoded = BASE64.encode(&bytes);
        let signatures = names.iter().map(|name| format!("\u{2014} {name} {encoded}"));
        let signatures = signatures.map(|line| line.parse().unwrap()).collect();
        let note = SignedNote::new(text, signatures).unwrap();
        prop_assert_eq!(parse(&note.to_string()), Ok(note));
    }

    #[test]
    fn every_checkpoint_is_read_back(
        origin in "[^\\p{Cc}\\s+]{1,60}", size in 1..=Frontier::SIZE_MAX, root in any::<[u8; 32]>()
    ) {
        let checkpoint = Checkpoint::new(name(&origin), size, root.into()).unwrap();
        prop_assert_eq!(checkpoint.to_string().parse(), Ok(checkpoint));
    }

    #[test]
    fn every_key_is_read_back(origin in "[^\\p{Cc}\\s+]{1,60}", seed in any::<u8>()) {
        for key_type in [NoteKeyType::Log, NoteKeyType::Cosignature] {
            let key = NoteKey::new(name(&origin), key_type, secret(seed).public());
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn garbage_is_no_note_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(SignedNote::parse(&bytes).is_err());
        let _ = NoteSignature::parse_lines(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(text.parse::<Checkpoint>().is_err());
        prop_assert!(text.parse::<NoteKey>().is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_changed_note_is_read_as_it_stands_and_opens_only_if_nothing_signed_has_changed(
        change in any::<(u8, usize, u8)>()
    ) {
        let good = signed_at(15).with(vec![stranger("b", 1)]).unwrap();
        let bytes = changed(&good.to_string(), change);
        if let Ok(note) = SignedNote::parse(&bytes) {
            prop_assert_eq!(note.to_string().into_bytes(), bytes.clone());
            if let Ok(checkpoint) = Checkpoint::open(&note, &ledger_key()) {
                prop_assert_eq!(checkpoint, checkpoint_at(15));
            }
        }
    }

    #[test]
    fn a_changed_checkpoint_is_read_as_it_stands(change in any::<(u8, usize, u8)>()) {
        let bytes = changed(&checkpoint_at(15).to_string(), change);
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(checkpoint) = text.parse::<Checkpoint>() {
            prop_assert_eq!(checkpoint.to_string(), text);
        }
    }
}

use std::sync::Arc;

use super::fixture::{
    Fault, Home, LeafTree, ORIGIN, founded, head, key, key_set, leaves, records, root,
};
use crate::checkpoint::signer::Signer;
use crate::checkpoint::{
    ContinueError, NotSigning, PublishedNote, SignerHome as _, continue_from, own_checkpoint,
};
use crate::fold::MemoryTables;
use crate::merkle::{Checkpoint, Hash, NoteKey, NoteKeyType, SignedNote, empty_root};
use crate::record::Micros;
use crate::storage::Signed;

/// No history differs from another before this.
const NEVER: u64 = u64::MAX;

fn open(home: &Arc<Home>, tree: &LeafTree) -> Result<Signer, NotSigning> {
    open_with(home, tree, records(vec![founded(2)]))
}

fn open_with(
    home: &Arc<Home>,
    tree: &LeafTree,
    records: Arc<MemoryTables>,
) -> Result<Signer, NotSigning> {
    Signer::open(
        ORIGIN,
        Arc::clone(home) as _,
        Arc::new(tree.clone()),
        records,
    )
}

fn sign(signer: &mut Signer, tree: &LeafTree) -> Result<PublishedNote, NotSigning> {
    let head = head(&tree.0.lock().unwrap());
    signer.sign(&head, Micros(5))
}

fn note_key(seed: u8) -> NoteKey {
    NoteKey::new(
        ORIGIN.parse().unwrap(),
        NoteKeyType::Log,
        key(seed).public(),
    )
}

fn opened(made: &PublishedNote, seed: u8) -> Checkpoint {
    let note = SignedNote::parse(made.note.as_bytes()).unwrap();
    Checkpoint::open(&note, &note_key(seed)).unwrap()
}

#[test]
fn a_checkpoint_is_noted_and_then_signed_and_a_restart_signs_the_very_same() {
    let tree = LeafTree::of(leaves(3, NEVER));
    let home = Home::founded(&[2]);
    let mut signer = open(&home, &tree).unwrap();
    let first = sign(&mut signer, &tree).unwrap();
    assert_eq!(home.notes(), [3]);
    let checkpoint = opened(&first, 2);
    assert_eq!(checkpoint.size(), 3);
    assert_eq!(checkpoint.root(), root(&leaves(3, NEVER), 3));
    assert_eq!(checkpoint.origin().as_str(), ORIGIN);

    let mut again = open(&home, &tree).unwrap();
    assert_eq!(sign(&mut again, &tree).unwrap().note, first.note);
    // Nothing new was signed, and so nothing noted.
    assert_eq!(home.notes(), [3]);

    tree.turn_into(leaves(5, NEVER));
    assert_eq!(opened(&sign(&mut again, &tree).unwrap(), 2).size(), 5);
    assert_eq!(home.notes(), [3, 5]);
}

#[test]
fn that_a_ledger_is_not_the_one_that_was_signed_is_known_before_anything_is_signed() {
    let signed = root(&leaves(3, NEVER), 3);
    let known = |ledger: &[Hash], read: usize| {
        let tree = LeafTree::of(ledger[..read].to_vec());
        let home = Home::after(Some((3, signed)), &[2]);
        open(&home, &tree).unwrap().is_continued(&head(ledger))
    };
    let (honest, fork) = (leaves(5, NEVER), leaves(5, 2));
    assert!(matches!(
        known(&honest[..2], 0),
        Err(NotSigning::Shorter { .. })
    ));
    assert!(matches!(known(&fork, 5), Err(NotSigning::Forked { .. })));
    known(&honest, 5).unwrap();
    // What has not been read is seen before it is signed.
    known(&fork, 4).unwrap();
}

#[test]
fn what_cannot_be_noted_is_not_signed_and_whatever_the_disk_holds_a_restart_goes_on() {
    for fault in [Fault::Lost, Fault::Kept] {
        let tree = LeafTree::of(leaves(3, NEVER));
        let home = Home::founded(&[2]);
        let mut signer = open(&home, &tree).unwrap();
        home.fail(Some(fault));
        let why = sign(&mut signer, &tree).unwrap_err();
        assert!(matches!(why, NotSigning::Unnoted { .. }) && !why.may_pass());
        assert!(home.notes().is_empty());

        home.fail(None);
        let mut again = open(&home, &tree).unwrap();
        tree.turn_into(leaves(4, NEVER));
        assert_eq!(opened(&sign(&mut again, &tree).unwrap(), 2).size(), 4);
    }
}

#[test]
fn a_crash_after_the_note_and_before_the_signature_is_gone_on_from() {
    let tree = LeafTree::of(leaves(7, NEVER));
    let noted = (7, root(&leaves(7, NEVER), 7));
    let home = Home::after(Some(noted), &[2]);
    let mut signer = open(&home, &tree).unwrap();
    assert_eq!(opened(&sign(&mut signer, &tree).unwrap(), 2).size(), 7);
}

#[test]
fn a_ledger_that_lost_entries_that_were_signed_is_not_signed() {
    let home = Home::after(Some((7, root(&leaves(7, NEVER), 7))), &[2]);
    let tree = LeafTree::of(leaves(5, NEVER));
    let why = sign(&mut open(&home, &tree).unwrap(), &tree).unwrap_err();
    let (signed, found) = (7, 5);
    assert_eq!(why, NotSigning::Shorter { signed, found });
    assert!(!why.may_pass() && home.notes().is_empty());
}

#[test]
fn another_history_is_not_signed_however_long() {
    for fork in [0, 2, 4] {
        let home = Home::after(Some((5, root(&leaves(5, NEVER), 5))), &[2]);
        let tree = LeafTree::of(leaves(9, fork));
        let why = sign(&mut open(&home, &tree).unwrap(), &tree).unwrap_err();
        assert!(
            matches!(why, NotSigning::Forked { size: 5, .. }) && !why.may_pass(),
            "{why}"
        );
        assert!(home.notes().is_empty());
    }
    // It differs only where nothing was signed.
    let home = Home::after(Some((5, root(&leaves(5, NEVER), 5))), &[2]);
    let tree = LeafTree::of(leaves(9, 5));
    assert!(sign(&mut open(&home, &tree).unwrap(), &tree).is_ok());
}

#[test]
fn a_history_that_changes_under_a_running_signer_is_not_signed() {
    let tree = LeafTree::of(leaves(4, NEVER));
    let home = Home::founded(&[2]);
    let mut signer = open(&home, &tree).unwrap();
    sign(&mut signer, &tree).unwrap();
    tree.turn_into(leaves(6, 3));
    let why = sign(&mut signer, &tree).unwrap_err();
    assert!(matches!(why, NotSigning::Forked { size: 4, .. }), "{why}");
    assert_eq!(home.notes(), [4]);
}

#[test]
fn tiles_that_are_behind_are_waited_for_and_ones_that_differ_are_not_signed() {
    let home = Home::founded(&[2]);
    let tree = LeafTree::of(leaves(4, NEVER));
    let mut signer = open(&home, &tree).unwrap();
    let ahead = head(&leaves(6, NEVER));
    let why = signer.sign(&ahead, Micros(1)).unwrap_err();
    assert_eq!(why, NotSigning::Behind { read: 4, size: 6 });
    assert!(why.may_pass());
    tree.turn_into(leaves(6, 5));
    let why = signer.sign(&ahead, Micros(1)).unwrap_err();
    assert!(matches!(why, NotSigning::TilesDiffer { size: 6, .. }) && !why.may_pass());
    assert!(home.notes().is_empty());
}

#[test]
fn where_nothing_says_what_was_signed_nothing_is_signed() {
    let tree = LeafTree::of(leaves(4, NEVER));
    let why = open(&Home::after(None, &[2]), &tree).err().unwrap();
    assert!(matches!(why, NotSigning::NothingNoted { .. }) && !why.may_pass());
    assert!(why.to_string().contains("--continue-from"), "{why}");

    let home = Home::founded(&[2]);
    let other = Signer::open(
        "other.example.org",
        Arc::clone(&home) as _,
        Arc::new(tree),
        records(vec![founded(2)]),
    );
    assert!(matches!(other.err(), Some(NotSigning::OtherOrigin { .. })));
}

#[test]
fn old_and_new_key_both_sign_and_the_new_one_alone_once_the_old_secret_is_gone() {
    let tree = LeafTree::of(leaves(2, NEVER));
    // The secret of a key that is on record nowhere signs nothing.
    let home = Home::founded(&[2, 3, 9]);
    let records = records(vec![founded(2), key_set(3)]);
    let mut signer = open_with(&home, &tree, records).unwrap();

    let before = signer.sign(&head(&leaves(1, NEVER)), Micros(1));
    // The tree is larger than what is signed: the key of entry 1 is not on record yet.
    assert_eq!(before.unwrap().keys, [note_key(2)]);
    let both = sign(&mut signer, &tree).unwrap();
    assert_eq!(both.keys, [note_key(3), note_key(2)]);
    assert_eq!(opened(&both, 2), opened(&both, 3));

    home.has_keys(&[3, 9]);
    tree.turn_into(leaves(3, NEVER));
    let alone = sign(&mut signer, &tree).unwrap();
    assert_eq!(alone.keys, [note_key(3)]);
    assert_eq!(opened(&alone, 3).size(), 3);

    home.has_keys(&[9]);
    tree.turn_into(leaves(4, NEVER));
    let why = sign(&mut signer, &tree).unwrap_err();
    assert!(matches!(why, NotSigning::NoKey { recorded: 2, .. }) && why.may_pass());
    // Nothing is noted that nobody can sign.
    assert_eq!(home.notes(), [1, 2, 3]);
}

fn signed_note(size: u64, root: crate::merkle::Hash, seed: u8) -> SignedNote {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, root).unwrap();
    checkpoint.sign(&key(seed))
}

/// What comes of continuing from `note`, on a ledger with `leaves`.
fn continued(
    note: &SignedNote,
    leaves: &[crate::merkle::Hash],
    home: &Arc<Home>,
) -> Result<(), ContinueError> {
    let records = records(vec![founded(2)]);
    let head = head(leaves);
    let own = own_checkpoint(note, ORIGIN, &*records, head.size)?;
    continue_from(&own, &head, &LeafTree::of(leaves.to_vec()), &**home)
}

#[test]
fn an_archive_continues_a_checkpoint_that_its_ledger_begins_with() {
    let ledger = leaves(9, NEVER);
    let note = signed_note(6, root(&ledger, 6), 2);
    // Nothing says what was signed.
    let home = Home::after(None, &[2]);
    continued(&note, &ledger, &home).unwrap();
    assert_eq!(home.notes(), [6]);
    let tree = LeafTree::of(ledger.clone());
    assert_eq!(
        opened(&sign(&mut open(&home, &tree).unwrap(), &tree).unwrap(), 2).size(),
        9
    );

    // More is known to be signed than was given.
    let home = Home::after(Some((8, root(&ledger, 8))), &[2]);
    continued(&note, &ledger, &home).unwrap();
    assert!(home.notes().is_empty());
    assert_eq!(home.signed().unwrap().unwrap().size, 8);
}

#[test]
fn an_archive_continues_no_checkpoint_that_contradicts_it_or_what_it_signed() {
    let ledger = leaves(9, NEVER);
    let refused = |note: &SignedNote, signed| {
        let home = Home::after(signed, &[2]);
        let error = continued(note, &ledger, &home).unwrap_err();
        assert!(home.notes().is_empty());
        error
    };
    let longer = leaves(12, NEVER);
    let beyond = refused(&signed_note(12, root(&longer, 12), 2), None);
    let (signed, found) = (12, 9);
    assert!(
        matches!(&beyond, ContinueError::NotExtended(why) if *why == NotSigning::Shorter { signed, found })
    );
    let other = leaves(9, 3);
    let forked = refused(&signed_note(6, root(&other, 6), 2), None);
    assert!(matches!(
        forked,
        ContinueError::NotExtended(NotSigning::Forked { size: 6, .. })
    ));
    // The note is fine: what was signed since is not in the ledger.
    let fine = signed_note(6, root(&ledger, 6), 2);
    let lost = refused(&fine, Some((12, root(&longer, 12))));
    assert!(matches!(
        lost,
        ContinueError::NotExtended(NotSigning::Shorter { .. })
    ));
    let fork = refused(&fine, Some((7, root(&other, 7))));
    assert!(matches!(
        fork,
        ContinueError::NotExtended(NotSigning::Forked { .. })
    ));
}

#[test]
fn an_archive_continues_no_checkpoint_that_is_not_its_own() {
    let ledger = leaves(9, NEVER);
    let home = Home::after(None, &[2]);
    let refused = |note: &SignedNote| continued(note, &ledger, &home).unwrap_err();
    let by_another = refused(&signed_note(6, root(&ledger, 6), 3));
    assert!(matches!(by_another, ContinueError::Unsigned { .. }));

    let origin = "other.example.org".parse().unwrap();
    let foreign = Checkpoint::new(origin, 6, root(&ledger, 6)).unwrap();
    let foreign = refused(&foreign.sign(&key(2)));
    assert!(matches!(foreign, ContinueError::OtherOrigin { .. }));

    // The signature of another checkpoint under this text.
    let note = signed_note(6, root(&ledger, 6), 2);
    let text = signed_note(5, root(&ledger, 5), 2).text().to_owned();
    let doctored = SignedNote::new(text, note.signatures().to_vec()).unwrap();
    assert!(matches!(refused(&doctored), ContinueError::BadSignature(_)));
    let no_checkpoint = SignedNote::new("hello\n".to_owned(), note.signatures().to_vec());
    let no_checkpoint = refused(&no_checkpoint.unwrap());
    assert!(matches!(no_checkpoint, ContinueError::Checkpoint(_)));
    assert!(home.notes().is_empty());

    // What another archive signed is never written over.
    let theirs = Signed {
        origin: "other.example.org".to_owned(),
        size: 0,
        root: empty_root().into(),
    };
    let home = Home::after(None, &[2]);
    home.note(&theirs).unwrap();
    let theirs = continued(&note, &ledger, &home).unwrap_err();
    assert!(matches!(
        theirs,
        ContinueError::NotExtended(NotSigning::OtherOrigin { .. })
    ));
}

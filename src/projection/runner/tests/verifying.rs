//! Whether what is stored is what the ledger gives.

use super::*;

fn verify(projection: &Projection) -> Verdict {
    let mut steps = projection.verify().unwrap();
    block_on(async {
        loop {
            match steps.next().await.unwrap() {
                VerifyStep::Ended(verdict) => return *verdict,
                VerifyStep::Folding { .. } | VerifyStep::Comparing { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    })
}

#[test]
fn tables_are_what_the_ledger_gives_also_while_they_read_on() {
    let mut script = some_script();
    script.actor("putin", crate::record::proto::ActorKind::Person, "");
    for fold in folds() {
        let directory = directory();
        let shelf = Shelf::of(&script.entries[..9], 3);
        let runner = start(&fold, directory.path(), &shelf);
        let projection = runner.projection();
        wait_for(&projection, 9).unwrap();
        shelf.close(6);
        let mut steps = projection.verify().unwrap();
        shelf.wait_for_somebody();
        assert!(matches!(
            projection.verify(),
            Err(RebuildError::UnderWay { .. })
        ));
        shelf.append(&script.entries[9..]);
        let cursor = wait_for(&projection, 11).unwrap();
        shelf.open();
        let verdict = block_on(async {
            loop {
                if let VerifyStep::Ended(verdict) = steps.next().await.unwrap() {
                    return verdict;
                }
            }
        });
        assert_eq!(verdict.differences, [""; 0]);
        assert_eq!((verdict.stored, verdict.replayed), (cursor, cursor.digest));
        assert_eq!(
            verdict.rows + 1,
            projection.tables().scan(&[]).count() as u64
        );
        wait_until(|| directories(directory.path()).len() == 1);
        assert!(runner.stop(deadline()));
    }
}

#[test]
fn rows_that_were_altered_lost_or_made_up_are_named() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 3);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    wait_for(&projection, 10).unwrap();
    let rows: Vec<_> = projection.tables().scan(&[]).map(Result::unwrap).collect();
    let [altered, lost] = [&rows[2], &rows[4]];
    let mut value = altered.1.clone();
    *value.last_mut().unwrap() ^= 1;
    let damage = Changes::from([
        (altered.0.clone(), Some(value)),
        (lost.0.clone(), None),
        (b"zkremlin\0".to_vec(), Some(vec![1])),
    ]);
    let stored = projection.snapshot().unwrap();
    stored.opened().tables.apply(damage).unwrap();
    drop(stored);

    let verdict = verify(&projection);
    let hex = |key: &[u8]| data_encoding::HEXLOWER.encode(key);
    let [first, second, third] = &verdict.differences[..] else {
        panic!("{verdict:?}");
    };
    assert!(
        first.contains(&hex(&altered.0)) && first.contains("another value"),
        "{first}"
    );
    assert!(
        second.contains(&hex(&lost.0)) && second.contains("not stored"),
        "{second}"
    );
    assert!(
        third.contains("row z/kremlin") && third.contains("no replay"),
        "{third}"
    );
    assert!(!verdict.is_cut_short);

    // A rebuild mends it.
    let mut rebuild = projection.rebuild().unwrap();
    block_on(async { while rebuild.next().await.is_some() {} });
    assert_eq!(verify(&projection).differences, [""; 0]);
    assert!(runner.stop(deadline()));
}

#[test]
fn a_digest_that_another_history_gave_is_a_difference() {
    let script = some_script();
    let fold: Arc<dyn Fold> = Arc::new(CatalogFold);
    let directory = directory();
    let shelf = Shelf::of(&script.entries, 3);
    let runner = start(&fold, directory.path(), &shelf);
    let projection = runner.projection();
    let cursor = wait_for(&projection, 10).unwrap();
    let forged = Cursor {
        digest: Digest::start("catalog", 7),
        ..cursor
    };
    let (key, value) = forged.row().unwrap();
    let stored = projection.snapshot().unwrap();
    let forge = Changes::from([(key, Some(value))]);
    stored.opened().tables.apply(forge).unwrap();
    drop(stored);
    let verdict = verify(&projection);
    assert_eq!(verdict.differences.len(), 1);
    assert!(verdict.differences[0].contains(&cursor.digest.to_string()));
    assert_eq!(verdict.replayed, cursor.digest);
    assert!(runner.stop(deadline()));
}

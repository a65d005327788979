use super::*;
use crate::fold::MemoryTables;
use crate::projection::fixtures::{ACTORS, CAPTURED, Script, answer as reading, slug, statement};
use crate::projection::positions::Shape;
use crate::projection::positions::fold::fold;
use crate::record::proto::Polarity;

/// So many statements of the palace by its head, with an index or without.
fn tables(statements: usize, shape: &Shape) -> (MemoryTables, u64) {
    let mut script = Script::default();
    for (id, kind) in ACTORS {
        script.actor(id, kind, "");
    }
    script.source("a", "2025-08-05", CAPTURED);
    for _ in 0..statements {
        let readings = vec![reading("meeting", "", Polarity::Supports)];
        script.record(statement("head", &["palace"], "2025-08-01", readings));
    }
    let mut tables = MemoryTables::default();
    for entry in &script.entries {
        let changes = fold(&tables, entry, shape).unwrap();
        tables.apply(changes);
    }
    (tables, script.entries.len() as u64)
}

fn ask(tables: &MemoryTables, actor: &str, with_parts: bool, known_at: u64) -> AtOnce {
    let subject = Subject {
        actor: slug(actor),
        topic: slug("meeting"),
        with_parts: Some(with_parts),
    };
    let asked = (i64::MAX, 10);
    answer_at_once(tables, &subject, &Terms::default(), known_at, asked).unwrap()
}

#[test]
fn what_few_rows_or_an_index_tell_is_answered_at_once_and_nothing_else() {
    let without = Shape {
        entries_min: u64::MAX,
        ..Shape::SMALLEST
    };
    for (statements, shape, is_picked) in [
        (FEW_ROWS - 1, without, Some(false)),
        (FEW_ROWS, without, None),
        (FEW_ROWS - 1, Shape::SMALLEST, Some(true)),
        (FEW_ROWS, Shape::SMALLEST, Some(true)),
    ] {
        let (tables, size) = tables(statements, &shape);
        match (ask(&tables, "palace", false, size), is_picked) {
            (AtOnce::Answered(answer), Some(is_picked)) => {
                assert_eq!(answer.exact.is_some(), is_picked, "{statements}");
                assert_eq!(answer.position().considered, statements);
            }
            (AtOnce::Long, None) => {}
            (other, _) => panic!("{statements}: {other:?}"),
        }
        // Known early, the rest of the rows does not count.
        let early = ask(&tables, "palace", false, size - FEW_ROWS as u64 / 2);
        assert!(matches!(early, AtOnce::Answered(_)));
    }
}

#[test]
fn nobody_is_answered_about_who_is_not_on_record() {
    let (tables, size) = tables(1, &Shape::SMALLEST);
    let ask = |actor, known_at| ask(&tables, actor, false, known_at);
    assert!(matches!(ask("nobody", size), AtOnce::Unknown));
    assert!(matches!(ask("palace", 0), AtOnce::Unknown));
    assert!(matches!(ask("palace", size), AtOnce::Answered(_)));
}

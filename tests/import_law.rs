//! The import law: which room may use which, what the pure rooms may not touch, and where
//! the storage engines and the service types are named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms by floor. A room uses rooms of lower floors, and none beside it.
const FLOORS: &[&[&str]] = &[
    &["record"],
    &["text", "merkle", "position", "fold"],
    &["admission", "storage"],
    &["documents"],
    &["ledger"],
    &["projection"],
    &["bundle", "backup"],
    &["audit"],
    &["bag", "checkpoint"],
    &["rpc", "http"],
    &["config"],
    &["telemetry"],
    &["app"],
    &["cli"],
    &["main"],
];

/// Rooms that are functions of their inputs; of `projection`, all but its runner.
const PURE: &[&str] = &[
    "record",
    "text",
    "merkle",
    "position",
    "fold",
    "admission",
    "bundle",
];

/// What a pure room may not name.
const IMPURE: &[&[&str]] = &[
    &["tokio"],
    &["tonic"],
    &["sled"],
    &["lsm_tree"],
    &["tracing"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["jiff", "Timestamp", "now"],
    &["jiff", "Zoned", "now"],
];

#[test]
fn no_room_uses_one_of_its_own_floor_or_above() {
    for source in sources() {
        let floor = floor(&source.room);
        for used in source.rooms_used() {
            assert!(
                used == source.room || self::floor(&used) < floor,
                "{}: {} uses {used}",
                source.path.display(),
                source.room
            );
        }
    }
}

#[test]
fn pure_rooms_touch_no_clock_socket_thread_or_disk() {
    for source in sources() {
        let fold = source.room == "projection"
            && !source.path.to_string_lossy().contains("projection/runner");
        if !PURE.contains(&&source.room[..]) && !fold {
            continue;
        }
        for path in &source.paths {
            for impure in IMPURE {
                assert!(
                    !path
                        .iter()
                        .map(String::as_str)
                        .take(impure.len())
                        .eq(impure.iter().copied()),
                    "{} names {}",
                    source.path.display(),
                    impure.join("::")
                );
            }
        }
    }
}

#[test]
fn the_storage_engines_are_named_in_storage_alone() {
    for source in sources()
        .into_iter()
        .filter(|source| source.room != "storage")
    {
        for engine in ["sled", "lsm_tree"] {
            let named = |path: &Vec<String>| path.first().is_some_and(|first| first == engine);
            assert!(
                !source.paths.iter().any(named),
                "{} names {engine}",
                source.path.display()
            );
        }
    }
}

#[test]
fn service_types_stay_in_rpc_and_the_command_line() {
    for source in sources() {
        // However much of the path was imported before.
        let service = |path: &Vec<String>| path.windows(2).any(|it| it == ["rpc", "proto"]);
        let home = ["rpc", "cli"].contains(&&source.room[..]);
        assert!(
            home || !source.paths.iter().any(service),
            "{}",
            source.path.display()
        );
    }
}

#[test]
fn the_law_sees_full_paths_groups_and_supers() {
    let paths = paths_in(
        &["crate".into(), "ledger".into(), "frame".into()],
        "use crate::{fold::Tables, rpc::{self, proto}}; // crate::cli\n fn f() { super::super::app::run(\"crate::main\"); std::fs::read(p) }",
    );
    let joined: BTreeSet<String> = paths.iter().map(|path| path.join("::")).collect();
    for seen in [
        "crate::fold::Tables",
        "crate::rpc::proto",
        "crate::app::run",
        "std::fs::read",
    ] {
        assert!(joined.contains(seen), "{seen} is not among {joined:?}");
    }
    assert!(
        !joined
            .iter()
            .any(|path| path.contains("cli") || path.contains("main"))
    );
}

struct Source {
    path: PathBuf,
    room: String,
    paths: Vec<Vec<String>>,
}

impl Source {
    fn rooms_used(&self) -> BTreeSet<String> {
        let known = |room: &&String| FLOORS.iter().flat_map(|floor| *floor).any(|r| r == room);
        let used = |path: &Vec<String>| {
            (path.first()? == "crate").then(|| path.get(1).filter(known).cloned())?
        };
        self.paths.iter().filter_map(used).collect()
    }
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("{room} has no floor: give it one"))
}

/// All source files but tests and the map of the crate.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            let name = path
                .file_stem()
                .and_then(|s| s.to_str())
                .unwrap_or_default()
                .to_owned();
            if path.is_dir() {
                if name != "tests" {
                    folders.push(path);
                }
                continue;
            }
            if name == "lib" || name == "tests" || name.ends_with("_tests") {
                continue;
            }
            let below = path
                .strip_prefix(&root)
                .expect("under src")
                .with_extension("");
            let mut module = vec!["crate".to_owned()];
            module.extend(below.iter().map(|part| part.to_string_lossy().into_owned()));
            if module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            let text = fs::read_to_string(&path).expect("a source file can be read");
            let text = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap_or_default();
            let paths = paths_in(&module, text);
            sources.push(Source {
                room: module[1].clone(),
                paths,
                path,
            });
        }
    }
    assert!(sources.len() > 20, "found the sources");
    sources
}

/// Every `a::b::c` that stands in `text`, groups spread out, `super` and `self` resolved.
fn paths_in(module: &[String], text: &str) -> Vec<Vec<String>> {
    let tokens = tokens(text);
    let mut paths = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        place = path(&tokens, place, &[], &mut paths).max(place + 1);
    }
    let mut resolved = Vec::new();
    for path in paths {
        let ups = path.iter().take_while(|part| *part == "super").count();
        let own = path.first().is_some_and(|part| part == "self");
        let start = if ups > 0 || own {
            &module[..module.len().saturating_sub(ups)]
        } else {
            &[]
        };
        let rest = &path[ups + usize::from(own)..];
        resolved.push([start, rest].concat());
    }
    resolved
}

/// Reads the path that starts at `place`, and gives the place after it.
fn path(
    tokens: &[String],
    mut place: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    let word = |token: &String| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    loop {
        match tokens.get(place) {
            Some(token) if word(token) => path.push(token.clone()),
            Some(token) if token == "{" && path.len() > prefix.len() => {
                place += 1;
                while tokens.get(place).is_some_and(|token| token != "}") {
                    place = self::path(tokens, place, &path, found).max(place + 1);
                }
                return place + 1;
            }
            _ => break,
        }
        place += 1;
        if tokens.get(place).is_none_or(|token| token != "::") {
            break;
        }
        place += 1;
    }
    if path.len() > prefix.len() && path.len() > 1 {
        found.push(path);
    }
    place
}

/// Words, `::` and braces; comments and strings left out.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let end = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                end
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            tokens.push(rest[..end].to_owned());
            end
        } else if rest.starts_with("'\"'") {
            3
        } else {
            if "{},;".contains(first) {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

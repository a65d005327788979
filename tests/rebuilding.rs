//! Projections that are rebuilt and verified, through the real daemon: whatever way the rows
//! came about, the digest is the same; what rotted is named, and mended by a rebuild.
#![cfg(feature = "daemon")]

#[path = "../benches/daemon/daemon.rs"]
#[allow(dead_code)]
mod daemon;
#[path = "common/program.rs"]
mod program;
#[path = "common/records.rs"]
#[allow(dead_code, unreachable_pub)]
mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use onrecord::fold::{Changes, Row, Tables as _};
use onrecord::record::SigningKey;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorKind, Envelope, Polarity, Record, Statement, StatementCorrected, StatementRetracted,
};
use onrecord::rpc::proto::admin_service_client::AdminServiceClient;
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::position_service_client::PositionServiceClient;
use onrecord::rpc::proto::put_source_request::Part;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::source_service_client::SourceServiceClient;
use onrecord::rpc::proto::{
    AppendRequest, GetPositionRequest, GetPositionResponse, ListProjectionsRequest,
    PutSourceHeader, PutSourceRequest, RebuildProjectionRequest, VerifyProjectionRequest,
};
use onrecord::storage::{BlockCache, LsmTables, ProjectionStore as _};
use records::{Signer, TEXT_OF_ONE_LINE};
use tonic::transport::Channel;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PROJECTIONS: [&str; 5] = ["catalog", "positions", "postings", "statements", "tiles"];

/// Actors, one a record.
const ACTORS: usize = 3_000;
/// What one of them says on one topic, corrects and takes back, so that their pair has an index of
/// several levels.
const SAID: usize = 3_000;
/// Together enough for a build to be seen under way: more than it lacks when it has caught up.
const RECORDS: usize = ACTORS + SAID;
const BATCH: usize = 500;

/// How often a rebuild is killed at most until one was killed in the middle.
const KILLS_MAX: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_rebuilt_and_killed_in_mid_rebuild_the_digests_are_equal() -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let mut daemon = daemon::Daemon::start(directory.path())?;
    append_records(&daemon).await?;
    daemon.caught_up().await?;
    let live = digests(&daemon).await?;
    assert_eq!(live.len(), PROJECTIONS.len());
    let answered = answers(&daemon).await?;

    for name in PROJECTIONS {
        let swapped = rebuild(&daemon, name).await?;
        assert_eq!(Some(&swapped), live.get(name), "{name}");
    }
    assert_eq!(digests(&daemon).await?, live);
    assert_eq!(answers(&daemon).await?, answered);

    for name in PROJECTIONS {
        let mut cut_short = false;
        for _ in 0..KILLS_MAX {
            let mut admin = AdminServiceClient::new(daemon.connect().await?);
            let request = RebuildProjectionRequest {
                name: name.to_owned(),
            };
            let mut steps = admin.rebuild_projection(request).await?.into_inner();
            let first = steps.message().await?.ok_or("no step")?;
            assert!(first.total > RECORDS as u64);
            daemon.kill()?;
            cut_short |= builds(directory.path(), name)
                .iter()
                .any(|build| !build.join("BUILT").exists());
            daemon.restart()?;
            daemon.caught_up().await?;
            assert_eq!(digests(&daemon).await?, live, "after a kill");
            // What was left of it is gone.
            wait_until(|| builds(directory.path(), name).len() == 1).await;
            if cut_short {
                break;
            }
        }
        assert!(cut_short, "no rebuild of {name} was killed in the middle");
        assert_eq!(differences(&daemon, name).await?, [""; 0]);
        assert_eq!(answers(&daemon).await?, answered);
    }
    daemon.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_whose_client_goes_away_is_given_up_and_cleared_away() -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let mut daemon = daemon::Daemon::start(directory.path())?;
    append_records(&daemon).await?;
    daemon.caught_up().await?;
    let live = digests(&daemon).await?;
    for _ in 0..3 {
        let mut admin = AdminServiceClient::new(daemon.connect().await?);
        let request = RebuildProjectionRequest {
            name: "catalog".to_owned(),
        };
        let mut steps = admin.rebuild_projection(request).await?.into_inner();
        steps.message().await?.ok_or("no step")?;
        drop((steps, admin));
        // Given up, or swapped in before that was seen: one directory either way.
        wait_until(|| builds(directory.path(), "catalog").len() == 1).await;
        assert_eq!(digests(&daemon).await?, live);
    }
    daemon.stop()
}

#[test]
fn what_people_type_lists_rebuilds_and_verifies_projections() {
    let daemon = program::Daemon::start();
    daemon.append_example().code(0);
    let is_up_to_date = |name: &str| {
        let listed = daemon.ask(&["projections"]).code(0);
        let mut lines = listed.out.lines();
        lines.any(|line| line.contains(name) && line.contains("up to date"))
    };
    for name in PROJECTIONS {
        // It may still be reading what was appended.
        while !is_up_to_date(name) {
            std::thread::yield_now();
        }
        let rebuilt = daemon.ask(&["rebuild", name]).code(0);
        assert_eq!(rebuilt.err, "", "quiet in a pipe");
        rebuilt.says("was rebuilt and answers");
        let verified = daemon.ask(&["verify-projection", name]).code(0);
        assert_eq!(verified.err, "", "quiet in a pipe");
        verified.says("is what the ledger gives");
    }
    let json = daemon.ask(&["rebuild", "catalog", "--json"]).code(0).json();
    let verdict = daemon
        .ask(&["verify-projection", "catalog", "--json"])
        .code(0)
        .json();
    assert_eq!(verdict["equal"], true);
    assert_eq!(verdict["replayedDigest"], json["swapped"]["digest"]);
    let all = daemon.ask(&["projections", "--json"]).code(0).json();
    assert_eq!(all["projections"][0]["digest"], json["swapped"]["digest"]);
    assert_eq!(all["projections"][0]["building"], serde_json::Value::Null);

    for command in ["rebuild", "verify-projection"] {
        daemon
            .ask(&[command, "nothing"])
            .code(1)
            .complains("catalog, positions, postings, statements");
    }
}

#[test]
fn a_stored_row_that_was_altered_is_named_and_mended_by_a_rebuild() {
    let daemon = program::Daemon::start();
    daemon.append_example().code(0);
    for name in PROJECTIONS {
        daemon.ask(&["verify-projection", name]).code(0);
    }
    let home = daemon.terminate_in_place();
    let mut altered = None;
    change_rows(&home.path().join("onrecord-data"), "catalog", |rows| {
        rows.retain(|(_, value)| !value.is_empty());
        let (key, mut value) = rows.swap_remove(rows.len() / 2);
        *value.last_mut().unwrap() ^= 1;
        altered = Some(key.clone());
        Changes::from([(key, Some(value))])
    });
    let daemon = program::Daemon::start_in(home, &[]);
    let key = data_encoding::HEXLOWER.encode(&altered.unwrap());
    daemon
        .ask(&["verify-projection", "catalog"])
        .code(1)
        .says(&key)
        .says("onrecord rebuild catalog");
    let verdict = daemon
        .ask(&["verify-projection", "catalog", "--json"])
        .code(1)
        .json();
    let differences = verdict["differences"].as_array().unwrap();
    let [difference] = &differences[..] else {
        panic!("{differences:?}");
    };
    let difference = difference.as_str().unwrap();
    assert!(
        difference.contains("is stored with another value"),
        "{difference}"
    );
    daemon.ask(&["rebuild", "catalog"]).code(0);
    daemon.ask(&["verify-projection", "catalog"]).code(0);
}

#[test]
fn a_fold_that_fails_says_where_and_stops_its_projection_alone() {
    let daemon = program::Daemon::start();
    daemon.append_example().code(0);
    let size = daemon.ask(&["status", "--json"]).code(0).json()["head"]["size"].clone();
    let size: u64 = size.as_str().unwrap().parse().unwrap();
    let home = daemon.terminate_in_place();
    // What the next entry is added to does not decode.
    change_rows(&home.path().join("onrecord-data"), "postings", |rows| {
        let open = rows.iter().filter(|(key, _)| key.starts_with(b"o"));
        open.map(|(key, _)| (key.clone(), Some(Vec::new())))
            .collect()
    });
    let daemon = program::Daemon::start_in(home, &[]);
    let line = r#"{"actorDefined": {"actorId": "anybody", "kind": "PERSON", "names": [{"language": "en", "name": "Anybody"}]}}"#;
    fs::write(daemon.home.path().join("more.jsonl"), line).unwrap();
    let key = daemon.key();
    daemon
        .ask(&["append", "--key", key.to_str().unwrap(), "more.jsonl"])
        .code(0);
    // The projection fails in its own time.
    let told = loop {
        let listed = daemon.ask(&["projections", "--json"]);
        let postings = listed.json()["projections"][2].clone();
        let failed = postings["failed"].as_str().unwrap().to_owned();
        if !failed.is_empty() {
            assert_eq!(listed.code, Some(1));
            break failed;
        }
    };
    assert!(told.starts_with(&format!("entry {size}: ")), "{told}");
    let after = (size + 1).to_string();
    daemon
        .ask(&[
            "position",
            "kremlin",
            "leaders-meeting",
            "--as-of",
            "2025-08-31",
        ])
        .code(0);
    daemon
        .ask(&["read", &size.to_string()])
        .code(0)
        .says("anybody");
    daemon.ask(&["verify-projection", "postings"]).code(1);
    daemon.ask(&["rebuild", "postings"]).code(0).says(&after);
    daemon.ask(&["verify-projection", "postings"]).code(0);
    daemon.ask(&["projections"]).code(0);
}

/// Changes the stored rows of a projection, but for its cursor, while no daemon runs.
fn change_rows(data: &Path, name: &str, change: impl FnOnce(&mut Vec<Row>) -> Changes) {
    let found = builds_in(&data.join("projections"), name);
    let [build] = &found[..] else {
        panic!("{found:?}");
    };
    let tables = LsmTables::open(build, &BlockCache::of(1 << 20))
        .unwrap()
        .tables;
    let rows = tables.scan(&[]).map(Result::unwrap);
    let mut rows: Vec<Row> = rows.filter(|(key, _)| key[0] != 0).collect();
    tables.apply(change(&mut rows)).unwrap();
}

/// The directories of a projection's builds.
fn builds(directory: &Path, name: &str) -> Vec<PathBuf> {
    builds_in(&directory.join("data/projections"), name)
}

fn builds_in(projections: &Path, name: &str) -> Vec<PathBuf> {
    let found = fs::read_dir(projections).unwrap();
    let found = found.map(|entry| entry.unwrap().path());
    let of = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy();
        file.starts_with(&format!("{name}-v"))
    };
    found.filter(of).collect()
}

async fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

async fn digests(daemon: &daemon::Daemon) -> Fallible<BTreeMap<String, String>> {
    let mut admin = AdminServiceClient::new(daemon.connect().await?);
    let listed = admin.list_projections(ListProjectionsRequest {}).await?;
    let listed = listed.into_inner().projections.into_iter();
    Ok(listed.map(|it| (it.name, it.digest)).collect())
}

/// Rebuilds a projection; the digest that it was swapped in with.
async fn rebuild(daemon: &daemon::Daemon, name: &str) -> Fallible<String> {
    let mut admin = AdminServiceClient::new(daemon.connect().await?);
    let request = RebuildProjectionRequest {
        name: name.to_owned(),
    };
    let mut steps = admin.rebuild_projection(request).await?.into_inner();
    let mut done = 0;
    while let Some(step) = steps.message().await? {
        assert!(step.done >= done, "it goes forwards");
        done = step.done;
        if let Some(swapped) = step.swapped {
            assert_eq!((step.done, swapped.building), (step.total, None));
            return Ok(swapped.digest);
        }
    }
    Err("it was not swapped in".into())
}

async fn differences(daemon: &daemon::Daemon, name: &str) -> Fallible<Vec<String>> {
    let mut admin = AdminServiceClient::new(daemon.connect().await?);
    let request = VerifyProjectionRequest {
        name: name.to_owned(),
    };
    let mut steps = admin.verify_projection(request).await?.into_inner();
    let mut last = None;
    while let Some(step) = steps.message().await? {
        last = Some(step);
    }
    let last = last.ok_or("no verdict")?;
    assert_eq!(last.equal, last.differences.is_empty());
    Ok(last.differences)
}

async fn append_records(daemon: &daemon::Daemon) -> Fallible<()> {
    let key = Signer {
        key: SigningKey::from_seed(daemon.steward_seed()?),
    };
    let mut client = RecordServiceClient::new(daemon.connect().await?);
    let actors: Vec<_> = (0..ACTORS).map(actor).collect();
    for actors in actors.chunks(BATCH) {
        append(&mut client, &key, actors.to_vec()).await?;
    }
    put_source(daemon).await?;
    let source = Kind::SourceArchived(records::source(TEXT_OF_ONE_LINE));
    let topic = Kind::TopicDefined(records::topic("meeting"));
    append(&mut client, &key, vec![source, topic]).await?;

    // What is on record and was not retracted.
    let mut said: Vec<(String, Statement)> = Vec::new();
    for start in (0..SAID).step_by(BATCH) {
        let mut stated = Vec::new();
        let mut kinds = Vec::new();
        for n in start..start + BATCH {
            let earlier = (!said.is_empty()).then(|| n * 7 % said.len());
            let kind = match earlier {
                Some(place) if n % 20 == 3 => corrected(&said.swap_remove(place), n),
                Some(place) if n % 50 == 7 => retracted(said.swap_remove(place).0),
                _ => {
                    let statement = statement(n);
                    stated.push((kinds.len(), statement.clone()));
                    Kind::StatementRecorded(statement)
                }
            };
            kinds.push(kind);
        }
        let ids = append(&mut client, &key, kinds).await?;
        said.extend(stated.into_iter().map(|(at, it)| (ids[at].clone(), it)));
    }
    Ok(())
}

/// Appends a batch; the records' ids.
async fn append(
    client: &mut RecordServiceClient<Channel>,
    key: &Signer,
    kinds: Vec<Kind>,
) -> Fallible<Vec<String>> {
    let envelopes = kinds.into_iter().map(|kind| seal(key, kind)).collect();
    let request = AppendRequest {
        envelopes,
        proof: false,
    };
    let results = client.append(request).await?.into_inner().results;
    let ids = results.into_iter().map(|result| match result.outcome {
        Some(Outcome::Recorded(recorded)) => Ok(recorded.record),
        other => Err(format!("not recorded: {other:?}").into()),
    });
    ids.collect()
}

fn seal(key: &Signer, kind: Kind) -> Envelope {
    key.seal_record(&Record {
        origin: "bench.example.org".to_owned(),
        ..records::record(kind)
    })
}

fn actor(n: usize) -> Kind {
    Kind::ActorDefined(records::actor(&format!("actor-{n}"), ActorKind::Person))
}

/// What the first of them says: on a day mostly, else in a month or some time in the year.
fn statement(n: usize) -> Statement {
    let month = format!("2025-{:02}", n % 7 + 1);
    let said_at = match n % 10 {
        0 => month,
        1 => "[..2025-08-19]".to_owned(),
        _ => format!("{month}-{:02}", n % 28 + 1),
    };
    let polarity = [Polarity::Supports, Polarity::Opposes, Polarity::Open][n / 40 % 3];
    let mut said = records::statement("actor-0", &said_at, TEXT_OF_ONE_LINE, TEXT_OF_ONE_LINE);
    said.venue = format!("press conference {n}");
    said.readings = vec![records::answered("meeting", polarity)];
    said
}

fn corrected((id, said): &(String, Statement), n: usize) -> Kind {
    Kind::StatementCorrected(StatementCorrected {
        statement: id.clone(),
        corrects: id.clone(),
        corrected: Some(Statement {
            readings: statement(n).readings,
            venue: "elsewhere".to_owned(),
            ..said.clone()
        }),
        reason: "It was elsewhere.".to_owned(),
    })
}

fn retracted(statement: String) -> Kind {
    Kind::StatementRetracted(StatementRetracted {
        statement,
        speaker: "actor-0".to_owned(),
        said_for: Vec::new(),
        reason: "It was fabricated.".to_owned(),
    })
}

async fn put_source(daemon: &daemon::Daemon) -> Fallible<()> {
    let header = Part::Header(PutSourceHeader {
        media_type: "text/plain".to_owned(),
        source: String::new(),
    });
    let parts = [header, Part::Chunk(TEXT_OF_ONE_LINE.into())];
    let parts = parts.map(|part| PutSourceRequest { part: Some(part) });
    let mut client = SourceServiceClient::new(daemon.connect().await?);
    client.put_source(tokio_stream::iter(parts)).await?;
    Ok(())
}

/// What the daemon answers about the pair, of which much is known and of which little.
async fn answers(daemon: &daemon::Daemon) -> Fallible<Vec<GetPositionResponse>> {
    let mut client = PositionServiceClient::new(daemon.connect().await?);
    let mut answers = Vec::new();
    for known_at in [ACTORS + SAID / 2, RECORDS] {
        for as_of in ["2025-03-15", "2025-12-31"] {
            let request = GetPositionRequest {
                actor: "actor-0".to_owned(),
                topic: "meeting".to_owned(),
                as_of: as_of.to_owned(),
                known_at: Some(known_at as u64),
                ..GetPositionRequest::default()
            };
            answers.push(client.get_position(request).await?.into_inner());
        }
    }
    Ok(answers)
}

//! `PositionService` and `CatalogService`: what is asked, what is answered, and on what basis.
#![cfg(feature = "daemon")]

mod common;

use common::archive::{PASSAGE, TEXT, for_the_kremlin};
use common::daemon::Home;
use common::records::{actor, answered, milestone, statement};
use common::{TestArchive, assert_blames, assert_status};
use onrecord::record::ContentId;
use onrecord::record::proto::{
    ActorKind, Authority, Polarity, ReadingAdded, StatementCorrected, StatementRetracted,
    record::Kind,
};
use onrecord::rpc::proto::{
    ChangeKind, ComparePositionsRequest, ComparePositionsResponse, Finding, GetActorRequest,
    GetCheckpointRequest, GetMandateRequest, GetMilestoneRequest, GetPositionRequest,
    GetPositionResponse, GetSourceRecordRequest, GetStatementRequest, GetTimelineRequest,
    GetTopicRequest, GetVerifierRequest, Placement,
};
use tonic::{Code, Status};

fn kremlin(size: u64) -> GetPositionRequest {
    GetPositionRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        at_least_size: size,
        ..GetPositionRequest::default()
    }
}

fn around_the_summit(size: u64) -> ComparePositionsRequest {
    ComparePositionsRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        milestone: "summit".to_owned(),
        at_least_size: size,
        ..ComparePositionsRequest::default()
    }
}

async fn ask(
    archive: &mut TestArchive,
    request: GetPositionRequest,
) -> Result<GetPositionResponse, Status> {
    let response = archive.client.positions.get_position(request).await?;
    Ok(response.into_inner())
}

async fn compare(
    archive: &mut TestArchive,
    request: ComparePositionsRequest,
) -> Result<ComparePositionsResponse, Status> {
    let response = archive.client.positions.compare_positions(request).await?;
    Ok(response.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_names_its_statement_and_everything_that_it_rests_on() {
    let mut archive = TestArchive::new().await;
    let request = kremlin(archive.size);
    let answer = ask(&mut archive, request).await.unwrap();
    let position = answer.position.unwrap();
    assert_eq!(position.finding(), Finding::Stated);
    assert_eq!(position.asked, ["kremlin"]);
    let stance = position.stance.unwrap();
    assert_eq!(stance.polarity(), Polarity::Open);
    assert_eq!(stance.conditions[0].id, "prepared");
    let deciding = position.deciding.unwrap();
    assert_eq!(deciding.statement, archive.statement);
    assert_eq!(
        (&deciding.speaker[..], &deciding.said_for[..]),
        ("lavrov", &["kremlin".to_owned()][..])
    );
    assert_eq!(deciding.authority(), Authority::Delegate);
    assert_eq!(
        (deciding.said_at, deciding.definite),
        ("2025-08-19".to_owned(), true)
    );
    let range = position.last_affirmed.unwrap();
    assert_eq!(
        (&range.earliest[..], &range.latest[..]),
        ("2025-08-19T00:00:00Z", "2025-08-20T00:00:00Z")
    );
    let basis = answer.basis.unwrap();
    let head = archive.client.head().await;
    assert_eq!((basis.ledger_size, &basis.root), (head.size, &head.root));
    assert_eq!(
        (basis.known_at, &basis.projection[..]),
        (head.size, "positions")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_basis_given_back_asks_the_same_question() {
    let mut archive = TestArchive::new().await;
    for as_of in [
        "",
        "2025-08-19",
        "2025-08-19T23:59:58Z",
        "2025",
        "[..2025-08-19]",
    ] {
        let request = GetPositionRequest {
            as_of: as_of.to_owned(),
            ..kremlin(archive.size)
        };
        let first = ask(&mut archive, request.clone()).await.unwrap();
        let newcomer = Kind::ActorDefined(actor("newcomer", ActorKind::Person));
        archive
            .client
            .append_envelope(archive.steward.seal(newcomer))
            .await;
        let basis = first.basis.clone().unwrap();
        let again = GetPositionRequest {
            as_of: basis.as_of.clone(),
            known_at: Some(basis.known_at),
            ..request
        };
        let again = ask(&mut archive, again).await.unwrap();
        assert_eq!(again.position, first.position, "{as_of:?}");
        let second = again.basis.unwrap();
        assert_eq!(
            (second.as_of, second.known_at),
            (basis.as_of, basis.known_at),
            "{as_of:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_definite_with_its_last_second() {
    let mut archive = TestArchive::new().await;
    for (as_of, finding) in [
        ("2025-08-18", Finding::NoRecord),
        ("2025-08-19T23:59:58Z", Finding::Undated),
        ("2025-08-19T23:59:59Z", Finding::Stated),
        ("2025-08-19", Finding::Stated),
    ] {
        let request = GetPositionRequest {
            as_of: as_of.to_owned(),
            ..kremlin(archive.size)
        };
        let answer = ask(&mut archive, request).await.unwrap();
        assert_eq!(answer.position.unwrap().finding(), finding, "{as_of}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_names_the_field_and_what_would_be_accepted() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    let asked = |change: &dyn Fn(&mut GetPositionRequest)| {
        let mut request = kremlin(size);
        change(&mut request);
        request
    };
    for (request, code, reason, field) in [
        (
            asked(&|it| it.actor = "No Slug".to_owned()),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "actor",
        ),
        (
            asked(&|it| it.topic.clear()),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "topic",
        ),
        (
            asked(&|it| it.as_of = "2025-08-15/..".to_owned()),
            Code::InvalidArgument,
            "INVALID_DATE",
            "asOf",
        ),
        (
            asked(&|it| it.as_of = "2025-08-15T19:30:00".to_owned()),
            Code::InvalidArgument,
            "INVALID_DATE",
            "asOf",
        ),
        (
            asked(&|it| it.actor = "nobody".to_owned()),
            Code::NotFound,
            "UNKNOWN_ACTOR",
            "actor",
        ),
        (
            asked(&|it| it.topic = "weather".to_owned()),
            Code::NotFound,
            "UNKNOWN_TOPIC",
            "topic",
        ),
        (
            asked(&|it| it.known_at = Some(0)),
            Code::NotFound,
            "UNKNOWN_ACTOR",
            "actor",
        ),
        (
            asked(&|it| it.known_at = Some(size + 1)),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "knownAt",
        ),
    ] {
        let status = ask(&mut archive, request).await.unwrap_err();
        assert_blames(&status, code, reason, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_for_the_size_it_asks_for_and_not_for_ever() {
    let mut home = Home::new();
    home.config.wait_seconds_max = 1;
    let mut archive = TestArchive::on(home.found().start()).await;
    let request = kremlin(archive.size + 1);
    let status = ask(&mut archive, request.clone()).await.unwrap_err();
    assert_blames(&status, Code::Unavailable, "NOT_YET", "atLeastSize");

    let mut client = archive.client.clone();
    let waiting = tokio::spawn(async move { client.positions.get_position(request).await });
    let newcomer = Kind::ActorDefined(actor("newcomer", ActorKind::Person));
    archive.client.append(&archive.steward, newcomer).await;
    let answer = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.basis.unwrap().ledger_size, archive.size + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_and_after_a_milestone_are_compared_and_placed() {
    let mut archive = TestArchive::new().await;
    let mut earlier = statement("putin", "2025-08-07", TEXT, PASSAGE);
    earlier.said_for = for_the_kremlin("2025-08-07").said_for;
    earlier.readings = vec![answered("meeting", Polarity::Opposes)];
    let earlier = Kind::StatementRecorded(earlier);
    let size = archive
        .client
        .append(&archive.steward, earlier)
        .await
        .ledger_size;
    let answer = compare(&mut archive, around_the_summit(size))
        .await
        .unwrap();
    let comparison = answer.comparison.unwrap();
    assert_eq!(comparison.kind(), ChangeKind::Softened);
    assert_eq!(comparison.placement(), Placement::Since);
    assert!(comparison.certain);
    let before = answer.from.unwrap();
    assert_eq!(before.deciding.unwrap().speaker, "putin");
    assert_eq!(answer.from_basis.unwrap().as_of, "2025-08-14T23:59:59Z");
    assert_eq!(answer.to.unwrap().deciding.unwrap().speaker, "lavrov");

    let to_the_day_before = ComparePositionsRequest {
        to_as_of: "2025-08-18".to_owned(),
        ..around_the_summit(size)
    };
    let answer = compare(&mut archive, to_the_day_before).await.unwrap();
    let comparison = answer.comparison.unwrap();
    assert_eq!(comparison.kind(), ChangeKind::NotRestated);
    assert_eq!(comparison.placement(), Placement::Before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sizes_of_the_ledger_are_compared_at_one_date() {
    let mut archive = TestArchive::new().await;
    let request = ComparePositionsRequest {
        milestone: String::new(),
        to_as_of: "2025-09-01".to_owned(),
        from_known_at: Some(archive.size - 1),
        ..around_the_summit(archive.size)
    };
    let answer = compare(&mut archive, request).await.unwrap();
    assert_eq!(answer.comparison.unwrap().kind(), ChangeKind::FirstStated);
    let [from, to] = [answer.from_basis.unwrap(), answer.to_basis.unwrap()];
    assert_eq!(
        (from.known_at, to.known_at),
        (archive.size - 1, archive.size)
    );
    assert_eq!(from.as_of, to.as_of);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_that_makes_no_sense_is_refused() {
    let mut archive = TestArchive::new().await;
    let ahead = Kind::MilestoneDefined(milestone("ahead", "2999-01-01"));
    let size = archive
        .client
        .append(&archive.steward, ahead)
        .await
        .ledger_size;
    let asked = |change: &dyn Fn(&mut ComparePositionsRequest)| {
        let mut request = around_the_summit(size);
        change(&mut request);
        request
    };
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST");
    for (request, (code, reason), field) in [
        (asked(&|it| it.milestone.clear()), invalid, "fromAsOf"),
        (
            asked(&|it| it.from_as_of = "2025-08-01".to_owned()),
            invalid,
            "fromAsOf",
        ),
        (
            asked(&|it| it.to_as_of = "2025-08-13".to_owned()),
            invalid,
            "toAsOf",
        ),
        (
            asked(&|it| it.milestone = "ahead".to_owned()),
            invalid,
            "milestone",
        ),
        (
            asked(&|it| it.milestone = "No Slug".to_owned()),
            invalid,
            "milestone",
        ),
        (
            asked(&|it| {
                it.milestone.clear();
                it.from_as_of = "2025-08-02".to_owned();
                it.to_as_of = "2025-08-01".to_owned();
            }),
            invalid,
            "fromAsOf",
        ),
        (
            asked(&|it| it.to_as_of = "yesterday".to_owned()),
            (Code::InvalidArgument, "INVALID_DATE"),
            "toAsOf",
        ),
        (
            asked(&|it| it.milestone = "never".to_owned()),
            (Code::NotFound, "UNKNOWN_MILESTONE"),
            "milestone",
        ),
        (
            asked(&|it| it.from_known_at = Some(size + 1)),
            (Code::OutOfRange, "BEYOND_THE_HEAD"),
            "fromKnownAt",
        ),
        (
            asked(&|it| it.to_known_at = Some(size + 1)),
            (Code::OutOfRange, "BEYOND_THE_HEAD"),
            "toKnownAt",
        ),
    ] {
        let status = compare(&mut archive, request).await.unwrap_err();
        assert_blames(&status, code, reason, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_tells_steps_up_to_a_date() {
    let mut archive = TestArchive::new().await;
    let request = GetTimelineRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        at_least_size: archive.size,
        ..GetTimelineRequest::default()
    };
    let timeline = archive.client.positions.get_timeline(request.clone()).await;
    let timeline = timeline.unwrap().into_inner();
    assert!(!timeline.truncated);
    assert_eq!(timeline.steps.len(), 1);
    let step = &timeline.steps[0];
    assert_eq!(step.from, "2025-08-20T00:00:00Z");
    assert_eq!(
        step.comparison.as_ref().unwrap().kind(),
        ChangeKind::FirstStated
    );
    assert_eq!(
        step.testimony.as_ref().unwrap().statement,
        archive.statement
    );

    let until = GetTimelineRequest {
        until: "2025-08-18".to_owned(),
        ..request.clone()
    };
    let timeline = archive.client.positions.get_timeline(until).await.unwrap();
    assert!(timeline.into_inner().steps.is_empty());
    let wrong = GetTimelineRequest {
        until: "tomorrow".to_owned(),
        ..request
    };
    let status = archive
        .client
        .positions
        .get_timeline(wrong)
        .await
        .unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "INVALID_DATE", "until");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_answered_with_the_organisations_to_ask_instead() {
    let mut archive = TestArchive::new().await;
    let request = GetPositionRequest {
        actor: "putin".to_owned(),
        ..kremlin(archive.size)
    };
    let position = ask(&mut archive, request).await.unwrap().position.unwrap();
    assert_eq!(position.finding(), Finding::NoRecord);
    assert_eq!(position.speaks_for, ["kremlin"]);
    let state = GetPositionRequest {
        actor: "russia".to_owned(),
        ..kremlin(archive.size)
    };
    let position = ask(&mut archive, state).await.unwrap().position.unwrap();
    assert_eq!(position.asked, ["russia", "kremlin"]);
    assert_eq!(position.finding(), Finding::Stated);
    let group = GetPositionRequest {
        actor: "capitals".to_owned(),
        ..kremlin(archive.size)
    };
    let position = ask(&mut archive, group).await.unwrap().position.unwrap();
    assert_eq!(position.finding(), Finding::NoVoice);
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_are_told_with_where_they_stand_and_as_they_were_known() {
    let mut archive = TestArchive::new().await;
    let at_least_size = archive.size;
    let catalog = &mut archive.client.catalog;
    let request = GetActorRequest {
        actor_id: "kremlin".to_owned(),
        at_least_size,
        known_at: None,
        known_at_time: None,
    };
    let found = catalog
        .get_actor(request.clone())
        .await
        .unwrap()
        .into_inner();
    let actor = found.actor.unwrap();
    assert_eq!(actor.definition.unwrap().part_of, "russia");
    let provenance = actor.provenance.unwrap();
    assert_eq!(provenance.verifiers, [archive.steward.id()]);
    assert_eq!(found.basis.unwrap().projection, "catalog");
    let before = GetActorRequest {
        known_at: Some(provenance.index),
        ..request
    };
    let status = catalog.get_actor(before).await.unwrap_err();
    assert_blames(&status, Code::NotFound, "UNKNOWN_ACTOR", "actorId");

    let mandate_id = "lavrov-kremlin".to_owned();
    let request = GetMandateRequest {
        mandate_id,
        ..GetMandateRequest::default()
    };
    let found = catalog.get_mandate(request).await.unwrap().into_inner();
    assert_eq!(found.mandate.unwrap().definition.unwrap().person, "lavrov");
    let topic_id = "meeting".to_owned();
    let request = GetTopicRequest {
        topic_id,
        ..GetTopicRequest::default()
    };
    let found = catalog.get_topic(request).await.unwrap().into_inner();
    assert_eq!(found.topic.unwrap().definition.unwrap().topic_id, "meeting");
    let milestone_id = "summit".to_owned();
    let request = GetMilestoneRequest {
        milestone_id,
        ..GetMilestoneRequest::default()
    };
    let found = catalog.get_milestone(request).await.unwrap().into_inner();
    assert_eq!(
        found.milestone.unwrap().definition.unwrap().date,
        "2025-08-15"
    );
    let source_id = ContentId::of(TEXT.as_bytes()).to_string();
    let request = GetSourceRecordRequest {
        source_id,
        ..GetSourceRecordRequest::default()
    };
    let found = catalog
        .get_source_record(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        found.source.unwrap().definition.unwrap().profile,
        "plain-text/1"
    );
    let verifier = archive.coder.id();
    let request = GetVerifierRequest {
        verifier,
        ..GetVerifierRequest::default()
    };
    let found = catalog.get_verifier(request).await.unwrap().into_inner();
    assert_eq!(found.verifier.unwrap().revocation, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_record_is_not_found_and_what_is_no_id_is_refused() {
    let mut archive = TestArchive::new().await;
    let catalog = &mut archive.client.catalog;
    let nothing = ContentId::of(b"nothing").to_string();
    let stranger = common::Signer::new(99).id();
    macro_rules! refused {
        ($method:ident $Request:ident { $id:ident } $unknown:expr, $reason:literal, $field:literal) => {
            let request = $Request {
                $id: $unknown,
                ..$Request::default()
            };
            let status = catalog.$method(request).await.unwrap_err();
            assert_blames(&status, Code::NotFound, $reason, $field);
            let request = $Request {
                $id: "No Id".to_owned(),
                ..$Request::default()
            };
            let status = catalog.$method(request).await.unwrap_err();
            assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", $field);
        };
    }
    let none = || "nobody".to_owned();
    refused!(get_actor GetActorRequest { actor_id } none(), "UNKNOWN_ACTOR", "actorId");
    refused!(get_mandate GetMandateRequest { mandate_id } none(), "UNKNOWN_MANDATE", "mandateId");
    refused!(get_topic GetTopicRequest { topic_id } none(), "UNKNOWN_TOPIC", "topicId");
    refused!(get_milestone GetMilestoneRequest { milestone_id } none(), "UNKNOWN_MILESTONE", "milestoneId");
    refused!(get_source_record GetSourceRecordRequest { source_id } nothing.clone(), "UNKNOWN_SOURCE", "sourceId");
    refused!(get_statement GetStatementRequest { statement_id } nothing.clone(), "UNKNOWN_STATEMENT", "statementId");
    refused!(get_verifier GetVerifierRequest { verifier } stranger.clone(), "UNKNOWN_VERIFIER", "verifier");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_told_in_the_version_that_stands_with_what_became_of_it() {
    let mut archive = TestArchive::new().await;
    let said_for = vec!["kremlin".to_owned()];
    let statement = archive.statement.clone();
    let reading = Kind::ReadingAdded(ReadingAdded {
        statement: statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: said_for.clone(),
        reading: Some(answered("meeting", Polarity::Supports)),
        rationale: "He refused no format.".to_owned(),
    });
    let corrected = Kind::StatementCorrected(StatementCorrected {
        statement: statement.clone(),
        corrects: statement.clone(),
        corrected: Some(for_the_kremlin("2025-08-18")),
        reason: "The day was wrong.".to_owned(),
    });
    let retracted = Kind::StatementRetracted(StatementRetracted {
        statement: statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for,
        reason: "It was fabricated.".to_owned(),
    });
    let client = &mut archive.client;
    let read = client.append(&archive.coder, reading).await;
    let changed = client.append(&archive.attestor, corrected).await;
    let gone = client.append(&archive.attestor, retracted).await;
    let mut view = async |known_at| {
        let request = GetStatementRequest {
            statement_id: statement.clone(),
            known_at: Some(known_at),
            known_at_time: None,
            at_least_size: gone.ledger_size,
            proof: false,
        };
        let found = client
            .catalog
            .get_statement(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(found.basis.unwrap().known_at, known_at);
        found.statement.unwrap()
    };

    let first = view(archive.size).await;
    assert_eq!(first.statement.unwrap().said_at, "2025-08-19");
    assert_eq!((first.corrections.len(), first.readings.len()), (0, 0));
    let introduced = first.introduced.unwrap();
    assert_eq!(
        (introduced.record, introduced.index),
        (statement.clone(), archive.size - 1)
    );

    let last = view(gone.ledger_size).await;
    assert_eq!(last.statement.unwrap().said_at, "2025-08-18");
    assert_eq!(last.corrections[0].reason, "The day was wrong.");
    assert_eq!(
        last.corrections[0].provenance.as_ref().unwrap().record,
        changed.record
    );
    let retraction = last.retraction.unwrap();
    assert_eq!(retraction.reason, "It was fabricated.");
    assert_eq!(retraction.provenance.unwrap().index, gone.index);
    assert_eq!(
        last.readings[0].provenance.as_ref().unwrap().record,
        read.record
    );
    assert_eq!(last.readings[0].rationale, "He refused no format.");
    assert_eq!(view(gone.index).await.retraction, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_come_later_say_so() {
    let mut archive = TestArchive::new().await;
    let request = GetCheckpointRequest::default();
    let checkpoint = archive.client.ledger.get_checkpoint(request).await;
    assert_status(
        &checkpoint.unwrap_err(),
        Code::Unimplemented,
        "NOT_IMPLEMENTED",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_what_is_not_on_record_is_asked_what_was_meant() {
    let archive = TestArchive::new().await;
    let defined = GetActorRequest {
        actor_id: "lavrov".to_owned(),
        ..GetActorRequest::default()
    };
    let mut catalog = archive.client.catalog.clone();
    let lavrov = catalog.get_actor(defined).await.unwrap().into_inner();
    let index = lavrov.actor.unwrap().provenance.unwrap().index;
    let misspelt = |known_at| GetActorRequest {
        actor_id: "lavrof".to_owned(),
        known_at,
        ..GetActorRequest::default()
    };
    let question = "(did you mean \"lavrov\"?)";
    let status = catalog.get_actor(misspelt(None)).await.unwrap_err();
    assert_blames(&status, Code::NotFound, "UNKNOWN_ACTOR", "actorId");
    assert!(status.message().contains(question), "{status}");
    // Nobody is told of what was not known then.
    let status = catalog.get_actor(misspelt(Some(index))).await.unwrap_err();
    assert!(!status.message().contains("did you mean"), "{status}");
    // Nor is more repeated than fits in the headers of an answer.
    let long = GetActorRequest {
        actor_id: "Lavrov ".repeat(100_000),
        ..GetActorRequest::default()
    };
    let status = catalog.get_actor(long).await.unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", "actorId");
    assert!(status.message().len() < 1_000, "{status}");
    let after = catalog
        .get_actor(misspelt(Some(index + 1)))
        .await
        .unwrap_err();
    assert!(after.message().contains(question), "{after}");
}

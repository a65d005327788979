//! Sources that stop being served.

use onrecord::record::ContentId;
use onrecord::record::proto::{SourceArchived, StatementCorrected, WithholdingScope, record::Kind};
use onrecord::rpc::proto::{GetSourceRecordRequest, GetSourceRequest, GetSourceTextRequest};
use tonic::{Code, Status};

use super::common::archive::{TEXT, for_the_kremlin};
use super::common::records::{source, withheld};
use super::common::{TestArchive, assert_blames};

async fn bytes(archive: &mut TestArchive) -> Result<usize, Status> {
    let source = ContentId::of(TEXT.as_bytes()).to_string();
    let request = GetSourceRequest { source };
    let mut chunks = archive
        .client
        .sources
        .get_source(request)
        .await?
        .into_inner();
    let mut read = 0;
    while let Some(chunk) = chunks.message().await? {
        read += chunk.chunk.len();
    }
    Ok(read)
}

async fn text(archive: &mut TestArchive) -> Result<String, Status> {
    let request = GetSourceTextRequest {
        source: ContentId::of(TEXT.as_bytes()).to_string(),
        ..GetSourceTextRequest::default()
    };
    let answer = archive.client.sources.get_source_text(request).await?;
    Ok(answer.into_inner().text)
}

async fn withhold(archive: &mut TestArchive, scope: WithholdingScope) -> u64 {
    let mut record = withheld(TEXT, scope);
    record.reason = format!("{} in the ledger before.", archive.client.head().await.size);
    let kind = Kind::SourceWithheld(record);
    archive.client.append(&archive.steward, kind).await.index
}

fn assert_withheld<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let status = answer.unwrap_err();
    assert_blames(&status, Code::FailedPrecondition, "WITHHELD", "source");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_withheld_is_not_served_from_the_answer_on_and_stays_so() {
    let mut archive = TestArchive::new().await;
    assert_eq!(bytes(&mut archive).await.unwrap(), TEXT.len());
    withhold(&mut archive, WithholdingScope::Bytes).await;
    assert_withheld(bytes(&mut archive).await);
    assert!(
        text(&mut archive)
            .await
            .unwrap()
            .starts_with("The minister")
    );

    let widest = withhold(&mut archive, WithholdingScope::BytesAndText).await;
    assert_withheld(text(&mut archive).await);

    // Neither a narrower scope nor archiving it again brings it back.
    withhold(&mut archive, WithholdingScope::Bytes).await;
    let source_id = ContentId::of(TEXT.as_bytes()).to_string();
    let request = GetSourceRecordRequest {
        source_id: source_id.clone(),
        at_least_size: widest + 1,
        ..GetSourceRecordRequest::default()
    };
    let found = archive
        .client
        .catalog
        .get_source_record(request)
        .await
        .unwrap();
    let found = found.into_inner().source.unwrap();
    assert_eq!(found.withholding_provenance.unwrap().index, widest);
    assert_eq!(found.withholding.unwrap().authority, "A court.");
    let again = SourceArchived {
        replaces: found.provenance.unwrap().record,
        title: "Again".to_owned(),
        ..source(TEXT)
    };
    archive
        .client
        .append(&archive.steward, Kind::SourceArchived(again))
        .await;
    assert_withheld(bytes(&mut archive).await);
    assert_withheld(text(&mut archive).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_from_a_withheld_text_can_be_corrected_and_its_bytes_alone_quoted() {
    let mut archive = TestArchive::new().await;
    withhold(&mut archive, WithholdingScope::Bytes).await;
    let mut said = for_the_kremlin("2025-08-19");
    said.venue = "elsewhere".to_owned();
    archive
        .client
        .append(&archive.attestor, Kind::StatementRecorded(said))
        .await;
    withhold(&mut archive, WithholdingScope::BytesAndText).await;
    let id = archive.statement.clone();
    let correction = Kind::StatementCorrected(StatementCorrected {
        statement: id.clone(),
        corrects: id,
        corrected: Some(for_the_kremlin("2025-08-18")),
        reason: "The day was wrong.".to_owned(),
    });
    archive.client.append(&archive.attestor, correction).await;
}

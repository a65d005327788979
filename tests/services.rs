//! The services over a real socket.

mod common;

use common::TestArchive;
use onrecord::rpc::proto::GetPositionRequest;

#[tokio::test]
async fn smoke() {
    let mut archive = TestArchive::new().await;
    let response = archive
        .client
        .positions
        .get_position(GetPositionRequest {
            actor: "kremlin".to_owned(),
            topic: "meeting".to_owned(),
            at_least_size: archive.size,
            ..GetPositionRequest::default()
        })
        .await
        .unwrap();
    println!("{response:#?}");
}

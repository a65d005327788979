//! Statements about other statements.

use onrecord::record::proto::{Polarity, ReferenceKind, RefersTo};
use onrecord::rpc::proto::{ListReferencesRequest, Reference};

use crate::common::TestArchive;
use crate::{list, record, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_withdraws_another_is_listed_with_it() {
    let mut archive = TestArchive::new().await;
    let (first, referred) = record(&mut archive, said("05", Polarity::Supports)).await;
    let mut second = said("07", Polarity::NoPosition);
    second.refers_to = vec![
        RefersTo {
            statement: first.clone(),
            kind: ReferenceKind::Withdraws.into(),
        },
        RefersTo {
            statement: first.clone(),
            kind: ReferenceKind::Qualifies.into(),
        },
    ];
    let (_, referring) = record(&mut archive, second).await;
    let request = ListReferencesRequest {
        topic: "meeting".to_owned(),
        actor: "kremlin".to_owned(),
        ..ListReferencesRequest::default()
    };
    let listed = list!(archive, list_references, request, references);
    let kinds: Vec<_> = listed.iter().map(Reference::kind).collect();
    assert_eq!(kinds, [ReferenceKind::Withdraws, ReferenceKind::Qualifies]);
    for it in &listed {
        assert_eq!(it.referring.as_ref().unwrap().index, referring);
        assert_eq!(it.referred.as_ref().unwrap().index, referred);
        assert_eq!(
            (it.referred_index, &it.referred_statement),
            (referred, &first)
        );
    }
    let everybody = ListReferencesRequest {
        actor: String::new(),
        ..request.clone()
    };
    let listed = list!(archive, list_references, everybody, references);
    assert_eq!(listed.len(), 6);
    let earlier = ListReferencesRequest {
        as_of: "2025-08-06".to_owned(),
        ..request
    };
    assert!(list!(archive, list_references, earlier, references).is_empty());
}

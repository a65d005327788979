//! `/checkpoint`: the newest signed note, with the cosignatures that have joined it. The first of a
//! run is waited for, as long as one may come: that a daemon was started a moment ago is no reason
//! for a monitor to find nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::absent::Absent;
use super::answer::{Caching, Content};
use super::{Parts, Site};
use crate::checkpoint::{Published, PublishedNote};

const MEDIA_TYPE: &str = "text/plain; charset=utf-8";

pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, Absent> {
    let Parts {
        checkpoints,
        wait_max,
        ..
    } = &site.parts;
    answer(newest(checkpoints, *wait_max).await.as_deref(), &headers)
}

async fn newest(checkpoints: &Published, wait_max: Duration) -> Option<Arc<PublishedNote>> {
    let mut notes = checkpoints.watch();
    let told = notes.wait_for(|notes| notes.newest.is_some() || notes.has_ended());
    let told = tokio::time::timeout(wait_max, told).await;
    told.ok()?.ok()?.newest.clone()
}

fn answer(newest: Option<&PublishedNote>, request: &HeaderMap) -> Result<Response, Absent> {
    let note = newest.ok_or(Absent::Unsigned)?.note.clone();
    let content = Content::new(MEDIA_TYPE, Caching::Seconds, note.as_bytes());
    Ok(content.answer(request, note))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use axum::body::Body;
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse as _;
    use tokio_stream::StreamExt as _;

    use super::*;
    use crate::checkpoint::NotSigning;
    use crate::merkle::empty_root;
    use crate::record::Micros;

    fn published(note: &str) -> PublishedNote {
        PublishedNote {
            note: note.to_owned(),
            size: 0,
            root: empty_root(),
            recorded_at: None,
            signed_at: Micros(0),
            keys: Vec::new(),
            witnessed_at: None,
        }
    }

    async fn bytes(body: Body) -> Vec<u8> {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        bytes
    }

    #[tokio::test]
    async fn a_note_is_served_as_it_is_for_seconds_and_again_once_it_has_another_signature() {
        let (note, cosigned) = ("text\n\n— a b=\n", "text\n\n— a b=\n— w c=\n");
        let mut request = HeaderMap::new();
        let answered = answer(Some(&published(note)), &request).unwrap();
        let headers = answered.headers().clone();
        assert_eq!(headers[header::CONTENT_TYPE], MEDIA_TYPE);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=1");
        assert_eq!(bytes(answered.into_body()).await, note.as_bytes());
        request.insert(header::IF_NONE_MATCH, headers[header::ETAG].clone());
        let again = answer(Some(&published(note)), &request).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let other = answer(Some(&published(cosigned)), &request).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
        assert_eq!(bytes(other.into_body()).await, cosigned.as_bytes());
    }

    #[tokio::test]
    async fn the_first_of_a_run_is_waited_for_unless_none_will_come_by_itself() {
        const DAY: Duration = Duration::from_hours(24);
        let checkpoints = Published::new();
        for why in [None, Some(NotSigning::Behind { read: 1, size: 2 })] {
            if let Some(why) = why {
                checkpoints.halt(&why);
            }
            let mut asked = pin!(newest(&checkpoints, DAY));
            let first = poll_fn(|waker| Poll::Ready(asked.as_mut().poll(waker))).await;
            assert!(first.is_pending(), "{first:?}");
        }
        assert_eq!(newest(&checkpoints, Duration::ZERO).await, None);

        let asked = tokio::join!(newest(&checkpoints, DAY), async {
            checkpoints.publish(published("note"));
        });
        assert_eq!(asked.0.unwrap().note, "note");
        let none_comes = Published::new();
        none_comes.halt(&NotSigning::Restored);
        assert_eq!(newest(&none_comes, DAY).await, None);
    }

    #[tokio::test]
    async fn before_the_first_there_is_none() {
        let absent = answer(None, &HeaderMap::new()).unwrap_err().into_response();
        assert_eq!(absent.status(), StatusCode::NOT_FOUND);
        assert_eq!(absent.headers()[header::CACHE_CONTROL], "no-store");
        let told = bytes(absent.into_body()).await;
        assert!(String::from_utf8(told).unwrap().contains("onrecord status"));
    }
}

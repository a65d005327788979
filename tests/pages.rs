//! Pages with the traits of real ones: archived, quoted, or refused for the right reason with
//! the passage shown that was meant.
#![cfg(feature = "daemon")]

mod common;

use common::TestArchive;
use common::records::{CAPTURED_AT, at, segment, statement};
use onrecord::record::ContentId;
use onrecord::record::proto::{
    Evidence, Segment, SourceArchived, SourceRole, Statement, Wording, record::Kind,
};
use onrecord::rpc::proto::{GetSourceTextRequest, Refusal};

/// A briefing as a government's site has it: a tooltip in mid-sentence, no-break spaces,
/// markup within the words, a share button, an advertisement's script.
const BRIEFING: &str = "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Briefing</title>\
    <script>if (1 < 2) document.write('<p>never refused a meeting')</script></head><body>\n\
    <header><nav><ul><li><a href=/>News</a></ul></nav></header>\n\
    <button>Share<svg><title>Share</title></svg></button>\n\
    <p><b>Question:</b> Will they meet?</p>\n\
    <p><b>Answer:</b> The President, <a href=\"#\">Ivan Ivanov<span class=tooltip>Ivanov \
    Ivan<br>President since 2000</span></a>, has <em>al</em>ways been open to a&nbsp;meeting\n\
    &mdash; if it is <i>well</i>&#160;prepared.<script>ads.push('<p>')</script> He said \
    so&nbsp;&laquo;twice&raquo;.</p>\n\
    <p>Every con&shy;tact must be prepared. Every contact counts.</p></body></html>";

/// Puts a page on record as its upload was answered; gives what would be its next version.
async fn archived(archive: &mut TestArchive, page: &[u8], media_type: &str) -> SourceArchived {
    let stored = archive.client.put_source(media_type, page).await.unwrap();
    assert_eq!(stored.profile, "html-text/1");
    let source = SourceArchived {
        source: stored.source,
        media_type: media_type.to_owned(),
        size_bytes: stored.size_bytes,
        captured_at: Some(at(CAPTURED_AT)),
        role: SourceRole::Primary.into(),
        profile: stored.profile,
        text_id: stored.text_id,
        ..SourceArchived::default()
    };
    let kind = Kind::SourceArchived(source.clone());
    let recorded = archive.client.append(&archive.attestor, kind).await;
    SourceArchived {
        replaces: recorded.record,
        ..source
    }
}

/// What Lavrov said on that page, in these words.
fn quoting(source: &SourceArchived, text: &str, segments: Vec<Segment>) -> Statement {
    let template = statement("lavrov", "2025-08-19", "", "");
    let establishes = template.evidence[0].establishes.clone();
    Statement {
        wording: Wording::Verbatim.into(),
        spoken_language: "en".to_owned(),
        text: text.to_owned(),
        evidence: vec![Evidence {
            source: source.source.clone(),
            text_id: source.text_id.clone(),
            segments,
            establishes,
        }],
        ..template
    }
}

fn segments(passages: &[&str]) -> Vec<Segment> {
    passages.iter().map(|exact| segment(exact)).collect()
}

async fn quote(archive: &mut TestArchive, said: Statement) {
    let kind = Kind::StatementRecorded(said);
    archive.client.append(&archive.attestor, kind).await;
}

async fn refused(archive: &mut TestArchive, said: Statement) -> Refusal {
    let envelope = archive.attestor.seal(Kind::StatementRecorded(said));
    archive.client.refused(envelope).await
}

async fn text(archive: &mut TestArchive, source: &SourceArchived) -> String {
    let request = GetSourceTextRequest {
        source: source.source.clone(),
        ..GetSourceTextRequest::default()
    };
    let answer = archive.client.sources.get_source_text(request).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.profile, "html-text/1");
    assert_eq!(answer.text_id, source.text_id);
    answer.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_archived_with_its_text_and_the_text_id_is_the_hash_of_it() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, BRIEFING.as_bytes(), "text/html").await;
    let text = text(&mut archive, &page).await;
    assert_eq!(
        text,
        "News\nQuestion: Will they meet?\nAnswer: The President, Ivan IvanovIvanov Ivan\n\
         President since 2000, has always been open to a meeting — if it is well prepared. \
         He said so «twice».\nEvery contact must be prepared. Every contact counts."
    );
    assert_eq!(page.text_id, ContentId::of(text.as_bytes()).to_string());
    let xhtml = "application/xhtml+xml; charset=utf-8";
    let again = archive.client.put_source(xhtml, BRIEFING.as_bytes()).await;
    assert_eq!(again.unwrap().text_id, page.text_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_with_a_tooltip_in_it_is_quoted_in_segments_around_the_tooltip() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, BRIEFING.as_bytes(), "text/html").await;
    let passages = [
        "The President, Ivan Ivanov",
        ", has always been open to a meeting",
    ];
    let told = "The President, Ivan Ivanov […] , has always been open to a meeting";
    quote(&mut archive, quoting(&page, told, segments(&passages))).await;

    // As one passage it is not there; what is there is shown, tooltip and all.
    let whole = "The President, Ivan Ivanov, has always been open to a meeting";
    let refusal = refused(&mut archive, quoting(&page, whole, segments(&[whole]))).await;
    assert_eq!(refusal.reason, "QUOTE_NOT_FOUND");
    let place = "statementRecorded.evidence[0].segments[0].exact";
    assert_eq!(refusal.field, place);
    assert_eq!(refusal.message, "segment 0 is not in the text");
    let near = &refusal.nearest[0];
    assert!(near.text.contains("has always been open to a meeting"));
    let all = text(&mut archive, &page).await.replace('\n', " ");
    let range = near.start as usize..near.end as usize;
    let there: String = all.chars().skip(range.start).take(range.len()).collect();
    assert_eq!(there, near.text);

    // Nor are the segments in another order than the page has them.
    let passages = [passages[1], passages[0]];
    let refusal = refused(&mut archive, quoting(&page, "x", segments(&passages))).await;
    assert_eq!(refusal.reason, "QUOTE_NOT_FOUND");
    assert_eq!(
        refusal.message,
        "segment 1 is in the text only before the end of the segment before it, at 39–65"
    );
    assert_eq!(
        refusal.accepted,
        "segments in the order of the text, not overlapping"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_pasted_from_a_browser_is_the_passage_of_the_page() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, BRIEFING.as_bytes(), "text/html").await;
    // Line ends, no-break spaces and soft hyphens as a browser puts them on the clipboard.
    let pasted = "always been open to a\u{A0}meeting\n— if it is well\u{A0}prepared.  \
        He said so\u{A0}«twice».\nEvery con\u{AD}tact must be prepared.";
    quote(&mut archive, quoting(&page, pasted, segments(&[pasted]))).await;

    let other_marks = "He said so \"twice\".";
    let said = quoting(&page, other_marks, segments(&[other_marks]));
    let refusal = refused(&mut archive, said).await;
    assert_eq!(refusal.reason, "QUOTE_NOT_FOUND");
    assert_eq!(refusal.nearest[0].text, "He said so «twice».");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_says_twice_or_only_in_its_code_is_not_quoted() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, BRIEFING.as_bytes(), "text/html").await;
    let refusal = refused(
        &mut archive,
        quoting(&page, "x", segments(&["Every contact"])),
    )
    .await;
    assert_eq!(refusal.reason, "QUOTE_AMBIGUOUS");
    assert!(refusal.message.contains("2 times: at "), "{refusal:?}");
    let [around_both] = &refusal.nearest[..] else {
        panic!("{refusal:?}");
    };
    assert_eq!(around_both.text.matches("Every contact").count(), 2);
    let with_suffix = Segment {
        suffix: "counts".to_owned(),
        ..segment("Every contact")
    };
    quote(
        &mut archive,
        quoting(&page, "Every contact", vec![with_suffix]),
    )
    .await;

    for hidden in ["never refused a meeting", "Share", "Briefing"] {
        let refusal = refused(&mut archive, quoting(&page, hidden, segments(&[hidden]))).await;
        assert_eq!(refusal.reason, "QUOTE_NOT_FOUND", "{hidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_windows_1251_is_quoted_in_unicode_whatever_says_what_it_is() {
    let mut archive = TestArchive::new().await;
    let encoded = |html: &str| encoding_rs::WINDOWS_1251.encode(html).0.into_owned();
    let declared = encoded(
        "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; \
         charset=windows-1251\"></head><body><p>Встреча&nbsp;— «возможна».",
    );
    let bare = encoded("<p>Встреча&nbsp;— «возможна»!");
    // Labelled by the server, by itself, and wrongly by a server although it is UTF-8.
    let utf8 = "<p>Встреча&nbsp;— «возможна»?".as_bytes().to_vec();
    for (page, media_type) in [
        (declared, "text/html"),
        (bare, "text/html; charset=windows-1251"),
        (utf8, "text/html; charset=windows-1251"),
    ] {
        let page = archived(&mut archive, &page, media_type).await;
        let passage = "Встреча — «возможна»";
        quote(&mut archive, quoting(&page, passage, segments(&[passage]))).await;
    }

    // With a wrong label it is another text, and the passage is not in it.
    let page = encoded("<p>Встреча невозможна");
    let mislabelled = archived(&mut archive, &page, "text/html; charset=koi8-r").await;
    let said = quoting(&mislabelled, "x", segments(&["Встреча"]));
    assert_eq!(refused(&mut archive, said).await.reason, "QUOTE_NOT_FOUND");
    // And the text of one media type does not pass for that of another.
    let kind = Kind::SourceArchived(SourceArchived {
        media_type: "text/html; charset=ibm866".to_owned(),
        ..mislabelled
    });
    let refusal = archive.client.refused(archive.attestor.seal(kind)).await;
    assert_eq!(refusal.reason, "TEXT_ID_MISMATCH");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_another_profile_gives_is_refused() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, BRIEFING.as_bytes(), "text/html").await;
    for (profile, reason) in [
        ("plain-text/1", "TEXT_ID_MISMATCH"),
        ("html-text/2", "UNKNOWN_PROFILE"),
    ] {
        let kind = Kind::SourceArchived(SourceArchived {
            profile: profile.to_owned(),
            ..page.clone()
        });
        let refusal = archive.client.refused(archive.attestor.seal(kind)).await;
        assert_eq!(refusal.reason, reason);
    }
}

/// What editors and archivists leave within sentences: a footnote's mark, a comment, a line
/// break, a possible one, accents apart from their letters, words that a style sheet hides.
const REPORT: &str = "<html><body><p>We are ready<sup>[1]</sup> for talks<!-- ad 17 --> at any<br>\
    time, in &#8220;any <b>for<wbr>mat</b>&#8221;. Jose&#x301; agreed \
    <span style=\"display:none\">in principle </span>on Tuesday.</p>\
    <table><tr><td>Talks:</td><td>open</td></tr></table></body></html>";

#[tokio::test(flavor = "multi_thread")]
async fn what_editors_leave_within_a_sentence_is_quoted_as_the_page_has_it() {
    let mut archive = TestArchive::new().await;
    let page = archived(&mut archive, REPORT.as_bytes(), "text/html").await;
    for there in [
        "We are ready[1] for talks at any time, in \u{201c}any format\u{201d}.",
        "Jos\u{e9} agreed in principle on Tuesday.",
        "Talks: open",
    ] {
        quote(&mut archive, quoting(&page, there, segments(&[there]))).await;
    }
    for (not_there, shown) in [
        (
            "We are ready for talks at any time",
            "for talks at any time",
        ),
        ("agreed on Tuesday", "on Tuesday"),
        ("in \"any format\"", "any format"),
    ] {
        let said = quoting(&page, not_there, segments(&[not_there]));
        let refusal = refused(&mut archive, said).await;
        assert_eq!(refusal.reason, "QUOTE_NOT_FOUND", "{not_there}");
        let near = refusal
            .nearest
            .iter()
            .find(|near| near.text.contains(shown));
        assert!(near.is_some(), "{refusal:?}");
    }
    // The passage is there, and the statement says something else.
    let exact = "on Tuesday";
    let refusal = refused(
        &mut archive,
        quoting(&page, "on Thursday", segments(&[exact])),
    )
    .await;
    assert_eq!(refusal.reason, "TEXT_DIFFERS_FROM_SELECTION");
    let differ =
        "at code point 4, where the text has \"on Thursday\" and the passage \"on Tuesday\"";
    assert!(refusal.message.contains(differ), "{}", refusal.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_names_a_wrong_charset_itself_is_quoted_once_the_server_names_the_right_one() {
    let mut archive = TestArchive::new().await;
    let html =
        "<html><head><meta charset=\"utf-8\"></head><body><p>Встреча возможна в любом формате.";
    let page = encoding_rs::WINDOWS_1251.encode(html).0.into_owned();
    let passage = "Встреча возможна в любом формате.";
    // Nothing says otherwise: the upload counts what is no UTF-8, and the words are not there.
    let stored = archive.client.put_source("text/html", &page).await.unwrap();
    assert!(stored.malformed >= 20, "{stored:?}");
    let mistaken = archived(&mut archive, &page, "text/html").await;
    let said = quoting(&mistaken, passage, segments(&[passage]));
    let refusal = refused(&mut archive, said).await;
    assert_eq!(refusal.reason, "QUOTE_NOT_FOUND");

    // The same bytes, read rightly, are a new version of the same source, with another text.
    let right = "text/html; charset=windows-1251";
    let stored = archive.client.put_source(right, &page).await.unwrap();
    assert_eq!((stored.malformed, &stored.source), (0, &mistaken.source));
    let version = SourceArchived {
        media_type: right.to_owned(),
        text_id: stored.text_id,
        ..mistaken
    };
    let kind = Kind::SourceArchived(version.clone());
    archive.client.append(&archive.attestor, kind).await;
    quote(
        &mut archive,
        quoting(&version, passage, segments(&[passage])),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_media_type_that_is_none_is_refused_with_one_that_would_do() {
    let mut archive = TestArchive::new().await;
    for nonsense in ["text", "html", "text/", "/html", "text /html", "текст/html"] {
        let status = archive
            .client
            .put_source(nonsense, b"<p>x")
            .await
            .unwrap_err();
        let field = "header.mediaType";
        common::assert_blames(
            &status,
            tonic::Code::InvalidArgument,
            "INVALID_REQUEST",
            field,
        );
        assert!(status.message().contains("text/html"), "{status}");
    }
}

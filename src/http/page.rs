//! `/`: what this is and how to verify it, for people who come by with a browser.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

use super::Site;
use super::absent::Absent;
use super::answer::{Caching, Content};
use crate::ledger::ReadError;
use crate::merkle::{KeyName, NoteKey, NoteKeyType};
use crate::record::VerifierKey;
use crate::record::proto::record::Kind;

/// Nothing is loaded from anywhere.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
);

pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, Absent> {
    let reader = site.parts.reader.clone();
    let key = super::blocking(&site, move || {
        let founded = reader.entry(0)?.ok_or(ReadError::Missing { index: 0 })?;
        Ok(match &founded.record.kind {
            Some(Kind::ArchiveFounded(founded)) => {
                verifier_key(reader.origin(), &founded.checkpoint_key)
            }
            _ => None,
        })
    });
    let page = page(
        site.parts.reader.origin(),
        key.await?.as_ref(),
        site.parts.reader.head().size,
        site.parts.checkpoints.newest().map(|note| note.size),
    );
    let content = Content::new(
        "text/html; charset=utf-8",
        Caching::Seconds,
        page.as_bytes(),
    );
    let mut response = content.answer(&headers, page);
    let (name, value) = POLICY;
    response.headers_mut().insert(name, value);
    Ok(response)
}

/// The key that signs checkpoints, as tools take it.
fn verifier_key(origin: &str, key: &str) -> Option<NoteKey> {
    let name: KeyName = origin.parse().ok()?;
    let key: VerifierKey = key.parse().ok()?;
    Some(NoteKey::new(name, NoteKeyType::Log, key))
}

fn page(origin: &str, key: Option<&NoteKey>, size: u64, signed: Option<u64>) -> String {
    let origin = escaped(origin);
    let key = key.map_or_else(
        || "(ask whoever runs the archive)".to_owned(),
        |key| escaped(&key.to_string()),
    );
    let signed = signed.map_or_else(
        || "no checkpoint is published yet".to_owned(),
        |signed| {
            format!("the newest <a href=\"/checkpoint\">checkpoint</a> commits to {signed} of them")
        },
    );
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{origin}</title>
<style>body {{ max-width: 42em; margin: 2em auto; padding: 0 1em; font: 1em/1.5 serif }} pre {{ overflow-x: auto }}</style>
<h1>{origin}</h1>
<p>This is an archive of public statements, kept by <b>onrecord</b>: who said what, when, in what
capacity, found in which document, vouched for by whose key. Its ledger holds {size} entries;
{signed}.</p>
<p><b>Verified</b> means that a passage stands in an archived source, and that the verifiers who
signed say that the source attributes it to this speaker. It does not mean that it is true.</p>
<h2>Verify it</h2>
<p>The ledger is a transparency log: an append-only Merkle tree after RFC 6962, served in the tiles of
<a href="https://c2sp.org/tlog-tiles">C2SP tlog-tiles</a>. Nobody can change, remove or reorder an
entry unnoticed by whoever has kept an earlier checkpoint. It was founded under this key:</p>
<pre>{key}</pre>
<p>Whoever can show you a false page can show you a false key: take it from another place than this,
and compare. Later keys stand in the ledger itself.</p>
<table>
<tr><td><a href="/checkpoint">/checkpoint</a></td><td>size and root, signed</td></tr>
<tr><td>/tile/&lt;L&gt;/&lt;N&gt;[.p/&lt;W&gt;]</td><td>hashes of the tree</td></tr>
<tr><td>/tile/entries/&lt;N&gt;[.p/&lt;W&gt;]</td><td>entries</td></tr>
</table>
<p>Any tool for such logs reads them. This archive's own audits it every day, remembers what it has
seen, and checks an evidence bundle without a network:</p>
<pre>onrecord audit ADDRESS-OF-THIS-PAGE --key KEY --state audit.state
onrecord verify FILE --key KEY</pre>
<p>What is asked and appended goes over gRPC on the same port; reflection describes it.</p>
</html>
"#
    )
}

/// A text that means itself within HTML, also between quotation marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_text_on_the_page_whatever_it_spells() {
        let page = page("a.example/<b>\"&", None, 7, None);
        assert!(
            page.contains("<h1>a.example/&lt;b&gt;&quot;&amp;</h1>"),
            "{page}"
        );
        assert!(!page.contains("/<b>\""), "{page}");
        assert!(page.contains("holds 7 entries"), "{page}");
        // Both need the key.
        let commands = page.lines().filter(|line| line.contains("onrecord "));
        assert_eq!(
            commands.filter(|line| line.contains("--key KEY")).count(),
            2
        );
    }
}

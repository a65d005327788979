//! Parts of a source's text, counted in code points.

use super::super::proto::{GetSourceTextRequest, GetSourceTextResponse};
use super::super::views::Known;
use super::super::{Failure, Reason, parse};
use crate::documents::StoredDocuments;
use crate::projection::catalog;
use crate::record::ContentId;
use crate::record::proto::SourceArchived;

/// The most text of one answer, in bytes: a quarter of what clients take by default.
const TEXT_ANSWER_BYTES_MAX: usize = 1 << 20;

/// The part asked for of the text of a source on record.
pub(super) fn read(
    documents: &StoredDocuments,
    known: &Known,
    source: &ContentId,
    request: &GetSourceTextRequest,
) -> Result<GetSourceTextResponse, Failure> {
    let version = version_with_text(known, source, &request.text_id)?;
    let text_id: ContentId = parse("textId", &version.text_id)?;
    let text = documents.extracted_text(&text_id)?;
    let text = text.ok_or_else(|| no_text("the text is not kept; upload the source again"))?;
    part(version, &text, request.start, request.length_max)
}

/// The newest version of a source that has the text asked for, or else a text at all.
fn version_with_text(
    known: &Known,
    id: &ContentId,
    text_id: &str,
) -> Result<SourceArchived, Failure> {
    let newest = catalog::source(known.tables(), id, known.known_at)?;
    let mut version = newest.ok_or_else(|| {
        let (id, known_at, size) = (id.to_string(), known.known_at, known.size());
        Failure::unknown(Reason::UnknownSource, "source", &id, known_at, size)
    })?;
    if text_id.is_empty() {
        if version.definition.text_id.is_empty() {
            return Err(no_text("the source's newest version has no text"));
        }
        return Ok(version.definition);
    }
    while version.definition.text_id != text_id {
        let before = catalog::source(known.tables(), id, version.provenance.index)?;
        version = before.ok_or_else(|| no_text("no version of the source has this text"))?;
    }
    Ok(version.definition)
}

fn no_text(message: &str) -> Failure {
    Failure::at(
        Reason::NoText,
        "textId",
        message,
        "the textId of one of the source's records, or none for the newest",
    )
}

/// A part of a text, as much of it as fits into an answer.
fn part(
    version: SourceArchived,
    text: &str,
    start: u32,
    length_max: u32,
) -> Result<GetSourceTextResponse, Failure> {
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let from = starts.nth(start as usize).ok_or_else(|| {
        Failure::at(
            Reason::BeyondTheText,
            "start",
            format!("the text has {length} code points"),
            format!("0 to {length}"),
        )
    })?;
    let rest = text.get(from..).unwrap_or_default();
    let most = if length_max == 0 {
        u32::MAX
    } else {
        length_max
    };
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends
        .take(most as usize)
        .take_while(|end| *end <= TEXT_ANSWER_BYTES_MAX)
        .last()
        .unwrap_or(0);
    Ok(GetSourceTextResponse {
        text_id: version.text_id,
        profile: version.profile,
        start,
        text: rest.get(..end).unwrap_or_default().to_owned(),
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, start: u32, length_max: u32) -> Result<String, Reason> {
        part(SourceArchived::default(), text, start, length_max)
            .map(|part| part.text)
            .map_err(|failure| failure.reason())
    }

    #[test]
    fn a_part_of_a_text_is_counted_in_code_points() {
        let whole = "дом 😀!";
        assert_eq!(text(whole, 0, 0).unwrap(), whole);
        assert_eq!(text(whole, 4, 1).unwrap(), "😀");
        assert_eq!(text(whole, 4, 99).unwrap(), "😀!");
        assert_eq!(text(whole, 6, 0).unwrap(), "");
        assert_eq!(text(whole, 7, 0), Err(Reason::BeyondTheText));
        assert_eq!(text("", 0, 0).unwrap(), "");
    }

    #[test]
    fn a_long_text_is_read_part_by_part_without_a_gap() {
        let whole = "длинный текст 😀 ".repeat(100_000);
        let mut read = String::new();
        let mut parts = 0;
        while read.len() < whole.len() {
            let start = u32::try_from(read.chars().count()).unwrap();
            let part = text(&whole, start, 0).unwrap();
            assert!(part.len() <= TEXT_ANSWER_BYTES_MAX && !part.is_empty());
            read.push_str(&part);
            parts += 1;
        }
        assert_eq!(read, whole);
        assert!(parts > 2);
    }
}

//! The text of a source with its positions, and where a passage stands in it.

use super::canvas::{Canvas, Sheet, Tint};
use crate::text::{Found, PLACES_MAX};

/// Draws a text line by line, each row led by its position: `start` is that of the first code
/// point. Positions count code points of the extracted text, as records do.
#[must_use]
pub fn text(canvas: Canvas, start: u32, text: &str) -> String {
    let mut sheet = Sheet::new(canvas);
    let length = text.chars().count();
    let last = u64::from(start) + u64::try_from(length).unwrap_or(u64::MAX);
    let digits = last.to_string().len();
    let room = usize::from(canvas.width).saturating_sub(digits + 2);
    let mut at = u64::from(start);
    for line in text.split('\n') {
        let mut rest = line.chars();
        for row in canvas.wrap(line, room) {
            // A row leaves out the blank at which the one before it was cut.
            if !row.starts_with(' ') && rest.as_str().starts_with(' ') {
                rest.next();
                at += 1;
            }
            let position = canvas.paint(Tint::Faint, &format!("{at:>digits$}"));
            sheet.line(&format!("{position}  {row}"));
            for _ in row.chars() {
                rest.next();
                at += 1;
            }
        }
        // What is left is the blank at the end of a part of a text; then the line's end.
        at += rest.count() as u64 + 1;
    }
    sheet.finish()
}

/// Draws where a passage stands: each place with what stands around it, or the passages that
/// come nearest.
#[must_use]
pub fn found(canvas: Canvas, found: &Found) -> String {
    let mut sheet = Sheet::new(canvas);
    let (tint, verdict) = verdict(found);
    sheet.paragraph(0, tint, &verdict);
    for place in &found.places {
        let range = format!("{}–{}", place.range.start, place.range.end);
        passage(&mut sheet, &range, &place.around.text);
    }
    if !found.nearest.is_empty() {
        sheet.gap();
        sheet.paragraph(0, Tint::Strong, "nearest");
    }
    for near in &found.nearest {
        passage(
            &mut sheet,
            &format!("{}–{}", near.start, near.end),
            &near.text,
        );
        if let Some(unlike) = near.unlike {
            sheet.paragraph(2, Tint::Between, &format!("looks the same, but {unlike}"));
        }
    }
    sheet.finish()
}

fn verdict(found: &Found) -> (Tint, String) {
    match (found.places.len(), found.more) {
        (0, _) => (Tint::Against, "the passage is not in the text".to_owned()),
        (1, _) => (Tint::For, "the passage stands once".to_owned()),
        (_, true) => {
            let text = format!("the passage stands at more than {PLACES_MAX} places");
            (Tint::Between, text)
        }
        (count, false) => {
            let text = format!(
                "the passage stands at {count} places: quote more of it, or give a prefix, \
                 suffix or start"
            );
            (Tint::Between, text)
        }
    }
}

fn passage(sheet: &mut Sheet, range: &str, text: &str) {
    let lead = format!("  {range}  ");
    let width = lead.chars().count();
    let lead = sheet.canvas().paint(Tint::Faint, &lead);
    sheet.hanging(&lead, width, Tint::Plain, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Profile, SearchText};
    use proptest::prelude::*;

    const CANVAS: Canvas = Canvas {
        width: 40,
        colour: false,
    };

    #[test]
    fn every_row_is_led_by_the_position_of_its_first_code_point() {
        let drawn = text(
            CANVAS,
            95,
            "Встреча «возможна».\nThe President has always been open to a meeting.\nNo date.",
        );
        insta::assert_snapshot!(drawn, @r"
         95  Встреча «возможна».
        115  The President has always been open
        150  to a meeting.
        164  No date.
        ");
    }

    #[test]
    fn a_passage_is_shown_at_its_places_or_by_what_is_near() {
        let search = SearchText::new("He is open. We are open to a meeting.".to_owned());
        let drawn = |passage| found(CANVAS, &search.find(passage).unwrap());
        insta::assert_snapshot!(drawn("We are\nopen"), @r"
        the passage stands once
          12–23  He is open. We are open to a
                 meeting.
        ");
        assert!(drawn("open").starts_with("the passage stands at 2 places"));
        insta::assert_snapshot!(drawn("are you open to a meeting"), @r"
        the passage is not in the text

        nearest
          12–37  We are open to a meeting.
          0–11  He is open.
        ");
        assert_eq!(drawn("нет"), "the passage is not in the text\n");
    }

    #[test]
    fn a_passage_that_stands_everywhere_is_shown_at_a_hundred_places() {
        let search = SearchText::new("да ".repeat(1000));
        let drawn = found(CANVAS, &search.find("да").unwrap());
        assert!(drawn.starts_with("the passage stands at more than 100\n"));
        assert!(drawn.contains("\n  297–299  ") && !drawn.contains("  300–302  "));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_stands_at_a_row_s_position_is_the_row(
            words in "([aд北😀e\u{301}.,]{1,50}[ \n]{1,2}){0,12}[a\u{1}]{0,3}", start in 0_u32..2000,
        ) {
            let whole = Profile::PlainText1.extract(words.as_bytes(), "").unwrap().text;
            let shown = super::super::clean(&whole);
            for row in text(CANVAS, start, &whole).lines() {
                let (position, row) = row.trim_start().split_once("  ").unwrap_or((row.trim(), ""));
                let at = position.parse::<u32>().unwrap() - start;
                let there: String = shown.chars().skip(at as usize).take(row.chars().count()).collect();
                prop_assert_eq!(there, row);
            }
        }
    }
}

//! Values in sentences: what somebody wrote, repeated to them in an error.

/// The most code points of a value that a sentence repeats: a line. A call of many records may
/// be answered with as many sentences.
const SHOWN_CHARS_MAX: usize = 80;

/// A value in quotation marks, shortened where it is long, with what cannot be seen escaped.
#[must_use]
pub fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_in_quotation_marks_and_no_longer_than_a_line() {
        assert_eq!(quoted("say \"so\"\u{0}"), r#""say \"so\"\0""#);
        let long = "é".repeat(81);
        assert_eq!(quoted(&long), format!("\"{}…\"", "é".repeat(80)));
        assert_eq!(quoted(&"é".repeat(80)).chars().count(), 82);
    }
}

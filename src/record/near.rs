//! What may have been meant: the names that come near one that nothing goes by. A suggestion is
//! for people; nothing is ever decided by it.

/// How far a name may be from what was written: one edit in three characters.
const CHARS_PER_EDIT: usize = 3;

/// The longest name, in bytes, that is compared: comparing takes the product of both lengths.
const COMPARED_BYTES_MAX: usize = 64;

/// What stands between the words of a name.
const BETWEEN_WORDS: [char; 2] = ['-', '_'];

/// The most names that are suggested.
pub const SUGGESTIONS_MAX: usize = 3;

/// The names among `names` that come near to `written`, nearest first, at most
/// [`SUGGESTIONS_MAX`]: a few letters off, or one of the words of the other.
/// Of names as near, the first comes first; none comes twice.
pub fn nearest<N: AsRef<str>>(written: &str, names: impl IntoIterator<Item = N>) -> Vec<N> {
    let mut near: Vec<(usize, N)> = Vec::new();
    if written.len() > COMPARED_BYTES_MAX {
        return Vec::new();
    }
    let written = written.to_lowercase();
    for name in names {
        if let Some(distance) = distance(&written, name.as_ref())
            && near
                .iter()
                .all(|(_, other)| other.as_ref() != name.as_ref())
        {
            let place = near.partition_point(|(other, _)| *other <= distance);
            near.insert(place, (distance, name));
            near.truncate(SUGGESTIONS_MAX);
        }
    }
    near.into_iter().map(|(_, name)| name).collect()
}

/// How far a name is from what was written, in lower case; none if it does not come near.
fn distance(written: &str, name: &str) -> Option<usize> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    let allowed = written.chars().count().div_ceil(CHARS_PER_EDIT);
    let name = name.to_lowercase();
    let edits = strsim::osa_distance(written, &name);
    let word = |one: &str, of: &str| {
        let mut words = of.split(BETWEEN_WORDS);
        of.contains(BETWEEN_WORDS) && words.any(|word| word == one)
    };
    if edits <= allowed {
        Some(edits)
    } else {
        (word(written, &name) || word(&name, written)).then_some(edits)
    }
}

/// The question to add to a sentence that says what does not exist; empty if nothing is
/// suggested.
#[must_use]
pub fn did_you_mean<N: AsRef<str>>(suggested: &[N]) -> String {
    let names: Vec<_> = suggested
        .iter()
        .map(|name| format!("{:?}", name.as_ref()))
        .collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!(" (did you mean {only}?)"),
        Some((last, others)) => format!(" (did you mean {} or {last}?)", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggestion_is_made_only_for_what_comes_near() {
        let names = ["wording", "venue", "text"];
        assert_eq!(nearest("wordng", names), ["wording"]);
        assert_eq!(nearest("Wording", names), ["wording"]);
        assert!(nearest("speaker", names).is_empty());
        assert!(nearest(&"wording".repeat(10), names).is_empty());
    }

    #[test]
    fn the_nearest_come_first_and_only_so_many() {
        let names = ["lavrova", "lavrov", "lavorf", "lavrof-2", "lavr", "lavrov"];
        assert_eq!(nearest("lavrof", names), ["lavrov", "lavorf", "lavrova"]);
    }

    #[test]
    fn a_word_of_a_name_suggests_the_name_and_the_other_way_about() {
        assert_eq!(nearest("putin", ["vladimir-putin"]), ["vladimir-putin"]);
        assert_eq!(nearest("the-kremlin", ["kremlin"]), ["kremlin"]);
        assert!(nearest("put", ["vladimir-putin"]).is_empty());
        assert!(nearest("", ["vladimir-putin", ""]).len() <= 1);
    }

    #[test]
    fn the_question_names_all_that_may_have_been_meant() {
        assert_eq!(did_you_mean::<&str>(&[]), "");
        assert_eq!(did_you_mean(&["a"]), " (did you mean \"a\"?)");
        let several = " (did you mean \"a\", \"b\" or \"c\"?)";
        assert_eq!(did_you_mean(&["a", "b", "c"]), several);
    }
}

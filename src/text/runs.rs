//! Runs of words that a text shares with a segment: which is the longest, in one pass.
//!
//! A word is a run of letters and digits in any case; what stands between words does not
//! count, so that curly or straight quotation marks, dashes and ellipses make no difference.
//! In scripts written without blanks each character is a word.
//!
//! The segment's words become a suffix automaton (Blumer et al., 1985), which accepts exactly
//! the runs of words that the segment holds. The text's words are fed to it one by one; its
//! state is then the longest run that ends there. Building takes time and memory linear in
//! the segment, reading takes time linear in the text and no memory besides.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// How many words of a segment are looked at. A record holds below 65,535 bytes, so that few
/// segments have more; the automaton then has at most 2 * 4,096 states, below 2 MiB in all.
const SEGMENT_WORDS_MAX: usize = 4096;

/// The state in which nothing is shared.
const ROOT: usize = 0;

/// A run of words that a text shares with the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it stands in the text.
    pub bytes: Range<usize>,
    /// How many words it has.
    pub words: usize,
    /// How many words the segment has before it.
    pub before: usize,
    /// How many words the segment has after it.
    pub after: usize,
}

impl Run {
    /// What is longest is best: by words, then by bytes.
    pub(super) fn rank(&self) -> (usize, usize) {
        (self.words, self.bytes.len())
    }
}

/// All runs of words of one segment.
pub(super) struct SegmentRuns {
    states: Vec<State>,
    words: usize,
}

/// Runs that end at the same places of the segment.
#[derive(Clone, Default)]
struct State {
    /// How many words the longest of these runs has.
    longest: usize,
    /// The state of the longest ending of these runs that also ends elsewhere.
    link: usize,
    /// How many words of the segment precede the end of its first occurrence.
    first_end: usize,
    next: BTreeMap<u64, usize>,
}

impl SegmentRuns {
    /// The runs of the first [`SEGMENT_WORDS_MAX`] words of `segment`.
    pub(super) fn new(segment: &str) -> Self {
        let mut runs = Self {
            states: vec![State::default()],
            words: 0,
        };
        let mut last = ROOT;
        for word in words(segment).take(SEGMENT_WORDS_MAX) {
            last = runs.extend(last, word.hash);
            runs.words += 1;
        }
        runs
    }

    /// Adds a word after the state of the whole segment so far; answers the new such state.
    fn extend(&mut self, last: usize, word: u64) -> usize {
        let longest = self.states[last].longest + 1;
        let new = self.add(State {
            longest,
            first_end: longest,
            ..State::default()
        });
        let mut at = last;
        let link = loop {
            if let Some(&target) = self.states[at].next.get(&word) {
                break self.ending_at(at, word, target);
            }
            self.states[at].next.insert(word, new);
            if at == ROOT {
                break ROOT;
            }
            at = self.states[at].link;
        };
        self.states[new].link = link;
        new
    }

    /// The state of just those runs in `target` that are a run of `at` and `word`: `target`
    /// itself, or its shorter runs, parted from it.
    fn ending_at(&mut self, at: usize, word: u64, target: usize) -> usize {
        let longest = self.states[at].longest + 1;
        if self.states[target].longest == longest {
            return target;
        }
        let parted = self.add(State {
            longest,
            ..self.states[target].clone()
        });
        self.states[target].link = parted;
        let mut at = at;
        while self.states[at].next.get(&word) == Some(&target) {
            self.states[at].next.insert(word, parted);
            if at == ROOT {
                break;
            }
            at = self.states[at].link;
        }
        parted
    }

    fn add(&mut self, state: State) -> usize {
        self.states.push(state);
        self.states.len() - 1
    }

    /// The longest run that `text` holds within `room`; the first of several.
    pub(super) fn longest_in(&self, text: &str, room: &Range<usize>) -> Option<Run> {
        let part = text.get(room.clone())?;
        let mut best: Option<Run> = None;
        let mut state = ROOT;
        // Where the words of the run so far begin: as many as the run is long.
        let mut starts: VecDeque<usize> = VecDeque::new();
        for word in words(part) {
            let next = loop {
                match self.states[state].next.get(&word.hash) {
                    Some(&next) => break Some(next),
                    None if state == ROOT => break None,
                    None => {
                        state = self.states[state].link;
                        let kept = self.states[state].longest;
                        starts.drain(..starts.len() - kept);
                    }
                }
            };
            let Some(next) = next else { continue };
            state = next;
            starts.push_back(room.start + word.bytes.start);
            let end = room.start + word.bytes.end;
            let bytes = starts.front().map_or(end, |start| *start)..end;
            let rank = (starts.len(), bytes.len());
            if best.as_ref().is_none_or(|best| best.rank() < rank) {
                let first_end = self.states[state].first_end;
                best = Some(Run {
                    bytes,
                    words: starts.len(),
                    before: first_end - starts.len(),
                    after: self.words - first_end,
                });
            }
        }
        best
    }
}

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub bytes: Range<usize>,
    /// The same for words that differ only in case. Two other words with one hash would
    /// make a passage seem nearer than it is, no more.
    pub hash: u64,
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Words<'_> {
    Words {
        chars: text.char_indices().peekable(),
    }
}

/// See [`words`].
pub(super) struct Words<'a> {
    chars: Peekable<CharIndices<'a>>,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let mut letters = self.chars.by_ref().map(|(at, c)| (at, c, folded(c)));
        let (start, first, letter) = letters.find_map(|(at, c, letter)| Some((at, c, letter?)))?;
        let mut end = start + first.len_utf8();
        let mut hash = add_to_hash(FNV_OFFSET, letter);
        if !is_word_alone(first) {
            while let Some(&(at, c)) = self.chars.peek()
                && let Some(letter) = folded(c)
                && !is_word_alone(c)
            {
                self.chars.next();
                end = at + c.len_utf8();
                hash = add_to_hash(hash, letter);
            }
        }
        let bytes = start..end;
        Some(Word { bytes, hash })
    }
}

/// A letter or digit in lower case; `None` for what belongs to no word. Latin and Russian
/// letters skip the tables.
fn folded(c: char) -> Option<char> {
    match c {
        'a'..='z' | '0'..='9' | 'а'..='я' => Some(c),
        '\0'..='\x7F' => c.is_ascii_alphabetic().then(|| c.to_ascii_lowercase()),
        'А'..='Я' => char::from_u32(u32::from(c) + 0x20),
        _ if c.is_alphanumeric() => c.to_lowercase().next(),
        _ => None,
    }
}

/// FNV-1a over code points instead of bytes (Fowler, Noll, Vo).
const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

fn add_to_hash(hash: u64, c: char) -> u64 {
    (hash ^ u64::from(c)).wrapping_mul(FNV_PRIME)
}

/// Characters of scripts that put no blanks between words: Thai, Lao, Myanmar, Khmer, kana
/// and Han. (Hangul does.)
fn is_word_alone(c: char) -> bool {
    matches!(c,
        '\u{E00}'..='\u{EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{312F}'
        | '\u{31A0}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<&str> {
        words(text).map(|word| &text[word.bytes]).collect()
    }

    /// The longest run of words in `text` that `segment` holds too, by trying all.
    fn oracle(segment: &str, text: &str) -> Option<(usize, usize)> {
        let segment: Vec<u64> = words(segment).map(|word| word.hash).collect();
        let text: Vec<Word> = words(text).collect();
        let mut best = None;
        for start in 0..text.len() {
            for end in start + 1..=text.len() {
                let run: Vec<u64> = text[start..end].iter().map(|word| word.hash).collect();
                if segment.windows(run.len()).any(|window| window == run) {
                    let bytes = text[end - 1].bytes.end - text[start].bytes.start;
                    best = best.max(Some((run.len(), bytes)));
                }
            }
        }
        best
    }

    #[test]
    fn words_are_letters_and_digits_and_nothing_between_them_counts() {
        assert_eq!(
            cut("“Don’t” — said 2… e-mail"),
            ["Don", "t", "said", "2", "e", "mail"]
        );
        assert_eq!(cut(" …— "), [""; 0]);
        assert_eq!(cut("Встреча «возможна»"), ["Встреча", "возможна"]);
    }

    #[test]
    fn without_blanks_each_character_is_a_word() {
        assert_eq!(cut("北京，2025年"), ["北", "京", "2025", "年"]);
        assert_eq!(cut("한국 사람"), ["한국", "사람"]);
    }

    #[test]
    fn words_that_differ_in_case_are_the_same() {
        let hashes = |text| words(text).map(|word| word.hash).collect::<Vec<_>>();
        assert_eq!(hashes("Putin ПУТИН"), hashes("PUTIN Путин"));
        assert_ne!(hashes("Putin"), hashes("Putni"));
    }

    #[test]
    fn letters_that_skip_the_tables_fold_as_the_tables_say() {
        for c in '\0'..=char::MAX {
            let by_table = c
                .is_alphanumeric()
                .then(|| c.to_lowercase().next().unwrap());
            assert_eq!(folded(c), by_table, "{c:?}");
        }
    }

    #[test]
    fn a_run_knows_what_of_the_segment_is_missing_around_it() {
        let runs = SegmentRuns::new("we are always ready to meet");
        let text = "He said: we are ALWAYS glad to meet, and left";
        let run = runs.longest_in(text, &(0..text.len())).unwrap();
        assert_eq!(&text[run.bytes.clone()], "we are ALWAYS");
        assert_eq!((run.words, run.before, run.after), (3, 0, 3));
    }

    #[test]
    fn a_run_is_looked_for_only_in_its_room() {
        let runs = SegmentRuns::new("one two three");
        let text = "one two three; one two";
        let run = runs.longest_in(text, &(4..text.len())).unwrap();
        assert_eq!(run.bytes, 4..13);
        assert_eq!(runs.longest_in(text, &(13..15)), None);
        assert_eq!(
            SegmentRuns::new("four").longest_in(text, &(0..text.len())),
            None
        );
        assert_eq!(
            SegmentRuns::new("").longest_in(text, &(0..text.len())),
            None
        );
    }

    #[test]
    fn the_automaton_is_linear_in_the_segment_and_stops_at_its_bound() {
        for segment in [
            "a ".repeat(5000),
            "a b ".repeat(5000),
            "a b b ".repeat(5000),
        ] {
            let runs = SegmentRuns::new(&segment);
            assert_eq!(runs.words, SEGMENT_WORDS_MAX);
            assert!(runs.states.len() <= 2 * SEGMENT_WORDS_MAX);
            let transitions: usize = runs.states.iter().map(|state| state.next.len()).sum();
            assert!(transitions <= 3 * SEGMENT_WORDS_MAX);
        }
    }

    proptest! {
        #[test]
        fn the_longest_run_is_the_longest_that_trying_all_finds(
            segment in "([abc]{1,2} ){0,8}",
            text in "([abc]{1,2} ){0,16}",
        ) {
            let runs = SegmentRuns::new(&segment);
            let run = runs.longest_in(&text, &(0..text.len()));
            prop_assert_eq!(run.as_ref().map(Run::rank), oracle(&segment, &text));
            if let Some(run) = run {
                let wanted: Vec<&str> = cut(&segment);
                let range = run.before..wanted.len() - run.after;
                prop_assert_eq!(cut(&text[run.bytes]), &wanted[range]);
            }
        }
    }
}

//! The voices behind a position: each speaker's own, by the rule of the front on that voice
//! alone. A speaker who only evaded has none.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::front::Front;
use super::{Authority, Dated};
use crate::record::{Polarity, Slug};

/// A speaker's own position on the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice<'a> {
    /// Who speaks.
    pub speaker: &'a Slug,
    /// What decides among this speaker's statements.
    pub deciding: Dated<'a>,
}

impl Voice<'_> {
    /// How far this voice is the actor's, where it decides.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.deciding.testimony.authority
    }
}

/// Every voice among `candidates`, highest authority first, then newest.
pub(super) fn voices<'a>(candidates: impl Iterator<Item = Dated<'a>>) -> Vec<Voice<'a>> {
    let mut fronts: BTreeMap<&Slug, Front<'a>> = BTreeMap::new();
    for candidate in candidates {
        if let Some(speaker) = &candidate.testimony.speaker {
            fronts.entry(speaker).or_default().take(candidate);
        }
    }
    let mut voices: Vec<_> = fronts
        .into_iter()
        .filter_map(|(speaker, front)| {
            let deciding = front.deciding()?;
            Some(Voice { speaker, deciding })
        })
        .collect();
    voices.sort_unstable_by_key(|voice| Reverse(voice.deciding.rank()));
    voices
}

/// Whether the voices' polarities differ. A voice about which coders disagree has none.
pub(super) fn diverge(voices: &[Voice<'_>]) -> bool {
    let mut polarities = voices.iter().filter_map(|voice| polarity(&voice.deciding));
    let first = polarities.next();
    polarities.any(|polarity| Some(polarity) != first)
}

/// Whether a voice of higher authority than the position's has, as its own position, another
/// polarity.
pub(super) fn contradict(voices: &[Voice<'_>], position: &Dated<'_>) -> bool {
    let Some(decides) = polarity(position) else {
        return false;
    };
    voices.iter().any(|voice| {
        voice.authority() > position.testimony.authority
            && polarity(&voice.deciding).is_some_and(|polarity| polarity != decides)
    })
}

fn polarity(dated: &Dated<'_>) -> Option<Polarity> {
    dated.stance().map(|stance| stance.polarity)
}

//! What stands of a statement at K, as pure functions of its history: which version, who
//! vouches for it, whether it is visible, and how it is read.
//!
//! A verifier's signature counts unless a revocation says from when on it does not. The version
//! that stands is the newest with a signature that counts. Its vouchers are those who signed
//! the statement or that version; with fewer than the policy asked for when it was recorded it
//! is not visible, nor is it where a retraction stands.
//!
//! The readings that a version brings are one coder's, the attestor's. Every coder has one vote
//! on each topic and holder: their newest reading. What an attestor codes after the version
//! that stands replaces the attestor's reading, and what they coded before is replaced by the
//! version. The reading that most coders give is heard; where several are given most often, it
//! is disputed.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Change, Changed, Version};
use super::reading::Reading;
use super::terms::Choice;
use super::verifiers::{Number, Trust};
use crate::record::{ContentId, Slug};

/// A statement as it is heard.
pub(super) struct Heard<'a> {
    pub(super) id: ContentId,
    /// The entry that gave the version that stands.
    pub(super) version: u64,
    pub(super) stands: &'a Version,
    /// The verifiers whose word it is that it stands so.
    pub(super) vouchers: BTreeSet<Number>,
    /// The verifiers who signed the statement or the version, whether or not that counts.
    attestors: BTreeSet<Number>,
}

impl<'a> Heard<'a> {
    /// The statement that an entry has just recorded, every signature trusted; none if it is not
    /// visible.
    pub(super) fn as_recorded(statement: u64, change: &'a Change) -> Option<Self> {
        let Change::Recorded {
            id,
            attestations_min,
            version,
        } = change
        else {
            return None;
        };
        let signers: BTreeSet<Number> = version.signers.iter().copied().collect();
        (signers.len() >= *attestations_min as usize).then(|| Self {
            id: *id,
            version: statement,
            stands: version,
            vouchers: signers.clone(),
            attestors: signers,
        })
    }
}

/// A reading, who gave it first, and how many coders give it.
#[derive(Clone, Debug)]
pub(super) struct Given<'a> {
    pub(super) entry: u64,
    pub(super) reading: &'a Reading,
    pub(super) coders: BTreeSet<Coder>,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coder {
    /// Whoever attested the statement.
    Attestor,
    /// Somebody else.
    Other(Number),
}

/// A reader's choice among coders.
pub(super) struct Coders<'a> {
    pub(super) choice: Choice,
    /// Whose readings do not count.
    pub(super) never: &'a BTreeSet<Number>,
}

/// What entries below K did to a statement, and whose signatures count there.
pub(super) struct Hearing<'a> {
    pub(super) changed: &'a Changed,
    pub(super) trust: &'a Trust,
    pub(super) known_at: u64,
}

impl<'a> Hearing<'a> {
    /// What was done below K.
    fn known(&self) -> impl Iterator<Item = (u64, &'a Change)> + use<'a> {
        let known = self.changed.range(..self.known_at);
        known.map(|(entry, change)| (*entry, change))
    }

    /// Whether any reading of it below K bears on the question.
    pub(super) fn bears(&self) -> bool {
        self.known()
            .any(|(_, change)| !change.readings().is_empty())
    }

    /// The verifiers whose signatures stand on what an entry did, and count.
    fn signers(&self, entry: u64, change: &Change) -> BTreeSet<Number> {
        let later = self.known().filter_map(|(index, attested)| match attested {
            Change::Attested {
                entry: signed,
                verifiers,
            } if *signed == entry => Some((index, &verifiers[..])),
            _ => None,
        });
        let signed = std::iter::once((entry, change.signers())).chain(later);
        signed
            .flat_map(|(index, verifiers)| verifiers.iter().map(move |it| (*it, index)))
            .filter(|(verifier, index)| self.trust.holds(*verifier, *index))
            .map(|(verifier, _)| verifier)
            .collect()
    }

    /// The entries that somebody's signature holds up, of those that bring signatures: looked up
    /// at once, so that a long history is gone through once.
    fn held_up(&self) -> BTreeSet<u64> {
        let held_up = self.known().filter_map(|(index, change)| {
            let (entry, verifiers) = match change {
                Change::Attested { entry, verifiers } => (*entry, &verifiers[..]),
                change => (index, change.signers()),
            };
            let holds = |verifier: &Number| self.trust.holds(*verifier, index);
            verifiers.iter().any(holds).then_some(entry)
        });
        held_up.collect()
    }

    /// The version that stands, whether or not it is visible: the newest correction that
    /// somebody's signature holds up, or else as it was recorded.
    pub(super) fn version(&self) -> Option<(u64, &'a Version)> {
        let mut versions = self.known().filter_map(|(entry, change)| {
            let version = change.version()?;
            Some((entry, change, version))
        });
        let (recorded, _, first) = versions.next()?;
        // The newest first: mostly it stands.
        let corrected: Vec<_> = versions.collect();
        let mut corrected = corrected.into_iter().rev();
        let stands = corrected.find(|(entry, change, _)| !self.signers(*entry, change).is_empty());
        Some(stands.map_or((recorded, first), |(entry, _, version)| (entry, version)))
    }

    /// Those whose signatures on the statement, or on the version that stands, count.
    pub(super) fn vouchers(&self, version: u64) -> BTreeSet<Number> {
        let signed = self.known().filter(|(entry, change)| {
            matches!(change, Change::Recorded { .. }) || *entry == version
        });
        signed
            .flat_map(|(entry, change)| self.signers(entry, change))
            .collect()
    }

    /// The first retraction that somebody's signature holds up.
    pub(super) fn retraction(&self) -> Option<u64> {
        let mut retractions = self
            .known()
            .filter(|(_, change)| matches!(change, Change::Retracted { .. }));
        let stands = retractions.find(|(entry, change)| !self.signers(*entry, change).is_empty());
        stands.map(|(entry, _)| entry)
    }

    /// What was done to the statement that nobody's signature holds up.
    pub(super) fn untrusted(&self) -> BTreeSet<u64> {
        let held_up = self.held_up();
        let untrusted = self.known().filter(|(entry, change)| match change {
            Change::Recorded { .. } | Change::Attested { .. } | Change::ReadElsewhere => false,
            Change::Read { coders, .. } => !coders.iter().any(|it| self.trust.holds(*it, *entry)),
            Change::Corrected(_) | Change::Retracted { .. } | Change::Evidenced { .. } => {
                !held_up.contains(entry)
            }
        });
        untrusted.map(|(entry, _)| entry).collect()
    }

    /// The readings that coders gave beside the statement's own, and that count: each coder's
    /// newest on a topic and holder.
    pub(super) fn coded(&self) -> BTreeMap<u64, &'a Reading> {
        let mut newest = BTreeMap::new();
        for (entry, change) in self.known() {
            let Change::Read { coders, reading } = change else {
                continue;
            };
            for coder in coders.iter().filter(|it| self.trust.holds(**it, entry)) {
                newest.insert((&reading.topic, &reading.holder, *coder), (entry, reading));
            }
        }
        newest.into_values().collect()
    }

    /// The statement; none if it is not visible.
    pub(super) fn heard(&self) -> Option<Heard<'a>> {
        let (_, change) = self.known().next()?;
        let Change::Recorded {
            id,
            attestations_min,
            version: first,
        } = change
        else {
            return None;
        };
        let (version, stands) = self.version()?;
        let vouchers = self.vouchers(version);
        if self.retraction().is_some() || vouchers.len() < *attestations_min as usize {
            return None;
        }
        let attestors = first.signers.iter().chain(&stands.signers);
        Some(Heard {
            id: *id,
            version,
            stands,
            vouchers,
            attestors: attestors.copied().collect(),
        })
    }

    /// The sources of the words: those of the version that stands, and of evidence added.
    pub(super) fn sources(&self, heard: &Heard<'a>) -> BTreeSet<u64> {
        let mut sources: BTreeSet<u64> = heard.stands.said.sources.iter().copied().collect();
        let held_up = self.held_up();
        for (entry, change) in self.known() {
            if let Change::Evidenced { sources: added, .. } = change
                && held_up.contains(&entry)
            {
                sources.extend(added);
            }
        }
        sources
    }

    /// By holder, the readings that most coders give: one, or several that are disputed, in the
    /// order in which they were first given.
    pub(super) fn readings(
        &self,
        heard: &Heard<'a>,
        coders: &Coders<'_>,
    ) -> BTreeMap<&'a Slug, Vec<Given<'a>>> {
        let mut by_holder: BTreeMap<&Slug, Vec<Given<'a>>> = BTreeMap::new();
        for ((holder, coder), (entry, reading)) in self.votes(heard, coders) {
            let given = by_holder.entry(holder).or_default();
            let same = given.iter_mut().find(|it| it.reading.agrees_with(reading));
            match same {
                Some(given) => {
                    given.coders.insert(coder);
                    if (entry, reading.place) < (given.entry, given.reading.place) {
                        (given.entry, given.reading) = (entry, reading);
                    }
                }
                None => given.push(Given {
                    entry,
                    reading,
                    coders: BTreeSet::from([coder]),
                }),
            }
        }
        for given in by_holder.values_mut() {
            let most = given.iter().map(|it| it.coders.len()).max();
            given.retain(|it| Some(it.coders.len()) == most);
            given.sort_unstable_by_key(|it| (it.entry, it.reading.place));
        }
        by_holder
    }

    /// Every coder's newest reading for each holder, of those that the reader asks for.
    pub(super) fn votes(
        &self,
        heard: &Heard<'a>,
        coders: &Coders<'_>,
    ) -> BTreeMap<(&'a Slug, Coder), (u64, &'a Reading)> {
        let is_heard = |reading: &Reading| match coders.choice {
            Choice::Codebook(codebook) => reading.codebook == Some(codebook),
            Choice::Most | Choice::Coder(_) => true,
        };
        let own = heard.stands.readings.iter().filter(|it| is_heard(it));
        let mut votes: BTreeMap<_, _> = own
            .map(|it| ((&it.holder, Coder::Attestor), (heard.version, it)))
            .collect();
        for (entry, change) in self.known() {
            let Change::Read { coders, reading } = change else {
                continue;
            };
            // What is not heard replaces nothing either.
            if !is_heard(reading) {
                continue;
            }
            for verifier in coders.iter().filter(|it| self.trust.holds(**it, entry)) {
                let coder = match heard.attestors.contains(verifier) {
                    true if entry > heard.version => Coder::Attestor,
                    true => continue,
                    false => Coder::Other(*verifier),
                };
                votes.insert((&reading.holder, coder), (entry, reading));
            }
        }
        votes.retain(|(_, coder), _| {
            let chosen = match coders.choice {
                Choice::Most | Choice::Codebook(_) => true,
                Choice::Coder(asked) => match coder {
                    Coder::Attestor => asked.is_some_and(|it| heard.attestors.contains(&it)),
                    Coder::Other(coder) => asked == Some(*coder),
                },
            };
            chosen && !matches!(coder, Coder::Other(coder) if coders.never.contains(coder))
        });
        votes
    }
}

//! Positions, comparisons and timelines as messages.

use data_encoding::HEXLOWER;
use prost::Message;

use crate::position::{
    self, ChangeKind, Comparison, Dated, Direction, Finding, Page, Placement, Position, Step, Voice,
};
use crate::projection::catalog::Coverage;
use crate::projection::positions::{Collected, Part};
use crate::record::proto as records;
use crate::record::{Condition, Interval, Slug, Stance, format_instant};
use crate::rpc::proto;

/// The most bytes of a position, as the proto promises: two of them, and how they compare, are
/// below the 4 MiB that clients take by default. What is in it besides its lists fits: a
/// testimony has at most 200 KB, and there are three of them, a stance, and two lists of slugs
/// of 66 KB each; 750 KB.
const POSITION_BYTES_MAX: usize = 3 << 19;

/// The most bytes that an item of a list takes besides its own: a tag of 2, and a length of 3.
const ITEM_BYTES_MAX: usize = 5;

/// The most rival readings of a testimony, as the proto promises: each has a stance of 8
/// conditions, `8 × (4 × 300 + 80)` bytes, and its coders' keys. With 16 of them a testimony has
/// at most `17 × (10.3 + 1.1)` KB, and 1 KB more: less than 200 KB.
const RIVALS_MAX: usize = 16;

/// The most coders of one reading that are named, as the proto promises: `16 × 66` bytes.
const CODERS_MAX: usize = 16;

/// The most slugs of a list, as the proto promises: `1,000 × 66` bytes.
const SLUGS_MAX: usize = 1_000;

/// The last second of valid time that counts where `end` is the first that does not.
pub fn last_second(end: i64) -> String {
    format_instant(end.saturating_sub(1))
}

/// What a position is the answer to.
pub struct Asked<'a> {
    /// The actor.
    pub actor: &'a Slug,
    /// The topic.
    pub topic: &'a Slug,
    /// Where nothing is on record, how many sources were read.
    pub coverage: Coverage,
}

/// A position on what was collected for it.
pub fn position(
    asked: &Asked<'_>,
    collected: &Collected,
    position: &Position<'_>,
) -> proto::Position {
    let one = |dated: &Dated<'_>| testimony(collected, dated);
    let deciding = position.deciding.as_ref();
    let mut message = proto::Position {
        actor: asked.actor.to_string(),
        topic: asked.topic.to_string(),
        asked: texts(&collected.asked),
        asked_count: collected.asked.len() as u64,
        finding: finding(position.finding).into(),
        stance: deciding.and_then(Dated::stance).map(stance),
        deciding: deciding.map(one),
        front_count: position.front.total as u64,
        since: position.since.map(range),
        last_affirmed: deciding.map(|deciding| range(deciding.interval)),
        previous: position.previous.as_ref().map(one),
        latest_evasion: position.latest_evasion.as_ref().map(one),
        voice_count: position.voices.total as u64,
        diverge: position.diverge,
        order_uncertain: position.order_uncertain,
        contradicts_higher_authority: position.contradicts_higher_authority,
        newest: position.newest.map(|newest| range(newest.interval)),
        considered: position.considered as u64,
        filtered: collected.filtered(),
        possible_count: position.possible.total as u64,
        reported_count: position.reported.total as u64,
        speaks_for: texts(&collected.speaks_for),
        speaks_for_count: collected.speaks_for.len() as u64,
        sources_read: asked.coverage.sources,
        sources_read_whole: asked.coverage.whole,
        filtered_by: collected.taken.iter().map(filtered).collect(),
        same_utterances: collected.repeated,
        ..proto::Position::default()
    };
    list(&mut message, collected, position);
    message
}

/// Adds the lists of a position, as far as there is room for them. An item of each is taken in
/// turn, so that none of them takes the room of the others.
fn list(message: &mut proto::Position, collected: &Collected, position: &Position<'_>) {
    let Position {
        front,
        voices,
        reported,
        possible,
        ..
    } = position;
    let pages = [&front.items, &reported.items, &possible.items];
    let lengths = pages.map(Vec::len).into_iter().chain([voices.items.len()]);
    let longest = lengths.max().unwrap_or(0);
    let mut room = Room::beside(message);
    for place in 0..longest {
        let one = |page: &Page<Dated<'_>>| page.items.get(place).map(|it| testimony(collected, it));
        let speaker = voices.items.get(place).map(|it| voice(collected, it));
        let fits = room.take(&mut message.front, one(front))
            && room.take(&mut message.voices, speaker)
            && room.take(&mut message.reported, one(reported))
            && room.take(&mut message.possible, one(possible));
        if !fits {
            break;
        }
    }
}

/// How many bytes of a position are left for its lists.
struct Room(usize);

impl Room {
    /// What the rest of a position leaves.
    fn beside(message: &proto::Position) -> Self {
        Self(POSITION_BYTES_MAX.saturating_sub(message.encoded_len()))
    }

    /// Adds an item, if there is one, to its list. Whether it fits.
    fn take<T: Message>(&mut self, list: &mut Vec<T>, item: Option<T>) -> bool {
        let Some(item) = item else {
            return true;
        };
        let Some(left) = self.0.checked_sub(item.encoded_len() + ITEM_BYTES_MAX) else {
            return false;
        };
        self.0 = left;
        list.push(item);
        true
    }
}

/// A position in brief, on what was collected for it; nothing is where nobody was on record.
pub fn brief(collected: Option<&Collected>, position: &Position<'_>) -> proto::PositionBrief {
    let deciding = position.deciding.as_ref();
    proto::PositionBrief {
        finding: finding(position.finding).into(),
        stance: deciding.and_then(Dated::stance).map(stance),
        deciding: collected
            .zip(deciding)
            .map(|(it, dated)| testimony(it, dated)),
    }
}

/// How one position differs from another; `placement` is about the milestone, if there is one.
pub fn comparison(comparison: &Comparison<'_>, placement: Option<Placement>) -> proto::Comparison {
    let conditions = |conditions: &[&Condition]| {
        conditions
            .iter()
            .copied()
            .map(records::Condition::from)
            .collect()
    };
    let also = comparison.also.iter();
    proto::Comparison {
        kind: change_kind(comparison.kind).into(),
        also: also.map(|kind| change_kind(*kind).into()).collect(),
        direction: direction(comparison.direction).into(),
        certain: comparison.certain,
        placement: placement
            .map_or(proto::Placement::Unspecified, self::placement)
            .into(),
        conditions_added: conditions(&comparison.conditions_added),
        conditions_dropped: conditions(&comparison.conditions_dropped),
    }
}

/// A step of a timeline.
pub fn step(collected: &Collected, step: &Step<'_>) -> proto::TimelineStep {
    let comparison = step.comparison.as_ref();
    proto::TimelineStep {
        from: format_instant(step.at),
        testimony: Some(testimony(collected, &step.testimony)),
        comparison: comparison.map(|it| self::comparison(it, None)),
    }
}

/// A speaker's own position.
pub fn voice(collected: &Collected, voice: &Voice<'_>) -> proto::Voice {
    proto::Voice {
        speaker: voice.speaker.to_string(),
        deciding: Some(testimony(collected, &voice.deciding)),
    }
}

/// A reading of a statement as it stands at a date.
pub fn testimony(collected: &Collected, dated: &Dated<'_>) -> proto::Testimony {
    let position::Testimony {
        statement,
        version,
        given_by,
        place,
        speaker,
        holder,
        authority,
        basis,
        engagement,
        rivals,
        ..
    } = dated.testimony;
    let text = |slug: Option<&Slug>| slug.map(Slug::to_string).unwrap_or_default();
    let mut testimony = proto::Testimony {
        index: *statement,
        version_index: *version,
        reading_index: *given_by,
        place: *place,
        speaker: text(speaker.as_ref()),
        holder: holder.to_string(),
        authority: records::Authority::from(*authority).into(),
        interval: Some(range(dated.interval)),
        basis: records::ReadingBasis::from(*basis).into(),
        engagement: records::Engagement::from(engagement).into(),
        stance: engagement.stance().map(stance),
        definite: dated.definite,
        rivals: rivals.iter().take(RIVALS_MAX).map(rival).collect(),
        rival_count: count(rivals.len()),
        ..proto::Testimony::default()
    };
    if let Some(detail) = collected.detail(dated.testimony) {
        testimony.statement = detail.statement_id.to_string();
        testimony.said_for = texts(&detail.said_for);
        testimony.said_at.clone_from(&detail.said_at);
        testimony.repeated_until = detail.repeated_until.clone().unwrap_or_default();
        testimony.relayed_by = text(detail.relayed_by.as_ref());
        testimony.wording = detail.wording;
        testimony.attestations = count(detail.attestations);
        testimony.coders = count(detail.coders);
        let mut coded_by = detail.coded_by.iter();
        if let Some(coders) = coded_by.next() {
            testimony.coded_by = keys(coders);
            testimony.coded_by_count = count(coders.len());
        }
        for (rival, coders) in testimony.rivals.iter_mut().zip(coded_by) {
            rival.coded_by = keys(coders);
            rival.coded_by_count = count(coders.len());
        }
    }
    testimony
}

fn rival(rival: &position::Rival) -> proto::RivalReading {
    proto::RivalReading {
        reading_index: rival.given_by,
        place: rival.place,
        basis: records::ReadingBasis::from(rival.basis).into(),
        engagement: records::Engagement::from(&rival.engagement).into(),
        stance: rival.engagement.stance().map(stance),
        ..proto::RivalReading::default()
    }
}

fn keys(keys: &[[u8; 32]]) -> Vec<String> {
    let named = keys.iter().take(CODERS_MAX);
    named.map(|key| HEXLOWER.encode(key)).collect()
}

/// A number of verifiers or coders, of whom there are never so many.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn filtered((part, statements): (&Part, &u64)) -> proto::Filtered {
    let part = match part {
        Part::Wording => proto::FilterPart::Wordings,
        Part::Only => proto::FilterPart::Verifiers,
        Part::Never => proto::FilterPart::VerifiersExcluded,
        Part::Attestations => proto::FilterPart::AttestationsMin,
        Part::Sources => proto::FilterPart::Sources,
        Part::Mandated => proto::FilterPart::MandatedOnly,
    };
    proto::Filtered {
        part: part.into(),
        statements: *statements,
    }
}

fn texts(slugs: &[Slug]) -> Vec<String> {
    slugs.iter().take(SLUGS_MAX).map(Slug::to_string).collect()
}

fn range(interval: Interval) -> proto::TimeRange {
    proto::TimeRange {
        earliest: format_instant(interval.earliest),
        latest: format_instant(interval.latest),
    }
}

fn stance(stance: &Stance) -> proto::Stance {
    proto::Stance {
        polarity: records::Polarity::from(stance.polarity).into(),
        strength: stance
            .strength
            .map_or(0, |strength| strength.degree().into()),
        conditions: stance
            .conditions
            .iter()
            .map(records::Condition::from)
            .collect(),
    }
}

const fn finding(finding: Finding) -> proto::Finding {
    match finding {
        Finding::NoVoice => proto::Finding::NoVoice,
        Finding::Stated => proto::Finding::Stated,
        Finding::Disputed => proto::Finding::Disputed,
        Finding::Evaded => proto::Finding::Evaded,
        Finding::Undated => proto::Finding::Undated,
        Finding::NoRecord => proto::Finding::NoRecord,
    }
}

const fn change_kind(kind: ChangeKind) -> proto::ChangeKind {
    match kind {
        ChangeKind::NoRecord => proto::ChangeKind::NoRecord,
        ChangeKind::NoLongerOnRecord => proto::ChangeKind::NoLongerOnRecord,
        ChangeKind::FirstStated => proto::ChangeKind::FirstStated,
        ChangeKind::NotRestated => proto::ChangeKind::NotRestated,
        ChangeKind::Unchanged => proto::ChangeKind::Unchanged,
        ChangeKind::Withdrawn => proto::ChangeKind::Withdrawn,
        ChangeKind::Reversed => proto::ChangeKind::Reversed,
        ChangeKind::Softened => proto::ChangeKind::Softened,
        ChangeKind::TookSide => proto::ChangeKind::TookSide,
        ChangeKind::Shifted => proto::ChangeKind::Shifted,
        ChangeKind::Hardened => proto::ChangeKind::Hardened,
        ChangeKind::ConditionsAdded => proto::ChangeKind::ConditionsAdded,
        ChangeKind::ConditionsDropped => proto::ChangeKind::ConditionsDropped,
        ChangeKind::ConditionsChanged => proto::ChangeKind::ConditionsChanged,
    }
}

const fn direction(direction: Direction) -> proto::Direction {
    match direction {
        Direction::None => proto::Direction::None,
        Direction::TowardSupport => proto::Direction::TowardSupport,
        Direction::TowardOpposition => proto::Direction::TowardOpposition,
    }
}

const fn placement(placement: Placement) -> proto::Placement {
    match placement {
        Placement::Before => proto::Placement::Before,
        Placement::Since => proto::Placement::Since,
        Placement::During => proto::Placement::During,
        Placement::Unplaced => proto::Placement::Unplaced,
    }
}

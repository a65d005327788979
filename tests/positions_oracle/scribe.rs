//! Writes a history down as the records that admission would have let in: definitions name the
//! version that they replace, readings are consistent with their statements, and who signs may.
//! A step that has nothing to touch, or nobody to sign it, is left out.

mod statements;
mod vouching;

use onrecord::record::ContentId;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{self, ActorKind, Authority, Derivation};
use prost::Message as _;
use prost_types::Timestamp;

use super::generator::{Archived, Grant, Step};
use super::trust::Line;
use super::world::{
    ATTESTORS, BODIES, DATES, GROUP, PERSONS, PUBLISHERS, ROLES, STATE, STEWARD, TOPICS,
};

/// The ledger of a history: the world first, then what its steps put on record. Also the
/// size of the world.
pub fn ledger(steps: &[Step]) -> (Vec<Line>, usize) {
    let mut ledger = Ledger::default();
    ledger.found();
    let world = ledger.lines.len();
    for step in steps {
        ledger.take(step);
    }
    (ledger.lines, world)
}

#[derive(Default)]
struct Ledger {
    lines: Vec<Line>,
}

impl Ledger {
    fn push(&mut self, kind: Kind, signers: &[u8]) {
        let record = proto::Record {
            origin: "oracle.invalid/positions".to_owned(),
            signed_at: Some(Timestamp {
                seconds: 1_760_000_000 + i64::try_from(self.lines.len()).unwrap(),
                nanos: 0,
            }),
            kind: Some(kind),
        };
        self.lines.push(Line {
            id: ContentId::of(&record.encode_to_vec()).to_string(),
            signers: signers.to_vec(),
            record,
        });
    }

    /// By the first attestor who is enrolled.
    fn define(&mut self, kind: Kind) {
        let attestor = self.enrolled(&ATTESTORS).first().copied();
        if let Some(attestor) = attestor {
            self.push(kind, &[attestor]);
        }
    }

    fn found(&mut self) {
        self.push(Kind::ArchiveFounded(vouching::founded()), &[STEWARD]);
        for topic in TOPICS {
            self.topic(topic, "");
        }
        self.actor(STATE, ActorKind::State, "");
        self.actor("office", ActorKind::Organization, STATE);
        self.actor("ministry", ActorKind::Organization, STATE);
        for person in PERSONS {
            self.actor(person, ActorKind::Person, "");
        }
        self.actor(GROUP, ActorKind::Group, "");
        for (source, published) in [(0, Some(0)), (1, Some(2)), (2, None)] {
            self.archive(&Archived {
                source,
                published,
                role: 2 - source,
                publisher: source,
                derived: source == 1,
            });
        }
        let authorities = [
            Authority::Principal,
            Authority::Spokesperson,
            Authority::Delegate,
            Authority::Affiliated,
        ];
        for (person, authority) in authorities.into_iter().enumerate() {
            let is_delegate = authority == Authority::Delegate;
            self.grant(&Grant {
                person,
                body: if is_delegate { 2 } else { 1 },
                number: false,
                authority,
                topics: u8::from(is_delegate),
                start: None,
                end: None,
            });
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::State(capacity, version, by) => self.state(capacity, version, *by),
            Step::Correct(of, version, kept, by) => self.correct(*of, version, *kept, *by),
            Step::Read(of, judgement, after, by) => self.read(*of, judgement, *after, *by),
            Step::Retract(of, by) => self.retract(*of, *by),
            Step::Grant(grant) => self.grant(grant),
            Step::End(of, end) => self.end(*of, *end),
            Step::Move(ministry, into) => {
                let (who, wholes) = if *ministry {
                    ("ministry", ["", STATE, "office"])
                } else {
                    ("office", ["", STATE, ""])
                };
                self.actor(who, ActorKind::Organization, wholes[*into]);
            }
            Step::Archive(archived) => self.archive(archived),
            Step::Evidence(of, source, words, by) => {
                self.further_evidence(*of, *source, *words, *by);
            }
            Step::Note(which) => {
                let note = format!("As of {} entries.", self.lines.len());
                self.topic(TOPICS[usize::from(*which)], &note);
            }
            Step::Policy(attestations_min) => self.set_policy(*attestations_min),
            Step::Revoke(who, from) => self.revoke(*who, *from),
            Step::Enrol(which) => self.enrol_again(*which),
            Step::Attest(of, by, gone) => self.attest(*of, *by, *gone),
        }
    }

    fn topic(&mut self, id: &str, note: &str) {
        let same = |kind: &Kind| matches!(kind, Kind::TopicDefined(t) if t.topic_id == id);
        let defined = proto::TopicDefined {
            topic_id: id.to_owned(),
            kind: proto::TopicKind::Policy.into(),
            proposition: format!("There should be a {id}."),
            note: note.to_owned(),
            replaces: self.newest(same).unwrap_or_default(),
        };
        self.define(Kind::TopicDefined(defined));
    }

    fn grant(&mut self, grant: &Grant) {
        let (person, body) = (PERSONS[grant.person], BODIES[grant.body]);
        let mandate_id = format!("{person}-{body}-{}", u8::from(grant.number));
        let topics = (0..2).filter(|bit| grant.topics & (1 << bit) != 0);
        let granted = proto::MandateGranted {
            replaces: self.newest_mandate(&mandate_id).unwrap_or_default(),
            mandate_id,
            person: person.to_owned(),
            organization: body.to_owned(),
            role_title: "an office".to_owned(),
            authority: grant.authority.into(),
            topics: topics.map(|bit| TOPICS[bit].to_owned()).collect(),
            start: date_text(grant.start),
            end: date_text(grant.end),
            evidence: Vec::new(),
        };
        self.define(Kind::MandateGranted(granted));
    }

    fn end(&mut self, of: usize, end: Option<usize>) {
        let granted: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| match line.kind() {
                Kind::MandateGranted(mandate) => Some(mandate.mandate_id.clone()),
                _ => None,
            })
            .collect();
        let mandate_id = granted[of % granted.len()].clone();
        let ended = proto::MandateEnded {
            replaces: self.newest_mandate(&mandate_id).unwrap(),
            mandate_id,
            end: DATES[end.unwrap_or(0)].to_owned(),
            reason: "left".to_owned(),
            evidence: Vec::new(),
        };
        self.define(Kind::MandateEnded(ended));
    }

    fn newest_mandate(&self, id: &str) -> Option<String> {
        self.newest(|kind| match kind {
            Kind::MandateGranted(mandate) => mandate.mandate_id == id,
            Kind::MandateEnded(mandate) => mandate.mandate_id == id,
            _ => false,
        })
    }

    fn actor(&mut self, id: &str, kind: ActorKind, part_of: &str) {
        let same = |kind: &Kind| matches!(kind, Kind::ActorDefined(a) if a.actor_id == id);
        let members = if kind == ActorKind::Group {
            BODIES.map(str::to_owned).to_vec()
        } else {
            Vec::new()
        };
        let defined = proto::ActorDefined {
            actor_id: id.to_owned(),
            kind: kind.into(),
            names: vec![proto::LocalizedName {
                language: "en".to_owned(),
                name: id.to_owned(),
            }],
            part_of: part_of.to_owned(),
            members,
            replaces: self.newest(same).unwrap_or_default(),
            ..Default::default()
        };
        self.define(Kind::ActorDefined(defined));
    }

    fn archive(&mut self, copy: &Archived) {
        let id = source_id(copy.source);
        let same = |kind: &Kind| matches!(kind, Kind::SourceArchived(s) if s.source == id);
        let derived_from = proto::DerivedFrom {
            derivation: Derivation::Reports.into(),
            source: String::new(),
            description: "a speech".to_owned(),
        };
        let archived = proto::SourceArchived {
            replaces: self.newest(same).unwrap_or_default(),
            source: id.clone(),
            media_type: "text/plain".to_owned(),
            published_at: date_text(copy.published),
            // 2025-08-17T12:00:00.5Z and some hours on, a source.
            captured_at: Some(Timestamp {
                seconds: 1_755_432_000 + 7_200 * i64::try_from(copy.source).unwrap(),
                nanos: 500_000_000,
            }),
            role: ROLES[copy.role].into(),
            publisher: PUBLISHERS[copy.publisher].to_owned(),
            derived_from: copy.derived.then_some(derived_from).into_iter().collect(),
            profile: "plain-text/1".to_owned(),
            text_id: id,
            ..Default::default()
        };
        self.define(Kind::SourceArchived(archived));
    }

    fn newest(&self, fits: impl Fn(&Kind) -> bool) -> Option<String> {
        let newest = self.lines.iter().rev().find(|line| fits(line.kind()));
        newest.map(|line| line.id.clone())
    }
}

fn source_id(number: usize) -> String {
    ContentId::of(&[u8::try_from(number).unwrap()]).to_string()
}

fn date_text(number: Option<usize>) -> String {
    number.map_or_else(String::new, |number| DATES[number].to_owned())
}

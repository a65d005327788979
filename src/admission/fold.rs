//! How each entry extends the admission state.

use std::str::FromStr;

use serde::Serialize;

use super::kinds::role_for;
use super::state::{
    ActorRow, ArchiveRow, MandateRow, PolicyRow, Published, RecordRow, SourceRow, StatementRow,
    Table, TopicRow, UntrustedRow, VerifierRow, WitnessesRow,
};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::record::proto::{self, record::Kind, statement::Voice};
use crate::record::{ContentId, Date, Entry, Micros, Slug, Term, VerifierKey};

/// What admission needs to know of the ledger below an entry.
pub struct AdmissionFold;

impl Fold for AdmissionFold {
    fn name(&self) -> &'static str {
        "admission"
    }

    fn version(&self) -> u32 {
        4
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let mut step = Step {
            state,
            entry,
            changes: Changes::new(),
        };
        step.entry()?;
        Ok(step.changes)
    }
}

/// One entry being folded.
struct Step<'a> {
    state: &'a dyn Tables,
    entry: &'a Entry,
    changes: Changes,
}

impl Step<'_> {
    fn entry(&mut self) -> Result<(), FoldError> {
        let Some(kind) = &self.entry.record.kind else {
            return Err(self.problem("a record without a kind"));
        };
        let mut statement = None;
        match kind {
            Kind::ArchiveFounded(founded) => self.archive_founded(founded)?,
            Kind::VerifierEnrolled(enrolled) => self.verifier_enrolled(enrolled)?,
            Kind::VerifierRevoked(revoked) => self.verifier_revoked(revoked)?,
            Kind::PolicySet(policy) => self.policy_set(*policy)?,
            Kind::ActorDefined(actor) => self.actor_defined(actor)?,
            Kind::MandateGranted(mandate) => self.mandate_granted(mandate)?,
            Kind::MandateEnded(mandate) => self.mandate_ended(mandate)?,
            Kind::TopicDefined(topic) => self.topic_defined(topic)?,
            Kind::MilestoneDefined(milestone) => {
                let newest = self.entry.record_id;
                self.put(
                    Table::Milestone,
                    &[milestone.milestone_id.as_bytes()],
                    &newest,
                )?;
            }
            Kind::SourceArchived(source) => self.source_archived(source)?,
            Kind::StatementRecorded(recorded) => statement = Some(self.statement(recorded)?),
            Kind::StatementCorrected(corrected) => {
                let newest = self.entry.record_id;
                self.change_statement(&corrected.statement, |row| row.corrections.push(newest))?;
            }
            Kind::StatementRetracted(retracted) => {
                let retraction = self.entry.record_id;
                self.change_statement(&retracted.statement, |row| {
                    row.retractions.push(retraction);
                })?;
            }
            Kind::SourceWithheld(withheld) => self.source_withheld(withheld)?,
            Kind::EvidenceAdded(added) => self.evidence_added(added)?,
            Kind::AttestationAdded(added) => self.attestation_added(added)?,
            Kind::CheckpointKeySet(set) => self.checkpoint_key(&set.checkpoint_key)?,
            Kind::WitnessPolicySet(set) => {
                let index = self.entry.index.to_be_bytes();
                let row = WitnessesRow {
                    keys: set.witness_keys.clone(),
                    quorum: set.quorum,
                };
                self.put(Table::Witnesses, &[&index], &row)?;
            }
            // These bear on no later record.
            Kind::SourceRead(_) | Kind::ReadingAdded(_) | Kind::ReviewPublished(_) => {}
        }
        let row = RecordRow {
            index: self.entry.index,
            role: role_for(kind).into(),
            signers: self.signers()?,
            attested: Vec::new(),
            statement,
        };
        self.put(Table::Record, &[self.entry.record_id.as_bytes()], &row)
    }

    /// The numbers of the verifiers who signed the entry, in order of signature.
    fn signers(&self) -> Result<Vec<u32>, FoldError> {
        let mut numbers = Vec::new();
        for signature in &self.entry.envelope.signatures {
            let key = Table::Verifier.key(&[&signature.public_key]);
            let row = match self.changes.get(&key) {
                Some(Some(bytes)) => Some(Table::Verifier.decode::<VerifierRow>(bytes)?),
                _ => Table::Verifier.get(self.state, &[&signature.public_key])?,
            };
            numbers.push(row.ok_or_else(|| self.problem("an unknown signer"))?.number);
        }
        Ok(numbers)
    }

    fn archive_founded(&mut self, founded: &proto::ArchiveFounded) -> Result<(), FoldError> {
        for (number, verifier) in (0..).zip(&founded.verifiers) {
            self.verifier(verifier, number)?;
        }
        let archive = ArchiveRow {
            origin: self.entry.record.origin.clone(),
            verifiers: u32::try_from(founded.verifiers.len()).unwrap_or(u32::MAX),
        };
        self.put(Table::Archive, &[], &archive)?;
        self.checkpoint_key(&founded.checkpoint_key)?;
        self.policy_set(founded.policy.unwrap_or_default())
    }

    /// A key that is set again keeps its place.
    fn checkpoint_key(&mut self, key: &str) -> Result<(), FoldError> {
        let key = self.verifier_key(key)?;
        let before: Option<u64> = Table::CheckpointKey.get(self.state, &[key.as_bytes()])?;
        match before {
            Some(_) => Ok(()),
            None => self.put(Table::CheckpointKey, &[key.as_bytes()], &self.entry.index),
        }
    }

    fn verifier_enrolled(&mut self, enrolled: &proto::VerifierEnrolled) -> Result<(), FoldError> {
        let key = self.verifier_key(&enrolled.verifier)?;
        let known: Option<VerifierRow> = Table::Verifier.get(self.state, &[key.as_bytes()])?;
        if let Some(known) = known {
            return self.verifier(enrolled, known.number);
        }
        let archive: Option<ArchiveRow> = Table::Archive.get(self.state, &[])?;
        let mut archive = archive.ok_or_else(|| self.problem("the archive is not founded"))?;
        let number = archive.verifiers;
        archive.verifiers += 1;
        self.put(Table::Archive, &[], &archive)?;
        self.verifier(enrolled, number)
    }

    fn verifier(
        &mut self,
        enrolled: &proto::VerifierEnrolled,
        number: u32,
    ) -> Result<(), FoldError> {
        let key = self.verifier_key(&enrolled.verifier)?;
        let row = VerifierRow {
            number,
            roles: enrolled.roles.clone(),
            revoked: false,
            newest: self.entry.record_id,
        };
        self.put(Table::Verifier, &[key.as_bytes()], &row)
    }

    fn verifier_revoked(&mut self, revoked: &proto::VerifierRevoked) -> Result<(), FoldError> {
        let key = self.verifier_key(&revoked.verifier)?;
        let row: Option<VerifierRow> = Table::Verifier.get(self.state, &[key.as_bytes()])?;
        let mut row = row.ok_or_else(|| self.problem("an unknown verifier"))?;
        row.revoked = true;
        if let Some(from) = revoked.untrusted_from {
            let untrusted = UntrustedRow {
                from,
                revoked: self.entry.index,
            };
            self.put(Table::Untrusted, &[&row.number.to_be_bytes()], &untrusted)?;
        }
        row.newest = self.entry.record_id;
        self.put(Table::Verifier, &[key.as_bytes()], &row)
    }

    fn policy_set(&mut self, policy: proto::PolicySet) -> Result<(), FoldError> {
        let row = PolicyRow {
            attestations_min: policy.attestations_min,
        };
        self.put(Table::Policy, &[], &row)
    }

    fn actor_defined(&mut self, actor: &proto::ActorDefined) -> Result<(), FoldError> {
        let row = ActorRow {
            kind: actor.kind,
            part_of: self.optional_slug(&actor.part_of)?,
            newest: self.entry.record_id,
        };
        self.put(Table::Actor, &[actor.actor_id.as_bytes()], &row)
    }

    fn mandate_granted(&mut self, mandate: &proto::MandateGranted) -> Result<(), FoldError> {
        let topics = mandate.topics.iter().map(|topic| self.slug(topic));
        let row = MandateRow {
            person: self.slug(&mandate.person)?,
            organization: self.slug(&mandate.organization)?,
            authority: mandate.authority,
            topics: topics.collect::<Result<_, _>>()?,
            term: Term {
                start: self
                    .optional_date(&mandate.start)?
                    .map(|date| date.interval()),
                end: self
                    .optional_date(&mandate.end)?
                    .map(|date| date.interval()),
            },
            newest: self.entry.record_id,
        };
        let of = [
            mandate.person.as_bytes(),
            mandate.organization.as_bytes(),
            mandate.mandate_id.as_bytes(),
        ];
        self.put(Table::MandateOf, &of, &())?;
        self.put(Table::Mandate, &[mandate.mandate_id.as_bytes()], &row)
    }

    fn mandate_ended(&mut self, ended: &proto::MandateEnded) -> Result<(), FoldError> {
        let id = ended.mandate_id.as_bytes();
        let row: Option<MandateRow> = Table::Mandate.get(self.state, &[id])?;
        let mut row = row.ok_or_else(|| self.problem("an unknown mandate"))?;
        row.term.end = self.optional_date(&ended.end)?.map(|date| date.interval());
        row.newest = self.entry.record_id;
        self.put(Table::Mandate, &[id], &row)
    }

    fn topic_defined(&mut self, topic: &proto::TopicDefined) -> Result<(), FoldError> {
        let newest = self.entry.record_id;
        let row = TopicRow {
            kind: topic.kind,
            proposition: ContentId::of(topic.proposition.as_bytes()),
            newest,
        };
        let id = topic.topic_id.as_bytes();
        self.put(Table::Codebook, &[id, newest.as_bytes()], &())?;
        self.put(Table::Topic, &[id], &row)
    }

    fn source_archived(&mut self, source: &proto::SourceArchived) -> Result<(), FoldError> {
        let id = self.content_id(&source.source)?;
        let derived = source.derived_from.iter();
        let on_record = derived.filter(|derived| !derived.source.is_empty());
        let derived_from = on_record
            .map(|derived| self.content_id(&derived.source))
            .collect::<Result<_, _>>()?;
        let translates =
            |derived: &proto::DerivedFrom| derived.derivation() == proto::Derivation::Translates;
        let before: Option<SourceRow> = Table::Source.get(self.state, &[id.as_bytes()])?;
        let published_at = self.optional_date(&source.published_at)?;
        let captured_at = source.captured_at.as_ref().and_then(Micros::from_timestamp);
        let row = SourceRow {
            published_at: published_at.map(|date| Published {
                interval: date.interval(),
                has_time_of_day: date.has_time_of_day(),
            }),
            captured_at: captured_at.ok_or_else(|| self.problem("no time of capture"))?,
            translates: source.derived_from.iter().any(translates),
            derived_from,
            newest: self.entry.record_id,
            withheld: before.map_or(0, |before| before.withheld),
        };
        if !source.text_id.is_empty() {
            let text = self.content_id(&source.text_id)?;
            self.put(Table::Text, &[id.as_bytes(), text.as_bytes()], &())?;
        }
        self.put(Table::Source, &[id.as_bytes()], &row)
    }

    /// Nothing that was withheld is served again: the widest scope stands.
    fn source_withheld(&mut self, withheld: &proto::SourceWithheld) -> Result<(), FoldError> {
        let id = self.content_id(&withheld.source)?;
        let row: Option<SourceRow> = Table::Source.get(self.state, &[id.as_bytes()])?;
        let mut row = row.ok_or_else(|| self.problem("an unknown source"))?;
        row.withheld = row.withheld.max(withheld.scope);
        self.put(Table::Source, &[id.as_bytes()], &row)
    }

    fn evidence_added(&mut self, added: &proto::EvidenceAdded) -> Result<(), FoldError> {
        let statement = self.content_id(&added.statement)?;
        for passage in &added.evidence {
            let establishes = |what| passage.establishes().any(|it| it == what);
            if establishes(proto::Establishes::Words) {
                let source = self.content_id(&passage.source)?;
                let key = [&statement.as_bytes()[..], source.as_bytes()];
                self.put(Table::AddedWords, &key, &())?;
            }
        }
        Ok(())
    }

    fn attestation_added(&mut self, added: &proto::AttestationAdded) -> Result<(), FoldError> {
        let id = self.content_id(&added.record)?;
        let row: Option<RecordRow> = Table::Record.get(self.state, &[id.as_bytes()])?;
        let mut row = row.ok_or_else(|| self.problem("an unknown record"))?;
        for verifier in &added.verifiers {
            let key = self.verifier_key(verifier)?;
            let known: Option<VerifierRow> = Table::Verifier.get(self.state, &[key.as_bytes()])?;
            let known = known.ok_or_else(|| self.problem("an unknown verifier"))?;
            row.attested.push((known.number, self.entry.index));
        }
        self.put(Table::Record, &[id.as_bytes()], &row)
    }

    fn statement(&self, statement: &proto::Statement) -> Result<StatementRow, FoldError> {
        let said_for = statement.said_for.iter().map(|of| self.slug(&of.actor));
        Ok(StatementRow {
            speaker: match &statement.voice {
                Some(Voice::Speaker(speaker)) => Some(self.slug(speaker)?),
                _ => None,
            },
            said_for: said_for.collect::<Result<_, _>>()?,
            corrections: Vec::new(),
            retractions: Vec::new(),
        })
    }

    fn change_statement(
        &mut self,
        id: &str,
        change: impl FnOnce(&mut StatementRow),
    ) -> Result<(), FoldError> {
        let id = self.content_id(id)?;
        let row: Option<RecordRow> = Table::Record.get(self.state, &[id.as_bytes()])?;
        let row = row.and_then(|row| row.statement.clone().map(|statement| (row, statement)));
        let (mut row, mut statement) = row.ok_or_else(|| self.problem("an unknown statement"))?;
        change(&mut statement);
        row.statement = Some(statement);
        self.put(Table::Record, &[id.as_bytes()], &row)
    }

    fn put<Row: Serialize>(
        &mut self,
        table: Table,
        parts: &[&[u8]],
        row: &Row,
    ) -> Result<(), FoldError> {
        let value =
            postcard::to_stdvec(row).map_err(|_| self.problem("a row that cannot be encoded"))?;
        self.changes.insert(table.key(parts), Some(value));
        Ok(())
    }

    fn slug(&self, text: &str) -> Result<Slug, FoldError> {
        Slug::from_str(text).map_err(|error| self.problem(&error.to_string()))
    }

    fn optional_slug(&self, text: &str) -> Result<Option<Slug>, FoldError> {
        (!text.is_empty()).then(|| self.slug(text)).transpose()
    }

    fn optional_date(&self, text: &str) -> Result<Option<Date>, FoldError> {
        let date = |text| Date::from_str(text).map_err(|error| self.problem(&error.to_string()));
        (!text.is_empty()).then(|| date(text)).transpose()
    }

    fn content_id(&self, text: &str) -> Result<ContentId, FoldError> {
        ContentId::from_str(text).map_err(|error| self.problem(&error.to_string()))
    }

    fn verifier_key(&self, text: &str) -> Result<VerifierKey, FoldError> {
        VerifierKey::from_str(text).map_err(|error| self.problem(&error.to_string()))
    }

    fn problem(&self, problem: &str) -> FoldError {
        FoldError::Entry {
            index: self.entry.index,
            problem: problem.to_owned(),
        }
    }
}

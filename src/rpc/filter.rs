//! Filters of entries as requests give them.

use super::{Failure, parse, proto};
use crate::record::near::nearest;
use crate::record::{ContentId, EntryFilter, RecordKind, Slug, Subject, VerifierKey};

/// Reads a request's filter; without one, everything is wanted.
pub fn entry_filter(filter: Option<proto::EntryFilter>) -> Result<EntryFilter, Failure> {
    let asked = filter.unwrap_or_default();
    let mut filter = EntryFilter::default();
    for kind in &asked.kinds {
        let names = RecordKind::ALL.iter().map(|kind| kind.name());
        let known = parse("filter.kinds", kind);
        let known = known.map_err(|failure| failure.suggesting(&nearest(kind, names)))?;
        filter.kinds.insert(known);
    }
    let named = [
        named("filter.actor", &asked.actor, |id: Slug| Subject::Actor(id))?,
        named("filter.topic", &asked.topic, |id: Slug| Subject::Topic(id))?,
        named("filter.statement", &asked.statement, |id: ContentId| {
            Subject::Statement(id)
        })?,
        named("filter.source", &asked.source, |id: ContentId| {
            Subject::Source(id)
        })?,
        named("filter.verifier", &asked.verifier, verifier)?,
    ];
    filter.about.extend(named.into_iter().flatten());
    Ok(filter)
}

/// A subject that may be left out.
pub fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: &str,
    subject: impl Fn(T) -> Subject,
) -> Result<Option<Subject>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(field, text).map(|id| Some(subject(id)))
}

/// A verifier as a subject.
pub fn verifier(key: VerifierKey) -> Subject {
    Subject::Verifier(*key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SigningKey;

    #[test]
    fn every_part_of_a_filter_is_read() {
        let key = SigningKey::from_seed([1; 32]).public();
        let id = ContentId::of(b"document");
        let filter = entry_filter(Some(proto::EntryFilter {
            kinds: vec!["topic_defined".to_owned(), "source_read".to_owned()],
            actor: "actor".to_owned(),
            topic: "topic".to_owned(),
            statement: id.to_string(),
            source: id.to_string(),
            verifier: key.to_string(),
        }))
        .unwrap();
        let kinds = [RecordKind::TopicDefined, RecordKind::SourceRead];
        assert_eq!(filter.kinds, kinds.into());
        let about = [
            Subject::Actor("actor".parse().unwrap()),
            Subject::Topic("topic".parse().unwrap()),
            Subject::Statement(id),
            Subject::Source(id),
            Subject::Verifier(*key.as_bytes()),
        ];
        assert_eq!(filter.about, about.into());
        assert!(entry_filter(None).unwrap().is_everything());
    }

    #[test]
    fn what_is_no_id_is_refused_with_the_field_and_what_would_be_accepted() {
        let unread = proto::EntryFilter::default;
        for (filter, field, accepted) in [
            (
                proto::EntryFilter {
                    kinds: vec!["StatementRecorded".to_owned()],
                    ..unread()
                },
                "filter.kinds",
                "statement_recorded",
            ),
            (
                proto::EntryFilter {
                    actor: "An Actor".to_owned(),
                    ..unread()
                },
                "filter.actor",
                "a slug",
            ),
            (
                proto::EntryFilter {
                    verifier: "00".to_owned(),
                    ..unread()
                },
                "filter.verifier",
                "32 bytes",
            ),
        ] {
            let status = tonic::Status::from(entry_filter(Some(filter)).unwrap_err());
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            assert!(status.message().starts_with(field), "{}", status.message());
            assert!(status.message().contains(accepted), "{}", status.message());
        }
    }
}

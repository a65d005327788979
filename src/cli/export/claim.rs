//! Statements in the vocabulary of schema.org: `Claim`, `Quotation` and `ClaimReview`.
//!
//! Pure: from a statement to JSON-LD. The context is `https://schema.org` alone and every
//! property is schema.org's own, because search engines read nothing else. Of a `ClaimReview`
//! they require `claimReviewed`, `reviewRating` with an `alternateName`, and `url`.
//!
//! | here | in the archive |
//! |---|---|
//! | `author` | the speaker; an anonymous one has a description and no name |
//! | `sourceOrganization` | for whom it was said: a role with the office and the mandate |
//! | `datePublished` | `said_at`, if that is a date of ISO 8601; else `temporal`, in EDTF |
//! | `appearance` | the sources in which the words stand |
//! | `archivedAt` | the statement, and each source, in the archive |
//! | `identifier` | statement id, ledger index, that of the correction that stands; source id |
//! | `keywords` | the topics it is read on |

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::VERIFIED_MEANS;
use super::names::Names;
use super::snapshot::Snapshot;
use super::statement::{Capacity, Exported, Words};
use crate::record::proto::statement::Voice;
use crate::record::proto::{
    ActorDefined, ActorKind, Authority, CapacityBasis, ReviewPublished, SourceArchived, Wording,
};
use crate::rpc::proto::{Provenance, Review};

/// What ends the document.
pub const CLOSING: &str = "]}";

/// What begins the document, up to its first element.
pub fn opening(archive: &Snapshot, _: &Names) -> String {
    let feed = json!({
        "@context": "https://schema.org",
        "@type": "DataFeed",
        "name": format!("Statements on record: {}", archive.origin()),
        "description": VERIFIED_MEANS,
        "provider": {"@type": "ArchiveOrganization", "name": archive.origin()},
        "dateModified": archive.recorded_at(),
        "identifier": head(archive),
    });
    let feed = feed.to_string();
    let members = feed.strip_suffix('}').unwrap_or(&feed);
    format!("{members},\"dataFeedElement\":[")
}

/// The ledger that an export was made at.
pub fn head(archive: &Snapshot) -> Value {
    json!([
        property("ledgerSize", archive.size()),
        property("ledgerRoot", archive.root()),
    ])
}

/// A statement as an element of the feed; none if its text may not be shown.
pub fn element(statement: &Exported, names: &Names) -> Option<Value> {
    if !statement.may_be_shown() {
        return None;
    }
    let claim = claim(statement, names);
    let reviews = statement.view.reviews.iter();
    let reviews = reviews.filter_map(|review| claim_review(review, statement, &claim, names));
    let mut items: Vec<_> = reviews.collect();
    if items.is_empty() {
        items.push(claim);
    }
    let recorded_at = |it: &Provenance| it.recorded_at;
    let created = statement.view.introduced.as_ref().and_then(recorded_at);
    let corrected = statement.correction().and_then(recorded_at);
    Some(object([
        ("@type", json!("DataFeedItem")),
        ("dateCreated", text(created)),
        ("dateModified", text(corrected)),
        ("item", json!(items)),
    ]))
}

/// A statement as a claim, and as a quotation if it is one.
pub fn claim(statement: &Exported, names: &Names) -> Value {
    let Exported {
        view,
        statement: said,
        ..
    } = statement;
    let quotation = statement.is_quotation();
    let types = if quotation {
        json!(["Claim", "Quotation"])
    } else {
        json!("Claim")
    };
    let based_on = statement.words.iter();
    let based_on = based_on.map(|words| json!({"@id": names.source(&words.evidence.source)}));
    let translated = said.wording() == Wording::Translated && !said.spoken_language.is_empty();
    let original = json!({"@type": "Quotation", "inLanguage": said.spoken_language});
    let (exact, inexact) = date(&said.said_at);
    object([
        ("@type", types),
        ("@id", json!(names.statement(&view.statement_id))),
        ("identifier", identifiers(statement)),
        ("text", json!(said.text)),
        ("inLanguage", text(Some(&said.language))),
        (
            "translationOfWork",
            if translated { original } else { Value::Null },
        ),
        ("author", author(statement, names)),
        ("contributor", relayer(statement, names)),
        (
            "sourceOrganization",
            capacities(&statement.capacities, names),
        ),
        ("datePublished", exact),
        ("temporal", inexact),
        ("keywords", topics(statement)),
        ("appearance", appearances(&statement.words, names)),
        (
            "isBasedOn",
            if quotation {
                based_on.collect()
            } else {
                Value::Null
            },
        ),
        ("archivedAt", json!(names.statement(&view.statement_id))),
    ])
}

fn identifiers(statement: &Exported) -> Value {
    let view = &statement.view;
    let introduced = view.introduced.as_ref().map_or(0, |it| it.index);
    let mut all = vec![
        property("statement", view.statement_id.as_str()),
        property("ledgerIndex", introduced),
    ];
    let version = statement.version_index();
    if version != introduced {
        all.push(property("correctionIndex", version));
    }
    json!(all)
}

fn author(statement: &Exported, names: &Names) -> Value {
    let Some(speaker) = &statement.speaker else {
        let Some(Voice::Anonymous(anonymous)) = &statement.statement.voice else {
            return Value::Null;
        };
        return json!({"@type": "Person", "description": anonymous.description});
    };
    let mut author = actor(speaker, names);
    let mandates = statement.capacities.iter().flat_map(|it| &it.mandates);
    let titles: BTreeSet<_> = mandates.map(|it| &it.role_title).collect();
    if let (Some(author), false) = (author.as_object_mut(), titles.is_empty()) {
        author.insert("jobTitle".to_owned(), json!(titles));
    }
    author
}

fn relayer(statement: &Exported, names: &Names) -> Value {
    statement
        .relayed_by
        .as_ref()
        .map_or(Value::Null, |relayer| {
            json!({
                "@type": "Role",
                "roleName": "relayed by",
                "contributor": actor(relayer, names),
            })
        })
}

/// An actor: a person, or an organisation. A state is one here: it stands where schema.org
/// expects somebody who acts.
pub fn actor(defined: &ActorDefined, names: &Names) -> Value {
    let english = defined.names.iter().find(|name| name.language == "en");
    let name = english.or_else(|| defined.names.first());
    let name = name.map_or(&defined.actor_id, |name| &name.name);
    let others = defined.names.iter().map(|name| &name.name);
    let others: BTreeSet<_> = others.filter(|other| *other != name).collect();
    let (wikidata, registers): (Vec<_>, Vec<_>) = defined
        .external_ids
        .iter()
        .partition(|external| external.register == "wikidata");
    let same_as = wikidata.iter();
    let same_as = same_as.map(|it| format!("http://www.wikidata.org/entity/{}", it.id));
    let registers = registers.iter();
    let registers = registers.map(|it| property(&it.register, it.id.as_str()));
    object([
        ("@type", json!(kind(defined.kind()))),
        ("@id", json!(names.actor(&defined.actor_id))),
        ("name", json!(name)),
        ("alternateName", json!(others)),
        ("sameAs", same_as.collect()),
        ("identifier", registers.collect()),
    ])
}

const fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Person => "Person",
        ActorKind::State => "GovernmentOrganization",
        _ => "Organization",
    }
}

/// For whom something was said: roles, as schema.org has them stand between a property and its
/// value to say more of it.
fn capacities(capacities: &[Capacity], names: &Names) -> Value {
    let role = |capacity: &Capacity| {
        let mandates = capacity.mandates.iter();
        let titles: BTreeSet<_> = mandates.clone().map(|it| &it.role_title).collect();
        let known = match capacity.basis {
            CapacityBasis::Implied => "implied by a mandate on record",
            _ => "stated in the source",
        };
        let authority = mandates.clone().map(|it| authority(it.authority())).max();
        let known = authority.map_or(known.to_owned(), |(_, authority)| {
            format!("{known}; {authority}")
        });
        object([
            ("@type", json!("OrganizationRole")),
            ("sourceOrganization", actor(&capacity.organization, names)),
            ("roleName", json!(titles)),
            ("description", json!(known)),
            (
                "identifier",
                mandates.map(|it| names.mandate(&it.mandate_id)).collect(),
            ),
        ])
    };
    capacities.iter().map(role).collect()
}

/// An authority, and its place among the others.
const fn authority(authority: Authority) -> (u8, &'static str) {
    match authority {
        Authority::Principal => (3, "as principal"),
        Authority::Spokesperson => (2, "as spokesperson"),
        _ => (1, "as delegate"),
    }
}

fn topics(statement: &Exported) -> Value {
    let coders = statement.view.readings.iter();
    let coders = coders.filter_map(|it| it.reading.as_ref());
    let readings = statement.statement.readings.iter().chain(coders);
    let topics: BTreeSet<_> = readings.map(|reading| &reading.topic).collect();
    json!(topics)
}

/// The sources in which the words stand. Of one whose text is withheld, its id alone is told.
fn appearances(words: &[Words], names: &Names) -> Value {
    let appearance = |words: &Words| {
        let id = &words.evidence.source;
        let archived = match &words.source.definition {
            Some(archived) if !words.text_is_withheld() => archived.clone(),
            _ => SourceArchived::default(),
        };
        let publisher = json!({"@type": "Organization", "name": archived.publisher});
        let stands = !archived.publisher.is_empty();
        let served = !words.bytes_are_withheld();
        let (exact, inexact) = date(&archived.published_at);
        object([
            ("@type", json!("CreativeWork")),
            ("@id", json!(names.source(id))),
            ("identifier", json!([property("BLAKE3-256", id.as_str())])),
            ("name", text(Some(&archived.title))),
            ("url", text(Some(&archived.url))),
            ("inLanguage", text(Some(&archived.language))),
            ("encodingFormat", text(Some(&archived.media_type))),
            ("publisher", if stands { publisher } else { Value::Null }),
            ("datePublished", exact),
            ("temporal", inexact),
            (
                "archivedAt",
                if served {
                    json!(names.source(id))
                } else {
                    Value::Null
                },
            ),
        ])
    };
    words.iter().map(appearance).collect()
}

fn claim_review(
    review: &Review,
    statement: &Exported,
    claim: &Value,
    names: &Names,
) -> Option<Value> {
    let (verdict, provenance) = (review.review.as_ref()?, review.provenance.as_ref()?);
    let publisher = json!({"@type": "Organization", "name": verdict.publisher});
    let (exact, inexact) = date(&verdict.published_at);
    Some(object([
        ("@type", json!("ClaimReview")),
        ("@id", json!(names.record(&provenance.record))),
        (
            "identifier",
            json!([
                property("record", provenance.record.as_str()),
                property("ledgerIndex", provenance.index),
            ]),
        ),
        ("url", json!(verdict.url)),
        ("claimReviewed", json!(statement.statement.text)),
        // Search engines look for the author, aggregators for the publisher.
        ("author", publisher.clone()),
        ("publisher", publisher),
        ("datePublished", exact),
        ("temporal", inexact),
        ("reviewRating", rating(verdict)),
        ("itemReviewed", claim.clone()),
    ]))
}

/// A verdict, on its scale if it has one.
fn rating(review: &ReviewPublished) -> Value {
    let scale = review.rating_worst != review.rating_best;
    let on_scale = |rating: u32| if scale { json!(rating) } else { Value::Null };
    object([
        ("@type", json!("Rating")),
        ("alternateName", json!(review.verdict)),
        ("ratingValue", on_scale(review.rating)),
        ("worstRating", on_scale(review.rating_worst)),
        ("bestRating", on_scale(review.rating_best)),
    ])
}

/// A date as one of ISO 8601 if it is one, which schema.org's dates are; else as EDTF.
fn date(edtf: &str) -> (Value, Value) {
    let inexact = edtf.contains(['[', 'X']);
    match edtf {
        "" => (Value::Null, Value::Null),
        _ if inexact => (Value::Null, json!(edtf)),
        _ => (json!(edtf), Value::Null),
    }
}

/// Something that has no property of its own.
pub fn property(id: &str, value: impl Into<Value>) -> Value {
    json!({"@type": "PropertyValue", "propertyID": id, "value": value.into()})
}

/// What is written as text; null where there is none.
pub fn text<T: ToString>(value: Option<T>) -> Value {
    let value = value.map(|value| value.to_string());
    value
        .filter(|it| !it.is_empty())
        .map_or(Value::Null, Value::String)
}

/// An object of those members that say something.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        _ => true,
    };
    let members = members.into_iter().filter(|(_, value)| says(value));
    let members = members.map(|(key, value)| (key.to_owned(), value));
    Value::Object(members.collect::<Map<_, _>>())
}

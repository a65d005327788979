//! The rules of the formats, written down apart from the program: which properties schema.org
//! gives to a type, and what the W3C annotation model requires.

use serde_json::{Map, Value};

/// The properties of schema.org that may stand in an export, by type. `Quotation` and `Claim`
/// are kinds of `CreativeWork`, as `ClaimReview` is by way of `Review`.
const SCHEMA_ORG: &[(&str, &[&str])] = &[
    (
        "DataFeed",
        &[
            "name",
            "description",
            "provider",
            "dateModified",
            "identifier",
            "dataFeedElement",
        ],
    ),
    ("DataFeedItem", &["dateCreated", "dateModified", "item"]),
    ("Claim", &["appearance", "firstAppearance"]),
    ("Quotation", &["spokenByCharacter"]),
    ("CreativeWork", CREATIVE_WORK),
    (
        "ClaimReview",
        &["claimReviewed", "itemReviewed", "reviewRating"],
    ),
    (
        "Rating",
        &["alternateName", "ratingValue", "worstRating", "bestRating"],
    ),
    (
        "Person",
        &[
            "name",
            "alternateName",
            "description",
            "sameAs",
            "identifier",
            "jobTitle",
        ],
    ),
    ("Organization", ORGANIZATION),
    ("GovernmentOrganization", ORGANIZATION),
    ("ArchiveOrganization", ORGANIZATION),
    ("PropertyValue", &["propertyID", "value"]),
    // A role also has the property between whose subject and value it stands.
    (
        "Role",
        &["roleName", "description", "identifier", "contributor"],
    ),
    (
        "OrganizationRole",
        &[
            "roleName",
            "description",
            "identifier",
            "sourceOrganization",
        ],
    ),
];

const CREATIVE_WORK: &[&str] = &[
    "name",
    "url",
    "identifier",
    "text",
    "inLanguage",
    "encodingFormat",
    "translationOfWork",
    "author",
    "contributor",
    "publisher",
    "sourceOrganization",
    "datePublished",
    "temporal",
    "keywords",
    "isBasedOn",
    "archivedAt",
];

const ORGANIZATION: &[&str] = &["name", "alternateName", "sameAs", "identifier"];

/// The types that have the properties of `CreativeWork` too.
const CREATIVE_WORKS: &[&str] = &["Claim", "Quotation", "ClaimReview"];

/// Asserts that everything in a JSON-LD value is of a type of schema.org and has properties of
/// that type alone.
pub fn assert_schema_org(value: &Value) {
    match value {
        Value::Array(values) => values.iter().for_each(assert_schema_org),
        Value::Object(members) => assert_typed(members),
        Value::Null => panic!("JSON-LD drops null"),
        _ => {}
    }
}

fn assert_typed(members: &Map<String, Value>) {
    if members.keys().eq(["@id"]) {
        return;
    }
    let mut allowed = vec!["@type", "@id"];
    for name in names(&members["@type"]) {
        let of = |name: &str| SCHEMA_ORG.iter().find(|(known, _)| *known == name);
        allowed.extend(of(name).unwrap_or_else(|| panic!("what is a {name}?")).1);
        if CREATIVE_WORKS.contains(&name) {
            allowed.extend(CREATIVE_WORK);
        }
    }
    for (key, value) in members {
        assert!(allowed.contains(&key.as_str()), "{key} of {members:?}");
        assert_schema_org(value);
    }
    for key in ["@id", "url", "archivedAt"] {
        members.get(key).into_iter().for_each(assert_iri);
    }
}

/// The names of one type or of several.
pub fn names(types: &Value) -> Vec<&str> {
    match types {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap()).collect(),
        other => panic!("no type: {other}"),
    }
}

/// What search engines require of a `ClaimReview`.
pub fn assert_claim_review(review: &Value) {
    assert_eq!(review["@type"], "ClaimReview");
    assert!(!review["claimReviewed"].as_str().unwrap().is_empty());
    assert_iri(&review["url"]);
    let rating = &review["reviewRating"];
    assert_eq!(rating["@type"], "Rating");
    assert!(!rating["alternateName"].as_str().unwrap().is_empty());
    let scale = ["ratingValue", "worstRating", "bestRating"];
    let given = scale.map(|key| rating.get(key).is_some_and(Value::is_u64));
    assert!(given == [true; 3] || given == [false; 3], "{rating}");
    assert!(names(&review["itemReviewed"]["@type"]).contains(&"Claim"));
}

/// What the model requires of an annotation (sections 3.1, 3.2.4, 4, 4.2.4, 4.2.5, 4.3.1).
pub fn assert_annotation(annotation: &Value) {
    assert_iri(&annotation["id"]);
    assert!(names(&annotation["type"]).contains(&"Annotation"));
    let body = &annotation["body"];
    assert!(names(&body["type"]).contains(&"TextualBody"));
    assert!(body["value"].is_string());
    assert_eq!(body.get("source"), None);
    let targets = annotation["target"].as_array().unwrap();
    assert!(!targets.is_empty());
    for target in targets {
        assert_iri(&target["source"]["id"]);
        let [quote, position] = &target["selector"].as_array().unwrap()[..] else {
            panic!("two selectors: {target}");
        };
        assert_eq!(quote["type"], "TextQuoteSelector");
        for key in ["exact", "prefix", "suffix"] {
            assert!(quote[key].is_string(), "{quote}");
        }
        assert_eq!(position["type"], "TextPositionSelector");
        assert!(
            position["start"].as_u64() < position["end"].as_u64(),
            "{position}"
        );
        let state = &target["state"];
        assert_eq!(state["type"], "TimeState");
        assert!(
            state["sourceDate"].as_str().unwrap().ends_with('Z'),
            "{state}"
        );
        state.get("cached").into_iter().for_each(assert_iri);
    }
    assert_in_context(annotation);
}

/// The terms of `http://www.w3.org/ns/anno.jsonld` that may stand in an export; any other has
/// the prefix that it defines for schema.org.
const TERMS: &[&str] = &[
    "id",
    "type",
    "motivation",
    "created",
    "creator",
    "body",
    "target",
    "value",
    "format",
    "language",
    "source",
    "state",
    "selector",
    "exact",
    "prefix",
    "suffix",
    "start",
    "end",
    "sourceDate",
    "cached",
];

/// The types that it defines.
const TYPES: &[&str] = &[
    "Annotation",
    "TextualBody",
    "SpecificResource",
    "Text",
    "TextQuoteSelector",
    "TextPositionSelector",
    "TimeState",
];

fn assert_in_context(value: &Value) {
    match value {
        Value::Array(values) => values.iter().for_each(assert_in_context),
        Value::Object(members) => {
            for (key, value) in members {
                assert!(
                    TERMS.contains(&&key[..]) || key.starts_with("schema:"),
                    "{key}"
                );
                if key != "type" {
                    assert_in_context(value);
                    continue;
                }
                for name in names(value) {
                    assert!(
                        TYPES.contains(&name) || name.starts_with("schema:"),
                        "{name}"
                    );
                }
            }
        }
        Value::Null => panic!("JSON-LD drops null"),
        _ => {}
    }
}

fn assert_iri(value: &Value) {
    let iri = value.as_str().unwrap_or_else(|| panic!("no IRI: {value}"));
    let (scheme, rest) = iri.split_once("://").unwrap_or_default();
    assert!(["http", "https"].contains(&scheme), "{iri}");
    assert!(
        !rest.is_empty() && !rest.contains(char::is_whitespace),
        "{iri}"
    );
}

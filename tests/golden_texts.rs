//! Pages with the texts that they must give for good: an extraction profile is a promise, so a
//! vector may be added here and none may change. `html` stands for a page in UTF-8, `hex` for
//! one by its bytes.
#![cfg(feature = "daemon")]

use onrecord::text::{Profile, normalise};
use serde_json::Value;

#[test]
fn html_text_1_gives_every_page_the_text_that_it_is_on_record_with() {
    let vectors: Value = serde_json::from_str(include_str!("golden/html-text-1.json")).unwrap();
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() >= 100);
    let wrong: Vec<String> = vectors.iter().filter_map(complaint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the text of a vector's page, if anything.
fn complaint(vector: &Value) -> Option<String> {
    let of = |field: &str| vector[field].as_str();
    let page = match of("hex") {
        Some(hex) => data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap(),
        None => of("html").unwrap().as_bytes().to_vec(),
    };
    let media_type = of("mediaType").unwrap_or("text/html");
    let wanted = (
        of("text").unwrap(),
        vector["malformed"].as_u64().unwrap_or(0),
    );
    let found = Profile::HtmlText1.extract(&page, media_type).unwrap();
    let right = (&*found.text, found.malformed) == wanted && normalise(wanted.0) == wanted.0;
    let name = || format!("{}: {}", of("rule").unwrap(), of("why").unwrap());
    (!right).then(|| format!("{}\n  wanted {wanted:?}\n  found  {found:?}", name()))
}

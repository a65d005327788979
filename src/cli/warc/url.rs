//! Which URLs are asked for.

use std::convert::Infallible;
use std::str::FromStr;

/// A pattern that a whole URL must match: `*` stands for anything, also for nothing; every other
/// character for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlPattern(Vec<String>);

impl FromStr for UrlPattern {
    type Err = Infallible;

    fn from_str(pattern: &str) -> Result<Self, Infallible> {
        Ok(Self(pattern.split('*').map(str::to_owned).collect()))
    }
}

impl UrlPattern {
    /// Whether `url` matches. Takes each part at its first place, which is as good as any, so
    /// that nothing is tried twice.
    #[must_use]
    pub fn matches(&self, url: &str) -> bool {
        let Some((first, rest)) = self.0.split_first() else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return url == first;
        };
        let Some(mut left) = url.strip_prefix(&**first) else {
            return false;
        };
        for part in middle {
            match left.split_once(&**part) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(&**last)
    }
}

/// The host of a URL, in lower case, without a port; none if it has none.
#[must_use]
pub fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.rfind(']') {
        Some(end) => host.get(..=end)?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, url: &str) -> bool {
        let pattern: UrlPattern = pattern.parse().unwrap();
        pattern.matches(url)
    }

    /// The definition, tried at every place.
    fn oracle(pattern: &[char], url: &[char]) -> bool {
        match (pattern.split_first(), url.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                oracle(rest, url)
                    || url
                        .split_first()
                        .is_some_and(|(_, url)| oracle(pattern, url))
            }
            (Some((wanted, rest)), Some((found, url))) => wanted == found && oracle(rest, url),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_as_the_definition_says(
            pattern in "[ab*]{0,8}", url in "[ab]{0,12}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &url), oracle(&chars(&pattern), &chars(&url)));
        }
    }

    #[test]
    fn question_marks_and_dots_stand_for_themselves() {
        assert!(matches(
            "https://example.org/*?id=1",
            "https://example.org/a/b?id=1"
        ));
        assert!(!matches("https://example.org/?", "https://example.org/a"));
        assert!(!matches("https://example.org/*", "https://exampleXorg/a"));
    }

    #[test]
    fn a_host_is_what_stands_between_the_slashes() {
        for (url, expected) in [
            ("https://Example.ORG/a", Some("example.org")),
            ("http://user:pass@example.org:8080?x", Some("example.org")),
            ("http://[::1]:80/", Some("[::1]")),
            ("urn:view:https", None),
            ("http:///path", None),
            ("", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }
}

//! The extraction profiles by name. A profile is a promise: its number is part of the
//! `SourceArchived` record, and whoever runs it again must get the same text. Each profile
//! is one file beside this one; this file only knows their names and their common bound.

use std::fmt;
use std::str::FromStr;

use super::{html, plain};

/// The longest extracted text, in bytes of UTF-8: 16 MiB, some 5,000 printed pages.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// A way to turn a source's bytes into a text. Written as its name and number, as in
/// `plain-text/1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// `plain-text/1`: the bytes are the text, whose line ends are breaks.
    PlainText1,
    /// `html-text/1`: the page's text without its markup, whose blocks begin on new lines.
    HtmlText1,
}

/// What a profile made of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The text: NFC, white space collapsed, at most [`TEXT_BYTES_MAX`] bytes. Its BLAKE3 is
    /// the text id.
    pub text: String,
    /// How many malformed byte sequences became U+FFFD. Many of them mean that the media
    /// type names the wrong charset. A U+FFFD that the source itself holds is not counted.
    pub malformed: u64,
}

/// Why a source yields no text. The input has to change; trying again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// The extracted text would be longer than the archive takes.
    #[error("the extracted text is longer than {bytes_max} bytes")]
    TooLarge {
        /// [`TEXT_BYTES_MAX`].
        bytes_max: usize,
    },
}

/// The name is not that of an extraction profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an extraction profile; accepted: {}, {}",
    Profile::PlainText1,
    Profile::HtmlText1
)]
pub struct UnknownProfile;

impl Profile {
    /// The profile for sources of this media type, whatever its parameters; `None` if no
    /// profile reads it. `text/plain` is `plain-text/1`; `text/html` and
    /// `application/xhtml+xml` are `html-text/1`.
    #[must_use]
    pub fn for_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        match &*essence.to_ascii_lowercase() {
            "text/plain" => Some(Self::PlainText1),
            "text/html" | "application/xhtml+xml" => Some(Self::HtmlText1),
            _ => None,
        }
    }

    /// The text of a source. `media_type` is the record's, with its `charset` parameter.
    ///
    /// Needs memory of a few times the input, which the caller bounds.
    pub fn extract(self, bytes: &[u8], media_type: &str) -> Result<Extracted, ExtractError> {
        match self {
            Self::PlainText1 => plain::extract(bytes, media_type, TEXT_BYTES_MAX),
            Self::HtmlText1 => html::extract(bytes, media_type, TEXT_BYTES_MAX),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainText1 => "plain-text/1",
            Self::HtmlText1 => "html-text/1",
        })
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        match name {
            "plain-text/1" => Ok(Self::PlainText1),
            "html-text/1" => Ok(Self::HtmlText1),
            _ => Err(UnknownProfile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_written_as_its_name_and_number() {
        for (profile, name) in [
            (Profile::PlainText1, "plain-text/1"),
            (Profile::HtmlText1, "html-text/1"),
        ] {
            assert_eq!(profile.to_string(), name);
            assert_eq!(name.parse(), Ok(profile));
        }
        for name in [
            "",
            "plain-text",
            "plain-text/2",
            "Plain-Text/1",
            " plain-text/1",
            "html-text/2",
            "html/1",
        ] {
            assert_eq!(name.parse::<Profile>(), Err(UnknownProfile), "{name:?}");
        }
    }

    #[test]
    fn a_media_type_chooses_its_profile_by_type_alone() {
        for (media_type, profile) in [
            ("text/plain", Profile::PlainText1),
            (" TEXT/Plain ;charset=koi8-r", Profile::PlainText1),
            ("text/html", Profile::HtmlText1),
            ("Text/HTML; charset=\"utf-8\"", Profile::HtmlText1),
            ("application/xhtml+xml", Profile::HtmlText1),
        ] {
            assert_eq!(
                Profile::for_media_type(media_type),
                Some(profile),
                "{media_type:?}"
            );
        }
        for media_type in [
            "",
            ";",
            "text",
            "text/plainer",
            "text/xml",
            "application/pdf",
        ] {
            assert_eq!(Profile::for_media_type(media_type), None, "{media_type:?}");
        }
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_accepted_ones() {
        assert_eq!(
            UnknownProfile.to_string(),
            "not an extraction profile; accepted: plain-text/1, html-text/1"
        );
    }
}

//! Two answers, held against each other field by field.

use std::fmt::Debug;

/// The longest that a value is shown, in characters.
const SHOWN_MAX: usize = 200;

/// A field in which two answers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Its name.
    pub field: &'static str,
    /// What is claimed.
    pub claimed: String,
    /// What is found.
    pub found: String,
}

/// The fields in which two messages of a type differ. The pattern names every field, so that
/// none can be forgotten.
macro_rules! differ {
    ($Message:ident { $($field:ident),+ $(,)? }, $claimed:ident, $found:ident) => {{
        let $Message { $($field: _,)+ } = $claimed;
        let pairs = [$($crate::bundle::compare::field(
            stringify!($field),
            &$claimed.$field,
            &$found.$field,
        ),)+];
        pairs.into_iter().flatten().collect()
    }};
}

pub(super) use differ;

pub(super) fn field<T: PartialEq + Debug>(
    field: &'static str,
    claimed: &T,
    found: &T,
) -> Option<Differs> {
    (claimed != found).then(|| Differs {
        field,
        claimed: shown(claimed),
        found: shown(found),
    })
}

/// A value, cut.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    let cut: String = text.chars().take(SHOWN_MAX).collect();
    format!("{cut}…")
}

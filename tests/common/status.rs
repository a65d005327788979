//! What a status says, for programs.

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Asserts code and reason of a status; the field that it blames, if it blames one.
pub fn assert_status(status: &Status, code: Code, reason: &str) -> Option<String> {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(
        (status.code(), &info.reason[..]),
        (code, reason),
        "{status:?}"
    );
    assert_eq!(info.domain, "onrecord");
    assert!(!status.message().is_empty());
    assert_eq!(
        details.retry_info().is_some(),
        code == Code::Unavailable,
        "{status:?}"
    );
    let violations = &details.bad_request()?.field_violations;
    assert_eq!(violations.len(), 1);
    assert!(
        violations[0].description.contains("accepted: "),
        "{status:?}"
    );
    Some(violations[0].field.clone())
}

/// As [`assert_status`], of a status that blames `field`.
pub fn assert_blames(status: &Status, code: Code, reason: &str, field: &str) {
    assert_eq!(
        assert_status(status, code, reason).as_deref(),
        Some(field),
        "{status:?}"
    );
}

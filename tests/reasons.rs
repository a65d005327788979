//! The table of all reasons in the documentation is that of the code.
#![cfg(feature = "daemon")]

use std::fmt::Write as _;
use std::path::Path;

use onrecord::admission::{self, Remedy};
use onrecord::rpc;
use tonic::Code;

/// Set, in whatever value, to write the table instead of comparing it.
const UPDATE: &str = "ONRECORD_UPDATE_REASONS";

const ABOUT: &str = "\
# Reasons

Why a record was refused, or a call failed: every reason that the daemon gives, in the words of
its code. Reasons are stable and meant for programs; the sentence beside them in an answer is
meant for people, names the field, and says what would be accepted.

What may come of trying again:

- **retry**: the same thing may be taken later; send it again.
- **fix**: it has to change, or something else has to be put on record first.
- **gone**: neither helps; the reason says who can do something, if anybody.
";

const REFUSALS: &str = "
## Refusals

A record that is refused is no failed call: `Append` answers OK, and the record's result holds a
`refusal` with `reason`, `code`, `field`, `message`, `accepted`, `nearest` and `retryable`. The
field's path is in protobuf-JSON names; `nearest` shows passages of the source for a quotation
that does not stand there. What the client finds before it sends a line, `onrecord append` tells
in the same form, with the reason `NOT_SENT` where the daemon has none for it.

";

const STATUSES: &str = "
## Failed calls

A call that fails as a whole has a gRPC status with `google.rpc` details: an `ErrorInfo` with the
reason and the domain `onrecord`, a `BadRequest` where a field is to blame, and a `RetryInfo`
where the code is `UNAVAILABLE`. A subscription's `ErrorInfo` names in `resume_from` the index to
go on from.

";

fn table(text: &mut String, rows: impl Iterator<Item = [String; 5]>) {
    text.push_str(
        "| reason | code | meaning | what to do | trying again |\n|---|---|---|---|---|\n",
    );
    for [reason, code, meaning, advice, next] in rows {
        writeln!(
            text,
            "| `{reason}` | `{code}` | {meaning} | {advice} | {next} |"
        )
        .unwrap();
    }
}

fn of_refusals(reason: admission::Reason) -> [String; 5] {
    let next = match reason.remedy() {
        Remedy::Retry => "retry",
        Remedy::Mend | Remedy::Prepare | Remedy::Authorise => "fix",
    };
    let remedy = reason.remedy().code();
    [
        reason.name(),
        remedy,
        reason.meaning(),
        reason.advice(),
        next,
    ]
    .map(str::to_owned)
}

fn of_statuses(reason: rpc::Reason) -> [String; 5] {
    let next = match reason.code() {
        Code::Unavailable | Code::Aborted => "retry",
        Code::InvalidArgument | Code::NotFound | Code::OutOfRange => "fix",
        _ => "gone",
    };
    let code = canonical(reason.code());
    [
        reason.name(),
        &code,
        reason.meaning(),
        reason.advice(),
        next,
    ]
    .map(str::to_owned)
}

/// A code's canonical name: `INVALID_ARGUMENT`.
fn canonical(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[test]
fn the_documented_reasons_are_those_of_the_code() {
    let mut expected = ABOUT.to_owned();
    expected.push_str(REFUSALS);
    table(
        &mut expected,
        admission::Reason::ALL.iter().copied().map(of_refusals),
    );
    expected.push_str(STATUSES);
    table(
        &mut expected,
        rpc::Reason::ALL.iter().copied().map(of_statuses),
    );

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REASONS.md");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let documented = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        documented == expected,
        "docs/REASONS.md is out of date; write it anew with\n  \
         {UPDATE}=1 cargo test --test reasons"
    );
}

#[test]
fn every_reason_says_what_to_do_in_sentences_that_fit_a_table() {
    let refusals = admission::Reason::ALL
        .iter()
        .map(|reason| [reason.meaning(), reason.advice()]);
    let statuses = rpc::Reason::ALL
        .iter()
        .map(|reason| [reason.meaning(), reason.advice()]);
    for sentence in refusals.chain(statuses).flatten() {
        assert!(sentence.ends_with('.'), "{sentence}");
        assert!(!sentence.contains(['|', '\n']), "{sentence}");
        assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
    }
}

//! What stands at the foot of every answer: on what it rests, and what it does not say.

use data_encoding::HEXLOWER;

use super::canvas::{Sheet, Tint};
use super::words::short;
use crate::rpc::proto::Basis;

/// What "verified" means, wherever a user could think otherwise.
const VERIFIED: &str = "Verified means: the passage stands in the archived source, and verifiers \
    signed that the source attributes it to this speaker. It does not mean that the speaker used \
    these words, nor that the source tells the truth, nor that nothing else was said.";

/// Draws on what an answer rests.
pub fn basis(sheet: &mut Sheet, basis: Option<&Basis>) {
    let Some(basis) = basis else {
        return;
    };
    let root = HEXLOWER.encode(&basis.root);
    let as_of = match basis.as_of.as_str() {
        "" => String::new(),
        as_of => format!(", as of {as_of}"),
    };
    let text = format!(
        "basis: {} entries, root {}…, {} v{}, known at {}{as_of}",
        basis.ledger_size,
        short(&root),
        basis.projection,
        basis.projection_version,
        basis.known_at
    );
    sheet.paragraph(0, Tint::Faint, &text);
}

/// Draws what "verified" means.
pub fn caveat(sheet: &mut Sheet) {
    sheet.paragraph(0, Tint::Faint, VERIFIED);
}

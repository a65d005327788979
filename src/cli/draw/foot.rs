//! What stands at the foot of every answer: on what it rests, and what it does not say.

use data_encoding::HEXLOWER;

use super::canvas::{Sheet, Tint};
use super::svg::{FAINT, MARGIN, NOTE, Stroke, Svg, WIDTH};
use super::words::short;
use crate::rpc::proto::Basis;

/// What "verified" means, wherever a user could think otherwise.
const VERIFIED: &str = "Verified means: the passage stands in the archived source, and verifiers \
    signed that the source attributes it to this speaker. It does not mean that the speaker used \
    these words, nor that the source tells the truth, nor that nothing else was said.";

/// Draws on what an answer rests.
pub fn basis(sheet: &mut Sheet, basis: Option<&Basis>) {
    if let Some(basis) = basis {
        sheet.paragraph(0, Tint::Faint, &line(basis));
    }
}

/// Draws both at the foot of a picture, and whether it shows all. Gives how far down it is drawn.
pub fn on_svg(svg: &mut Svg, y: i64, basis: Option<&Basis>, older_left_out: bool) -> i64 {
    let room = WIDTH - 2 * MARGIN;
    svg.line((MARGIN, y), (WIDTH - MARGIN, y), FAINT, Stroke::THIN);
    let mut y = y + NOTE.line();
    let older = older_left_out.then(|| "Older steps were left out.".to_owned());
    let lines = older.into_iter().chain(basis.map(line));
    for text in lines.chain([VERIFIED.to_owned()]) {
        y = svg.lines((MARGIN, y), NOTE, &NOTE.wrap(&text, room, 6));
    }
    y - NOTE.line()
}

/// On what an answer rests, in one line.
fn line(basis: &Basis) -> String {
    let root = HEXLOWER.encode(&basis.root);
    let as_of = match basis.as_of.as_str() {
        "" => String::new(),
        as_of => format!(", as of {as_of}"),
    };
    format!(
        "basis: {} entries, root {}…, {} v{}, known at {}{as_of}",
        basis.ledger_size,
        short(&root),
        basis.projection,
        basis.projection_version,
        basis.known_at
    )
}

/// Draws what "verified" means.
pub fn caveat(sheet: &mut Sheet) {
    sheet.paragraph(0, Tint::Faint, VERIFIED);
}

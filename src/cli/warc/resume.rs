//! Where a damaged file may be read on: the next place that looks like the beginning of a
//! record.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use flate2::bufread::GzDecoder;
use memchr::memmem;

/// With which a gzip member begins that is compressed by deflate, the only method there is.
const MEMBER: &[u8] = &[0x1F, 0x8B, 0x08];

/// With which a record begins, on a line of its own.
const RECORD: &[u8] = b"\nWARC/1.";

/// How much is searched at a time, in bytes.
const WINDOW_BYTES: usize = 256 << 10;

/// How much must follow the place that is tried: a member's own header, and enough of what is
/// compressed for the first bytes of it.
const TRIED_BYTES: usize = 4 << 10;

/// How many places are tried: bytes that look like a member's first three come once in 16 MiB
/// by chance, so that more than these are put there by somebody.
const TRIES_MAX: usize = 4096;

/// The next gzip member from `offset` on that begins with a record.
pub fn next_member(input: &mut (impl BufRead + Seek), offset: u64) -> io::Result<Option<u64>> {
    let begins = |bytes: &[u8]| {
        let mut start = [0; RECORD.len() - 1];
        let decoded = GzDecoder::new(bytes).read_exact(&mut start);
        decoded.is_ok() && RECORD.ends_with(&start)
    };
    search(input, offset, MEMBER, begins)
}

/// The next line from `offset` on with which a record begins.
pub fn next_record(input: &mut (impl BufRead + Seek), offset: u64) -> io::Result<Option<u64>> {
    let found = search(input, offset, RECORD, |_| true)?;
    Ok(found.map(|line_end| line_end + 1))
}

/// The first place from `offset` on where `needle` stands and what is from there on `begins`
/// something.
fn search(
    input: &mut (impl BufRead + Seek),
    mut offset: u64,
    needle: &[u8],
    begins: impl Fn(&[u8]) -> bool,
) -> io::Result<Option<u64>> {
    input.seek(SeekFrom::Start(offset))?;
    let finder = memmem::Finder::new(needle);
    let mut window = Vec::new();
    let mut tries = 0;
    loop {
        let wanted = (WINDOW_BYTES - window.len()) as u64;
        let ended = input.by_ref().take(wanted).read_to_end(&mut window)? == 0;
        for place in finder.find_iter(&window) {
            if !ended && window.len() - place < TRIED_BYTES {
                break;
            }
            tries += 1;
            if begins(window.get(place..).unwrap_or_default()) {
                return Ok(Some(offset + place as u64));
            }
            if tries == TRIES_MAX {
                return Ok(None);
            }
        }
        if ended {
            return Ok(None);
        }
        let searched = window.len().saturating_sub(TRIED_BYTES);
        window.drain(..searched);
        offset += searched as u64;
    }
}

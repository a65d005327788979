//! `HEAD`, the note of the ledger's size and root that lies beside the database: its text form.
//! Four lines, the last one the hash of those above it, so that a torn one is known as such.

use data_encoding::HEXLOWER;

const HEAD_MAGIC: &str = "onrecord head";

/// The ledger's size and Merkle root, as noted beside its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// RFC 6962 root over them.
    pub root: [u8; 32],
}

/// Size, root, and the BLAKE3 hash of the lines above it.
pub(super) fn head_text(head: &Head) -> String {
    let root = HEXLOWER.encode(&head.root);
    let text = format!("{HEAD_MAGIC}\nsize {}\nroot {root}\n", head.size);
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{text}hash {hash}\n")
}

/// The head that such a text says; `None` if it is damaged.
pub(super) fn parse_head(bytes: &[u8]) -> Option<Head> {
    let text = str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(HEAD_MAGIC)?.strip_prefix("\nsize ")?;
    let (size, rest) = rest.split_once("\nroot ")?;
    let (root, _) = rest.split_once('\n')?;
    let head = Head {
        size: size.parse().ok()?,
        root: HEXLOWER.decode(root.as_bytes()).ok()?.try_into().ok()?,
    };
    // Only the very text that is written for it will do.
    (head_text(&head) == text).then_some(head)
}

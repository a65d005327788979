//! onrecord keeps public speech on record: who said what, when, in what capacity, found in
//! which document, vouched for by whose key. Signed records go into an append-only ledger; the
//! ledger, replayed, answers what an actor's position on a topic was as of any date, as it was
//! known at any moment.
//!
//! # The way of an append
//!
//! 1. A person's line of JSON becomes a signed envelope in the client: `cli/authoring` reads,
//!    fills in and signs it, `cli/submit.rs` sends it.
//! 2. `rpc/record.rs` takes the call, and hands its envelopes to `ledger/intake.rs`: a bounded
//!    queue, and threads that do the pure part of admission, `admission::prepare`: shape
//!    (`admission/shape`), the arithmetic of signatures (`admission/signatures.rs`), passages
//!    in their sources (`admission/evidence.rs`, `text/quote.rs`).
//! 3. `ledger/sequencer.rs`, one thread, puts them in order. `ledger/draft.rs` has each judged
//!    by the entries below it (`admission::judge` over the rows that `admission/fold.rs`
//!    keeps), gives it its index and time, and extends the Merkle tree (`merkle/tree.rs`).
//! 4. One frame (`ledger/frame.rs`) goes to the disk through the seam `storage/frames.rs`;
//!    `storage/sled_frames.rs` writes and syncs it. Only then is the new head published
//!    (`ledger/reader.rs`) and the caller answered.
//! 5. The projections, each a fold in `projection/`, follow the published head
//!    (`projection/runner.rs`) into tables of their own (`storage/lsm_tables.rs`).
//!
//! A restart is the same story told backwards: `app.rs` opens the stores, and
//! `ledger/recovery.rs` takes up what the disk holds, or refuses to.
//!
//! # The way of a query
//!
//! 1. `cli/position.rs` asks `GetPosition`; so does any client.
//! 2. `rpc/position.rs` parses what is asked, and `rpc/views.rs` settles the basis: how much of
//!    the ledger counts, and that the projection has read as much.
//! 3. `projection/positions/answer.rs` finds what bears on actor and topic, as it was known
//!    there: all of it (`question.rs`) or, of a long history, the few statements that make the
//!    position (`index`).
//! 4. `position/` decides, in pure functions: `front.rs` which statements stand foremost,
//!    `answer.rs` what they amount to, `comparison.rs` how two answers differ, `timeline.rs`
//!    how they came about.
//! 5. `rpc/convert/positions.rs` makes the message, basis and all; `cli/draw` draws it.
//!
//! Whoever checks the archive asks another way: `http/` hands out the newest checkpoint
//! (`checkpoint/`), tiles of the Merkle tree (`projection/tiles`) and entries, on the same port;
//! `rpc/proofs.rs` makes proofs of the same tiles. Neither waits for the sequencer.
//!
//! An error on either way becomes a gRPC status in `rpc/status.rs` and nowhere else; a record
//! that is refused is an answer, whose reasons stand in `admission/refusal.rs`.
//!
//! A watch of positions is a subscription that asks such questions again: `projection/positions/touched.rs`
//! says which of them an entry can have changed, and `rpc/position/watch.rs` tells those that it did.
//!
//! # The way of a proof
//!
//! 1. `rpc/evidence.rs` makes the bundle of an answer: `bundle/closure.rs` gathers the entries
//!    that it rests on, `bundle/make.rs` puts them, with their inclusion proofs out of the tiles
//!    (`merkle/nodes.rs`), against a published checkpoint.
//! 2. `cli/bundle.rs` adds the sources' texts, and writes the file.
//! 3. Somebody else's `cli/verify.rs`, or any program that embeds [`bundle::check`], redoes every
//!    step, with the archive's key and nothing else: checkpoint, inclusion, admission, answer.
//!
//! `audit/remote` does the same for a whole archive, from its tiles: `onrecord audit`, which
//! remembers what it saw.
//!
//! # The import law
//!
//! A room uses the rooms to its left, and none beside it or to its right:
//!
//! `record` ← `text`, `merkle`, `position`, `fold` ← `admission`, `storage` ← `documents` ←
//! `ledger` ← `projection` ← `bundle`, `backup` ← `audit` ← `bag`, `checkpoint` ← `rpc`, `http` ←
//! `config` ← `telemetry` ← `app` ← `cli` ← `main`
//!
//! `record`, `text`, `merkle`, `position`, `fold`, `admission`, `bundle` and the folds of
//! `projection` are pure: no socket, thread, clock or disk. They are what is left without the feature `daemon`,
//! for programs that embed them. sled is named in `storage` alone, service messages in `rpc` and
//! `cli` alone. `tests/import_law.rs` holds all of it.

pub mod admission;
pub mod bundle;
pub mod fold;
pub mod merkle;
pub mod position;
pub mod projection;
pub mod record;
pub mod text;

#[cfg(feature = "daemon")]
pub mod app;
#[cfg(feature = "daemon")]
pub mod audit;
#[cfg(feature = "daemon")]
pub mod backup;
#[cfg(feature = "daemon")]
pub mod bag;
#[cfg(feature = "daemon")]
pub mod checkpoint;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod documents;
#[cfg(feature = "daemon")]
pub mod http;
#[cfg(feature = "daemon")]
pub mod ledger;
#[cfg(feature = "daemon")]
pub mod rpc;
#[cfg(feature = "daemon")]
pub mod storage;
#[cfg(feature = "daemon")]
pub mod telemetry;

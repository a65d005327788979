//! `onrecord export archive`: the whole archive as a bag that anybody can keep and verify.
//!
//! As it stands at the newest checkpoint, or, where none was signed, at the head. Tiles are made
//! here out of the entries, so that what is exported is what the daemon has, entry by entry, and
//! not what it says of it: another root than the checkpoint's is an error.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use tonic::Code;

use super::super::client::Client;
use super::super::upkeep::{Counted, progress};
use super::super::{Server, output, transfer};
use super::CliError;
use crate::backup::Named;
use crate::bag::{BagWriter, CHECKPOINT, INFO_ROOT, INFO_SIZE, SOURCES, TileWriter};
use crate::merkle::{Checkpoint, Hash, SignedNote, TilePath};
use crate::record::Entry;
use crate::rpc::proto::{GetCheckpointRequest, ReadEntriesRequest};

/// The archive as a bag (RFC 8493): the entries and the Merkle tree over them as tiles, the newest
/// checkpoint, the documents on record, and how to verify it all with common tools. What is
/// withheld is left out.
#[derive(Args, Debug)]
pub struct Archive {
    /// Where to: a directory that is empty or not there yet.
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
    #[command(flatten)]
    server: Server,
}

/// What an archive is exported as of.
struct Basis {
    origin: String,
    size: u64,
    root: Hash,
    note: Option<String>,
}

impl Archive {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.server.connect().await?;
        let basis = basis(&client).await?;
        let mut bag = BagWriter::begin(&self.directory)?;
        let bar = progress(Counted::Entries);
        bar.set_length(basis.size);
        let named = write_entries(&client, &basis, &mut bag, &bar).await?;
        bar.finish_and_clear();
        if let Some(note) = &basis.note {
            bag.add(CHECKPOINT, note.as_bytes())?;
        }
        let bar = progress(Counted::BytesSoFar);
        let documents = write_documents(&client, &named, &mut bag, &bar).await?;
        bar.finish_and_clear();
        bag.add("README.txt", readme(&basis).as_bytes())?;
        let bytes = bag.bytes();
        let (size, root) = (basis.size.to_string(), basis.root.to_string());
        let date = Timestamp::now().strftime("%Y-%m-%d").to_string();
        bag.finish(&[
            (
                "Bag-Software-Agent",
                concat!("onrecord ", env!("CARGO_PKG_VERSION")),
            ),
            ("Bagging-Date", &date),
            ("External-Identifier", &basis.origin),
            (INFO_SIZE, &size),
            (INFO_ROOT, &root),
        ])?;
        let vouched = match &basis.note {
            Some(_) => "as its newest checkpoint has it",
            None => "which no checkpoint vouches for: the daemon has signed none",
        };
        let left_out = match documents.withheld {
            0 => String::new(),
            withheld => format!(" ({withheld} that are withheld were left out)"),
        };
        output::print(&format!(
            "exported {size} entries of {} with the root {root}, {vouched}, and {} documents{left_out}\n\
             {bytes} bytes in {}: data/README.txt says how to verify them",
            basis.origin,
            documents.written,
            self.directory.display()
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The newest checkpoint, or else the head.
async fn basis(client: &Client) -> Result<Basis, CliError> {
    let answer = client.head().await?;
    let head = answer.head.ok_or(CliError::Incomplete { what: "head" })?;
    let root: [u8; 32] = head.root[..]
        .try_into()
        .map_err(|_| CliError::Incomplete { what: "root" })?;
    let signed = client
        .ledger()
        .get_checkpoint(GetCheckpointRequest::default())
        .await;
    let note = match signed {
        Ok(signed) => signed.into_inner().note,
        Err(status)
            if matches!(
                status.code(),
                Code::Unimplemented | Code::FailedPrecondition | Code::NotFound
            ) =>
        {
            return Ok(Basis {
                origin: answer.origin,
                size: head.size,
                root: Hash::from(root),
                note: None,
            });
        }
        Err(status) => return Err(client.failed(&status)),
    };
    let unread = || CliError::Incomplete {
        what: "checkpoint that can be read",
    };
    let parsed = SignedNote::parse(note.as_bytes()).map_err(|_| unread())?;
    let checkpoint: Checkpoint = parsed.text().parse().map_err(|_| unread())?;
    Ok(Basis {
        origin: answer.origin,
        size: checkpoint.size(),
        root: checkpoint.root(),
        note: Some(note),
    })
}

/// Writes bundles and tiles; the documents that the entries name.
async fn write_entries(
    client: &Client,
    basis: &Basis,
    bag: &mut BagWriter,
    bar: &ProgressBar,
) -> Result<Named, CliError> {
    let mut tiles = TileWriter::default();
    let mut named = Named::default();
    let mut write = |path: TilePath, bytes: &[u8]| bag.add(&path.to_string(), bytes);
    if basis.size > 0 {
        let request = ReadEntriesRequest {
            start: Some(0),
            limit: basis.size,
            ..ReadEntriesRequest::default()
        };
        let answer = client.ledger().read_entries(request).await;
        let mut stream = client.answered(answer)?;
        loop {
            let answer = stream.message().await;
            let Some(answer) = answer.map_err(|status| client.failed(&status))? else {
                break;
            };
            for entry in answer.entries {
                tiles.push(&entry.encoded, &mut write)?;
                let decoded = Entry::decode(entry.index, entry.encoded);
                named.add(&decoded.map_err(|_| CliError::Incomplete {
                    what: "whole entry",
                })?);
                bar.inc(1);
            }
        }
    }
    let frontier = tiles.finish(&mut write)?;
    if (frontier.size(), frontier.root()) == (basis.size, basis.root) {
        return Ok(named);
    }
    Err(CliError::OtherRoot {
        entries: frontier.size(),
        found: frontier.root().to_string(),
        expected: basis.root.to_string(),
    })
}

/// How many documents were written, and how many left out.
#[derive(Default)]
struct Documents {
    written: u64,
    withheld: u64,
}

async fn write_documents(
    client: &Client,
    named: &Named,
    bag: &mut BagWriter,
    bar: &ProgressBar,
) -> Result<Documents, CliError> {
    let mut documents = Documents::default();
    for id in named.archived() {
        if named.is_withheld(id) {
            documents.withheld += 1;
            continue;
        }
        // It is whole before it goes into the bag, and read from the page cache.
        let mut file = tempfile::tempfile()?;
        let written = |chunk: &[u8]| Ok(file.write_all(chunk)?);
        bar.inc(transfer::download(client, &id.to_string(), written).await?);
        std::io::Seek::rewind(&mut file)?;
        bag.add_from(&format!("{SOURCES}/{id}"), file)?;
        documents.written += 1;
    }
    Ok(documents)
}

fn readme(basis: &Basis) -> String {
    let checkpoint = match &basis.note {
        Some(_) => {
            "\
data/checkpoint is a signed note (C2SP tlog-checkpoint): origin, number of entries, Merkle root, and
the signature of the archive's key. That key stands in entry 0, and whoever vouches for the archive
tells it to you by another way. Only a key that you have from elsewhere proves anything.
"
        }
        None => {
            "\
No checkpoint was signed: nothing but bag-info.txt says which root this archive had.
"
        }
    };
    format!(
        "\
The archive {origin}, {size} entries, Merkle root {root}

1. Nothing was changed since the bag was made. In the directory above this one:

     sha512sum -c manifest-sha512.txt
     sha512sum -c tagmanifest-sha512.txt

2. Every document is the one on record: its name below data/sources is the BLAKE3 hash of its
   bytes, and the entries name it by that.

     cd data/sources && for f in *; do test \"$(b3sum --no-names $f)\" = $f || echo damaged: $f; done

3. The entries are those that the root commits to. data/tile is laid out after C2SP tlog-tiles:
   data/tile/entries holds the entries, 256 a file, each after its length in two bytes; data/tile/0
   their hashes, SHA-256 of a zero byte and the entry; each level above the roots over 256 hashes of
   the one below, as RFC 6962 has them. Any web server that serves data/ as it is serves a tile log
   that tools for such logs read and verify.

4. All of it, with every signature and every verdict of admission:

     onrecord verify BAG --key VKEY
     onrecord import archive BAG --data DIRECTORY --key VKEY

   where VKEY is the archive's verifier key, which you have from elsewhere. No file may lie in data/
   that manifest-sha512.txt does not list. A data directory is held against data/checkpoint by

     onrecord check --data DIRECTORY --checkpoint data/checkpoint --key VKEY

{checkpoint}
What is withheld is on record here, with its hash, and its bytes are not among the documents.
",
        origin = basis.origin,
        size = basis.size,
        root = basis.root
    )
}

//! `onrecord proof`: that one entry is on record, in the form that other people's tools check.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::client::Client;
use super::error::CliError;
use super::verify::{ENTRY, PROOF};
use super::{Server, output, read, transfer};
use crate::merkle::{Checkpoint, Hash, InclusionProof, SignedNote, TlogProof};
use crate::rpc::proto::get_inclusion_proof_request::Entry as Of;
use crate::rpc::proto::{
    GetCheckpointRequest, GetEntryRequest, GetInclusionProofRequest, LedgerEntry,
};

/// How often a checkpoint is asked for that commits to an entry which was just recorded: with
/// [`PAUSE`] in between, 30 s, many times the longest that checkpoints are apart by default.
const TRIES: u32 = 60;

/// How long until it is asked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// Write the proof that one entry is on record (a C2SP `.tlog-proof`), and the entry's bytes
/// beside it.
#[derive(Args, Debug)]
pub struct Proof {
    /// The entry: its index, or its record id.
    #[arg(value_name = "INDEX|RECORD")]
    entry: String,
    /// Writes NAME.tlog-proof and NAME.entry; NAME may bear the first ending already. Named by
    /// the index, if left out.
    #[arg(long, short, value_name = "NAME")]
    output: Option<PathBuf>,
    /// Write over files that are there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    server: Server,
}

impl Proof {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.server.connect().await?;
        let entry = self.entry(&client).await?;
        let index = entry.index;
        let mut name = self
            .output
            .unwrap_or_else(|| format!("entry-{index}").into());
        // Whoever names the file that is written means it.
        if name.extension() == Some(OsStr::new(PROOF)) {
            name.set_extension("");
        }
        let with = |ending: &str| {
            let mut name = name.clone().into_os_string();
            name.push(format!(".{ending}"));
            PathBuf::from(name)
        };
        let (proof, bytes) = (with(PROOF), with(ENTRY));
        for path in [&proof, &bytes] {
            transfer::must_be_free(path, self.force)?;
        }
        let made = prove(&client, index).await?;
        output::save_bytes(&bytes, &entry.encoded)?;
        output::save(&proof, &made.to_string())?;
        let name = proof.display();
        output::print(&format!(
            "{name}: entry {index}, whose bytes are in {}\ncheck it with: onrecord verify {name} --key VKEY",
            bytes.display(),
        ))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn entry(&self, client: &Client) -> Result<LedgerEntry, CliError> {
        let request = GetEntryRequest {
            entry: Some(read::named("INDEX|RECORD", &self.entry)?),
            ..GetEntryRequest::default()
        };
        let answer = client.ledger().get_entry(request).await;
        let named = [("index", "INDEX|RECORD"), ("recordId", "INDEX|RECORD")];
        let answer = client.answered(answer).map_err(|it| it.typed(&named))?;
        answer.entry.ok_or(CliError::Incomplete { what: "entry" })
    }
}

/// The proof for an entry, against the newest checkpoint.
async fn prove(client: &Client, index: u64) -> Result<TlogProof, CliError> {
    let (note, size) = checkpoint(client, index).await?;
    let request = GetInclusionProofRequest {
        entry: Some(Of::Index(index)),
        size,
    };
    let answer = client.ledger().get_inclusion_proof(request).await;
    let hashes = client.answered(answer)?.hashes;
    let unreadable = || CliError::Incomplete { what: "proof" };
    let hash = |hash: &bytes::Bytes| <[u8; 32]>::try_from(&hash[..]).map(Hash::from);
    let hashes: Result<Vec<Hash>, _> = hashes.iter().map(hash).collect();
    let proof = InclusionProof::new(hashes.map_err(|_| unreadable())?);
    Ok(TlogProof::new(
        index,
        proof.map_err(|_| unreadable())?,
        note,
    ))
}

/// A checkpoint that commits to the entry, and its size.
async fn checkpoint(client: &Client, index: u64) -> Result<(SignedNote, u64), CliError> {
    let unreadable = || CliError::Incomplete { what: "checkpoint" };
    for _ in 0..TRIES {
        let request = GetCheckpointRequest::default();
        let answer = client.ledger().get_checkpoint(request).await;
        let note = client.answered(answer)?.note;
        let note = SignedNote::parse(note.as_bytes()).map_err(|_| unreadable())?;
        let read: Checkpoint = note.text().parse().map_err(|_| unreadable())?;
        if read.size() > index {
            return Ok((note, read.size()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(unreadable())
}

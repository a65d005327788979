//! The second part of the example: other verifiers join, disagree, vouch, and one of them is
//! trusted no longer. What each of that changes is asked of the daemon, as known just before
//! the entry and just after it.

use std::path::Path;
use std::sync::Arc;

use super::asking::Asked;
use super::example;
use super::story::{chapter, held_against};
use crate::cli::CliError;
use crate::cli::append::Tally;
use crate::cli::authoring::{Others, signed_under};
use crate::cli::client::Client;
use crate::cli::draw::{Canvas, Tint};
use crate::cli::submit::{RecordsFile, Submitted};
use crate::config::keys;
use crate::record::SigningKey;
use crate::record::proto::record::Kind;

/// What became of the lines of one file.
pub struct Signed {
    /// The public keys that signed them.
    verifiers: Vec<String>,
    lines: Vec<Submitted>,
}

/// Puts the second part on record: one file after another, each with the key that it is named
/// after. The steward's is given; the others are made.
pub async fn feed(
    client: &Client,
    steward: &Arc<[SigningKey]>,
    example: &Path,
    tally: &mut Tally,
) -> Result<Vec<Signed>, CliError> {
    let files = example::trust(example)?;
    for name in files.iter().map(|(_, name)| name) {
        let path = example::key(example, name);
        if name != example::STEWARD && !path.exists() {
            let seed = keys::new_seed().map_err(CliError::Randomness)?;
            keys::write_new(&path, seed, &format!("{name} of the demo"))?;
        }
    }
    let mut others = signed_under(&example.join(example::RECORDS))?;
    let mut fed = Vec::with_capacity(files.len());
    for (path, name) in files {
        let keys = match &name[..] {
            example::STEWARD => Arc::clone(steward),
            _ => [keys::read(&example::key(example, &name))?].into(),
        };
        let signed = append(client, keys, &path, &others, tally).await?;
        fed.push(signed);
        others.extend(signed_under(&path)?);
    }
    Ok(fed)
}

async fn append(
    client: &Client,
    keys: Arc<[SigningKey]>,
    path: &Path,
    others: &Others,
    tally: &mut Tally,
) -> Result<Signed, CliError> {
    let mut signed = Signed {
        verifiers: keys.iter().map(|key| key.public().to_string()).collect(),
        lines: Vec::new(),
    };
    let file = RecordsFile::read(path, others)?;
    let each = &mut |line| {
        tally.count(&line);
        signed.lines.push(line);
        Ok(())
    };
    file.submit(client, keys, false, each).await?;
    Ok(signed)
}

impl Signed {
    /// The lines that came to nothing.
    pub fn refused(&self) -> impl Iterator<Item = &Submitted> {
        self.lines.iter().filter(|line| line.on_record().is_none())
    }
}

/// Tells what each entry of the second part changed.
pub async fn tell(
    asked: &Asked,
    canvas: Canvas,
    fed: &[Signed],
    show: &mut impl FnMut(String) -> Result<(), CliError>,
) -> Result<(), CliError> {
    for line in fed.iter().flat_map(|signed| &signed.lines) {
        let kind = line.record.as_ref().and_then(|record| record.kind.as_ref());
        let (Some((index, _)), Some(kind)) = (line.on_record(), kind) else {
            continue;
        };
        let (what, why, statements) = match kind {
            Kind::ReadingAdded(it) => {
                let what = "a coder reads a statement for themselves";
                (what, &it.rationale, vec![it.statement.clone()])
            }
            Kind::VerifierRevoked(it) => {
                let what = "a verifier is trusted no longer";
                (what, &it.reason, statements_by(fed, &it.verifier))
            }
            Kind::AttestationAdded(it) => {
                let what = "a second newsroom vouches for a statement";
                (what, &String::new(), vec![it.record.clone()])
            }
            _ => continue,
        };
        let question = format!("Entry {index}: {what}. What does that change?");
        let mut sheet = chapter(canvas, &question);
        if !why.is_empty() {
            sheet.field("reason given", Tint::Plain, why);
            sheet.gap();
        }
        for statement in &statements {
            held_against(asked, &mut sheet, statement, index).await?;
        }
        show(sheet.finish())?;
    }
    Ok(())
}

/// The statements on record that a verifier signed, by their ids.
fn statements_by(fed: &[Signed], verifier: &str) -> Vec<String> {
    let lines = fed
        .iter()
        .filter(|signed| signed.verifiers.iter().any(|key| key == verifier));
    let recorded = lines.flat_map(|signed| &signed.lines).filter_map(|line| {
        let kind = line.record.as_ref()?.kind.as_ref()?;
        let (_, id) = line.on_record()?;
        matches!(kind, Kind::StatementRecorded(_)).then(|| id.to_owned())
    });
    recorded.collect()
}

//! The checkpoint of a bundle: whose signature is under it, and who witnessed it.

use super::proto::Bundle;
use super::{Check, Fault, Report, Trusted};
use crate::merkle::{Checkpoint, SignedNote};
use crate::record::{format_instant, quoted};

/// The checkpoint, if one of the trusted keys signed it and the witnesses that are asked for
/// cosigned it.
pub fn checkpoint(note: &str, trusted: &Trusted<'_>, report: &mut Report) -> Option<Checkpoint> {
    match opened(note, trusted) {
        Ok((note, checkpoint)) => {
            report.yes(
                Check::Checkpoint,
                None,
                format!(
                    "the checkpoint of {} at {} entries is signed by the trusted key",
                    checkpoint.origin(),
                    checkpoint.size()
                ),
            );
            witnesses(&note, trusted, report).then_some(checkpoint)
        }
        Err(fault) => {
            report.no(Check::Checkpoint, None, fault);
            None
        }
    }
}

/// Whether the bundle is of the checkpoint's archive.
pub fn same_origin(bundle: &Bundle, checkpoint: &Checkpoint) -> Result<(), Fault> {
    let signed = checkpoint.origin().as_str();
    if bundle.origin == signed {
        return Ok(());
    }
    Err(Fault::OtherOrigin {
        named: bundle.origin.clone(),
        signed: signed.to_owned(),
    })
}

fn opened(note: &str, trusted: &Trusted<'_>) -> Result<(SignedNote, Checkpoint), Fault> {
    let note = SignedNote::parse(note.as_bytes())?;
    // A signature of any trusted key that does not hold spoils the note.
    note.signers(trusted.keys)
        .map_err(|error| Fault::Checkpoint(error.into()))?;
    let mut refused = Fault::NoKey;
    for key in trusted.keys {
        match Checkpoint::open(&note, key) {
            Ok(checkpoint) => return Ok((note, checkpoint)),
            Err(error) => refused = error.into(),
        }
    }
    Err(refused)
}

fn witnesses(note: &SignedNote, trusted: &Trusted<'_>, report: &mut Report) -> bool {
    let check = Check::Witnesses;
    let quorum = trusted.witnesses.quorum();
    if trusted.witnesses.keys().is_empty() {
        let text = "no witnesses were named: nothing but the archive's own word says when its records were taken, and that others were shown the same ledger";
        report.unchecked_line(check, None, text.to_owned());
        return true;
    }
    let witnessed = match trusted.witnesses.witnessed(note) {
        Ok(witnessed) => witnessed,
        Err(error) => {
            report.no(check, None, Fault::Cosignature(error));
            return false;
        }
    };
    let found = witnessed.by.len();
    let Some(time) = witnessed.time.filter(|_| witnessed.is_quorum) else {
        report.no(check, None, Fault::Quorum { found, quorum });
        return false;
    };
    let seconds = time.unix_seconds();
    report.recorded_by = Some(seconds);
    let by: Vec<String> = witnessed
        .by
        .iter()
        .map(|it| quoted(it.name.as_str()))
        .collect();
    let at = i64::try_from(seconds).map_or_else(|_| format!("{seconds} s"), format_instant);
    report.yes(
        check,
        None,
        format!(
            "cosigned by {} ({quorum} asked for): all of it was on record by {at}",
            by.join(", ")
        ),
    );
    true
}

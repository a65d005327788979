//! Verdicts that cannot be given in full at a record's place in the ledger, as a document is
//! missing: all else is judged there, and the documents once they are had. What these are judged
//! by does not change meanwhile; where it is the version of a statement that stood, that is kept.

use super::evidence::{self, is_of_words};
use super::{
    Below, Documents, Looked, Prepared, Reason, Refusal, Step, Verdict, below, judge, kind_name,
};
use crate::fold::{FoldError, Tables};
use crate::record::proto::record::Kind;
use crate::record::{Entry, Micros};

/// Judges all of a record but its documents, for the place `index`, by the entries below it.
///
/// # Errors
/// Fails if the state cannot be read; that says nothing about the record.
pub fn judge_without_documents(
    state: &dyn Tables,
    documents: &dyn Documents,
    below: &dyn Below,
    prepared: &Prepared,
    index: u64,
    recorded_at: Micros,
) -> Result<Verdict, FoldError> {
    let on_trust = Prepared {
        evidence: Some(Looked::on_trust()),
        ..prepared.clone()
    };
    judge(state, documents, below, &on_trust, index, recorded_at)
}

/// The entry of the version of a statement that stands where further evidence is given for its
/// words; none for other records. The references have been judged.
///
/// # Errors
/// Fails if the state cannot be read.
pub fn version_vouched_for(
    state: &dyn Tables,
    below: &dyn Below,
    kind: &Kind,
) -> Result<Option<u64>, FoldError> {
    let Kind::EvidenceAdded(added) = kind else {
        return Ok(None);
    };
    if !is_of_words(added) {
        return Ok(None);
    }
    let version = below::standing(state, below, &added.statement)?;
    Ok(version.ok().map(|version| version.index))
}

/// Judges the documents of a record on which all else was judged at its place: `version` is the
/// entry that [`version_vouched_for`] named there.
///
/// # Errors
/// Fails if `version` is no version of a statement.
pub fn judge_documents(
    kind: &Kind,
    documents: &dyn Documents,
    version: Option<&Entry>,
) -> Result<Result<(), Refusal>, FoldError> {
    if let (Kind::EvidenceAdded(added), None) = (kind, version)
        && is_of_words(added)
    {
        return Ok(Err(Refusal::new(
            Reason::DocumentUnreadable,
            "",
            "the version of the statement that stood there could not be read",
            "the same record, once it can be",
        )));
    }
    let said = version.map(below::said).transpose()?;
    let step: Step = evidence::judge_documents(kind, documents, said);
    Ok(step.map_err(|refusal| refusal.within(kind_name(kind))))
}

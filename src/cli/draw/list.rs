//! Lists of what is on record, a row each.

use super::canvas::{Sheet, Tint, cell};
use super::ledger::{name, shortened, who};
use super::words::Label as _;
use crate::record::proto::Authority;
use crate::rpc::proto::{
    Actor, Mandate, Milestone, Provenance, Source, StatementChange, StatementView, Topic, Verifier,
    Visibility,
};

/// Draws actors.
pub fn actors(sheet: &mut Sheet, actors: &[Actor]) {
    let defined = actors.iter().filter_map(|it| it.definition.as_ref());
    let rows = defined.map(|it| {
        let kind = it.kind().label().to_owned();
        [
            it.actor_id.clone(),
            kind,
            name(&it.names).to_owned(),
            it.part_of.clone(),
        ]
    });
    table(sheet, ["actor", "kind", "name", "part of"], rows);
}

/// Draws mandates.
pub fn mandates(sheet: &mut Sheet, mandates: &[Mandate]) {
    let granted = mandates.iter().filter_map(|it| it.definition.as_ref());
    let rows = granted.map(|it| {
        let authority = match it.authority() {
            Authority::Unspecified => "?",
            authority => authority.label(),
        };
        let term = match (it.start.as_str(), it.end.as_str()) {
            ("", "") => String::new(),
            (start, "") => format!("from {start}"),
            ("", end) => format!("to {end}"),
            (start, end) => format!("{start} to {end}"),
        };
        let role = match it.role_title.as_str() {
            "" => authority.to_owned(),
            title => format!("{authority}, {title}"),
        };
        [
            it.mandate_id.clone(),
            it.person.clone(),
            it.organization.clone(),
            role,
            term,
        ]
    });
    table(
        sheet,
        ["mandate", "person", "for", "role", "in office"],
        rows,
    );
}

/// Draws topics.
pub fn topics(sheet: &mut Sheet, topics: &[Topic]) {
    let defined = topics.iter().filter_map(|it| it.definition.as_ref());
    let rows = defined.map(|it| {
        let kind = it.kind().label();
        [it.topic_id.clone(), kind.to_owned(), it.proposition.clone()]
    });
    table(sheet, ["topic", "kind", "proposition"], rows);
}

/// Draws milestones.
pub fn milestones(sheet: &mut Sheet, milestones: &[Milestone]) {
    let defined = milestones.iter().filter_map(|it| it.definition.as_ref());
    let rows = defined.map(|it| [it.milestone_id.clone(), it.date.clone(), it.title.clone()]);
    table(sheet, ["milestone", "date", "title"], rows);
}

/// Draws statements, which are found whole by their index. A text stands as it is, and never in
/// quotation marks: what is cut short is no quotation.
pub fn statements(sheet: &mut Sheet, statements: &[StatementView]) {
    let rows = statements.iter().filter_map(|view| {
        let said = view.statement.as_ref()?;
        let text: String = std::iter::once(shortened(&said.text))
            .chain(marks(view).iter().map(|mark| format!(" ({mark})")))
            .collect();
        let wording = said.wording().label();
        let said_for = said.said_for.iter().map(|body| body.actor.as_str());
        let said_for: Vec<&str> = said_for.collect();
        let speaker = match said_for.as_slice() {
            [] => who(said).to_owned(),
            bodies => format!("{} for {}", who(said), bodies.join(" and ")),
        };
        let said_at = match said.said_at.as_str() {
            "" => "before it was published",
            said_at => said_at,
        };
        Some([
            index(view.introduced.as_ref()),
            said_at.to_owned(),
            speaker,
            format!("{text}\n{wording}"),
        ])
    });
    table(sheet, ["index", "said", "who", "what"], rows);
}

/// What is to be told of how a statement stands.
fn marks(view: &StatementView) -> Vec<String> {
    let at = |change: &StatementChange| index(change.provenance.as_ref());
    let mut marks = Vec::new();
    let version = view.version.as_ref();
    if let Some(version) = version.filter(|it| Some(*it) != view.introduced.as_ref()) {
        marks.push(format!("as corrected at {}", version.index));
    }
    let untrusted = view.corrections.iter().filter(|it| it.untrusted);
    marks.extend(untrusted.map(|it| format!("correction at {} untrusted", at(it))));
    let retracted = view.retraction.iter();
    marks.extend(retracted.map(|it| format!("retracted at {}", at(it))));
    let untrusted = view.untrusted_retractions.iter();
    marks.extend(untrusted.map(|it| format!("retraction at {} untrusted", at(it))));
    if view.visibility() == Visibility::TooFewVouchers {
        let (found, asked) = (view.vouchers.len(), view.attestations_min);
        marks.push(format!("vouched for by {found} of {asked} needed"));
    }
    marks
}

/// Draws sources, each under its id, which other commands take.
pub fn sources(sheet: &mut Sheet, sources: &[Source]) {
    for source in sources {
        let Some(archived) = &source.definition else {
            continue;
        };
        let parts = [
            &archived.title,
            &archived.publisher,
            &archived.published_at,
            &archived.url,
            &archived.media_type,
        ];
        let parts = parts.into_iter().filter(|text| !text.is_empty());
        let mut parts: Vec<&str> = parts.map(String::as_str).collect();
        parts.extend(source.withholding.as_ref().map(|_| "withheld"));
        row(sheet, &archived.source, &parts.join(", "));
    }
}

/// Draws verifiers, each under its key, which other commands take.
pub fn verifiers(sheet: &mut Sheet, verifiers: &[Verifier]) {
    for verifier in verifiers {
        let Some(enrolled) = &verifier.definition else {
            continue;
        };
        let roles: Vec<&str> = enrolled.roles().map(|role| role.label()).collect();
        let mut about = format!("{}: {}", enrolled.name, roles.join(", "));
        if verifier.revocation.is_some() {
            let at = index(verifier.revocation_provenance.as_ref());
            about = format!("{about} (revoked at {at})");
        }
        row(sheet, &enrolled.verifier, &about);
    }
}

/// Draws what goes by an id that must not be broken, as it is to be copied.
fn row(sheet: &mut Sheet, id: &str, about: &str) {
    let id = sheet.canvas().paint(Tint::Strong, id);
    sheet.line(&id);
    sheet.paragraph(2, Tint::Plain, about);
}

fn index(provenance: Option<&Provenance>) -> String {
    provenance.map_or_else(|| "?".to_owned(), |it| it.index.to_string())
}

/// Draws rows under these titles; the first column is what the row goes by.
fn table<const N: usize>(
    sheet: &mut Sheet,
    titles: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let mut table = sheet.canvas().listed();
    table.set_header(titles.map(|title| cell(Tint::Strong, title)));
    for row in rows {
        let mut tints = std::iter::once(Tint::Strong).chain(std::iter::repeat(Tint::Plain));
        table.add_row(row.map(|text| cell(tints.next().unwrap_or(Tint::Plain), &text)));
    }
    sheet.table(&table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::draw::Canvas;
    use crate::record::proto::statement::Voice;
    use crate::record::proto::{
        AnonymousSpeaker, MandateGranted, SaidFor, SourceArchived, SourceWithheld, Statement,
        VerifierEnrolled, VerifierRevoked, Wording,
    };

    fn drawn(draw: impl FnOnce(&mut Sheet)) -> String {
        let mut sheet = Sheet::new(Canvas {
            width: 80,
            colour: false,
        });
        draw(&mut sheet);
        sheet.finish()
    }

    fn at(index: u64) -> Provenance {
        Provenance {
            index,
            ..Provenance::default()
        }
    }

    #[test]
    fn a_statement_is_a_row_with_its_index_and_no_quotation_marks() {
        let said_for = SaidFor {
            actor: "kremlin".to_owned(),
            ..SaidFor::default()
        };
        let plain = StatementView {
            statement: Some(Statement {
                said_at: "2025-08-19".to_owned(),
                said_for: vec![said_for],
                wording: Wording::Verbatim.into(),
                text: "We refused no format.".to_owned(),
                voice: Some(Voice::Speaker("lavrov".to_owned())),
                ..Statement::default()
            }),
            introduced: Some(at(14)),
            ..StatementView::default()
        };
        let changed = |index| StatementChange {
            provenance: Some(at(index)),
            ..StatementChange::default()
        };
        let nameless = AnonymousSpeaker {
            description: "a diplomat".to_owned(),
            ..AnonymousSpeaker::default()
        };
        let withdrawn = StatementView {
            statement: Some(Statement {
                wording: Wording::Paraphrased.into(),
                text: "They \u{1b}[2Jwill meet. ".repeat(9),
                voice: Some(Voice::Anonymous(nameless)),
                ..Statement::default()
            }),
            introduced: Some(at(7)),
            corrections: vec![changed(8), changed(20)],
            version: Some(at(20)),
            retraction: Some(changed(21)),
            ..StatementView::default()
        };
        let set_aside = StatementView {
            version: plain.introduced.clone(),
            corrections: vec![StatementChange {
                untrusted: true,
                ..changed(15)
            }],
            untrusted_retractions: vec![changed(16)],
            attestations_min: 2,
            vouchers: vec!["a key".to_owned()],
            visibility: Visibility::TooFewVouchers.into(),
            ..plain.clone()
        };
        let drawn = drawn(|sheet| statements(sheet, &[plain, withdrawn, set_aside]));
        insta::assert_snapshot!(drawn, @r"
         index   said                      who                  what
        ────────────────────────────────────────────────────────────────────────────────
         14      2025-08-19                lavrov for kremlin   We refused no format.
                                                                VERBATIM
         7       before it was published   a diplomat           They �[2Jwill meet.
                                                                They �[2Jwill meet.
                                                                They �[2Jwill meet.
                                                                They �[2Jwill meet.
                                                                They �[2Jwill meet.
                                                                They �[2Jwill meet. …
                                                                (as corrected at 20)
                                                                (retracted at 21)
                                                                PARAPHRASED
         14      2025-08-19                lavrov for kremlin   We refused no format.
                                                                (correction at 15
                                                                untrusted) (retraction
                                                                at 16 untrusted)
                                                                (vouched for by 1 of 2
                                                                needed)
                                                                VERBATIM
        ");
    }

    #[test]
    fn what_other_commands_take_stands_there_whole() {
        let id = "0123456789abcdef".repeat(4);
        let source = Source {
            definition: Some(SourceArchived {
                source: id.clone(),
                media_type: "text/html".to_owned(),
                title: "Briefing".to_owned(),
                published_at: "2025-08-19".to_owned(),
                ..SourceArchived::default()
            }),
            withholding: Some(SourceWithheld::default()),
            ..Source::default()
        };
        insta::assert_snapshot!(drawn(|sheet| sources(sheet, &[source])), @r"
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          Briefing, 2025-08-19, text/html, withheld
        ");
        let verifier = Verifier {
            definition: Some(VerifierEnrolled {
                verifier: id,
                name: "A newsroom".to_owned(),
                roles: vec![2, 3],
                ..VerifierEnrolled::default()
            }),
            revocation: Some(VerifierRevoked::default()),
            revocation_provenance: Some(at(30)),
            ..Verifier::default()
        };
        insta::assert_snapshot!(drawn(|sheet| verifiers(sheet, &[verifier])), @r"
        0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          A newsroom: ATTESTOR, CODER (revoked at 30)
        ");
    }

    #[test]
    fn a_mandate_says_from_when_to_when() {
        let mandate = |id: &str, start: &str, end: &str| Mandate {
            definition: Some(MandateGranted {
                mandate_id: id.to_owned(),
                person: "lavrov".to_owned(),
                organization: "kremlin".to_owned(),
                role_title: "foreign minister".to_owned(),
                authority: Authority::Delegate.into(),
                start: start.to_owned(),
                end: end.to_owned(),
                ..MandateGranted::default()
            }),
            ..Mandate::default()
        };
        let few = [mandate("one", "2004-03-09", ""), mandate("two", "", "")];
        insta::assert_snapshot!(drawn(|sheet| mandates(sheet, &few)), @r"
         mandate   person   for       role                         in office
        ───────────────────────────────────────────────────────────────────────────
         one       lavrov   kremlin   DELEGATE, foreign minister   from 2004-03-09
         two       lavrov   kremlin   DELEGATE, foreign minister
        ");
    }
}

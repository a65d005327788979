//! Lists of what is on record, a row each.

use super::canvas::{Sheet, Tint, cell};
use super::ledger::{name, shortened, who};
use super::words::Label as _;
use crate::record::proto::Authority;
use crate::rpc::proto::{
    Actor, Mandate, Milestone, Provenance, Source, StatementView, Topic, Verifier,
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
        let mut text = shortened(&said.text);
        let corrected = view.corrections.iter().rev();
        let corrected = corrected.take(1).map(|it| ("as corrected", &it.provenance));
        let retracted = view.retraction.iter();
        let retracted = retracted.map(|it| ("retracted", &it.provenance));
        for (what, at) in corrected.chain(retracted) {
            text.push_str(&format!(" ({what} at {})", index(at.as_ref())));
        }
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

/// Draws sources, with their ids whole: other commands take them.
pub fn sources(sheet: &mut Sheet, sources: &[Source]) {
    let rows = sources.iter().filter_map(|it| {
        let archived = it.definition.as_ref()?;
        let about = [&archived.title, &archived.publisher, &archived.url];
        let about = about.into_iter().filter(|text| !text.is_empty());
        let mut about: Vec<&str> = about.map(String::as_str).collect();
        let withheld = it.withholding.is_some();
        about.extend(withheld.then_some("(withheld)"));
        about.push(&archived.source);
        Some([
            archived.published_at.clone(),
            archived.media_type.clone(),
            about.join("\n"),
        ])
    });
    table(sheet, ["published", "media type", "source"], rows);
}

/// Draws verifiers, with their keys whole: other commands take them.
pub fn verifiers(sheet: &mut Sheet, verifiers: &[Verifier]) {
    let rows = verifiers.iter().filter_map(|it| {
        let enrolled = it.definition.as_ref()?;
        let roles = enrolled.roles().map(|role| role.label().to_owned());
        let mut roles: Vec<String> = roles.collect();
        if it.revocation.is_some() {
            roles.push(format!(
                "(revoked at {})",
                index(it.revocation_provenance.as_ref())
            ));
        }
        let called = format!("{}\n{}", enrolled.name, enrolled.verifier);
        Some([called, roles.join(" ")])
    });
    table(sheet, ["verifier", "roles"], rows);
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

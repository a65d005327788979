//! A small archive to ask and to add to: a state with an organisation and the people who
//! speak for it, a topic, a milestone, a source, and a statement.

use onrecord::record::proto::{
    ActorKind, Authority, CapacityBasis, Polarity, Role, Statement, record::Kind,
};

use super::daemon::{Daemon, Home};
use super::records::{
    actor, answered, mandate, milestone, only_if, part_of, said_for, source, statement, topic,
};
use super::{Client, Signer};

/// The text of the source on record.
pub const TEXT: &str = "The minister spoke on Tuesday.\n\
    Any contact at the top must be prepared with extreme care, he said.\n\
    He refused no format, and he said so twice: he refused no format.";

/// A passage that stands in it once.
pub const PASSAGE: &str = "Any contact at the top must be prepared with extreme care";

/// A passage that stands in it twice.
pub const TWICE: &str = "refused no format";

/// A daemon with a small archive, and somebody who knows it.
pub struct TestArchive {
    /// Goes before the daemon, which would wait for it.
    pub client: Client,
    pub daemon: Daemon,
    /// In all four roles.
    pub steward: Signer,
    /// An attestor.
    pub attestor: Signer,
    /// A coder.
    pub coder: Signer,
    /// The id of the statement on record.
    pub statement: String,
    /// The size of the ledger.
    pub size: u64,
}

impl TestArchive {
    pub async fn new() -> Self {
        Self::on(Home::new().found().start()).await
    }

    /// Puts the archive's records into a daemon that was just founded.
    pub async fn on(daemon: Daemon) -> Self {
        let mut client = daemon.client().await;
        let [steward, attestor, coder] = [Signer::steward(), Signer::new(2), Signer::new(3)];
        client
            .put_source("text/plain", TEXT.as_bytes())
            .await
            .expect("the source is taken");
        let mut envelopes: Vec<_> = [
            attestor.enrolled(&[Role::Attestor]),
            coder.enrolled(&[Role::Coder]),
            Kind::ActorDefined(actor("russia", ActorKind::State)),
            Kind::ActorDefined(part_of("kremlin", "russia")),
            Kind::ActorDefined(actor("putin", ActorKind::Person)),
            Kind::ActorDefined(actor("lavrov", ActorKind::Person)),
            Kind::ActorDefined(actor("capitals", ActorKind::Group)),
            Kind::MandateGranted(mandate("putin", "kremlin", Authority::Principal)),
            Kind::MandateGranted(mandate("lavrov", "kremlin", Authority::Delegate)),
            Kind::TopicDefined(topic("meeting")),
            Kind::MilestoneDefined(milestone("summit", "2025-08-15")),
            Kind::SourceArchived(source(TEXT)),
        ]
        .into_iter()
        .map(|kind| steward.seal(kind))
        .collect();
        let statement = attestor.seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19")));
        let statement_id = super::client::id_of(&statement);
        envelopes.push(statement);
        let results = client.try_append(envelopes).await.expect("answers");
        let mut size = 0;
        for result in results {
            size = super::client::recorded(result.outcome.expect("an outcome")).index + 1;
        }
        client.until_read(size).await;
        Self {
            client,
            daemon,
            steward,
            attestor,
            coder,
            statement: statement_id,
            size,
        }
    }
}

/// What Lavrov said for the Kremlin: OPEN to the meeting, if prepared.
pub fn for_the_kremlin(said_at: &str) -> Statement {
    let mut said = statement("lavrov", said_at, TEXT, PASSAGE);
    said.said_for = vec![said_for("kremlin", CapacityBasis::Implied)];
    let mut reading = answered("meeting", Polarity::Open);
    reading.conditions = vec![only_if("prepared")];
    said.readings = vec![reading];
    said
}

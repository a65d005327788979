//! Clients of every service over one connection, and what tests ask most.

use std::net::SocketAddr;

use onrecord::record::proto::{ActorKind, Envelope, record::Kind};
use onrecord::record::{ContentId, SigningKey};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::{
    AppendRequest, AppendResult, GetHeadRequest, Head, ListProjectionsRequest, ProjectionStatus,
    PutSourceHeader, PutSourceRequest, PutSourceResponse, Recorded, Refusal,
    admin_service_client::AdminServiceClient, catalog_service_client::CatalogServiceClient,
    ledger_service_client::LedgerServiceClient, position_service_client::PositionServiceClient,
    put_source_request::Part, record_service_client::RecordServiceClient,
    source_service_client::SourceServiceClient,
};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use super::Signer;
use super::records::actor;

/// Clients of every service.
#[derive(Clone)]
pub struct Client {
    pub channel: Channel,
    pub admin: AdminServiceClient<Channel>,
    pub catalog: CatalogServiceClient<Channel>,
    pub ledger: LedgerServiceClient<Channel>,
    pub positions: PositionServiceClient<Channel>,
    pub records: RecordServiceClient<Channel>,
    pub sources: SourceServiceClient<Channel>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        Self::over(endpoint.connect().await.expect("the daemon is reached"))
    }

    pub fn over(channel: Channel) -> Self {
        Self {
            admin: AdminServiceClient::new(channel.clone()),
            catalog: CatalogServiceClient::new(channel.clone()),
            ledger: LedgerServiceClient::new(channel.clone()),
            positions: PositionServiceClient::new(channel.clone()),
            records: RecordServiceClient::new(channel.clone()),
            sources: SourceServiceClient::new(channel.clone()),
            channel,
        }
    }

    pub async fn try_append(
        &mut self,
        envelopes: Vec<Envelope>,
    ) -> Result<Vec<AppendResult>, Status> {
        let response = self
            .records
            .append(AppendRequest {
                envelopes,
                proof: false,
            })
            .await?;
        Ok(response.into_inner().results)
    }

    /// What becomes of one envelope.
    pub async fn append_envelope(&mut self, envelope: Envelope) -> Outcome {
        let results = self.try_append(vec![envelope]).await.expect("an answer");
        let [result] = <[AppendResult; 1]>::try_from(results).expect("one result");
        result.outcome.expect("an outcome")
    }

    /// Waits until every projection that goes on has read so many entries: what is asked next
    /// counts them all.
    pub async fn until_read(&mut self, size: u64) {
        let read = |projection: &ProjectionStatus| {
            let cursor = projection.cursor.as_ref();
            !projection.failed.is_empty() || cursor.is_some_and(|cursor| cursor.size >= size)
        };
        loop {
            let request = ListProjectionsRequest::default();
            let answer = self.admin.list_projections(request).await;
            let projections = answer.expect("an answer").into_inner().projections;
            if projections.iter().all(read) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Appends a record that must enter.
    pub async fn append(&mut self, signer: &Signer, kind: Kind) -> Recorded {
        recorded(self.append_envelope(signer.seal(kind)).await)
    }

    /// Defines so many people; their ids.
    pub async fn define_people(&mut self, count: usize) -> Vec<String> {
        let ids: Vec<_> = (0..count).map(|n| format!("actor-{n}")).collect();
        let define = |id: &String| Kind::ActorDefined(actor(id, ActorKind::Person));
        for ids in ids.chunks(1_000) {
            let envelopes = ids.iter().map(|id| Signer::steward().seal(define(id)));
            let results = self.try_append(envelopes.collect()).await;
            for result in results.expect("answers") {
                recorded(result.outcome.expect("an outcome"));
            }
        }
        ids
    }

    /// Appends a record that must be refused.
    pub async fn refused(&mut self, envelope: Envelope) -> Refusal {
        match self.append_envelope(envelope).await {
            Outcome::Refusal(refusal) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn put_source(
        &mut self,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<PutSourceResponse, Status> {
        self.put_source_as(media_type, "", bytes).await
    }

    /// Uploads bytes under a source id that the client claims to know.
    pub async fn put_source_as(
        &mut self,
        media_type: &str,
        source: &str,
        bytes: &[u8],
    ) -> Result<PutSourceResponse, Status> {
        let header = Part::Header(PutSourceHeader {
            media_type: media_type.to_owned(),
            source: source.to_owned(),
        });
        let chunks = bytes.chunks(1 << 20);
        let chunks = chunks.map(|chunk| Part::Chunk(chunk.to_vec().into()));
        let parts: Vec<_> = std::iter::once(header)
            .chain(chunks)
            .map(|part| PutSourceRequest { part: Some(part) })
            .collect();
        let response = self.sources.put_source(tokio_stream::iter(parts)).await?;
        Ok(response.into_inner())
    }

    pub async fn head(&mut self) -> Head {
        let response = self.ledger.get_head(GetHeadRequest::default()).await;
        let response = response.expect("a head").into_inner();
        response.head.expect("a head")
    }
}

/// A record that must have entered.
pub fn recorded(outcome: Outcome) -> Recorded {
    match outcome {
        Outcome::Recorded(recorded) => recorded,
        other => panic!("not recorded: {other:?}"),
    }
}

/// The id of a payload.
pub fn id_of(envelope: &Envelope) -> String {
    ContentId::of(&envelope.payload).to_string()
}

/// A second signature beside those on an envelope.
pub fn countersign(mut envelope: Envelope, key: &SigningKey) -> Envelope {
    let payload_type = onrecord::record::envelope::RECORD_PAYLOAD_TYPE;
    envelope
        .signatures
        .push(key.sign(payload_type, &envelope.payload));
    envelope
}

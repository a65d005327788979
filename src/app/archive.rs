//! An archive put together from its stores.

use std::sync::Arc;

use tokio::runtime::Runtime;

use super::texts::TextsOnRecord;
use super::{AppError, Stores, World, signing};
use crate::checkpoint::Signing;
use crate::config::Config;
use crate::documents::{self, StoredDocuments};
use crate::ledger::{
    self, AdmissionTables, Appender, Clock, Ledger, Reader, Sequencer, Settings, Surroundings,
};
use crate::projection::Runner;
use crate::projection::catalog::CatalogFold;
use crate::projection::positions::PositionsFold;
use crate::projection::postings::PostingsFold;
use crate::projection::statements::StatementsFold;
use crate::projection::tiles::{Tiles, TilesFold};
use crate::rpc::{View, Views};

/// An archive whose ledger takes records and whose projections follow it.
pub(super) struct Archive {
    pub reader: Reader,
    pub appender: Appender,
    /// Admission's state.
    pub records: AdmissionTables,
    pub documents: Arc<StoredDocuments>,
    pub clock: Arc<dyn Clock>,
    pub sequencer: Sequencer,
    pub catalog: Runner,
    pub positions: Runner,
    pub postings: Runner,
    pub statements: Runner,
    pub tiles: Runner,
    pub signing: Signing,
}

impl Archive {
    /// Recovers the ledger, has the projections follow it, and takes records.
    pub fn open(
        stores: Stores,
        config: &Config,
        world: World,
        origin: Option<String>,
        runtime: &Runtime,
    ) -> Result<Self, AppError> {
        let Stores {
            frames,
            admission,
            head,
            sources,
            texts,
            projections,
            mut signer,
        } = stores;
        let ledger = Ledger::open(ledger::Parts {
            frames,
            admission,
            head,
            origin,
        })?;
        tracing::info!(origin = ledger.reader().origin(), "{}", ledger.recovery());

        let reader = ledger.reader();
        let records = ledger.records();
        let follow = |fold| Runner::start(fold, &projections, Arc::new(reader.clone()));
        let catalog = follow(Arc::new(CatalogFold))?;
        let positions = follow(Arc::new(PositionsFold))?;
        let postings = follow(Arc::new(PostingsFold))?;
        let statements = follow(Arc::new(StatementsFold))?;
        let tiles = follow(Arc::new(TilesFold))?;

        let signed = signing::Sources {
            reader: reader.clone(),
            records: records.clone(),
            tiles: Tiles::new(tiles.projection()),
        };
        if let Some(note) = &world.continue_from {
            signer.continue_from(note, &config.signer_dir(), &signed, runtime)?;
        }

        let on_record = TextsOnRecord::new(catalog.projection(), reader.clone());
        let limits = documents::Limits {
            text_cache_bytes: config.text_cache_bytes,
            unnamed_bytes_max: config.unnamed_bytes_max,
            disk_reserve_bytes: config.disk_reserve_bytes,
        };
        let documents = StoredDocuments::new(sources, texts, Arc::new(on_record), limits);
        let documents = Arc::new(documents);
        let settings = Settings {
            queue_records_max: config.queue_records_max,
            queue_bytes_max: config.queue_bytes_max,
            commit_bound: config.commit_max(),
            ..Settings::default()
        };
        let surroundings = Surroundings {
            clock: Arc::clone(&world.clock),
            documents: Arc::clone(&documents) as _,
            seed: (world.seed)()?,
        };
        let (sequencer, appender) = ledger.start(&settings, surroundings)?;
        let signing = signer.start(config, signed, Arc::clone(&world.clock))?;
        Ok(Self {
            reader,
            appender,
            records,
            documents,
            clock: world.clock,
            sequencer,
            catalog,
            positions,
            postings,
            statements,
            tiles,
            signing,
        })
    }

    /// The hashes of the ledger's tree, to be asked. What is read of them is kept with the handle:
    /// have one for the daemon.
    pub fn tiles(&self) -> Tiles {
        Tiles::new(self.tiles.projection())
    }

    /// The projections, to be asked.
    pub fn views(&self, config: &Config) -> Views {
        let view = |runner: &Runner| {
            let (reader, clock) = (self.reader.clone(), Arc::clone(&self.clock));
            View::new(runner.projection(), reader, clock, config.wait_max())
        };
        Views {
            catalog: view(&self.catalog),
            positions: view(&self.positions),
            postings: view(&self.postings),
            statements: view(&self.statements),
            tiles: view(&self.tiles),
        }
    }
}

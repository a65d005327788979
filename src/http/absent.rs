//! Why there is nothing to serve: each reason with its status, and a line that says what there
//! would be.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::answer::NO_SNIFFING;
use crate::fold::FoldError;
use crate::ledger::ReadError;
use crate::merkle::TilePathError;
use crate::projection::{NotFollowing, Status};
use crate::record::quoted;

/// What a client is told to wait, in seconds, where waiting helps.
const RETRY_AFTER_SECONDS: &str = "1";

/// Why there is nothing to serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum Absent {
    /// No path that means anything here.
    #[error(
        "there is nothing at {path}; there are /, /checkpoint, /tile/<L>/<N>[.p/<W>] and /tile/entries/<N>[.p/<W>]"
    )]
    Nowhere {
        /// The path, as it can be shown.
        path: String,
    },
    /// No path of a tile.
    #[error("this is no tile: {0}")]
    Path(#[from] TilePathError),
    /// The ledger is not that large yet.
    #[error("the ledger has {size} entries, and no such tile yet")]
    Beyond {
        /// How many there are.
        size: u64,
    },
    /// Nothing was signed yet.
    #[error("no checkpoint is published; `onrecord status` says why, if that lasts")]
    Unsigned,
    /// Nothing but reading is done here.
    #[error("{method} does nothing here; GET and HEAD read")]
    Method {
        /// The method asked for.
        method: Method,
    },
    /// The tiles have not read as much as the ledger holds.
    #[error("the tiles have not read {needed} entries yet; ask again")]
    Behind {
        /// How many entries it takes.
        needed: u64,
    },
    /// The tiles read no further.
    #[error(transparent)]
    Stopped(#[from] NotFollowing),
    /// The tiles cannot be read.
    #[error(transparent)]
    Tiles(#[from] FoldError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// What must not be.
    #[error("{0}")]
    Defect(&'static str),
}

impl Absent {
    /// Nothing is at a path.
    pub fn nowhere(uri: &Uri) -> Self {
        let path = quoted(uri.path());
        Self::Nowhere { path }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Nowhere { .. } | Self::Path(_) | Self::Beyond { .. } | Self::Unsigned => {
                StatusCode::NOT_FOUND
            }
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Behind { .. }
            | Self::Stopped(NotFollowing {
                status: Status::Stopped,
                ..
            }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Stopped(_) | Self::Tiles(_) | Self::Ledger(_) | Self::Defect(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for Absent {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "a request over HTTP failed");
        }
        let text = |name: HeaderName, value| (name, HeaderValue::from_static(value));
        let mut response = (
            status,
            [
                text(header::CONTENT_TYPE, "text/plain; charset=utf-8"),
                // What is not there now may be there in a second.
                text(header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING),
            ],
            format!("{self}\n"),
        )
            .into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let (name, value) = text(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
            response.headers_mut().insert(name, value);
        }
        response
    }
}

//! Serving an archive: the services on their socket, what looks after them, and their end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic_health::server::HealthReporter;

use super::archive::Archive;
use super::{AppError, expiry, incoming};
use crate::config::Config;
use crate::http;
use crate::rpc::{self, Views};

/// Listens and answers until `shutdown` ends and open calls have had their time.
pub async fn serve(
    archive: &Archive,
    config: &Config,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), AppError> {
    let (stop, mut stopping) = watch::channel(false);
    let views = archive.views(config);
    let (routes, health) = routes(archive, config, &views, stopping.clone())?;
    rpc::health::report_serving(&health).await;

    let (listener, address) = listen(config).await?;
    let connections = incoming::connections(listener, &config.connections);
    let server = server(config)
        .add_routes(routes)
        .serve_with_incoming_shutdown(connections, async move {
            // An error means that nobody can tell any more: that is a reason to stop, too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        });
    look_after(archive, config, views, &health);
    tracing::info!(%address, "the archive is served");
    on_ready(address);

    let mut server = pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map_err(AppError::Serve),
        () = shutdown => {}
    }
    tracing::info!("stopping");
    rpc::health::report_stopping(&health).await;
    stop.send_replace(true);
    if let Ok(ended) = tokio::time::timeout(config.drain_max(), server).await {
        return ended.map_err(AppError::Serve);
    }
    tracing::warn!("calls that were still open are cut off");
    Ok(())
}

/// The services and what is served over HTTP beside them, and where their health is reported.
fn routes(
    archive: &Archive,
    config: &Config,
    views: &Views,
    stopping: watch::Receiver<bool>,
) -> Result<(tonic::service::Routes, HealthReporter), AppError> {
    let tiles = archive.tiles();
    let checkpoints = archive.signing.checkpoints();
    let pages = http::Parts {
        reader: archive.reader.clone(),
        tiles: tiles.clone(),
        checkpoints: checkpoints.published().clone(),
        wait_max: config.wait_max(),
    };
    let parts = rpc::Parts {
        reader: archive.reader.clone(),
        appender: archive.appender.clone(),
        records: archive.records.clone(),
        documents: Arc::clone(&archive.documents),
        views: views.clone(),
        tiles,
        checkpoints,
        clock: Arc::clone(&archive.clock),
        backup_dir: config.backup_dir.clone(),
        stopping,
    };
    let subscriptions = &config.subscriptions;
    let subscriptions = rpc::SubscriptionLimits {
        open_max: subscriptions.open_max,
        heartbeat: Duration::from_secs(subscriptions.heartbeat_seconds),
        slow_after: Duration::from_secs(subscriptions.slow_seconds_max),
    };
    let limits = rpc::Limits {
        message_bytes_max: config.connections.message_bytes_max,
        source_bytes_max: config.source_bytes_max,
        upload_max: config.upload_max(),
        wait_max: config.wait_max(),
        subscriptions,
    };
    let (services, health) = rpc::routes(parts, limits)?;
    Ok((http::beside(services, pages), health))
}

async fn listen(config: &Config) -> Result<(TcpListener, SocketAddr), AppError> {
    let unusable = |source| AppError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    Ok((listener, address))
}

/// Starts the tasks that go on beside the services.
fn look_after(archive: &Archive, config: &Config, views: Views, health: &HealthReporter) {
    tokio::spawn(rpc::health::watch(
        health.clone(),
        archive.appender.clone(),
        views.clone(),
    ));
    tokio::spawn(expiry::expire_uploads(
        Arc::clone(&archive.documents),
        archive.reader.clone(),
        views.catalog,
        config.upload_expiry(),
    ));
}

fn server(config: &Config) -> Server {
    let connections = &config.connections;
    let seconds = Duration::from_secs;
    Server::builder()
        .accept_http1(true)
        .initial_stream_window_size(connections.stream_window_bytes)
        .initial_connection_window_size(connections.connection_window_bytes)
        .max_concurrent_streams(connections.streams_max)
        .http2_keepalive_interval(Some(seconds(connections.keep_alive_seconds)))
        .http2_keepalive_timeout(Some(seconds(connections.keep_alive_timeout_seconds)))
        .max_connection_age(seconds(connections.age_seconds_max))
        .max_connection_age_grace(seconds(connections.age_grace_seconds))
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    /// hyper's bound on the time from one answer to the head of the next request.
    const HEAD_WITHIN: Duration = Duration::from_secs(31);

    /// A connection to the server of a daemon by default, which serves nothing.
    async fn connected() -> TcpStream {
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..Config::default()
        };
        let (listener, address) = listen(&config).await.unwrap();
        let connections = incoming::connections(listener, &config.connections);
        let routes = tonic::service::Routes::default();
        let served = server(&config)
            .add_routes(routes)
            .serve_with_incoming(connections);
        tokio::spawn(served);
        TcpStream::connect(address).await.unwrap()
    }

    /// Asks once over HTTP/1, and takes the answer.
    async fn ask(connection: &mut TcpStream) {
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(connection.read_u8().await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
    }

    /// The clock goes on to the next deadline wherever nobody has anything to do.
    #[tokio::test(start_paused = true)]
    async fn who_asks_once_and_then_holds_the_connection_in_silence_is_closed() {
        for begun in ["", "GET / HTTP/1.1\r\nHo"] {
            let mut connection = connected().await;
            ask(&mut connection).await;
            ask(&mut connection).await;
            connection.write_all(begun.as_bytes()).await.unwrap();
            let silent_since = tokio::time::Instant::now();
            let mut rest = Vec::new();
            match connection.read_to_end(&mut rest).await {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            }
            // By the paused clock, on which nothing takes time but waiting.
            assert!(silent_since.elapsed() <= HEAD_WITHIN, "{begun:?}");
        }
    }
}

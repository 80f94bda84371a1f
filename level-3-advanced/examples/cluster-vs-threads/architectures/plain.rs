//! The service in one process that nothing supervises: an accept loop, and a graceful end.

use std::convert::Infallible;
use std::time::Duration;

use cluster::http::service_fn;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use lab::{Result, narrate, say};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::Args;
use crate::service::Service;

/// Requests in progress get this time after SIGTERM.
const LAST: Duration = Duration::from_secs(30);

/// The pause after an error of `accept`.
const PAUSE: Duration = Duration::from_millis(100);

pub fn run(runtime: &Runtime, args: &Args, service: Service) -> Result<()> {
    let listener = args.common.bind()?;
    listener.set_nonblocking(true)?;
    runtime.block_on(serve(listener, service))
}

async fn serve(listener: std::net::TcpListener, service: Service) -> Result<()> {
    let mut stop = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let listener = TcpListener::from_std(listener)?;
    narrate::ready(listener.local_addr()?, 1);
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve_connection(&connections, stream, service.clone()),
                Err(error) => {
                    say!("primary: cannot accept: {error}"); // too many open files, for example
                    sleep(PAUSE).await;
                }
            },
            () = any(&mut stop) => break,
        }
    }
    drop(listener);
    say!("primary: stops; requests in progress are finished");
    let _ = timeout(LAST, connections.shutdown()).await;
    Ok(())
}

/// Serves one connection as a task. A panic of a handler ends this task, and nothing else.
fn serve_connection(connections: &GracefulShutdown, stream: TcpStream, service: Service) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(&request).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        let _ = connection.await; // a client that hangs up is not our error
    });
}

async fn any([term, int]: &mut [Signal; 2]) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

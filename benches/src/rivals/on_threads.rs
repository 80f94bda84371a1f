//! The server on threads: what most servers on Tokio look like.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use cluster::Result;
use cluster::http::{StatusCode, service_fn, text};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::cores::{cores, pin};
use super::{Work, server};

pub fn play(work: Work, workers: usize) -> Result<()> {
    let (cores, next) = (cores()?, AtomicUsize::new(0));
    let pin_next = move || {
        // Without its pin a thread still works; the measurement only scatters more.
        let _ = pin(&cores, next.fetch_add(1, Ordering::Relaxed));
    };
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers).on_thread_start(pin_next).enable_all().build()?;
    runtime.block_on(accept(work))
}

async fn accept(work: Work) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    server::announce(&listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, work));
    }
}

async fn serve(stream: TcpStream, work: Work) {
    let service = service_fn(move |_| async move {
        work.carry_out().await;
        Ok::<_, Infallible>(text(StatusCode::OK, "done"))
    });
    // A client that hangs up is the only error, and the measurement's end.
    let _ = stream.set_nodelay(true);
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

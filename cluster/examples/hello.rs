//! The smallest server on `cluster`: one worker for each core, all on port 8000.
//!
//! ```console
//! $ cargo run -p cluster --example hello
//! $ curl localhost:8000
//! $ kill -HUP PID      # of the primary: reloads, and loses no request
//! ```

use std::convert::Infallible;

use cluster::http::{Bytes, Full, Incoming, Request, Response, service_fn};
use cluster::{Config, Worker};

fn main() -> cluster::Result<()> {
    cluster::run(Config::from_env()?, serve)
}

async fn serve(worker: Worker) -> cluster::Result<()> {
    worker.serve_http(service_fn(hello)).await
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from(format!("hello from process {}\n", std::process::id()))))
}

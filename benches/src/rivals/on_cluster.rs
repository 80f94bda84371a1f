//! The server on `cluster`.

use std::convert::Infallible;

use cluster::http::{Incoming, Request, StatusCode, service_fn, text};
use cluster::primary::{Event, Events};
use cluster::{Cluster, Config, Result, Worker};

use super::cores::{cores, pin};
use super::role::end_with_parent;
use super::{Work, server};

pub fn play(work: Work) -> Result<()> {
    let primary = Cluster::new(Config::from_env()?).watch(|events, _| announce(events));
    primary.run(async move |worker| serve(worker, work).await)
}

async fn serve(worker: Worker, work: Work) -> Result<()> {
    pin(&cores()?, worker.slot().0 as usize)?;
    let service = service_fn(move |_: Request<Incoming>| async move {
        work.carry_out().await;
        Ok::<_, Infallible>(text(StatusCode::OK, "done"))
    });
    worker.serve_http(service).await
}

/// Runs in the primary.
fn announce(events: Events) {
    let _ = end_with_parent(); // if it fails, only a measurement that is killed leaves a server
    for event in events {
        if let Event::Serving { addresses, .. } = event {
            server::announce(&addresses[0]);
        }
    }
}

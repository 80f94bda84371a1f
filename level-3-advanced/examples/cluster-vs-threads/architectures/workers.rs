//! The service in workers of `cluster`: what the three architectures with processes share.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::time::Duration;

use cluster::config::Sharing;
use cluster::http::service_fn;
use cluster::{Cluster, Config, Worker};
use lab::Result;
use level_2::{settings, story};

use crate::heavy::Heavy;
use crate::service::{Count, Service};
use crate::{Args, Wrong};

/// A worker above this limit of memory is drained and replaced.
const MEMORY: u64 = 64 << 20;

pub fn run(args: &Args, sharing: Sharing, heavy: Heavy) -> Result<()> {
    let example = Config::builder()
        .sharing(sharing)
        .memory_limit(Some(MEMORY))
        .health_check_interval(Duration::from_millis(200)) // the time between two checks of the memory
        .drain_window(Duration::from_millis(200));
    let config = settings::complete(example, &args.common)?;
    let (in_process, backend) = (args.wrong == Some(Wrong::StaticCount), args.backend);
    Cluster::new(config).shared(NonZeroUsize::MIN).watch(|events, _| story::tell_all(events)).run(
        async move |worker: Worker| {
            let count = if in_process { Count::InProcess } else { Count::Shared(worker.shared()?) };
            serve(worker, Service { count, heavy: heavy.clone(), backend }).await
        },
    )?;
    Ok(())
}

async fn serve(worker: Worker, service: Service) -> cluster::Result<()> {
    let service = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(&request).await) }
    });
    worker.serve_http(service).await
}

//! The admin API as operators, load balancers and attackers use it. A stand-in for the driver
//! answers the commands.

mod addresses;
mod client;
mod hostile;
mod refusals;
mod renewal;
mod routes;

use std::net::SocketAddr;
use std::thread;

use cluster::admin::{self, Server};
use cluster::config::{Admin, Token};
use cluster::metrics::{Metrics, Totals};
use cluster::primary::{Command, Stats};
use cluster::supervisor::{Refusal, ScaleTo, SlotId, WorkerId};

const TOKEN: &str = "s3cret";

fn start(at: &Admin, token: Option<&str>, driver: impl FnMut(Command) + Send + 'static) -> Server {
    let (sender, mut commands) = tokio::sync::mpsc::channel(16);
    let mut driver = driver;
    thread::spawn(move || {
        while let Some(command) = commands.blocking_recv() {
            driver(command);
        }
    });
    let token = token.map(|token| Token::new(token).expect("visible characters"));
    admin::start(at, token, sender).expect("a free address").expect("not off")
}

fn on_tcp(token: Option<&str>) -> Server {
    start(&Admin::Tcp(any_port()), token, obey)
}

/// A server on a Unix socket, and the folder that the socket is in.
fn on_unix(driver: impl FnMut(Command) + Send + 'static) -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = Admin::Unix(Some(folder.path().join("admin.sock")));
    (start(&at, None, driver), folder)
}

fn any_port() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

fn stats(healthy: usize) -> Stats {
    let mut stats = Stats::default();
    stats.primary.pid = 4711;
    stats.cluster.num_workers = 4;
    stats.cluster.healthy_workers = healthy;
    stats
}

/// Four workers, at most eight; slot 3 has been given up.
fn obey(command: Command) {
    let refuse = |reason: &str| Err(Refusal(reason.into()));
    match command {
        Command::Scale(ScaleTo::Exactly(n @ 1..=8), reply) => drop(reply.send(Ok(n))),
        Command::Scale(_, reply) => drop(reply.send(refuse("from 1 to 8 workers"))),
        Command::Reload(reply) | Command::Reset(SlotId(3), reply) => drop(reply.send(Ok(4))),
        Command::Reset(_, reply) => drop(reply.send(refuse("this slot is not errored"))),
        Command::Stats(reply) => drop(reply.send(stats(4))),
        Command::Metrics(reply) => drop(reply.send(totals())),
        _ => {}
    }
}

fn totals() -> Totals {
    let metrics = Metrics::default();
    metrics.counter("http_requests_total", &[("status", "200")]).add(42);
    let mut totals = Totals::default();
    totals.report(WorkerId(9), SlotId(1), &metrics.snapshot());
    totals
}

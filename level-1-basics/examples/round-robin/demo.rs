//! The lesson, played by clients that come one after the other, each with a fresh connection.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use lab::Result;
use lab::{Answer, Service, Table, patience};
use nix::sys::signal::Signal;

/// Connections for each worker, if the split is even.
const SHARE: usize = 25;

pub fn play() -> Result<()> {
    let mut table = Table::default();
    for way in ["shared-listener", "reuse-port", "hand-off"] {
        let split = split(&mut Service::start_several(&["--share", way])?)?;
        let row = format!("{way}, {} connections", split.len() * SHARE);
        if way == "hand-off" {
            let even = split.iter().all(|share| *share == SHARE);
            table.claim(format!("{row}: even"), format!("{split:?}"), even);
        } else {
            table.note(row, format!("{split:?}"));
        }
    }

    let service = Service::start(&["--share", "hand-off"])?;
    let ended = ends_with_its_worker(&service, patience())?;
    table.claim("a connection ends with its worker", outcome(ended), ended);

    let wrong = Service::start(&["--share", "hand-off", "--wrong", "keep-copy"])?;
    let seen = outcome(ends_with_its_worker(&wrong, Duration::from_millis(300))?);
    table.note("wrong: the primary keeps a copy of it", seen);
    table.finish()
}

fn outcome(ended: bool) -> &'static str {
    if ended { "the client notices" } else { "the client waits, and would wait forever" }
}

/// Kills the worker that has just answered, and checks whether the client learns that its connection
/// is over. It is over when the last descriptor for it is closed, in whichever process.
fn ends_with_its_worker(service: &Service, patience: Duration) -> Result<bool> {
    let mut connection = TcpStream::connect(service.address())?;
    connection.set_read_timeout(Some(patience))?;
    connection.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut bytes = [0; 1024];
    let n = connection.read(&mut bytes)?;
    let body = String::from_utf8_lossy(&bytes[..n]).into_owned();
    let answer = Answer { status: 200, body, closes: false };
    service.signal(answer.worker()?, Signal::SIGKILL)?;
    match connection.read(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        _ => Ok(true), // the end of the stream, or a reset
    }
}

/// Counts the connections that each worker gets.
fn split(service: &mut Service) -> Result<Vec<usize>> {
    let mut shares: BTreeMap<i32, usize> =
        service.workers()?.into_iter().map(|pid| (pid, 0)).collect();
    for _ in 0..shares.len() * SHARE {
        *shares.entry(service.get("/")?.worker()?).or_default() += 1;
    }
    Ok(shares.into_values().collect())
}

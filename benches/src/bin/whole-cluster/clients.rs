//! Clients with a fresh connection for each request.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cluster::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// The number of connections that are open at the same time.
const CLIENTS: usize = 32;

/// Sends requests for `time`; returns the number of answers.
pub fn send_for(address: SocketAddr, time: Duration) -> Result<u32> {
    let begun = Instant::now();
    run(address, move |_| begun.elapsed() < time)
}

/// Sends about `requests` requests.
pub fn send(address: SocketAddr, requests: usize) -> Result<()> {
    let each = u32::try_from(requests.div_ceil(CLIENTS)).expect("they are few");
    run(address, move |sent| sent < each).map(drop)
}

/// Runs each client as long as `go_on` holds for the number of requests it has sent; counts the answers.
fn run(address: SocketAddr, go_on: impl Fn(u32) -> bool + Copy + Send + 'static) -> Result<u32> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(async move {
                let mut answers = 0;
                while go_on(answers) {
                    one(address).await?;
                    answers += 1;
                }
                io::Result::Ok(answers)
            });
        }
        let all = clients.join_all().await;
        all.into_iter().sum::<io::Result<u32>>().map_err(lost)
    })
}

async fn one(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(GET).await?;
    let mut answer = Vec::with_capacity(512);
    while stream.read_buf(&mut answer).await? > 0 {}
    body(&answer).map(drop)
}

/// One request from one thread; returns the body of the answer.
pub fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(GET)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    body(&answer).map_err(lost)
}

fn body(answer: &[u8]) -> io::Result<String> {
    let answer = String::from_utf8_lossy(answer);
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("no good answer: {answer:?}"))),
    }
}

/// Nothing kills or reloads a server during these requests, so a lost one is a bug.
fn lost(error: io::Error) -> Error {
    Error::because("a request was lost", error)
}

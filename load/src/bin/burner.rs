//! A server that burns CPU for each request: one to compare with, and for the tests.
//!
//! ```console
//! $ cargo run --release -p load --bin burner -- 127.0.0.1:8000 --work 20000
//! ```
//!
//! It prints its address. Each connection has a thread.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use lab::Result;

/// Answers every request after some work.
#[derive(Parser)]
struct Args {
    /// Address to listen on; with port 0 the kernel picks a free one
    #[arg(default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Rounds of work per request; a round takes about a nanosecond
    #[arg(long, default_value_t = 0)]
    work: u64,
}

fn main() -> ExitCode {
    lab::args::exit(serve(&lab::args::parse()))
}

fn serve(args: &Args) -> Result<()> {
    let listener = TcpListener::bind(args.listen)?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, work) = (stream?, args.work);
        thread::spawn(move || answer_all(&stream, work));
    }
    Ok(())
}

/// Answers requests without a body until the client closes.
fn answer_all(mut stream: &TcpStream, work: u64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    for line in BufReader::new(stream).lines() {
        if line?.is_empty() {
            burn(work);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n")?;
        }
    }
    Ok(())
}

fn burn(rounds: u64) {
    let mut value = 1_u64;
    for round in 0..rounds {
        value = black_box(value.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ round);
    }
}

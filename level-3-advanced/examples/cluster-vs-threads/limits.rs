//! The machine's own limits, without a server: the figures of the architectures stand beside them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use lab::{Result, median};

use crate::demo::WORKERS;
use crate::heavy;

/// The work of `/compute?ms=20`, in the rows.
const WORK: Duration = Duration::from_millis(20);

pub fn print() -> Result<()> {
    let best = (0..3).map(|_| computations()).fold(0.0, f64::max); // the first run may be a cold one
    println!("this machine, without a server:");
    println!("  {WORKERS} threads that only compute, 20 ms each  {best:>8.1} per second");
    println!(
        "  a round trip over the loopback           {:>8.1} µs",
        round_trip()?.as_secs_f64() * 1e6
    );
    Ok(())
}

/// The computations per second of threads that do nothing else.
fn computations() -> f64 {
    let begin = Instant::now();
    let each = || (0..50).map(|_| heavy::work(WORK)).sum::<f64>();
    let done: f64 = thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(each)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0.0)).sum()
    });
    done / begin.elapsed().as_secs_f64()
}

/// The median time from a byte to its echo, between two threads.
fn round_trip() -> Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.set_nodelay(true)?;
    let (mut server, _) = listener.accept()?;
    server.set_nodelay(true)?;
    thread::spawn(move || {
        let mut byte = [0];
        while server.read_exact(&mut byte).and_then(|()| server.write_all(&byte)).is_ok() {}
    });
    let mut trip = || -> Result<Duration> {
        let begin = Instant::now();
        client.write_all(b"?")?;
        client.read_exact(&mut [0])?;
        Ok(begin.elapsed())
    };
    Ok(median((0..5000).map(|_| trip()).collect::<Result<_>>()?))
}

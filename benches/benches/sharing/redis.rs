//! A bare client of Redis: it sends INCR, and reads the number that it gets back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use lab::{RedisServer, Result};

use super::{AT_ONCE, Way};

const INCREMENT: &str = "INCR counter\r\n";

/// A connection to the server.
trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

type Connection = BufReader<Box<dyn Stream>>;

/// Increments over a Unix socket, over TCP, and many at once.
pub fn ways(server: &RedisServer) -> Result<Vec<Way<'static>>> {
    let unix = || -> Result<Connection> {
        let path = server.url();
        let stream = UnixStream::connect(path.trim_start_matches("unix://"))?;
        Ok(BufReader::new(Box::new(stream)))
    };
    let mut ways = vec![
        way("Redis INCR, Unix socket", 500, 1, unix()?),
        way("Redis INCR, Unix socket, 100 in a pipeline", 50 * AT_ONCE, AT_ONCE, unix()?),
    ];
    match tcp(&mut unix()?) {
        Ok(tcp) => ways.insert(1, way("Redis INCR, TCP on the loopback", 500, 1, tcp)),
        Err(error) => eprintln!("skipped: Redis over TCP: {error}"),
    }
    Ok(ways)
}

/// Connects over TCP, after opening a port: the server listens only on its Unix socket at first.
fn tcp(unix: &mut Connection) -> Result<Connection> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(); // free a moment ago
    unix.get_mut().write_all(format!("CONFIG SET port {port}\r\n").as_bytes())?;
    let mut answer = String::new();
    unix.read_line(&mut answer)?;
    if answer.trim_end() != "+OK" {
        return Err(answer.into());
    }
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(Box::new(stream)))
}

fn way(name: &'static str, round: u64, at_once: u64, mut redis: Connection) -> Way<'static> {
    let run = move |n: u64| {
        let begun = Instant::now();
        let mut left = n;
        while left > 0 {
            let now = left.min(at_once);
            increment(&mut redis, now).expect("the server answers");
            left -= now;
        }
        begun.elapsed()
    };
    Way { name, round, run: Box::new(run) }
}

/// Sends `times` increments, and reads the answers.
fn increment(redis: &mut Connection, times: u64) -> Result<()> {
    let times = usize::try_from(times)?;
    redis.get_mut().write_all(INCREMENT.repeat(times).as_bytes())?;
    let mut answer = String::new();
    for _ in 0..times {
        answer.clear();
        redis.read_line(&mut answer)?;
        if !answer.starts_with(':') {
            return Err(format!("Redis answered {answer:?}").into());
        }
    }
    Ok(())
}

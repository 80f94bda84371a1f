//! A server on std's threads, which counts what it gets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The bytes that answer one request, and what happens to the connection after them.
#[derive(Clone, Copy)]
pub enum Answer {
    Keeps(&'static str),
    Closes(&'static str),
    /// Keeps the connection, and does not answer.
    Silent,
    /// Answers well for this number of requests, and then closes without an answer.
    Mortal(u64),
}

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok\n";

/// The counts of a server, and its last request.
#[derive(Default)]
pub struct Seen {
    pub connections: AtomicU64,
    pub requests: AtomicU64,
    pub last: Mutex<String>,
}

impl Seen {
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A connection of either kind.
trait Duplex: Read + Send + Sized + 'static {
    fn writer(&self) -> Box<dyn Write + Send>;
}

impl Duplex for TcpStream {
    fn writer(&self) -> Box<dyn Write + Send> {
        self.set_nodelay(true).unwrap();
        Box::new(self.try_clone().unwrap())
    }
}

impl Duplex for UnixStream {
    fn writer(&self) -> Box<dyn Write + Send> {
        Box::new(self.try_clone().unwrap())
    }
}

/// Starts a server on a free port; it lives as long as the test's process.
pub fn on_tcp(answer: Answer) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, serve(move || listener.accept().map(|(stream, _)| stream), answer))
}

/// The same on a Unix socket.
pub fn on_unix(path: &Path, answer: Answer) -> Arc<Seen> {
    let listener = UnixListener::bind(path).unwrap();
    serve(move || listener.accept().map(|(stream, _)| stream), answer)
}

fn serve<S: Duplex>(
    accept: impl Fn() -> std::io::Result<S> + Send + 'static,
    answer: Answer,
) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    let counts = Arc::clone(&seen);
    thread::spawn(move || {
        while let Ok(stream) = accept() {
            counts.connections.fetch_add(1, Ordering::SeqCst);
            let counts = Arc::clone(&counts);
            thread::spawn(move || answer_all(stream, &counts, answer));
        }
    });
    seen
}

/// Answers until the client closes, or resets: then the thread has nothing more to do.
fn answer_all(stream: impl Duplex, seen: &Seen, answer: Answer) -> Option<()> {
    let mut writer = stream.writer();
    let mut reader = BufReader::new(stream);
    loop {
        let request = read_request(&mut reader)?;
        let closes = request.contains("connection: close");
        seen.last.lock().unwrap().clone_from(&request);
        let number = seen.requests.fetch_add(1, Ordering::SeqCst) + 1;
        match answer {
            Answer::Keeps(bytes) => writer.write_all(bytes.as_bytes()).ok()?,
            Answer::Closes(bytes) => return writer.write_all(bytes.as_bytes()).ok(),
            Answer::Mortal(most) if number <= most => writer.write_all(OK.as_bytes()).ok()?,
            Answer::Mortal(_) => return None,
            Answer::Silent => {}
        }
        if closes {
            return None;
        }
    }
}

/// Reads a request with its body; nothing if the client has closed.
fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
    }
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |it| it.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    request.push_str(&String::from_utf8_lossy(&body));
    Some(request)
}

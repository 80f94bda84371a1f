//! A server, a service that does what the path requests, and a client that writes and reads bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cluster::config::HttpLimits;
use cluster::http::{
    Bytes, Full, Incoming, Method, Observer, Peer, Phase, Request, Response, Server, StatusCode,
    Token, service_fn, text,
};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

pub const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
pub const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n";
pub const WINDOW: Duration = Duration::from_secs(2);
pub const PATIENCE: Duration = Duration::from_secs(100);

/// The time that a closing connection waits for its client's FIN.
pub const LINGER: Duration = Duration::from_secs(1);

/// A server under test.
pub struct Lab {
    pub server: Server,
    pub phase: watch::Sender<Phase>,
    pub seen: Arc<Seen>,
    /// A permit for each `/slow` that the service has started.
    pub entered: Arc<Semaphore>,
    /// A permit lets one `/slow` be answered.
    pub gate: Arc<Semaphore>,
    /// A permit for each `/slow` that was answered or dropped.
    pub left: Arc<Semaphore>,
}

/// Adds a permit when it is dropped.
struct Leaves(Arc<Semaphore>);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// The calls that the observer got.
#[derive(Default)]
pub struct Seen {
    pub opened: AtomicUsize,
    pub closed: AtomicUsize,
    pub requests: AtomicUsize,
}

struct Counter(Arc<Seen>);

impl Observer for Counter {
    fn opened(&self) {
        self.0.opened.fetch_add(1, Ordering::SeqCst);
    }

    fn closed(&self) {
        self.0.closed.fetch_add(1, Ordering::SeqCst);
    }

    fn request(&self, _: &Method, _: StatusCode, _: Duration) {
        self.0.requests.fetch_add(1, Ordering::SeqCst);
    }
}

impl Lab {
    pub fn new() -> Self {
        Self::with(HttpLimits::default())
    }

    pub fn with(limits: HttpLimits) -> Self {
        let (phase, watched) = watch::channel(Phase::Serving);
        let seen = Arc::new(Seen::default());
        let server = Server::new(limits, watched, Counter(Arc::clone(&seen)));
        let entered = Arc::new(Semaphore::new(0));
        let [gate, left] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
        Self { server, phase, seen, entered, gate, left }
    }

    /// A connection over a pipe within the process.
    pub fn connect(&self) -> Client<DuplexStream> {
        let (ours, theirs) = duplex(1 << 20);
        self.serve(theirs);
        Client::new(ours)
    }

    /// A connection over loopback TCP.
    pub async fn connect_tcp(&self) -> Client<TcpStream> {
        let (ours, theirs) = tcp_pair().await;
        self.serve(theirs);
        Client::new(ours)
    }

    pub fn serve(&self, io: impl cluster::http::Transport) {
        let (entered, gate) = (Arc::clone(&self.entered), Arc::clone(&self.gate));
        let left = Arc::clone(&self.left);
        let service = service_fn(move |request: Request<Incoming>| {
            let (entered, gate) = (Arc::clone(&entered), Arc::clone(&gate));
            let leaves = (request.uri().path() == "/slow").then(|| Leaves(Arc::clone(&left)));
            async move {
                let _leaves = leaves;
                answer(request, &entered, &gate).await
            }
        });
        self.server.serve(io, Peer::Unix, service);
    }

    pub fn drain(&self) -> Instant {
        self.drain_within(WINDOW, PATIENCE)
    }

    pub fn drain_within(&self, window: Duration, patience: Duration) -> Instant {
        let now = Instant::now();
        self.phase.send_replace(Phase::lame_duck(window, now + patience));
        now
    }

    /// Waits until the service has started another `/slow`.
    pub async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    /// Waits until another `/slow` was answered or dropped.
    pub async fn left(&self) {
        self.left.acquire().await.unwrap().forget();
    }

    /// Checks that everything that was opened has been closed, and that the server reports it.
    pub async fn ends(self) {
        self.server.drained().await;
        // Connections that are cut are reported at the same moment as `drained`.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.server.open(), 0);
        let [opened, closed] =
            [&self.seen.opened, &self.seen.closed].map(|count| count.load(Ordering::SeqCst));
        assert_eq!(opened, closed);
    }
}

/// Both ends of a connection over loopback TCP.
pub async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    (ours, theirs)
}

/// The answer of the service for each path.
async fn answer(
    request: Request<Incoming>,
    entered: &Semaphore,
    gate: &Semaphore,
) -> Result<Response<Full<Bytes>>, cluster::Error> {
    match request.uri().path() {
        "/slow" => {
            entered.add_permits(1);
            gate.acquire().await.unwrap().forget();
            Ok(text(StatusCode::OK, "slow"))
        }
        "/echo" => Ok(text(StatusCode::OK, request.into_body().collect().await?.to_bytes())),
        "/sip" => {
            let mut body = request.into_body();
            body.frame().await.expect("a first frame")?;
            entered.add_permits(1);
            gate.acquire().await.unwrap().forget();
            Ok(text(StatusCode::OK, body.collect().await?.to_bytes()))
        }
        "/early" => Ok(text(StatusCode::PAYLOAD_TOO_LARGE, "too much")),
        "/big" => Ok(text(StatusCode::OK, big())),
        "/panic" => panic!("asked to"),
        "/error" => Err(cluster::Error::new("asked to")),
        "/upgrade" => Ok(upgrade(request)),
        path => Ok(text(StatusCode::OK, path.to_owned())),
    }
}

/// Four megabytes that repeat themselves only after 251 bytes.
pub fn big() -> Vec<u8> {
    (0..=250).cycle().take(4_000_000).collect()
}

/// Speaks the echo protocol until the client closes; sends `bye` when the drain begins, and stays.
fn upgrade(mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let token = request.extensions().get::<Token>().expect("each request has one").clone();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut io = hyper_util::rt::TokioIo::new(upgraded.await.unwrap());
        let mut buf = [0; 64];
        loop {
            tokio::select! {
                read = io.read(&mut buf) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(bytes) => io.write_all(&buf[..bytes]).await.unwrap(),
                },
                () = token.draining(), if token.deadline().is_none() => {
                    io.write_all(b"bye").await.unwrap();
                }
            }
        }
        drop(token);
    });
    let mut response = text(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "echo".parse().unwrap());
    response
}

/// One connection, as bytes. It never retries.
pub struct Client<IO> {
    pub io: IO,
    received: Vec<u8>,
}

/// An answer that has been read.
#[derive(Debug)]
pub struct Answer {
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn status(&self) -> &str {
        self.head.split(' ').nth(1).expect("a status line has a status")
    }

    pub fn says_close(&self) -> bool {
        self.head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Client<IO> {
    pub fn new(io: IO) -> Self {
        Self { io, received: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Continues after bytes that were read elsewhere.
    pub fn read_on(&mut self, after: &[u8]) {
        self.received.extend_from_slice(after);
    }

    /// Reads one answer, whose body has a length.
    pub async fn answer(&mut self) -> Answer {
        loop {
            if let Some(answer) = take_answer(&mut self.received) {
                return answer;
            }
            let bytes = self.io.read_buf(&mut self.received).await.unwrap();
            assert!(bytes > 0, "closed after {:?}", String::from_utf8_lossy(&self.received));
        }
    }

    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    /// Checks that nothing else arrives, and that the connection is closed in order.
    pub async fn closed(&mut self) {
        let rest = self.io.read_to_end(&mut self.received).await;
        rest.expect("closed by FIN, not by a reset");
        assert_eq!(String::from_utf8_lossy(&self.received), "");
    }
}

/// Takes one whole answer from the front of `received`.
pub fn take_answer(received: &mut Vec<u8>) -> Option<Answer> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    let length = length.unwrap_or(0);
    if received.len() < end + length {
        return None;
    }
    let body = received[end..end + length].to_vec();
    received.drain(..end + length);
    Some(Answer { head, body })
}

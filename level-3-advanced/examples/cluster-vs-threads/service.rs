//! The handlers, written once for all architectures.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cluster::http::{Bytes, Full, Request, Response, StatusCode, text};
use cluster::shared::Shared;
use lab::say;
use level_2::http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::heavy::{self, Heavy};

/// The service, with the two parts that an architecture chooses.
#[derive(Clone)]
pub struct Service {
    pub count: Count,
    pub heavy: Heavy,
    pub backend: Option<SocketAddr>,
}

/// One number that all requests share.
#[derive(Clone)]
pub enum Count {
    /// In a static: all threads of this process share it, and no other process.
    InProcess,
    /// In memory that all processes map.
    Shared(Shared),
}

const HELP: &str = "try /, /wait?ms=20, /slow?ms=3000, /backend?ms=20, /compute?ms=50, /count, \
                    /crash, /panic or /leak?mib=64\n";

impl Service {
    pub async fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let pid = std::process::id();
        let ms =
            |usual| Duration::from_millis(http::number(request, "ms").unwrap_or(usual).min(5000));
        match request.uri().path() {
            "/" => ok(format!("Hello from worker {pid}, after {} computations\n", heavy::done())),
            "/slow" => ok(format!("worker {pid} has waited {} ms\n", http::slow(request).await)),
            "/wait" => {
                sleep(ms(20)).await;
                ok(format!("worker {pid} has waited\n"))
            }
            "/backend" => self.ask_backend(ms(20)).await,
            "/compute" => {
                self.heavy.compute(ms(50)).await;
                ok(format!("worker {pid} has computed, {} at most at a time\n", heavy::most()))
            }
            "/count" => ok(format!("worker {pid} counts {}\n", self.count.next())),
            "/crash" => {
                say!("worker: aborts");
                std::process::abort()
            }
            "/panic" => panic!("a handler panics, as /panic asks"),
            "/leak" => {
                leak(http::number(request, "mib").unwrap_or(64).min(1024));
                ok(format!("worker {pid} has leaked\n"))
            }
            _ => text(StatusCode::NOT_FOUND, HELP),
        }
    }

    /// Waits for the answer of another service.
    async fn ask_backend(&self, ms: Duration) -> Response<Full<Bytes>> {
        let Some(backend) = self.backend else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "start it with --backend ADDRESS:PORT\n");
        };
        let question = format!(
            "GET /wait?ms={} HTTP/1.1\r\nhost: backend\r\nconnection: close\r\n\r\n",
            ms.as_millis()
        );
        let asked = async {
            let mut stream = TcpStream::connect(backend).await?;
            stream.write_all(question.as_bytes()).await?;
            stream.read_to_end(&mut Vec::new()).await
        };
        match asked.await {
            Ok(_) => ok(format!("worker {} has an answer from the backend\n", std::process::id())),
            Err(error) => text(StatusCode::BAD_GATEWAY, format!("the backend: {error}\n")),
        }
    }
}

impl Count {
    /// Adds one, and returns the new number.
    fn next(&self) -> u64 {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = match self {
            Self::InProcess => &COUNT,
            Self::Shared(shared) => &shared[0],
        };
        number.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn ok(body: String) -> Response<Full<Bytes>> {
    text(StatusCode::OK, body)
}

/// Memory counts when it is touched, not when it is allocated: a `vec!` of ones writes to it.
fn leak(mib: u64) {
    static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    say!("worker: leaks {mib} MiB");
    let bytes = usize::try_from(mib << 20).unwrap_or(0);
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).push(vec![1; bytes]);
}

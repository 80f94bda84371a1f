//! A client's bytes, on a served connection.

use std::convert::Infallible;
use std::time::Duration;

use cluster::config::HttpLimits;
use cluster::http::{
    Bytes, Full, Incoming, Method, Observer, Peer, Phase, Request, Response, Server, StatusCode,
    service_fn, text,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

/// Longer than all limits together. The clock is Tokio's own, and jumps.
const FOREVER: Duration = Duration::from_secs(1000);

/// The connection ends, and the answer is HTTP. A panic in its task is left to the panic hook,
/// because Tokio catches it.
pub fn http_head(bytes: &[u8]) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (_phase, watched) = watch::channel(Phase::Serving);
        let server = Server::new(HttpLimits::default(), watched, Unobserved);
        let answers = timeout(FOREVER, converse(&server, bytes)).await;
        let answers = answers.expect("the connection ends on its own");
        // An HTTP/2 connection begins with a SETTINGS frame.
        let http = answers.starts_with(b"HTTP/1.") || answers.get(3) == Some(&4);
        assert!(answers.is_empty() || http, "{}", answers.escape_ascii());
    });
}

/// Sends all bytes, and reads to the end; returns the first bytes of the answer.
async fn converse(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let (ours, theirs) = tokio::io::duplex(4096);
    server.serve(theirs, Peer::Unix, service_fn(answer));
    let (mut reader, mut writer) = tokio::io::split(ours);
    let sending = async {
        let _ = writer.write_all(bytes).await; // the server may already have closed it
        let _ = writer.shutdown().await;
    };
    let reading = async {
        let mut first = Vec::new();
        let read = (&mut reader).take(16).read_to_end(&mut first).await;
        let rest = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
        read.and(rest.map(|_| 0)).expect("a pipe within the process");
        first
    };
    tokio::join!(sending, reading).1
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(text(StatusCode::OK, request.uri().path().to_owned()))
}

struct Unobserved;

impl Observer for Unobserved {
    fn opened(&self) {}
    fn closed(&self) {}
    fn request(&self, _: &Method, _: StatusCode, _: Duration) {}
}

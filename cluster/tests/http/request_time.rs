//! Services that take too long.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use cluster::config::HttpLimits;
use tokio::time::Instant;
use tracing::subscriber::DefaultGuard;

use crate::http2::{ask, connect_http2};
use crate::lab::{Lab, SLOW};
use crate::limits::SHORT;

/// The service is dropped, and the client learns that it may try again later.
#[tokio::test(start_paused = true)]
async fn a_client_of_a_slow_service_gets_503() {
    let lab = Lab::with(SHORT);
    let (log, _logging) = Log::start();
    let mut client = lab.connect();
    let began = Instant::now();
    let answer = client.ask(SLOW).await;
    assert_eq!((answer.status(), answer.says_close()), ("503", true));
    client.closed().await;
    assert_eq!(began.elapsed(), SHORT.request_time);
    lab.left().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("503") && lines[0].contains("http_request_time"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn only_the_stream_of_a_slow_service_gets_503() {
    let limits = HttpLimits { idle_time: SHORT.request_time * 3, ..SHORT };
    let lab = Lab::with(limits);
    let (mut client, _) = connect_http2(&lab).await;
    let began = Instant::now();
    assert_eq!(ask(&mut client, "/slow").await.0, 503);
    assert_eq!(began.elapsed(), limits.request_time);
    lab.left().await;
    assert_eq!(ask(&mut client, "/").await.0, 200);
}

/// The lines that are logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
        (log, tracing::subscriber::set_default(subscriber.finish()))
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

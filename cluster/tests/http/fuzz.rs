//! Clients that send arbitrary bytes.

use std::cell::Cell;
use std::panic;
use std::sync::Once;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::lab::Lab;

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the panics on this thread; Tokio catches them in a connection's task.
fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            usual(info);
        }));
    });
}

/// Pieces of requests in any order, and noise.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.0\r\n",
        "POST /echo HTTP/1.1\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\n",
        "content-length: 3\r\n",
        "transfer-encoding: chunked\r\n",
        "connection: upgrade\r\nupgrade: echo\r\n",
        "expect: 100-continue\r\n",
        "\r\n",
        "\n",
        "3\r\nabc\r\n",
        "0\r\n\r\n",
        "\0\0\0\u{4}\0\0\0\0\0",
    ]);
    prop_oneof![3 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..64)]
}

async fn send(pieces: Vec<Vec<u8>>, closes: bool, drains: bool) {
    let lab = Lab::new();
    let (mut reader, mut writer) = tokio::io::split(lab.connect().io);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.unwrap();
    });
    for piece in pieces {
        let _ = writer.write_all(&piece).await;
        tokio::task::yield_now().await;
    }
    if drains {
        lab.drain();
    }
    if closes {
        let _ = writer.shutdown().await;
    }
    // Longer than all limits together.
    let ended = timeout(Duration::from_secs(1000), reading).await;
    ended.expect("the connection ends on its own").unwrap();
    drop(writer);
    lab.drain();
    lab.ends().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_connection_ends_and_nothing_panics(
        pieces in vec(piece(), 0..12),
        closes: bool,
        drains: bool,
    ) {
        count_panics();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(send(pieces, closes, drains));
        prop_assert_eq!(PANICS.get(), 0);
    }
}

//! Requests cut into pieces at random, with a drain somewhere between them.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::lab::{Lab, WINDOW, take_answer};

const REQUESTS: [&str; 4] = [
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /echo HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello",
];

/// Writes the requests in pieces of these sizes, each after a pause, until the server closes;
/// returns the number of requests that were written whole and, for each answer, whether it said
/// close.
async fn converse(
    requests: &[usize],
    pieces: &[(usize, u64)],
    drain_before: usize,
) -> (usize, Vec<bool>) {
    let lab = Lab::new();
    let (mut reader, mut writer) = tokio::io::split(lab.connect().io);
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.unwrap();
        all
    });
    let stream: String = requests.iter().map(|kind| REQUESTS[*kind]).collect();
    let mut rest = stream.as_bytes();
    for (piece, (size, pause)) in pieces.iter().cycle().enumerate() {
        if piece == drain_before {
            lab.drain();
        }
        sleep(Duration::from_millis(*pause)).await;
        if reading.is_finished() || (rest.is_empty() && piece >= drain_before) {
            break;
        }
        let (now, later) = rest.split_at((*size).min(rest.len()));
        if writer.write_all(now).await.is_err() {
            break;
        }
        rest = later;
    }
    let mut all = reading.await.unwrap();
    let answers = std::iter::from_fn(|| take_answer(&mut all)).map(|a| a.says_close()).collect();
    assert!(all.is_empty(), "half an answer: {all:?}");
    drop(writer);
    lab.drain();
    lab.ends().await;
    (whole(requests, stream.len() - rest.len()), answers)
}

/// The number of requests that are complete in the first `bytes`.
fn whole(requests: &[usize], bytes: usize) -> usize {
    let ends = requests.iter().scan(0, |end, kind| {
        *end += REQUESTS[*kind].len();
        Some(*end)
    });
    ends.take_while(|end| *end <= bytes).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// A client whose pauses are shorter than the window loses nothing: each request that it has
    /// sent is answered, unless an earlier answer said `Connection: close`; that answer is the last
    /// one.
    #[test]
    fn every_request_is_answered_or_not_owed(
        requests in vec(0..REQUESTS.len(), 1..6),
        pieces in vec((1..80_usize, 0..u64::try_from(WINDOW.as_millis()).unwrap()), 1..20),
        drain_before in 0..20_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (sent, answers) = runtime.block_on(converse(&requests, &pieces, drain_before));
        let closes = answers.iter().position(|close| *close);
        // An answer that says close is the last one; without such an answer, every request is
        // answered.
        prop_assert_eq!(answers.len(), closes.map_or(sent, |last| last + 1));
    }
}

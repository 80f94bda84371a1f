//! The deadline, at which every connection is cut.

use std::time::Duration;

use cluster::http::Phase;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::http2::connect_http2;
use crate::lab::{Client, LINGER, Lab, SLOW};
use crate::upgrade::upgraded;

const DEADLINE: Duration = Duration::from_secs(10);

/// One connection of each kind, each with work in progress.
async fn busy(lab: &Lab) -> [Client<DuplexStream>; 2] {
    let mut http1 = lab.connect();
    http1.send(SLOW).await;
    lab.entered().await;
    let (mut http2, _) = connect_http2(lab).await;
    tokio::spawn(http2.send_request(crate::http2::get("/slow")));
    lab.entered().await;
    let mut other = upgraded(lab).await;
    other.io.write_all(b"ping").await.unwrap();
    other.io.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(lab.server.open(), 3);
    [http1, other]
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_every_kind_of_connection_is_cut() {
    let lab = Lab::new();
    let [mut http1, mut other] = busy(&lab).await;
    let began = lab.drain_within(Duration::ZERO, DEADLINE);
    other.io.read_exact(&mut [0; 3]).await.unwrap();
    lab.server.drained().await;
    assert_eq!(began.elapsed(), DEADLINE);
    http1.closed().await;
    other.closed().await;
    lab.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_signal_cuts_at_once() {
    for drains in [false, true] {
        let lab = Lab::new();
        let [mut http1, mut other] = busy(&lab).await;
        let began = lab.drain_within(DEADLINE, DEADLINE);
        if drains {
            other.io.read_exact(&mut [0; 3]).await.unwrap();
        }
        lab.phase.send_replace(Phase::Cut);
        lab.server.drained().await;
        http1.closed().await;
        let mut rest = Vec::new();
        other.io.read_to_end(&mut rest).await.unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        lab.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_lingers_is_cut_too() {
    let lab = Lab::new();
    let mut client = lab.connect();
    let began = lab.drain_within(Duration::ZERO, LINGER / 2);
    client.closed().await;
    lab.server.drained().await;
    assert_eq!(began.elapsed(), LINGER / 2);
    lab.ends().await;
}

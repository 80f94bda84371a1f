//! The query of a request, and the slow request that several examples answer.

use std::time::Duration;

use cluster::http::Request;
use lab::say;
use tokio::time::sleep;

/// Handles a request that takes as long as its query says, `/slow?ms=3000`, up to a minute: prints that
/// it begins, and returns the milliseconds that it took.
pub async fn slow<B>(request: &Request<B>) -> u64 {
    let ms = number(request, "ms").unwrap_or(3000).min(60_000);
    say!("worker: begins a request of {ms} ms");
    sleep(Duration::from_millis(ms)).await;
    ms
}

/// The value of `name` in the query of `request`: 40 for `n` in `/compute?n=40`. `None` if it is
/// missing, or is not a number.
#[must_use]
pub fn number<B>(request: &Request<B>, name: &str) -> Option<u64> {
    parameter(request, name)?.parse().ok()
}

/// The value of `name` in the query of `request`, unchanged.
#[must_use]
pub fn parameter<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name);
    found.next().map(|(_, value)| value)
}

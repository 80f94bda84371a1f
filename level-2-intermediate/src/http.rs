//! What a request asks for.

use cluster::http::Request;

/// The value of `name` in the query of `request`: 40 for `n` in `/compute?n=40`. Nothing when it is
/// missing, or is no number.
#[must_use]
pub fn number<B>(request: &Request<B>, name: &str) -> Option<u64> {
    parameter(request, name)?.parse().ok()
}

/// The value of `name` in the query of `request`, as it stands there.
#[must_use]
pub fn parameter<'a, B>(request: &'a Request<B>, name: &str) -> Option<&'a str> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name);
    found.next().map(|(_, value)| value)
}

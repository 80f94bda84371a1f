//! The request that every client sends, as bytes that are made once.

use hyper::Method;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};

use crate::Target;

/// An HTTP/1.1 request.
#[derive(Clone, Debug)]
pub struct Request {
    bytes: Vec<u8>,
    method: Method,
}

impl Request {
    /// Makes a request for the resource of `target`.
    ///
    /// `Host` and `Content-Length` are added if `headers` lacks them, the latter also for an empty
    /// body of a method that expects one.
    #[must_use]
    pub fn new(target: &Target, method: Method, mut headers: HeaderMap, body: &[u8]) -> Self {
        if let Ok(host) = HeaderValue::from_str(target.host()) {
            headers.entry(HOST).or_insert(host);
        }
        if !body.is_empty() || [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            headers.entry(CONTENT_LENGTH).or_insert(body.len().into());
        }
        let mut bytes = format!("{method} {} HTTP/1.1\r\n", target.resource()).into_bytes();
        for (name, value) in &headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        Self { bytes, method }
    }

    /// Adds `Connection: close` to `headers`, for a connection that serves one request. The server
    /// closes first then, and the wait for late packets (`TIME_WAIT`) is on its side: thousands of
    /// fresh connections a second would otherwise use up the client's ports.
    pub fn close_after(headers: &mut HeaderMap) {
        headers.entry(CONNECTION).or_insert(HeaderValue::from_static("close"));
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An answer to `HEAD` has the length of a body, but not the body.
    pub(crate) fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

//! HTTP/1.1 and HTTP/2 for one worker, and the goodbye that loses no request.
//!
//! hyper speaks the protocols. This module mostly adds the endings:
//!
//! - **The drain is a lame duck.** From its start, every HTTP/1 answer says `Connection: close`,
//!   and HTTP/2 connections get GOAWAY. Idle connections stay open for a *window* and may get one
//!   more answer. They are closed only after that, and only if no byte has arrived since the last
//!   answer: a head that has partly arrived is read to its end and answered.
//! - **Closing lingers.** After our FIN, input is read and discarded for a moment. Closing a socket
//!   with unread input sends a reset, and a reset can destroy an answer that is still under way.
//! - **HTTP/2 has GOAWAY for this**, and hyper sends a PING with it. A client that answers the PING
//!   loses nothing. A silent client is closed after the window, or after one second during a stop.
//! - **At the deadline everything is cut**: HTTP/1, HTTP/2, upgraded connections.
//! - **An HTTP/1 client that closes its half is answered.** `printf … | nc -N` sends a request and
//!   FIN, and waits. A client that is gone sends the same FIN, so FIN does not end a request. A
//!   reset does, and so does a Unix socket that the client has closed: the connection checks for
//!   both twice a second, and then drops the service's future.
//!
//! There is no limit on how slowly a client may read its answer; only the deadline ends that. A
//! service has `http_request_time` for the head of its answer; after that its future is dropped,
//! and the client gets 503.
//!
//! Some things cannot be promised. After FIN on TCP the server does not know whether the client is
//! waiting or gone, so the service keeps running until it is done, a write fails, or its time is
//! up. A client that was idle for longer than the window may send its request while our FIN is on
//! its way. And if requests are pipelined, the first answer during the drain is the connection's
//! last; HTTP lets the client send the others again elsewhere.
//!
//! The parts, file by file: [`Server`] counts connections and starts a task for each (`connection`).
//! hyper reads through a `tap`, which reports the client's bytes to `progress`; `service` reports the
//! answers. From both, `progress` knows whether a connection is idle and until when it may stay
//! idle; after that the tap shows hyper an end of file, and hyper ends the connection. The
//! `transport` answers questions that only the kernel can answer: whether bytes have just arrived,
//! and whether the client has just gone.

mod alarm;
mod answer;
mod bounds;
mod connection;
mod incoming;
mod leftover;
mod linger;
mod observer;
mod phase;
mod piece;
mod progress;
mod server;
mod service;
mod stage;
mod tap;
mod token;
mod transport;
mod wire;

pub use bytes::Bytes;
pub use http_body_util::Full;
pub use hyper::service::service_fn;
pub use hyper::{Method, Request, Response, StatusCode};

pub use crate::listener::Peer;
pub use bounds::{Answerable, Failure, HttpService};
pub use incoming::Incoming;
pub use observer::Observer;
pub use phase::Phase;
pub use server::Server;
pub use token::Token;
pub use transport::Transport;

/// A short answer: a status and a text.
///
/// ```
/// use cluster::http::{Bytes, Full, Incoming, Request, Response, StatusCode, text};
///
/// async fn hello(_: Request<Incoming>) -> cluster::Result<Response<Full<Bytes>>> {
///     Ok(text(StatusCode::OK, "hello\n"))
/// }
/// ```
pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let plain = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, plain);
    response
}

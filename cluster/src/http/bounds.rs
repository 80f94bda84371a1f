//! The bounds of a service and of its answers, in two words instead of six lines.

use std::error::Error as StdError;

use hyper::body::Body;
use hyper::service::Service;
use hyper::{Request, Response};

use super::Incoming;

/// An error of a service or of a body; it is logged, and the client gets 500 if that is possible.
pub type Failure = Box<dyn StdError + Send + Sync>;

/// Answers requests: any hyper service with these properties, for example one that
/// [`service_fn`](super::service_fn) makes. There is nothing to implement.
pub trait HttpService<B>:
    Service<Request<Incoming>, Response = Response<B>, Future: Send, Error: Into<Failure>>
    + Clone
    + Send
    + 'static
{
}

impl<S, B> HttpService<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send, Error: Into<Failure>>
        + Clone
        + Send
        + 'static
{
}

/// The body of an answer: any body that can be sent from a task. There is nothing to implement.
pub trait Answerable: Body<Data: Send, Error: Into<Failure>> + Send + 'static {}

impl<B: Body<Data: Send, Error: Into<Failure>> + Send + 'static> Answerable for B {}

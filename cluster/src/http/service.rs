//! The layer between hyper and the user's service.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio::time::{Instant, timeout};

use super::answer::{Answer, Record};
use super::bounds::{Answerable, HttpService};
use super::incoming::Incoming;
use super::leftover::Fate;
use super::progress::{Part, Progress};
use super::server::Shared;
use crate::listener::Peer;

/// Calls the user's service: records the start and the end of requests, turns failures into
/// answers, and sends `Connection: close` when the worker is about to leave.
#[derive(Clone)]
pub(super) struct Handler<S> {
    pub(super) service: S,
    pub(super) shared: Arc<Shared>,
    pub(super) progress: Arc<Progress>,
    pub(super) peer: Peer,
}

type Answering<B> =
    Pin<Box<dyn Future<Output = Result<Response<Answer<B>>, Infallible>> + Send + 'static>>;

impl<S, B> Service<Request<hyper::body::Incoming>> for Handler<S>
where
    S: HttpService<B> + Service<Request<Incoming>, Response = Response<B>>, // which names B
    B: Answerable,
{
    type Response = Response<Answer<B>>;
    type Error = Infallible;
    type Future = Answering<B>;

    fn call(&self, request: Request<hyper::body::Incoming>) -> Self::Future {
        let began = Instant::now();
        let (asking, answering) = self.progress.begin();
        let fate = Arc::new(Fate::default());
        let request = self.prepare(request, Arc::clone(&fate), asking);
        let (method, version) = (request.method().clone(), request.version());
        let (service, shared) = (self.service.clone(), Arc::clone(&self.shared));
        let progress = Arc::clone(&self.progress);
        let waits = request.headers().contains_key(EXPECT);
        Box::pin(async move {
            let limit = shared.limits.request_time;
            let outcome = timeout(limit, attempt(move || service.call(request))).await;
            let outcome = outcome.unwrap_or(Err(Failure::Slow));
            let failed = outcome.is_err() || fate.is_late();
            let mut response = answer_to(outcome, fate.is_late());
            if version > Version::HTTP_11 {
                // HTTP/2 sends GOAWAY instead, and upgrades streams, not connections.
            } else if is_upgrade(response.status(), &method) {
                progress.upgraded();
            } else if failed || shared.is_draining() || !is_read(&fate, waits).await {
                say_close(&mut response, version);
            }
            let record = Record { shared, method, status: response.status(), began };
            Ok(response.map(|body| Answer::new(body, answering, record)))
        })
    }
}

impl<S> Handler<S> {
    /// The request as the user's service gets it.
    fn prepare(
        &self,
        request: Request<hyper::body::Incoming>,
        fate: Arc<Fate>,
        asking: Part,
    ) -> Request<Incoming> {
        let body_time = self.shared.limits.body_time;
        let mut request = request.map(|body| Incoming::new(body, body_time, fate, asking));
        request.extensions_mut().insert(self.shared.token(self.progress.hold()));
        request.extensions_mut().insert(self.peer);
        request
    }
}

/// The reason why a service has not answered.
enum Failure {
    Error(Box<dyn StdError + Send + Sync>),
    Panic,
    /// It took longer than `request_time`, and was dropped.
    Slow,
}

/// Runs the service, and catches its panic: a bug in one request is not the other requests' problem.
async fn attempt<F, T, E>(call: impl FnOnce() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let future = catch_unwind(AssertUnwindSafe(call)).map_err(|_panic| Failure::Panic)?;
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(|result| result.map_err(|error| Failure::Error(error.into()))),
        Err(_panic) => Poll::Ready(Err(Failure::Panic)),
    })
    .await
}

/// Returns whether the request has been read to its end, or is still being read by the service.
///
/// A client that waits for `100 Continue` is not asked for a body that the service does not want.
async fn is_read(fate: &Fate, waits_for_continue: bool) -> bool {
    match fate.take_leftover() {
        None => true,
        Some(leftover) => !waits_for_continue && leftover.discard().await,
    }
}

/// The service's answer, or ours when it has none.
fn answer_to<B>(outcome: Result<Response<B>, Failure>, late: bool) -> Response<Option<B>> {
    let status = match outcome {
        Ok(response) => return response.map(Some),
        Err(Failure::Error(_)) if late => StatusCode::REQUEST_TIMEOUT,
        Err(Failure::Error(error)) => {
            tracing::error!(error, "a request was answered 500: the service returned an error");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Err(Failure::Panic) => {
            tracing::error!("a request was answered 500: the service panicked");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Err(Failure::Slow) => {
            tracing::error!(
                "a request was answered 503: the service took longer than http_request_time"
            );
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let mut response = Response::new(None);
    *response.status_mut() = status;
    response
}

/// Announces that the connection ends with this answer.
fn say_close<B>(response: &mut Response<B>, version: Version) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    // hyper would add `keep-alive` to a 1.1 answer for a 1.0 client that asked for it.
    *response.version_mut() = version;
}

/// Returns whether the connection speaks a different protocol after this answer.
fn is_upgrade(status: StatusCode, method: &Method) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || method == Method::CONNECT && status.is_success()
}

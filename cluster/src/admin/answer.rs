//! The answer to each request.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::EXPECT;
use hyper::{Request, StatusCode};
use serde_json::json;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::body;
use super::guard::Guard;
use super::reply::{self, Answer, Refused};
use super::room::Seat;
use super::route::{Route, route};
use crate::metrics;
use crate::primary::{Command, Reply, Stats};
use crate::supervisor::{ScaleTo, SlotId};

/// The number of bytes of a body that are kept.
const BODY_SIZE: usize = 64 << 10;
/// The number of bytes of a body that are read and discarded, so that the client gets our answer. A
/// client that is still sending when the connection is closed gets a reset instead.
const BODY_DISCARDED: usize = 16 << 20;
/// The timeout for a body to arrive, and for the primary to report its state.
const PATIENCE: Duration = Duration::from_secs(5);

/// The parts that an answer needs.
#[derive(Debug)]
pub(super) struct Api {
    pub guard: Guard,
    pub commands: Sender<Command>,
}

impl Api {
    /// Answers any request.
    pub async fn answer(&self, request: Request<Incoming>, seat: &Seat) -> Answer {
        match route(request.method(), request.uri().path()) {
            Ok(route) => self.obey(route, request, seat).await.unwrap_or_else(Answer::from),
            Err(why) => reply::no_route(why),
        }
    }

    async fn obey(
        &self,
        route: Route,
        request: Request<Incoming>,
        seat: &Seat,
    ) -> Result<Answer, Refused> {
        self.guard.check(route.is_change(), request.uri(), request.headers())?;
        let query = request.uri().query().unwrap_or_default().to_owned();
        let says = |what| query.split('&').any(|part| part == what);
        let body = read(request).await?;
        let _busy = seat.work();
        match route {
            Route::Stats => Ok(reply::json(StatusCode::OK, &json!(self.stats().await?))),
            Route::Health => Ok(reply::health(&self.stats().await?)),
            Route::Metrics => self.metrics().await,
            Route::Reload if says("wait=false") => self.tell(Command::Reload(oneshot::channel().0)),
            Route::Reload => self.change(Command::Reload).await,
            Route::Scale => self.scale(&body).await,
            Route::Reset => self.reset(&body).await,
            Route::Stop => self.tell(Command::Stop { now: says("now=true") }),
        }
    }

    async fn scale(&self, body: &[u8]) -> Result<Answer, Refused> {
        let workers = body::number(body, "workers").map_err(Refused::bad_request)?;
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        self.change(|reply| Command::Scale(ScaleTo::Exactly(workers), reply)).await
    }

    async fn reset(&self, body: &[u8]) -> Result<Answer, Refused> {
        let slot = body::number(body, "slot").map_err(Refused::bad_request)?;
        let no_slot = |_| Refused::bad_request(format!("there is no slot {slot}"));
        let slot = SlotId(u32::try_from(slot).map_err(no_slot)?);
        self.change(|reply| Command::Reset(slot, reply)).await
    }

    async fn metrics(&self) -> Result<Answer, Refused> {
        let stats = self.stats().await?;
        let totals = self.ask_soon(Command::Metrics).await?;
        let text = metrics::exposition(&stats, &totals);
        Ok(reply::with_type(StatusCode::OK, metrics::CONTENT_TYPE, text))
    }

    async fn stats(&self) -> Result<Stats, Refused> {
        self.ask_soon(Command::Stats).await
    }

    /// Requests a change and waits until it is complete, however long that takes.
    async fn change(&self, make: impl FnOnce(Reply) -> Command) -> Result<Answer, Refused> {
        match self.ask(make).await? {
            Ok(workers) => {
                Ok(reply::json(StatusCode::OK, &json!({ "ok": true, "workers": workers })))
            }
            Err(reason) => Err(Refused::new(StatusCode::CONFLICT, reason.0)),
        }
    }

    /// Sends a command without waiting for it to complete.
    fn tell(&self, command: Command) -> Result<Answer, Refused> {
        self.send(command)?;
        Ok(reply::json(StatusCode::ACCEPTED, &json!({ "ok": true })))
    }

    async fn ask_soon<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Refused> {
        let late = |_| Refused::unavailable("the primary does not answer");
        timeout(PATIENCE, self.ask(make)).await.map_err(late)?
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Refused> {
        let (reply, answer) = oneshot::channel();
        self.send(make(reply))?;
        answer.await.map_err(|_| Refused::unavailable("the cluster ended before it answered"))
    }

    fn send(&self, command: Command) -> Result<(), Refused> {
        self.commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => Refused::unavailable("the primary is busy; try again"),
            TrySendError::Closed(_) => Refused::unavailable("the cluster has stopped"),
        })
    }
}

/// Reads the body of a change. A body that is too large is still read to its end, within limits.
async fn read(request: Request<Incoming>) -> Result<Bytes, Refused> {
    let too_large =
        || Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the limit for a body is 64 KiB");
    let announced = request.body().size_hint().lower() > BODY_SIZE as u64;
    if announced && request.headers().contains_key(EXPECT) {
        return Err(too_large());
    }
    let reading = timeout(PATIENCE, collect(request.into_body())).await;
    let late = |_| Refused::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time");
    let broken =
        |error: hyper::Error| Refused::bad_request(format!("the body cannot be read: {error}"));
    reading.map_err(late)?.map_err(broken)?.ok_or_else(too_large)
}

/// Collects a body; `None` if it is too large.
async fn collect(mut body: Incoming) -> hyper::Result<Option<Bytes>> {
    let (mut kept, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        size += data.len();
        if size <= BODY_SIZE {
            kept.extend_from_slice(&data);
        } else if size > BODY_DISCARDED {
            break;
        }
    }
    Ok((size <= BODY_SIZE).then(|| kept.into()))
}

//! A worker's side: it keeps a board of its own, asks for the notices that it has missed, and listens.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::Worker;
use cluster::http::{
    Bytes, Full, Incoming, Method, Request, Response, StatusCode, service_fn, text,
};
use cluster::worker::Message;
use http_body_util::{BodyExt, Limited};
use lab::{Result, say};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use crate::messages::{Board, Health, Notice, Received, Report, ToPrimary, ToWorker};
use crate::{PATIENCE, Wrong};

/// More than a frame may contain, so that you can see the refusal.
const LARGEST_BODY: usize = 4 << 20;

#[derive(Clone)]
struct Member {
    worker: Worker,
    board: Arc<Mutex<Board>>,
    deaf: Arc<watch::Sender<bool>>,
    wrong: Option<Wrong>,
}

/// A worker's whole life. The order matters: a notice that arrives before the end of the catch-up
/// waits in `messages`.
pub async fn serve(worker: Worker, wrong: Option<Wrong>) -> Result<()> {
    let messages = worker.messages()?;
    let (board, deaf) = (Arc::default(), Arc::new(watch::Sender::new(false)));
    let member = Member { worker: worker.clone(), board, deaf, wrong };
    if wrong != Some(Wrong::BornIgnorant) {
        member.catch_up().await?; // a worker without the notices must not serve
    }
    tokio::spawn(member.clone().listen(messages));
    worker.serve_http(service_fn(move |request| answer(request, member.clone()))).await?;
    Ok(())
}

impl Member {
    /// Asks the primary, with a timeout: a worker must not hang because its primary does. After the
    /// timeout the worker does not know the outcome: the primary may have carried it out a moment later.
    async fn ask<A: DeserializeOwned>(&self, question: &impl Serialize) -> cluster::Result<A> {
        let limit = if self.wrong == Some(Wrong::NoLimit) { Duration::MAX } else { PATIENCE };
        self.worker.request(question, limit).await
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn catch_up(&self) -> cluster::Result<()> {
        let board: Board = self.ask(&ToPrimary::CatchUp).await?;
        say!("worker: has caught up, to number {}", board.count);
        *self.board() = board;
        Ok(())
    }

    /// Handles one message after the other, for as long as the worker lives. None of them may end it.
    async fn listen(self, mut messages: mpsc::Receiver<Message>) {
        let mut deaf = self.deaf.subscribe();
        while let Some(Message { body, reply }) = messages.recv().await {
            let _ = deaf.wait_for(|deaf| !deaf).await; // here a deaf worker waits
            let answered = match (body.parse(), reply) {
                (Ok(ToWorker::Said(notice)), _) => self.receive(notice).await,
                (Ok(ToWorker::HowAreYou), Some(reply)) => {
                    let count = self.board().count;
                    reply.send(&Health { count }).await
                }
                (Ok(ToWorker::HowAreYou), None) => Ok(()), // no answer is expected
                (Err(error), reply) => {
                    say!("worker: ignores an unknown message: {error}");
                    match reply {
                        Some(reply) => reply.refuse(error.to_string()).await,
                        None => Ok(()),
                    }
                }
            };
            if let Err(error) = answered {
                say!("worker: {error}");
            }
        }
    }

    /// Accepts a notice if its number is the next one. If some before it are missing, they were dropped
    /// while this worker was not listening. If the very last one is missing, the worker notices it when
    /// the next one arrives; if that is too late, the primary would have to send its count regularly.
    async fn receive(&self, notice: Notice) -> cluster::Result<()> {
        if self.wrong == Some(Wrong::BornIgnorant) {
            self.board().add(notice);
            return Ok(());
        }
        let received = self.board().receive(notice);
        if let Received::Gap(missed) = received {
            say!("worker: has missed {missed} notices, and asks for them");
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Sends a notice to all workers, this one included, and returns the result. The worker's own copy
    /// arrives in the same way as the others, so it may reach this board a moment later than the answer.
    async fn say(&self, notice: String) -> cluster::Result<String> {
        if self.wrong == Some(Wrong::OwnMemory) {
            let number = self.board().say(std::process::id(), notice).number;
            return Ok(format!("said, as number {number}\n"));
        }
        let number: u64 = self.ask(&ToPrimary::Say(notice)).await?;
        Ok(format!("said, as number {number}\n"))
    }

    fn notices(&self) -> String {
        let board = self.board();
        let line = |it: &Notice| format!("{} {}: {}\n", it.number, it.by, it.text.escape_debug());
        let lines: String = board.latest.iter().map(line).collect();
        format!("worker {} is at number {}\n{lines}", std::process::id(), board.count)
    }

    async fn state_of_all(&self) -> cluster::Result<String> {
        let line = |(pid, health): Report| match health {
            Ok(Health { count }) => format!("worker {pid} is well, at number {count}\n"),
            Err(why) => format!("worker {pid} gives no answer: {why}\n"),
        };
        let reports: Vec<Report> = self.ask(&ToPrimary::HowIsEverybody).await?;
        Ok(reports.into_iter().map(line).collect())
    }

    /// Sends a message that no version of this program knows, to all others and to the primary.
    async fn garbage(&self) -> cluster::Result<String> {
        let garbage = json!({ "Sing": "la la la" });
        self.worker.broadcast(&garbage).await?;
        self.ask(&garbage).await
    }
}

async fn answer(
    request: Request<Incoming>,
    member: Member,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let pid = std::process::id();
    let deaf = |deaf, word: &str| {
        member.deaf.send_replace(deaf);
        Ok(format!("worker {pid} {word}\n"))
    };
    let done = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => Ok(format!("Hello from worker {pid}\n")),
        (&Method::POST, "/say") => {
            match Limited::new(request.into_body(), LARGEST_BODY).collect().await {
                Ok(body) => {
                    member.say(String::from_utf8_lossy(&body.to_bytes()).into_owned()).await
                }
                Err(error) => Err(cluster::Error::because("your text did not arrive", error)),
            }
        }
        (_, "/say") => return Ok(text(StatusCode::METHOD_NOT_ALLOWED, "send a POST\n")),
        (_, "/board") => Ok(member.notices()),
        (_, "/ask") => member.state_of_all().await,
        (_, "/deaf") => deaf(true, "reads no more messages, until /listen"),
        (_, "/listen") => deaf(false, "reads its messages"),
        (_, "/garbage") => member.garbage().await,
        _ => {
            let routes = "try /, POST /say, /board, /ask, /deaf, /listen, or /garbage\n";
            return Ok(text(StatusCode::NOT_FOUND, routes));
        }
    };
    Ok(match done {
        Ok(body) => text(StatusCode::OK, body),
        Err(error) => text(StatusCode::BAD_GATEWAY, format!("worker {pid}: {error}\n")),
    })
}

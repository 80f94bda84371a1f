//! A worker's side: it keeps a board of its own, asks for what it has missed, and listens.

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

use crate::messages::{Board, Health, Heard, Notice, Report, ToPrimary, ToWorker};
use crate::{PATIENCE, Wrong};

/// More than a frame may have, so that you can see what happens then.
const LARGEST_BODY: usize = 4 << 20;

#[derive(Clone)]
struct Member {
    worker: Worker,
    board: Arc<Mutex<Board>>,
    deaf: Arc<watch::Sender<bool>>,
    wrong: Option<Wrong>,
}

/// A worker's whole life. The order matters: what is said while it catches up waits in `messages`.
pub async fn serve(worker: Worker, wrong: Option<Wrong>) -> Result<()> {
    let messages = worker.messages()?;
    let (board, deaf) = (Arc::default(), Arc::new(watch::Sender::new(false)));
    let member = Member { worker: worker.clone(), board, deaf, wrong };
    if wrong != Some(Wrong::BornIgnorant) {
        member.catch_up().await?; // a worker that knows nothing had better not serve
    }
    tokio::spawn(member.clone().listen(messages));
    worker.serve_http(service_fn(move |request| answer(request, member.clone()))).await?;
    Ok(())
}

impl Member {
    /// Asks the primary, with a limit: a worker must not hang because its primary does. When time is
    /// up nobody knows whether it was done: it may have been, a moment later.
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

    /// One message after the other, as long as the worker lives. None of them may end it.
    async fn listen(self, mut messages: mpsc::Receiver<Message>) {
        let mut deaf = self.deaf.subscribe();
        while let Some(Message { body, reply }) = messages.recv().await {
            let _ = deaf.wait_for(|deaf| !deaf).await; // here a deaf worker stays
            let answered = match (body.parse(), reply) {
                (Ok(ToWorker::Said(notice)), _) => self.hear(notice).await,
                (Ok(ToWorker::HowAreYou), Some(reply)) => {
                    let heard = self.board().count;
                    reply.send(&Health { heard }).await
                }
                (Ok(ToWorker::HowAreYou), None) => Ok(()), // nobody waits for it
                (Err(error), reply) => {
                    say!("worker: passes over what is no message of ours: {error}");
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

    /// The number of a notice tells whether it is the next one. If some before it are missing, they
    /// were dropped while this worker did not listen. That the last of all is missing is noticed when
    /// the next one comes; where that is too late, the primary would have to say its count regularly.
    async fn hear(&self, notice: Notice) -> cluster::Result<()> {
        if self.wrong == Some(Wrong::BornIgnorant) {
            self.board().add(notice);
            return Ok(());
        }
        let heard = self.board().hear(notice);
        if let Heard::Gap(missed) = heard {
            say!("worker: has missed {missed} notices, and asks for them");
            self.catch_up().await?;
        }
        Ok(())
    }

    /// Has it told to everybody, this worker included, and says what came of it. The own copy comes on
    /// the same way as everybody's, so it may be on this board a moment later than the answer is here.
    async fn say(&self, notice: String) -> cluster::Result<String> {
        if self.wrong == Some(Wrong::OwnMemory) {
            let number = self.board().say(std::process::id(), notice).number;
            return Ok(format!("said, as number {number}\n"));
        }
        let number: u64 = self.ask(&ToPrimary::Say(notice)).await?;
        Ok(format!("said, as number {number}\n"))
    }

    fn heard(&self) -> String {
        let board = self.board();
        let line = |it: &Notice| format!("{} {}: {}\n", it.number, it.by, it.text.escape_debug());
        let lines: String = board.latest.iter().map(line).collect();
        format!("worker {} has heard {}\n{lines}", std::process::id(), board.count)
    }

    async fn how_is_everybody(&self) -> cluster::Result<String> {
        let line = |(pid, health): Report| match health {
            Ok(Health { heard }) => format!("worker {pid} is well, and has heard {heard}\n"),
            Err(why) => format!("worker {pid} gives no answer: {why}\n"),
        };
        let reports: Vec<Report> = self.ask(&ToPrimary::HowIsEverybody).await?;
        Ok(reports.into_iter().map(line).collect())
    }

    /// What no version of this program knows, to all others and to the primary.
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
        (_, "/heard") => Ok(member.heard()),
        (_, "/ask") => member.how_is_everybody().await,
        (_, "/deaf") => deaf(true, "reads no more messages, until /hear"),
        (_, "/hear") => deaf(false, "reads its messages"),
        (_, "/garbage") => member.garbage().await,
        _ => {
            let routes = "try /, POST /say, /heard, /ask, /deaf, /hear, or /garbage\n";
            return Ok(text(StatusCode::NOT_FOUND, routes));
        }
    };
    Ok(match done {
        Ok(body) => text(StatusCode::OK, body),
        Err(error) => text(StatusCode::BAD_GATEWAY, format!("worker {pid}: {error}\n")),
    })
}

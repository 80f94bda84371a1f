//! The worker, and the ways in which it ends.

use std::convert::Infallible;
use std::process::{abort, exit, id};
use std::sync::Arc;
use std::time::Duration;

use cluster::Worker;
use cluster::http::{
    Bytes, Full, Incoming, Method, Request, Response, StatusCode, service_fn, text,
};
use cluster::supervisor::SlotId;
use lab::{Result, say};
use level_2::http::{number, slow};
use nix::sys::signal::{Signal, raise};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::{Args, Question, Wrong, policy};

/// The timeout for an answer from the primary.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn serve(worker: Worker, args: Args) -> Result<()> {
    boot(&worker, &args).await;
    let bug = Arc::new(Notify::new());
    let (serving, ask_for_bug) = (worker.clone(), Arc::clone(&bug));
    let service = service_fn(move |request| {
        let (worker, bug) = (serving.clone(), Arc::clone(&ask_for_bug));
        async move { Ok::<_, Infallible>(answer(&worker, &bug, request).await) }
    });
    tokio::select! {
        served = worker.serve_http(service) => Ok(served?),
        () = bug.notified() => panic!("a bug outside of all requests"),
    }
}

/// The steps before a worker is ready. A death in this function is an early one, even after a long time.
async fn boot(worker: &Worker, args: &Args) {
    if args.wrong == Some(Wrong::NoJitter) {
        // The program itself waits, and all workers wait for the same time: the dice always show 1.
        let failures = u32::try_from(worker.restarts()).unwrap_or(u32::MAX);
        let wait = match failures {
            1..policy::LIMIT => policy::delay(args.strategy, failures, 1.0),
            _ => Duration::ZERO, // an errored slot has waited enough
        };
        let ms = wait.as_secs_f64() * 1e3;
        say!("worker: slot {} itself waits {ms:.3} ms after early death {failures}", worker.slot());
        sleep(wait).await;
    }
    if worker.restarts() < args.crash_at_boot {
        say!("worker: crashes at boot, as requested");
        exit(3);
    }
    // Like other programs, which ask their database for a connection.
    if let Err(why) = worker.request::<String>(&Question::MayStart, PATIENCE).await {
        say!("worker: cannot start: {why}");
        exit(3);
    }
}

async fn answer(
    worker: &Worker,
    bug: &Notify,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    if request.method() == Method::POST {
        return order(worker, &request).await;
    }
    match request.uri().path() {
        "/" => ok(format!("Hello from worker {}\n", id())),
        "/status" => ask(worker, Question::Status).await,
        "/slow" => {
            let ms = slow(&request).await;
            ok(format!("worker {} has finished after {ms} ms\n", id()))
        }
        "/crash" => exit(number(&request, "code").map_or(3, |code| (code & 0xff) as i32)),
        "/abort" => abort(), // like a failed assertion in C, or a panic with panic = "abort"
        "/panic" => panic!("a bug in the answer to one request"),
        "/panic-worker" => {
            bug.notify_one();
            ok(format!("worker {} is about to panic\n", id()))
        }
        "/leave" => {
            let _ = raise(Signal::SIGTERM); // it asks the primary for a replacement, finishes and exits
            ok(format!("worker {} leaves\n", id()))
        }
        "/break" | "/repair" | "/reset" | "/panic-primary" => {
            text(StatusCode::METHOD_NOT_ALLOWED, "send a POST\n")
        }
        _ => text(StatusCode::NOT_FOUND, ROUTES),
    }
}

/// The requests that the primary handles.
async fn order(worker: &Worker, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let slot = number(request, "slot").and_then(|slot| u32::try_from(slot).ok());
    let question = match request.uri().path() {
        "/break" => Question::Break(number(request, "times").unwrap_or(u64::MAX)),
        "/repair" => Question::Repair,
        "/reset" => Question::Reset(SlotId(slot.unwrap_or(0))),
        "/panic-primary" => Question::PanicPrimary,
        _ => return text(StatusCode::NOT_FOUND, ROUTES),
    };
    ask(worker, question).await
}

const ROUTES: &str = "try /, /status, /slow?ms=3000, /crash?code=3, /abort, /panic, /panic-worker, /leave,\n\
    or POST /break?times=5, /repair, /reset?slot=0, /panic-primary\n";

fn ok(body: String) -> Response<Full<Bytes>> {
    text(StatusCode::OK, body)
}

/// Passes a question on to the primary, and returns its answer.
async fn ask(worker: &Worker, question: Question) -> Response<Full<Bytes>> {
    match worker.request::<String>(&question, PATIENCE).await {
        Ok(answer) => ok(answer + "\n"),
        Err(why) => text(StatusCode::CONFLICT, format!("{why}\n")),
    }
}

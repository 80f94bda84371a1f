//! The server that the scenarios look at: a program on `cluster` with every vice on demand.

use std::convert::Infallible;
use std::hint::black_box;
use std::process::{Command, exit};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cluster::http::{Incoming, Request, Response, Token, service_fn};
use cluster::primary::{Event, Events, Handle};
use cluster::{Cluster, Config, Worker};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::lab::{Conduct, mine};

type Body = Full<Bytes>;

/// Messages that a worker has got.
type Heard = Arc<Mutex<Vec<String>>>;

pub fn main() {
    if let Err(error) = run() {
        eprintln!("Error: {error}");
        exit(1);
    }
}

fn run() -> cluster::Result<()> {
    if cluster::is_worker() {
        misbehave();
    }
    let config = Config::from_env()?;
    Cluster::new(config).watch(|events, cluster| watch(events, &cluster)).run(serve)
}

/// What a broken version does instead of working.
fn misbehave() {
    match mine().conduct {
        Conduct::ExitsAtBoot => exit(3),
        Conduct::NeverReady => loop {
            ignore_term();
            std::thread::park();
        },
        Conduct::Gibberish => {
            rubbish(3);
            loop {
                std::thread::park();
            }
        }
        Conduct::Good | Conduct::DiesAtOnce | Conduct::DiesWhenTold => {}
    }
}

/// Writes a frame of another protocol version to a descriptor.
#[allow(unsafe_code)]
fn rubbish(number: std::os::fd::RawFd) {
    // SAFETY: 3 is this worker's channel, and it is open as long as the process lives.
    let channel = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    let _ = nix::unistd::write(channel, b"\0\0\0\x02\x63{}");
}

#[allow(unsafe_code)]
fn ignore_term() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    // SAFETY: ignoring a signal runs no handler.
    let _ = unsafe { signal(Signal::SIGTERM, SigHandler::SigIgn) };
}

async fn serve(worker: Worker) -> cluster::Result<()> {
    let leave = Arc::new(tokio::sync::Notify::new());
    match mine().conduct {
        Conduct::DiesAtOnce => drop(tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            exit(7)
        })),
        Conduct::DiesWhenTold => drop(tokio::spawn(async {
            let flag =
                std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("die")));
            while !flag.as_ref().is_some_and(|flag| flag.exists()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            exit(7)
        })),
        _ => {}
    }
    let heard = Heard::default();
    tokio::spawn(listen(worker.clone(), heard.clone()));
    let stuck = std::env::var("FIXTURE_STUCK_SLOT").ok();
    if stuck.is_some_and(|slot| slot == worker.slot().to_string()) {
        std::future::pending::<()>().await; // it never gets ready
    }
    let (serving, gone) = (worker.clone(), leave.clone());
    let service = service_fn(move |request| {
        let (worker, leave, heard) = (serving.clone(), gone.clone(), heard.clone());
        async move { Ok::<_, Infallible>(answer(&worker, &leave, &heard, request).await) }
    });
    let names = worker.config().listeners().map(str::to_owned).collect::<Vec<_>>();
    let serving = names.iter().map(|name| worker.serve_http_on(name, service.clone()));
    tokio::select! {
        served = futures_util::future::try_join_all(serving) => served.map(drop),
        () = leave.notified() => Ok(()), // by its own wish
    }
}

async fn answer(
    worker: &Worker,
    leave: &tokio::sync::Notify,
    heard: &Heard,
    mut request: Request<Incoming>,
) -> Response<Body> {
    let number = |name: &str| parameter(&request, name).unwrap_or_default();
    let body = match request.uri().path() {
        "/echo" => match request.body_mut().collect().await {
            Ok(body) => format!("length={}", body.to_bytes().len()),
            Err(error) => return status(400, error.to_string()),
        },
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            who(worker)
        }
        "/big" => "x".repeat(usize::try_from(number("bytes")).expect("64 bits")),
        "/exit" => exit(i32::try_from(number("code")).expect("it is small")),
        "/leave" => {
            leave.notify_one();
            who(worker)
        }
        "/hang" => loop {
            black_box(()); // a loop that never gives the thread back
        },
        "/alloc" => {
            let size = usize::try_from(number("mb")).expect("64 bits") << 20;
            Box::leak(vec![1_u8; size].into_boxed_slice());
            who(worker)
        }
        "/child" => {
            let child = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
            child.map_or_else(|e| e.to_string(), |out| String::from_utf8_lossy(&out.stdout).into())
        }
        "/frame" => {
            rubbish(3);
            who(worker)
        }
        "/tell" => {
            let text = request.uri().query().unwrap_or_default().replace('+', " ");
            worker.tell(&text).await.map_or_else(|e| e.to_string(), |()| who(worker))
        }
        "/ask" => {
            let limit = Duration::from_millis(number("limit"));
            let answer = worker.request::<u64>(&number("n"), limit).await;
            answer.map_or_else(|e| e.to_string(), |double| format!("double={double}"))
        }
        "/broadcast" => {
            worker.broadcast(&format!("from {}", worker.id())).await.expect("it is short");
            who(worker)
        }
        "/heard" => heard.lock().expect("nobody panics with it").join(","),
        "/labels" => {
            for number in 0..1000 {
                let long = format!("{number:0>250}");
                let labels = ["a", "b", "c", "d", "e"].map(|name| (name, long.as_str()));
                worker.metrics().counter("labelled_total", &labels).inc();
            }
            who(worker)
        }
        "/upgrade" => return upgrade(request),
        _ => who(worker),
    };
    status(200, body)
}

/// Echoes bytes until the other side ends, or the worker is told to leave and `bye` was sent.
fn upgrade(mut request: Request<Incoming>) -> Response<Body> {
    let token = request.extensions().get::<Token>().cloned();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let mut stream = TokioIo::new(upgraded);
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() && stream.write_all(&byte).await.is_ok() {}
        drop(token); // the worker may go now
    });
    let mut response = status(101, String::new());
    response.headers_mut().insert("upgrade", "echo".parse().expect("it is plain"));
    response.headers_mut().insert("connection", "upgrade".parse().expect("it is plain"));
    response
}

fn who(worker: &Worker) -> String {
    format!(
        "pid={} worker={} slot={} generation={} version={}",
        std::process::id(),
        worker.id(),
        worker.slot(),
        worker.generation(),
        mine().number
    )
}

fn status(code: u16, body: String) -> Response<Body> {
    let response = Response::builder().status(code).body(Full::from(body));
    response.expect("the codes here are valid")
}

fn parameter(request: &Request<Incoming>, name: &str) -> Option<u64> {
    let pairs = request.uri().query()?.split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}

/// Prints one line of JSON for each event, and talks with workers that want to.
fn watch(events: Events, cluster: &Handle) {
    for event in events {
        println!("{}", describe(&event));
        match event {
            // A worker asks for the double of a number. Odd ones are refused, 0 is never answered.
            Event::Asked(_, question, answer) => match question.parse::<u64>() {
                Ok(0) | Err(_) => {}
                Ok(odd) if odd % 2 == 1 => answer.refuse("odd numbers are not doubled").unwrap(),
                Ok(even) => answer.send(&(even * 2)).unwrap(),
            },
            Event::Message(worker, body) => match body.parse::<String>().as_deref() {
                Ok("ask me") => {
                    let asked = |limit| cluster.request::<String>(worker, &"who are you?", limit);
                    let told = asked(Duration::from_secs(30)).unwrap_or_else(|e| e.to_string());
                    println!("{}", json!({"event": "Told", "answer": told}));
                }
                Ok("ask me in vain") => {
                    let limit = Duration::from_millis(200);
                    let asked = cluster.request::<String>(worker, &"nothing", limit);
                    let why = asked.expect_err("it never answers that").to_string();
                    println!("{}", json!({"event": "Untold", "why": why}));
                }
                Ok("tell all") => cluster.broadcast(&"from the primary").unwrap(),
                // A reader that is slow beyond all measure.
                Ok("sleep") => std::thread::sleep(Duration::from_secs(2)),
                _ => {}
            },
            _ => {}
        }
    }
}

/// What a worker hears: questions it answers, the rest it keeps.
async fn listen(worker: Worker, heard: Heard) {
    let mut messages = worker.messages().expect("nobody else takes them");
    while let Some(message) = messages.recv().await {
        match (message.body.parse::<String>(), message.reply) {
            (Ok(question), Some(reply)) if question == "who are you?" => {
                reply.send(&who(&worker)).await.expect("the primary is there");
            }
            (Ok(text), None) => heard.lock().expect("nobody panics with it").push(text),
            _ => {}
        }
    }
}

fn describe(event: &Event) -> Value {
    match event {
        Event::Spawned { worker, slot, generation, pid } => json!({
            "event": "Spawned", "worker": worker, "slot": slot, "generation": generation, "pid": pid
        }),
        Event::Online(worker) => json!({"event": "Online", "worker": worker}),
        Event::Listening(worker, addresses) => {
            json!({"event": "Listening", "worker": worker, "addresses": addresses.to_vec()})
        }
        Event::Serving { addresses, workers } => {
            json!({"event": "Serving", "addresses": addresses.to_vec(), "workers": workers})
        }
        Event::Draining(worker, why) => json!({"event": "Draining", "worker": worker, "why": why}),
        Event::Disconnected(worker) => json!({"event": "Disconnected", "worker": worker}),
        Event::Unhealthy(worker, why) => {
            json!({"event": "Unhealthy", "worker": worker, "why": why})
        }
        Event::Exited { worker, pid, code, signal, voluntary, .. } => json!({
            "event": "Exited", "worker": worker, "pid": pid, "code": code, "signal": signal,
            "voluntary": voluntary
        }),
        Event::BackingOff { slot, failures, delay } => json!({
            "event": "BackingOff", "slot": slot, "failures": failures,
            "milliseconds": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
        }),
        Event::Errored { slot, failures } => {
            json!({"event": "Errored", "slot": slot, "failures": failures})
        }
        Event::ReloadStarted(generation) => {
            json!({"event": "ReloadStarted", "generation": generation})
        }
        Event::ReloadFinished(generation) => {
            json!({"event": "ReloadFinished", "generation": generation})
        }
        Event::ReloadFailed(generation, why) => {
            json!({"event": "ReloadFailed", "generation": generation, "why": why.0})
        }
        Event::Scaled { from, to } => json!({"event": "Scaled", "from": from, "to": to}),
        Event::Message(worker, body) => {
            json!({"event": "Message", "worker": worker, "body": format!("{body:?}")})
        }
        Event::Lagged(lost) => json!({"event": "Lagged", "lost": lost}),
        Event::Asked(worker, ..) => json!({"event": "Asked", "worker": worker}),
        other => json!({"event": format!("{other:?}")}),
    }
}

//! Futures, tasks, `select!` and cancellation, on one thread, for readers that know `poll`.
//!
//! ```console
//! $ cargo run -p level-2 --bin await-points -- by-hand
//! $ cargo run -p level-2 --bin await-points -- tasks
//! ```
//!
//! Guide 0 of this level has the predictions and the answers. Each lesson is one function below.

use std::future::{Future, poll_fn};
use std::io::Write as _;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{sleep, timeout};

/// Plays one lesson on async Rust, or all of them in order.
#[derive(Parser)]
struct Args {
    /// The lesson.
    #[arg(value_enum)]
    lesson: Option<Lesson>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Lesson {
    /// A future is a state machine: it runs only when it is polled.
    ByHand,
    /// Two tasks take turns on one thread, at their await points.
    Tasks,
    /// The same two tasks, of which one blocks the thread between two await points.
    Blocking,
    /// Two futures race; the loser is dropped at its await point.
    Select,
    /// A read is cancelled in the middle of a frame, and its bytes are lost.
    Lost,
    /// The same read, kept alive across the cancellation.
    Kept,
}

/// The time from which the lines count their milliseconds.
static START: OnceLock<Instant> = OnceLock::new();

fn main() -> ExitCode {
    let lesson = Args::parse().lesson;
    let lessons = lesson.map_or_else(|| Lesson::value_variants().to_vec(), |one| vec![one]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    START.get_or_init(Instant::now);
    for lesson in lessons {
        match lesson {
            Lesson::ByHand => by_hand(),
            Lesson::Tasks => runtime.block_on(tasks(wait)),
            Lesson::Blocking => runtime.block_on(tasks(block)),
            Lesson::Select => runtime.block_on(select()),
            Lesson::Lost => runtime.block_on(frames(false)),
            Lesson::Kept => runtime.block_on(frames(true)),
        }
    }
    ExitCode::SUCCESS
}

// ---- by-hand

/// The loop that a runtime runs for us, without a runtime.
fn by_hand() {
    let mut future = pin!(async {
        say("future", "begins");
        not_yet().await;
        say("future", "continues after its first await");
        not_yet().await;
        say("future", "ends");
        7
    });
    say("main", "has a future; none of it has run");
    let mut context = Context::from_waker(Waker::noop()); // a runtime passes one that wakes the task
    loop {
        let result = future.as_mut().poll(&mut context);
        say("main", &format!("poll returned {result:?}"));
        if result.is_ready() {
            break;
        }
    }
}

/// Is pending once, like a socket without data, and then ready.
async fn not_yet() {
    let mut polled = false;
    poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

// ---- tasks, blocking

/// Two tasks: one waits in the given way, the other one ticks.
async fn tasks<F: Future<Output = ()> + Send + 'static>(work: fn() -> F) {
    let ticking = tokio::spawn(async {
        for number in 1..=3 {
            sleep(Duration::from_millis(20)).await;
            say("ticker", &format!("tick {number}"));
        }
    });
    let working = tokio::spawn(async move {
        say("worker", "begins");
        work().await;
        say("worker", "ends");
    });
    let _ = tokio::join!(ticking, working);
}

/// 50 ms with an await point: the thread is free in the meantime.
async fn wait() {
    sleep(Duration::from_millis(50)).await;
}

/// 50 ms without one: the thread is held.
async fn block() {
    std::thread::sleep(Duration::from_millis(50));
}

// ---- select

async fn select() {
    let slow = async {
        let _guard = Guard("the slow future");
        say("slow", "begins");
        sleep(Duration::from_secs(1)).await;
        say("slow", "ends"); // never reached
    };
    tokio::select! {
        () = slow => say("main", "the slow one was first"),
        () = sleep(Duration::from_millis(20)) => say("main", "the timer was first"),
    }
}

/// Reports its own end.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        say("guard", &format!("{} is dropped", self.0));
    }
}

// ---- lost, kept

/// Reads two frames, and stops waiting every 10 ms. The peer sends the first one in two parts.
async fn frames(kept: bool) {
    let (mut peer, mut stream) = duplex(64);
    tokio::spawn(async move {
        let _ = peer.write_all(b"\0\0\0\x05he").await;
        sleep(Duration::from_millis(25)).await;
        let _ = peer.write_all(b"llo\0\0\0\x05again").await;
        sleep(Duration::from_millis(25)).await;
    });
    if kept { keep(&mut stream).await } else { lose(&mut stream).await }
}

/// Wrong: each timeout drops the future of the read, along with the bytes that it has taken.
async fn lose(stream: &mut DuplexStream) {
    loop {
        match timeout(Duration::from_millis(10), frame(stream)).await {
            Ok(Some(frame)) => say("reader", &format!("got {frame:?}")),
            Ok(None) => return,
            Err(_) => say("reader", "times out; its read is dropped"),
        }
    }
}

/// Right: one future for each frame, polled again after each timeout.
async fn keep(stream: &mut DuplexStream) {
    loop {
        let mut reading = pin!(frame(stream));
        let frame = loop {
            match timeout(Duration::from_millis(10), reading.as_mut()).await {
                Ok(frame) => break frame,
                Err(_) => say("reader", "times out; its read is kept"),
            }
        };
        let Some(frame) = frame else { return };
        say("reader", &format!("got {frame:?}"));
    }
}

/// A length of four bytes, and as many bytes of text; `None` at the end.
async fn frame(stream: &mut DuplexStream) -> Option<String> {
    let length = stream.read_u32().await.ok()?;
    if length > 64 {
        say("reader", &format!("a frame of {length} bytes? Those were letters"));
        return None;
    }
    let mut body = vec![0; usize::try_from(length).expect("it is at most 64")];
    stream.read_exact(&mut body).await.ok()?;
    Some(String::from_utf8_lossy(&body).into_owned())
}

/// Prints a line, with the milliseconds since the start.
fn say(speaker: &str, text: &str) {
    let elapsed = START.get_or_init(Instant::now).elapsed().as_millis();
    let _ = writeln!(std::io::stdout(), "{elapsed:>4} ms  {speaker:<7} {text}"); // a closed pipe is fine
}

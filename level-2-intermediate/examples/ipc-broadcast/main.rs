//! A notice to one worker reaches all of them: messages between processes that share no memory.
//!
//! ```console
//! $ cargo run -p level-2 --example ipc-broadcast
//! $ curl -d 'We close at ten' http://127.0.0.1:8000/say    # to one worker, in a second terminal
//! $ curl http://127.0.0.1:8000/board                       # another one knows it; so does the next
//! $ curl http://127.0.0.1:8000/deaf; curl http://127.0.0.1:8000/ask
//! $ curl http://127.0.0.1:8000/garbage
//! ```
//!
//! Look for: kill a worker, and its replacement knows all notices from before its start. A deaf worker
//! costs `/ask` one second and its own answer, until `/listen` reaches it. Garbage is refused, and its
//! sender gets the reason.
//!
//! Five things make this more than a loop over sockets:
//!
//! 1. **One process numbers the notices.** A notice goes to the primary, which numbers it and sends it
//!    to all workers, its sender included. So all boards have the same order, and a missing or repeated
//!    number is noticed.
//! 2. **New workers ask.** Earlier notices are not repeated for them. They listen first and then ask:
//!    the other way round, a notice in between would be lost. The numbers sort out the rest.
//! 3. **Each question has a timeout**, and the primary, which asks on behalf of a worker, has a shorter
//!    one.
//! 4. **The receiving thread never waits.** One thread receives from all workers. Slow work is done on
//!    another, which has a short queue; if the queue is full, the question is refused at once.
//! 5. **An unknown message is refused.** During a reload, two versions of a program talk to each other.
//!
//! The library's `Worker::broadcast` is shorter: the primary passes a message on to all other workers
//! that are ready. It is enough if it does no harm that two workers that broadcast at once may get the
//! messages in different orders, and that a worker that is just starting may miss them.
//!
//! Four pages: `messages.rs` has the messages, this one the primary's side, `survey.rs` its question to
//! all workers, `worker.rs` the other side.
//! (`demo.rs`, `room.rs` and `wrong.rs` are the demo.)

mod demo;
mod messages;
mod room;
mod survey;
mod worker;
mod wrong;

use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use cluster::config::Sharing;
use cluster::primary::{Answerer, Event, Events, Handle};
use cluster::supervisor::WorkerId;
use cluster::{Cluster, Config};
use lab::args::{self, Common};
use lab::{Result, say};
use level_2::settings;
use level_2::story::Story;

use messages::{Board, LONGEST, Notice, ToPrimary, ToWorker};

/// A notice to one worker reaches all of them
#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    common: Common,
    /// Run a wrong version; with --demo, see which claim it breaks
    #[arg(long, value_name = "VERSION")]
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Wrong {
    /// A worker puts a notice on its own board, and does not pass it on
    OwnMemory,
    /// A new worker starts with an empty board
    BornIgnorant,
    /// A question has no timeout
    NoLimit,
    /// The primary asks one worker after the other, and does nothing else meanwhile
    AskInTurn,
}

/// The time that the primary waits for a worker's answer.
const LIMIT: Duration = Duration::from_secs(1);

/// The time that a worker waits for the primary's answer: longer, because the primary may ask others.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { run(&args) })
}

fn run(args: &Args) -> Result<()> {
    // With hand-off each new connection goes to the next worker, so that you see all of them.
    let config = Config::builder().sharing(Sharing::HandOff);
    let config = settings::complete(config, &args.common)?;
    let wrong = args.wrong;
    Cluster::new(config)
        .watch(move |events, cluster| primary(events, cluster, wrong))
        .run(async move |worker| worker::serve(worker, wrong).await)?;
    Ok(())
}

/// The primary's part. One thread handles all messages of the workers: it handles them in order, and
/// while it waits, all workers wait.
fn primary(events: Events, cluster: Handle, wrong: Option<Wrong>) {
    let (mut story, asker) = (Story::default(), survey::asker(&cluster, wrong));
    let mut desk = Desk { board: Board::default(), asker, cluster, wrong };
    for event in events {
        story.tell(&event);
        let done = match event {
            Event::Asked(worker, question, answer) => match question.parse() {
                Ok(question) => desk.answer(story.pid(worker), question, answer),
                Err(error) => refuse(story.pid(worker), &error.to_string(), answer),
            },
            // A message without an answer: its sender would never know that it was in vain.
            Event::Message(worker, body) => {
                say!("primary: worker {} sent {body:?}, not a question", story.pid(worker));
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            say!("primary: could not answer: {error}"); // the next answer may arrive
        }
    }
}

fn refuse(by: u32, why: &str, answer: Answerer) -> cluster::Result<()> {
    say!("primary: refuses worker {by}: {why}");
    answer.refuse(why)
}

/// The state of the primary's part.
struct Desk {
    board: Board,
    asker: SyncSender<Answerer>,
    cluster: Handle,
    wrong: Option<Wrong>,
}

impl Desk {
    fn answer(&mut self, by: u32, question: ToPrimary, answer: Answerer) -> cluster::Result<()> {
        match question {
            ToPrimary::CatchUp => answer.send(&self.board),
            ToPrimary::Say(text) if text.len() > LONGEST => {
                refuse(by, &format!("a notice has at most {LONGEST} bytes"), answer)
            }
            ToPrimary::Say(text) => {
                let notice = self.board.say(by, text);
                tell_all(&self.cluster, &notice)?;
                answer.send(&notice.number)
            }
            ToPrimary::HowIsEverybody if self.wrong == Some(Wrong::AskInTurn) => {
                survey::report(&self.cluster, self.wrong, answer)
            }
            // `send` would wait for room in the queue, and all workers with it.
            ToPrimary::HowIsEverybody => match self.asker.try_send(answer) {
                Ok(()) => Ok(()),
                Err(TrySendError::Full(answer) | TrySendError::Disconnected(answer)) => {
                    refuse(by, "too many ask how the workers are; try again later", answer)
                }
            },
        }
    }
}

/// Sends a notice to all live workers, ready or not. A worker that is started later finds it on the
/// board; one that is being started now gets it both ways, and accepts it once.
fn tell_all(cluster: &Handle, notice: &Notice) -> cluster::Result<()> {
    say!("primary: number {} is {:?}, by worker {}", notice.number, notice.text, notice.by);
    for worker in cluster.stats()?.workers.iter().filter(|worker| worker.pid != 0) {
        cluster.tell(WorkerId(worker.id), &ToWorker::Said(notice.clone()))?; // it does not wait
    }
    Ok(())
}

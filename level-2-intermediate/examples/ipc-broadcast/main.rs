//! What one worker is told, all of them know: messages between processes that share no memory.
//!
//! ```console
//! $ cargo run -p level-2 --example ipc-broadcast
//! $ curl -d 'We close at ten' http://127.0.0.1:8000/say    # one worker is told, in a second terminal
//! $ curl http://127.0.0.1:8000/heard                       # another one knows; the next one, too
//! $ curl http://127.0.0.1:8000/deaf; curl http://127.0.0.1:8000/ask
//! $ curl http://127.0.0.1:8000/garbage
//! ```
//!
//! Look for: kill a worker, and its replacement knows what was said before it was born. A worker that
//! is deaf costs `/ask` one second and its own answer, until `/hear` reaches it. Garbage is refused, and
//! its sender is told.
//!
//! Five things make this more than a loop over sockets:
//!
//! 1. **One numbers.** A notice goes to the primary, which numbers it and tells everybody, its sender as
//!    well. So all boards have the same order, and a number that is missing or comes twice is noticed.
//! 2. **Newcomers ask.** Nobody repeats what was said before they were born. They listen first and ask
//!    then: the other way round, what is said in between would be lost. The numbers sort out the rest.
//! 3. **Each question has a limit**, and who asks on somebody's behalf has a shorter one.
//! 4. **The ear never waits.** One thread hears all workers. What takes long is done on another, which
//!    has a short queue; who finds it full is refused at once.
//! 5. **What is not understood is refused.** In a reload, two versions of a program talk to each other.
//!
//! The library's `Worker::broadcast` is shorter: the primary passes a message on to all other workers
//! that are ready. It is enough where nobody minds that two who broadcast at once hear of each other in
//! different orders, and that a worker that is just starting hears nothing.
//!
//! Four pages: `messages.rs` has what is said, this one the primary's side, `survey.rs` its question to
//! everybody, `worker.rs` the other side.
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

/// What one worker is told, all of them know
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
    /// A worker puts what it is told on its own board, and tells nobody
    OwnMemory,
    /// A new worker begins with an empty board
    BornIgnorant,
    /// Whoever asks waits until there is an answer
    NoLimit,
    /// The primary asks one worker after the other, and does nothing else meanwhile
    AskInTurn,
}

/// How long the primary waits for a worker's answer.
const LIMIT: Duration = Duration::from_secs(1);

/// How long a worker waits for the primary's: longer, because the primary may have to ask others.
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

/// The primary's part. There is one thread for all that workers say: what it does is done in an order,
/// and as long as it waits, everybody does.
fn primary(events: Events, cluster: Handle, wrong: Option<Wrong>) {
    let (mut story, asker) = (Story::default(), survey::asker(&cluster, wrong));
    let mut desk = Desk { board: Board::default(), asker, cluster, wrong };
    for event in events {
        story.tell(&event);
        let done = match event {
            Event::Asked(worker, question, answer) => match question.parse() {
                Ok(question) => desk.hear(story.pid(worker), question, answer),
                Err(error) => refuse(story.pid(worker), &error.to_string(), answer),
            },
            // A message without a way back: its sender would never learn that it was in vain.
            Event::Message(worker, body) => {
                say!("primary: worker {} said {body:?}; here one asks", story.pid(worker));
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            say!("primary: could not answer: {error}"); // the next one may be luckier
        }
    }
}

fn refuse(by: u32, why: &str, answer: Answerer) -> cluster::Result<()> {
    say!("primary: refuses worker {by}: {why}");
    answer.refuse(why)
}

/// What the primary works with.
struct Desk {
    board: Board,
    asker: SyncSender<Answerer>,
    cluster: Handle,
    wrong: Option<Wrong>,
}

impl Desk {
    fn hear(&mut self, by: u32, question: ToPrimary, answer: Answerer) -> cluster::Result<()> {
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
            // `send` would wait for room in the queue, and everybody with it.
            ToPrimary::HowIsEverybody => match self.asker.try_send(answer) {
                Ok(()) => Ok(()),
                Err(TrySendError::Full(answer) | TrySendError::Disconnected(answer)) => {
                    refuse(by, "too many ask how everybody is; try again later", answer)
                }
            },
        }
    }
}

/// Tells everybody who lives, ready or not. Whoever is started later finds it on the board; whoever is
/// being started now is told, and finds it on the board as well, and takes it once.
fn tell_all(cluster: &Handle, notice: &Notice) -> cluster::Result<()> {
    say!("primary: number {} is {:?}, by worker {}", notice.number, notice.text, notice.by);
    for worker in cluster.stats()?.workers.iter().filter(|worker| worker.pid != 0) {
        cluster.tell(WorkerId(worker.id), &ToWorker::Said(notice.clone()))?; // it does not wait
    }
    Ok(())
}

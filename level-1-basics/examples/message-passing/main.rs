//! Primary and workers share no memory, so they talk: JSON lines over a socket pair, both ways.
//!
//! ```console
//! $ cargo run -p level-1 --example message-passing
//! $ curl 'http://127.0.0.1:8000/greet?text=Hola'      # one worker gets it, in a second terminal
//! $ for i in 1 2 3 4 5 6; do curl -s http://127.0.0.1:8000; done          # all of them say it
//! $ curl http://127.0.0.1:8000/garbage; curl http://127.0.0.1:8000/die    # the others keep serving
//! ```
//!
//! Look for: a stream has no messages, only bytes. The reader has to find out where one ends.

mod demo;
mod worker;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use lab::args::{self, Common};
use lab::{Result, narrate, say};
use level_1::process::{ALL_ENDED, end_worker, fork, reap_all, stop, tell_end};
use level_1::signals::{PRIMARY_READS, asked_to_stop, block, pending, poll_channels, readable};
use nix::unistd::{ForkResult, Pid, getpid};
use serde::{Deserialize, Serialize};

/// Primary and workers talk over socket pairs
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
    /// The primary takes the result of one read for one message
    OneReadOneMessage,
    /// A worker changes its own memory and sends no message
    OwnMemory,
}

/// One line on the wire, for example `{"type":"greet","text":"Hola","counted":12}`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message {
    /// Worker to primary: my state. The primary counts these.
    Status { served: u64 },
    /// Worker to primary: have all workers greet like this. Primary to all workers: do so; and by
    /// the way, I have counted this many statuses.
    Greet { text: String, counted: u64 },
}

type Channels = BTreeMap<Pid, Channel>;

/// A limit far above any message of ours. Without it, one bad worker could fill the primary's memory.
const LONGEST: usize = 64 * 1024;

fn main() -> ExitCode {
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

fn primary(args: &Args) -> Result<()> {
    let listener = args.common.bind()?;
    let signals = block(&PRIMARY_READS)?;
    let me = getpid();
    let mut channels: Channels = BTreeMap::new();
    for _ in 0..args.common.workers.get() {
        let (ours, theirs) = UnixStream::pair()?;
        match fork()? {
            ForkResult::Parent { child } => {
                ours.set_nonblocking(true)?; // the primary waits only in its poll
                channels.insert(child, Channel { stream: ours, buffer: Vec::new() });
            }
            ForkResult::Child => {
                // Copies of the primary's ends. While one of them is open, the worker at the other
                // end would never see the end of its stream.
                drop((signals, ours, channels));
                end_worker(worker::run(me, listener, theirs, args.wrong))
            }
        }
    }
    let address = listener.local_addr()?;
    drop(listener); // the workers have it
    if level_1::readiness::answers(address, &signals)? {
        narrate::ready(address, channels.len());
    }

    let (mut alive, mut counted): (Vec<Pid>, u64) = (channels.keys().copied().collect(), 0);
    while !alive.is_empty() {
        // Sleeps until any worker sends something: the primary never waits for one worker alone.
        let streams = channels.iter().map(|(pid, channel)| (*pid, &channel.stream));
        for pid in poll_channels(&signals, streams, None)? {
            listen(pid, &mut channels, &mut counted, args.wrong);
        }
        if let Some(request) = asked_to_stop(&pending(&signals)?) {
            return stop(&signals, request, alive);
        }
        for (pid, status) in reap_all()? {
            // Its last messages come before its end, even if both arrive at the same time.
            while let Some(channel) = channels.get(&pid)
                && readable(&channel.stream)?
            {
                listen(pid, &mut channels, &mut counted, args.wrong);
            }
            tell_end(pid, status);
            channels.remove(&pid);
            alive.retain(|worker| *worker != pid);
        }
    }
    Err(ALL_ENDED.into())
}

/// Reads the messages of worker `pid`, and reacts.
fn listen(pid: Pid, channels: &mut Channels, counted: &mut u64, wrong: Option<Wrong>) {
    let Some(messages) = channels.get_mut(&pid).and_then(|channel| channel.receive(pid, wrong))
    else {
        channels.remove(&pid); // the conversation is over
        return;
    };
    for message in messages {
        match message {
            Message::Status { .. } => *counted += 1,
            Message::Greet { text, .. } => greet(channels, text, *counted),
        }
    }
}

/// Sends the text to every worker. A channel has room for hundreds of messages: a worker that has read
/// none of them loses its channel, because it may now contain half a message.
fn greet(channels: &mut Channels, text: String, counted: u64) {
    say!("primary: every worker says {text:?} from now on");
    let line = line(&Message::Greet { text, counted });
    channels.retain(|pid, channel| {
        match channel.stream.write(&line) {
            Ok(n) if n == line.len() => return true,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {} // its end is on its way
            _ => say!("primary: {pid} does not read its messages, closing its channel"),
        }
        false
    });
}

/// The primary's end of one conversation, with the bytes that are not a whole line yet.
struct Channel {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Channel {
    /// Reads what has arrived and returns the messages that are complete now: none, one or many.
    /// `None` means that the conversation is over.
    fn receive(&mut self, pid: Pid, wrong: Option<Wrong>) -> Option<Vec<Message>> {
        let mut bytes = [0; 4096];
        let n = match self.stream.read(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Some(Vec::new()),
            read => read.unwrap_or(0), // a reset is an end, too
        };
        if n == 0 {
            match self.buffer.len() {
                0 => say!("primary: {pid} hung up"),
                rest => say!("primary: {pid} hung up, {rest} bytes into a message"),
            }
            return None;
        }
        if wrong == Some(Wrong::OneReadOneMessage) {
            return Some(parse(pid, &bytes[..n]).into_iter().collect());
        }
        self.buffer.extend_from_slice(&bytes[..n]);
        let mut messages = Vec::new();
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            messages.extend(parse(pid, &line));
        }
        if self.buffer.len() > LONGEST {
            say!("primary: {pid} sends a message without an end, closing its channel");
            return None;
        }
        Some(messages)
    }
}

/// A line that is not a message is logged and skipped: one worker's mistake must not end the primary.
fn parse(pid: Pid, line: &[u8]) -> Option<Message> {
    let parsed = serde_json::from_slice(line);
    parsed
        .inspect_err(|error| say!("primary: {pid} sent something that is not a message: {error}"))
        .ok()
}

fn line(message: &Message) -> Vec<u8> {
    let json = serde_json::to_string(message).expect("these types always become JSON");
    format!("{json}\n").into_bytes()
}

//! The other role: it answers requests on one thread and reads from its primary on another one.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::exit;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lab::{Result, say};
use level_1::http::{self, Reply, Request};
use level_1::process::die_with;
use nix::unistd::{Pid, getpid};

use super::{LONGEST, Message, Wrong, line};

/// The greeting, and the number of statuses that the primary had counted when it sent the greeting.
type Greeting = Mutex<(String, u64)>;

pub fn run(
    primary: Pid,
    listener: TcpListener,
    channel: UnixStream,
    wrong: Option<Wrong>,
) -> Result<()> {
    die_with(primary)?;
    let greeting = Arc::new(Greeting::new(("Hello".to_owned(), 0)));
    let (received, incoming) = (Arc::clone(&greeting), BufReader::new(channel.try_clone()?));
    // A separate thread may wait for the primary alone, which is what BufRead::lines does.
    let listen = move || {
        for line in incoming.lines().map_while(std::result::Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Message::Greet { text, counted }) => set(&received, text, counted),
                _ => say!("worker: did not understand {line:?}"),
            }
        }
        exit(1) // the primary hung up: there is nothing left to do
    };
    thread::Builder::new().spawn(listen)?;
    let channel = Arc::new(channel);
    http::serve(listener, || Ok(()), move |request| answer(request, &channel, &greeting, wrong))
}

fn answer(
    request: &Request,
    mut primary: &UnixStream,
    greeting: &Greeting,
    wrong: Option<Wrong>,
) -> Reply {
    let text = http::query(request, "text").unwrap_or("Hello").to_owned();
    if text.len() > 1000 {
        return http::status(413, "a greeting has at most 1000 bytes\n");
    }
    let sent = match request.uri().path() {
        "/greet" if wrong == Some(Wrong::OwnMemory) => {
            set(greeting, text, 0);
            Ok(())
        }
        "/greet" => primary.write_all(&line(&Message::Greet { text, counted: 0 })),
        "/burst" => {
            // A thousand messages in pieces of odd lengths, as a busy stream would cut them.
            let lines = (1..=1000).flat_map(|served| line(&Message::Status { served }));
            lines.collect::<Vec<_>>().chunks(999).try_for_each(|piece| primary.write_all(piece))
        }
        "/garbage" => primary.write_all(b"this is not JSON\n"),
        "/endless" => primary.write_all(&vec![b'x'; 4 * LONGEST]),
        "/die" => {
            let _ = primary.write_all(br#"{"type":"sta"#);
            exit(1)
        }
        _ => Ok(()),
    };
    if let Err(error) = sent {
        return http::status(500, format!("the primary does not read: {error}\n"));
    }
    let (text, counted) = greeting.lock().unwrap_or_else(PoisonError::into_inner).clone();
    http::text(format!("{text} from worker {} ({counted} statuses counted)\n", getpid()))
}

fn set(greeting: &Greeting, text: String, counted: u64) {
    *greeting.lock().unwrap_or_else(PoisonError::into_inner) = (text, counted);
}

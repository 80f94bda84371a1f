use std::env;
use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Command, ExitCode};
use std::time::Duration;

use grader::check::ended;
use grader::probe::{Gate, Post, listening_on};
use grader::{Check, Exercise, Finding, Outcome, Value, ensure};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::{Pid, getpid};

use crate::level_1::listen;

pub const EXERCISE: Exercise = Exercise {
    id: "listen",
    steps: &[
        ("open", one_socket),
        ("start_worker", one_worker),
        ("start_workers", several_workers),
        ("exec_worker", another_program),
    ],
    programs: &[("listener", listener)],
};

fn one_socket(check: &Check) -> Outcome {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = check.call_ok("open(127.0.0.1:0)", || listen::open(any))?;
    let address = local(&listener);
    ensure!(listening_on(address.port()) == 1, "listen.no-socket");
    ensure!(address.ip() == any.ip(), "listen.address", seen = address.ip().to_string());
    let refused = check.call("open(the same address)", || listen::open(address));
    let Err(line) = refused else { return Err(Finding::new("listen.twice")) };
    is_explained(&line, address, true)?;
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 80)); // an address for documentation, never ours
    let refused = check.call("open(192.0.2.1:80)", || listen::open(elsewhere));
    let Err(line) = refused else { return Err(Finding::new("listen.elsewhere")) };
    is_explained(&line, elsewhere, false)
}

fn is_explained(line: &str, address: SocketAddr, in_use: bool) -> Outcome {
    let names = line.contains(&address.to_string());
    ensure!(names, "listen.unnamed", address = varying(address), seen = varying(line));
    let says_so = line.to_lowercase().contains("in use");
    ensure!(says_so == in_use, "listen.reason", seen = varying(line));
    let has_advice = line.contains("ss -");
    ensure!(has_advice == in_use, "listen.advice", seen = varying(line));
    ensure!(!line.trim().contains('\n'), "listen.lines", seen = varying(line));
    Ok(())
}

fn one_worker(check: &Check) -> Outcome {
    let listener = bound();
    let start = || {
        let answer = |client: TcpStream| answer(check, client);
        check.call_ok("start_worker(listener, answer)", || listen::start_worker(&listener, answer))
    };
    // The first worker finds an empty queue, so a function that accepts in the primary gets stuck.
    let first = start()?;
    for _ in 0..2 {
        is_answered_by(check, connect(&listener), &[first])?;
    }
    end(check, &[first])?;
    let early = connect(&listener);
    check.did("connected-early");
    let worker = start()?;
    is_answered_by(check, early, &[worker])?;
    for _ in 0..3 {
        is_answered_by(check, connect(&listener), &[worker])?;
    }
    ensure!(listening_on(local(&listener).port()) == 1, "listen.sockets");
    let flags = OFlag::from_bits_retain(fcntl(&listener, FcntlArg::F_GETFL).unwrap_or_default());
    ensure!(!flags.contains(OFlag::O_NONBLOCK), "listen.nonblocking");
    end(check, &[worker])
}

fn several_workers(check: &Check) -> Outcome {
    const COUNT: usize = 3;
    let listener = bound();
    let (post, gate) = (Post::new(), Gate::new());
    let answer = |client: TcpStream| {
        if getpid() != check.me {
            post.send("busy");
            gate.pass();
        }
        answer(check, client);
    };
    let workers = check.call_ok("start_workers(listener, 3, answer)", || {
        listen::start_workers(&listener, COUNT, answer)
    })?;
    ensure!(workers.len() == COUNT, "listen.count", expected = COUNT, seen = workers.len());
    let clients: Vec<TcpStream> = (0..COUNT).map(|_| connect(&listener)).collect();
    check.did(Finding::new("connected").with("count", COUNT));
    let mut busy = Vec::new();
    for _ in 0..COUNT {
        let Some((pid, _)) = post.receive(check) else {
            return Err(Finding::new("listen.alone").with("busy", busy.as_slice()));
        };
        busy.push(pid);
    }
    ensure!(
        busy.iter().all(|pid| workers.contains(pid)),
        "listen.others",
        workers = workers.as_slice(),
        busy = busy.as_slice()
    );
    ensure!(listening_on(local(&listener).port()) == 1, "listen.sockets");
    gate.open(check, 2 * COUNT);
    for client in clients {
        is_answered_by(check, client, &workers)?;
    }
    for _ in 0..COUNT {
        is_answered_by(check, connect(&listener), &workers)?;
    }
    end(check, &workers)
}

fn another_program(check: &Check) -> Outcome {
    let listener = bound();
    let mut program = check.program("listener");
    let worker = check.call_ok("exec_worker(listener, program)", || {
        listen::exec_worker(&listener, &mut program)
    })?;
    let text = answer_to(check, connect(&listener)).map_err(|_| Finding::new("listen.not-got"))?;
    let (pid, descriptors) = text.split_once(' ').unwrap_or_default();
    let pid = Pid::from_raw(pid.parse().unwrap_or_default());
    ensure!(pid == worker, "listen.other-program", seen = pid);
    let extra = descriptors.split(", ").count().saturating_sub(4);
    ensure!(extra == 0, "listen.descriptors", seen = varying(descriptors));
    let kept = fcntl(&listener, FcntlArg::F_GETFD).unwrap_or_default();
    let closes = FdFlag::from_bits_truncate(kept).contains(FdFlag::FD_CLOEXEC);
    ensure!(closes, "listen.mark");
    end(check, &[worker])?;
    let mut missing = Command::new("/there/is/no/such/program");
    let worker = check.call_ok("exec_worker(listener, missing)", || {
        listen::exec_worker(&listener, &mut missing)
    })?;
    let status = check.reap(worker)?;
    let right = status == WaitStatus::Exited(worker, 127);
    ensure!(right, "listen.missing", seen = ended(status));
    Ok(())
}

fn bound() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("a free port")
}

fn local(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("it is bound")
}

fn connect(listener: &TcpListener) -> TcpStream {
    let client = TcpStream::connect(local(listener)).expect("it listens");
    client.set_read_timeout(Some(Duration::from_millis(1))).expect("a valid time");
    client
}

/// In a worker: answers with the pid.
fn answer(check: &Check, mut client: TcpStream) {
    if getpid() == check.me {
        check.end_with(Finding::new("listen.in-primary"));
    }
    let _ = write!(client, "{}", getpid());
}

fn is_answered_by(check: &Check, client: TcpStream, workers: &[Pid]) -> Outcome {
    let text = answer_to(check, client)?;
    let pid = Pid::from_raw(text.parse().unwrap_or_default());
    ensure!(workers.contains(&pid), "listen.others", workers = workers, busy = pid);
    Ok(())
}

/// Reads to the end of the stream.
fn answer_to(check: &Check, mut client: TcpStream) -> Result<String, Finding> {
    let mut text = Vec::new();
    let mut bytes = [0; 256];
    let ended = check.wait_for(|| match client.read(&mut bytes) {
        Ok(0) => Some(()),
        Ok(count) => {
            text.extend_from_slice(&bytes[..count]);
            None
        }
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Some(()),
        Err(_) => None,
    });
    let text = String::from_utf8_lossy(&text).into_owned();
    match ended {
        Some(()) if !text.is_empty() => {
            check.did(Finding::new("answered").with("text", text.as_str()));
            Ok(text)
        }
        _ => Err(Finding::new("listen.no-answer")),
    }
}

/// Terminates the workers, all of which must still be running.
fn end(check: &Check, workers: &[Pid]) -> Outcome {
    for worker in workers {
        check.kill(*worker, Signal::SIGTERM)?;
    }
    for worker in workers {
        let status = check.reap(*worker)?;
        let right = status == WaitStatus::Signaled(*worker, Signal::SIGTERM, false);
        ensure!(right, "listen.ended", pid = *worker, seen = ended(status));
    }
    Ok(())
}

fn varying(value: impl Display) -> Value {
    Value::Varying(value.to_string())
}

/// The program that the checks start by exec: listens on the descriptor that `LISTEN_FD` names, and
/// answers each client with its pid and its open descriptors.
#[allow(unsafe_code)]
fn listener() -> ExitCode {
    let number = env::var("LISTEN_FD").ok().and_then(|number| number.parse().ok());
    let Some(number) = number else {
        eprintln!("LISTEN_FD does not name a descriptor");
        return ExitCode::from(3);
    };
    let open = grader::proc::descriptors(getpid().as_raw());
    if !open.iter().any(|one| one.number == number && one.kind == "socket") {
        eprintln!("descriptor {number} is not a socket");
        return ExitCode::from(4);
    }
    let numbers: Vec<String> =
        open.iter().map(|one| format!("{} ({})", one.number, one.kind)).collect();
    // SAFETY: it is open, and nothing else in this fresh process knows about it.
    let listener = TcpListener::from(unsafe { OwnedFd::from_raw_fd(number) });
    loop {
        match listener.accept() {
            Ok((mut client, _)) => {
                let _ = write!(client, "{} {}", getpid(), numbers.join(", "));
            }
            Err(error) => {
                eprintln!("cannot accept: {error}");
                return ExitCode::from(5);
            }
        }
    }
}

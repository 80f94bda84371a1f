//! Four processes wait for connections on one listening socket: which of them does the kernel wake?
//!
//! This is why a shared listener is uneven. Each process inherits the socket as its stdin, and waits for
//! it with one of four calls; it prints a line for each connection that it serves, and for each time that
//! it was woken in vain. A client connects only while all of them sleep.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use lab::{Result, proc, wait_for};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

/// The call by which a process waits.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Call {
    /// A blocking `accept`
    Accept,
    /// `epoll_wait`, then `accept`
    Epoll,
    /// `epoll_wait` with `EPOLLEXCLUSIVE`
    Exclusive,
    /// The same, removed and added again after each `accept`
    ExclusiveAgain,
}

/// The connections that each process served, and all wake-ups without a connection.
pub struct Outcome {
    pub served: Vec<usize>,
    pub in_vain: usize,
}

const PROCESSES: usize = 4;
const CONNECTIONS: usize = 40;

/// Starts the processes, connects one client after the other, and counts.
pub fn play(call: Call) -> Result<Outcome> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(call != Call::Accept)?; // the flag belongs to the socket: all share it
    let mut waiters =
        Waiters((0..PROCESSES).map(|_| start(call, &listener)).collect::<Result<_>>()?);
    let address = listener.local_addr()?;
    for _ in 0..CONNECTIONS {
        waiters.all_sleep()?;
        let mut client = TcpStream::connect(address)?;
        client.set_read_timeout(Some(lab::patience()))?;
        client.read_to_end(&mut Vec::new())?;
    }
    waiters.all_sleep()?;
    waiters.count()
}

fn start(call: Call, listener: &TcpListener) -> Result<Child> {
    let name = clap::ValueEnum::to_possible_value(&call).expect("every call has a name");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--wait-by", name.get_name()]).stdout(Stdio::piped());
    Ok(command.stdin(OwnedFd::from(listener.try_clone()?)).spawn()?)
}

/// The processes; they end with this value.
struct Waiters(Vec<Child>);

impl Waiters {
    fn all_sleep(&self) -> Result<()> {
        let sleeps = |child: &Child| {
            let pid = child.id().cast_signed();
            // In the call, and not on its way there.
            let call = std::fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
            let waits =
                ["ep_poll", "inet_csk_accept", "do_epoll_wait"].iter().any(|it| call.contains(it));
            proc::state(pid) == Some('S') && (waits || call == "0" || call.is_empty())
        };
        wait_for("all processes to wait", || self.0.iter().all(sleeps).then_some(()))
    }

    fn count(&mut self) -> Result<Outcome> {
        let mut outcome = Outcome { served: Vec::new(), in_vain: 0 };
        for child in &mut self.0 {
            child.kill()?;
            let lines: Vec<String> = BufReader::new(child.stdout.take().ok_or("it is piped")?)
                .lines()
                .collect::<std::io::Result<_>>()?;
            outcome.served.push(lines.iter().filter(|line| *line == "served").count());
            outcome.in_vain += lines.iter().filter(|line| *line == "in vain").count();
        }
        Ok(outcome)
    }
}

impl Drop for Waiters {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// One of the processes: waits, accepts, and answers, until it is killed.
pub fn wait(call: Call) -> Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    let listener = TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    if getppid().as_raw() == 1 {
        return Ok(()); // the demo died before we had asked to die with it
    }
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let exclusive = [Call::Exclusive, Call::ExclusiveAgain].contains(&call);
    let flag = if exclusive { EpollFlags::EPOLLEXCLUSIVE } else { EpollFlags::empty() };
    let event = EpollEvent::new(EpollFlags::EPOLLIN | flag, 0);
    epoll.add(&listener, event)?;
    loop {
        if call != Call::Accept {
            epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::NONE)?;
        }
        match listener.accept() {
            Ok((mut client, _)) => {
                report("served");
                if call == Call::ExclusiveAgain {
                    epoll.delete(&listener)?;
                    epoll.add(&listener, event)?; // now it is the last in the list of those that wait
                }
                let _ = client.write_all(b"hello\n"); // a client may be gone
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => report("in vain"),
            Err(error) => return Err(error.into()),
        }
    }
}

fn report(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}"); // a line at a time: stdout is a pipe, and flushed
    let _ = std::io::stdout().flush();
}

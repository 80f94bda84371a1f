//! Four processes wait for connections on one listening socket: which of them does the kernel wake?
//!
//! This is why a shared listener is uneven. Each process inherits the socket as its stdin, and waits for
//! it with one of four calls. It writes a byte when it begins to wait, and another one for each
//! connection that it serves. A client connects only while all of them sleep.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use lab::{Result, patience, proc, wait_for};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::getppid;

/// The call by which a process waits.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
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

pub struct Outcome {
    /// The connections that each process has served.
    pub served: Vec<usize>,
    /// The wake-ups of all processes that brought no connection.
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
    waiters.begin()?;
    let before = waiters.sleeps()?;
    for _ in 0..CONNECTIONS {
        waiters.all_sleep()?;
        let mut client = TcpStream::connect(listener.local_addr()?)?;
        client.set_read_timeout(Some(patience()))?;
        client.read_to_end(&mut Vec::new())?;
    }
    waiters.all_sleep()?;
    let in_vain = (waiters.sleeps()? - before).saturating_sub(CONNECTIONS);
    Ok(Outcome { served: waiters.end()?, in_vain })
}

fn start(call: Call, listener: &TcpListener) -> Result<Child> {
    let name = call.to_possible_value().expect("every call has a name");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--wait-by", name.get_name()]).stdout(Stdio::piped());
    Ok(command.stdin(OwnedFd::from(listener.try_clone()?)).spawn()?)
}

/// The processes; they end with this value.
struct Waiters(Vec<Child>);

impl Waiters {
    /// Waits until all of them wait for their first connection.
    fn begin(&mut self) -> Result<()> {
        for child in &mut self.0 {
            child.stdout.as_mut().ok_or("it is piped")?.read_exact(&mut [0])?;
        }
        self.all_sleep()
    }

    /// Waits until all of them sleep: in their call, because nothing else here lets them sleep.
    fn all_sleep(&self) -> Result<()> {
        let sleeps = |child: &Child| proc::state(child.id().cast_signed()) == Some('S');
        wait_for("all processes to wait", || self.0.iter().all(sleeps).then_some(()))
    }

    /// The number of times that they have gone to sleep.
    fn sleeps(&self) -> Result<usize> {
        let mut sleeps = 0;
        for child in &self.0 {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            sleeps += count.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or_default();
        }
        Ok(sleeps)
    }

    /// Kills them, and counts the connections that each has served.
    fn end(mut self) -> Result<Vec<usize>> {
        let mut served = Vec::new();
        for child in &mut self.0 {
            child.kill()?;
            served.push(child.stdout.take().ok_or("it is piped")?.read_to_end(&mut Vec::new())?);
        }
        Ok(served)
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
    if getppid().as_raw() == 1 {
        return Ok(()); // the demo died before this process could ask to die with it
    }
    let listener = TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let exclusive = matches!(call, Call::Exclusive | Call::ExclusiveAgain);
    let flag = if exclusive { EpollFlags::EPOLLEXCLUSIVE } else { EpollFlags::empty() };
    let event = EpollEvent::new(EpollFlags::EPOLLIN | flag, 0);
    epoll.add(&listener, event)?;
    report()?;
    loop {
        if call != Call::Accept {
            epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::NONE)?;
        }
        match listener.accept() {
            Ok((mut client, _)) => {
                report()?;
                if call == Call::ExclusiveAgain {
                    epoll.delete(&listener)?;
                    epoll.add(&listener, event)?; // now it is the last in the list of those that wait
                }
                let _ = client.write_all(b"hello\n"); // the client may be gone
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {} // another process was faster
            Err(error) => return Err(error.into()),
        }
    }
}

fn report() -> Result<()> {
    let mut stdout = std::io::stdout();
    stdout.write_all(b".")?;
    Ok(stdout.flush()?)
}

//! Four experiments: how a process ends, what fork copies, what exec keeps; then a server.
//!
//! ```console
//! $ cargo run -p level-1 --example fork-and-wait
//! $ curl http://127.0.0.1:8000                        # in a second terminal
//! ```
//!
//! Look for: exit code 300 that arrives as 44; a state `Z` that SIGKILL does not change; one
//! address with two values; a worker that was started again, and knows it from its environment and
//! its parent.

mod demo;

use std::env;
use std::ffi::CString;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{ExitCode, exit};

use lab::args::{self, Common};
use lab::proc;
use lab::{Result, narrate, say};
use level_1::process::{die_with, end_worker, fork, how_it_ended, inherited_listener, watch};
use level_1::signals::{PRIMARY_READS, block};
use level_1::{http, readiness};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, execve, getpid, getppid};

/// Four experiments: how a child ends, what fork copies, what exec keeps
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
    /// The parent does not wait for the child of the second experiment
    NoReap,
    /// The listening socket stays close-on-exec
    CloseOnExec,
}

/// The role of a worker, and whose worker it is: the program is the same, and so is its first line.
const ROLE: &str = "WORKBOOK_ROLE";
/// The number of the descriptor that a worker finds open.
const LISTENER: &str = "WORKBOOK_LISTENER";

fn main() -> ExitCode {
    if is_worker() {
        end_worker(worker());
    }
    let args: Args = args::parse();
    args::exit(if args.common.demo { demo::play() } else { primary(&args) })
}

fn primary(args: &Args) -> Result<()> {
    let listener = args.common.bind()?;
    ends()?;
    zombie(args.wrong != Some(Wrong::NoReap))?;
    memory()?;

    let signals = block(&PRIMARY_READS)?;
    let keep = args.wrong != Some(Wrong::CloseOnExec);
    let mut workers = Vec::new();
    for _ in 0..args.common.workers.get() {
        workers.push(start_again(&listener, keep)?);
    }
    let address = listener.local_addr()?;
    drop(listener); // the workers have it
    if readiness::answers(address, &signals)? {
        narrate::ready(address, workers.len());
    }
    watch(&signals, workers)
}

/// Experiment 1: a status has room for a code of 8 bits or for a signal, and shows which it was.
fn ends() -> Result<()> {
    let endings: [fn(); 3] = [|| exit(0), || exit(300), || raise(Signal::SIGKILL).unwrap_or(())];
    for ending in endings {
        match fork()? {
            ForkResult::Child => {
                ending();
                exit(1) // a child never leaves its branch, not even by mistake
            }
            ForkResult::Parent { child } => {
                say!("1 ends: child {child} {}", how_it_ended(waitpid(child, None)?));
            }
        }
    }
    Ok(())
}

/// Experiment 2: what is left of a child between its end and its parent's wait.
fn zombie(reap: bool) -> Result<()> {
    let ForkResult::Parent { child } = fork()? else { exit(7) };
    // WNOWAIT reports that the child has ended, and leaves it as it is.
    waitid(Id::Pid(child), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
    let state = || proc::state(child.as_raw()).map_or("nothing".to_owned(), String::from);
    say!("2 zombie: {child} has ended, its state in /proc is {}", state());
    kill(child, Signal::SIGKILL)?;
    say!("2 zombie: {child} got SIGKILL, its state in /proc is {}", state());
    if reap {
        let status = waitpid(child, None)?;
        say!("2 zombie: {child} {} and is reaped, in /proc is {}", how_it_ended(status), state());
    }
    Ok(())
}

/// Experiment 3: after the fork there are two counters, though both have the same address.
fn memory() -> Result<()> {
    let mut counter = 1;
    let at = &raw const counter;
    let (mut reader, mut writer) = io::pipe()?;
    let ForkResult::Parent { child } = fork()? else {
        counter += 41;
        let written = writer.write_all(format!("{counter} at {at:?}").as_bytes());
        exit(i32::from(written.is_err()))
    };
    drop(writer); // or the reader would never reach the end: the writing end is open here, too
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    waitpid(child, None)?;
    say!("3 memory: the child counted {answer}, the parent still has {counter} at {at:?}");
    Ok(())
}

/// Experiment 4: fork, then exec of this same program, as Node's cluster does. The pid stays, the
/// memory goes; the environment arrives, and so does every descriptor that is not close-on-exec.
fn start_again(listener: &TcpListener, keep: bool) -> Result<Pid> {
    // All of this is prepared before the fork, so that the child only has to exec.
    let program = CString::new(env::current_exe()?.as_os_str().as_bytes())?;
    let variables = env::vars_os()
        .filter(|(name, _)| name != ROLE && name != LISTENER)
        .map(|(name, value)| [name.as_bytes(), value.as_bytes()].join(&b'='));
    let primary = getpid();
    let ours =
        [format!("{ROLE}=worker of {primary}"), format!("{LISTENER}={}", listener.as_raw_fd())];
    let environment: Vec<CString> = variables
        .chain(ours.map(String::into_bytes))
        .map(CString::new)
        .collect::<std::result::Result<_, _>>()?;
    match fork()? {
        ForkResult::Parent { child } => {
            say!("4 exec: forked {child}, which starts this program again");
            Ok(child)
        }
        ForkResult::Child => end_worker((|| {
            die_with(primary)?; // survives an exec
            if keep {
                fcntl(listener, FcntlArg::F_SETFD(FdFlag::empty()))?;
            }
            let Err(errno) = execve(&program, &[&program], &environment);
            Err(format!("cannot start {program:?}: {}", errno.desc()).into())
        })()),
    }
}

/// Returns whether a primary has started this process. A variable alone proves nothing: if a shell
/// exports it, each process below has it, too. A worker's parent is the primary that the variable
/// names, and runs this same program.
fn is_worker() -> bool {
    let parent = getppid();
    let named = env::var(ROLE).is_ok_and(|role| role == format!("worker of {parent}"));
    named && proc::program(parent.as_raw()).ok() == env::current_exe().ok()
}

/// The other role. Everything that this process has from its primary came through the exec.
fn worker() -> Result<()> {
    let me = getpid();
    let number = env::var(LISTENER).map_err(|_| format!("{ROLE} is set, but {LISTENER} is not"))?;
    let number = number.parse()?;
    let open: Vec<String> = proc::descriptors(me.as_raw())?
        .into_iter()
        .map(|(fd, kind)| format!("{fd} {kind}"))
        .collect();
    say!("4 exec: role from the environment, open descriptors: {}", open.join(", "));
    let listener = inherited_listener(number)?;
    say!("4 exec: descriptor {number} listens on {}", listener.local_addr()?);
    http::serve(
        listener,
        || Ok(()),
        move |_| http::text(format!("Hello from worker {me}, started again\n")),
    )
}

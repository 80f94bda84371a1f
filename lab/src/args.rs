//! The options that every example accepts, the socket that they name, and the way out when
//! something is wrong: one line that says what to do, and no panic.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{Arg, CommandFactory, FromArgMatches};

use crate::Result;
use crate::narrate::complain;

/// The limit for `--workers`: a larger number is a typing error, not a lesson.
const MOST_WORKERS: usize = 64;

/// The options of the contract: the same for all examples of the workbook.
#[derive(clap::Args, Clone, Debug)]
pub struct Common {
    /// Address to listen on; with port 0 the kernel picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", env = "CLUSTER_LISTEN", default_value = "127.0.0.1:8000", value_parser = address)]
    pub listen: SocketAddr,

    /// Number of workers, 1 to 64; the default is one for each core, but at least 2 and at most 8
    #[arg(long, value_name = "N", env = "CLUSTER_WORKERS", default_value_t = default_workers(),
          value_parser = workers, hide_default_value = true)]
    pub workers: NonZeroUsize,

    /// Play the lesson: start this program as a child, drive it from outside, print what
    /// happened; exits with 0 only if every claim held
    #[arg(long)]
    pub demo: bool,
}

impl Common {
    /// Binds the socket that `--listen` names: once, in the primary, before any fork.
    ///
    /// # Errors
    /// The message says what is wrong with the address and what to do about it.
    pub fn bind(&self) -> Result<TcpListener> {
        // On Unix, std sets SO_REUSEADDR, so a restart need not wait for old connections to age.
        TcpListener::bind(self.listen).map_err(|error| cannot_listen(self.listen, &error).into())
    }
}

/// Parses the command line into `A`; for `--help` or a mistake, prints a text and exits.
///
/// If an option is given twice, the last one counts. A demo relies on that when it adds its own. An
/// empty variable counts as not set, as in the library `cluster`.
#[must_use]
pub fn parse<A: CommandFactory + FromArgMatches>() -> A {
    std::panic::set_hook(Box::new(|bug| {
        complain(&format!("a bug in this program: {}", bug.to_string().replace('\n', " ")));
    }));
    let command = A::command().args_override_self(true).mut_args(without_empty_variable);
    let matches = command.try_get_matches();
    matches.and_then(|matches| A::from_arg_matches(&matches)).unwrap_or_else(|error| refuse(&error))
}

/// For clap an empty variable is a value, but a script with `CLUSTER_WORKERS= program`, or a compose
/// file with a blank, means that there is none.
fn without_empty_variable(arg: Arg) -> Arg {
    let value = arg.get_env().and_then(std::env::var_os);
    if value.is_some_and(|value| value.is_empty()) { arg.env(None::<&'static str>) } else { arg }
}

/// Prints the help if it was requested, or else one line that says what is wrong with the command line.
fn refuse(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let wrong = wrong.collect::<Vec<_>>().join(" ");
    complain(&format!("{}; see --help", wrong.trim_start_matches("error: ")));
    std::process::exit(2)
}

/// Turns the result of an example into its exit code: an error gets one line on stderr.
#[must_use]
pub fn exit(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = error.to_string();
            let many = error.contains("Too many open files");
            complain(&if many { format!("{error}; see `ulimit -n`") } else { error });
            ExitCode::FAILURE
        }
    }
}

/// One sentence for a socket that could not be bound, with advice.
#[must_use]
pub fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => format!(
            "the port is taken. Find its owner with `ss -ltnp 'sport = :{}'`, or choose a free \
             one with `--listen {}`",
            address.port(),
            SocketAddr::new(address.ip(), 0)
        ),
        ErrorKind::PermissionDenied => {
            "permission denied. Ports below 1024 are for root: choose a higher one with --listen"
                .to_owned()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine does not have that address. `ip addr` lists those that it has; 127.0.0.1 \
             always works"
                .to_owned()
        }
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {advice}")
}

/// One worker for each core that this process may use (affinity and cgroup quota included), but
/// at least 2, so that there is something to see, and at most 8.
fn default_workers() -> NonZeroUsize {
    let cores = available_parallelism().map_or(2, NonZeroUsize::get);
    NonZeroUsize::new(cores.clamp(2, 8)).expect("clamped to at least 2")
}

fn workers(text: &str) -> std::result::Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(n) if (1..=MOST_WORKERS).contains(&n) => Ok(NonZeroUsize::new(n).expect("at least 1")),
        _ => Err(format!(
            "--workers and CLUSTER_WORKERS take a whole number from 1 to {MOST_WORKERS}"
        )),
    }
}

fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "expected an IP address and a port, such as 127.0.0.1:8000, 0.0.0.0:80 or [::1]:8000"
            .to_owned()
    })
}

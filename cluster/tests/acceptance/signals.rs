//! Scenarios 42 and 43: every standard signal in each role, and what a terminal sends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::libc;
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, setsid};

use super::Scenario;
use super::reload::{held, release};
use crate::lab::{
    Client, FIXTURE, Program, Service, Start, children, cpu_ticks, gone, send, state, until,
};

pub const SCENARIOS: &[Scenario] = &[
    ("s42_every_signal_does_to_the_primary_what_the_table_says", &[2], to_the_primary),
    ("s42_every_signal_does_to_a_worker_what_the_table_says", &[1], to_a_worker),
    ("s42_program_of_user_code_gets_the_default_mask_and_actions", &[1], masks),
    ("s42_early_signal_kills_neither_the_primary_nor_a_newcomer", &[1, 3], at_once),
    ("s43_background_job_with_tostop_neither_spins_nor_scales", &[3], tostop),
];

const TABLE: &str = include_str!("../../src/primary/signals.md");

/// The table of the documentation: for each signal, what it does to the primary and to a worker.
fn table() -> Vec<(Signal, String, String)> {
    let rows = TABLE.lines().filter_map(|line| line.strip_prefix("| `"));
    let table: Vec<_> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
            let name = format!("SIG{}", cells[0].trim_end_matches('`'));
            let signal = name.parse().expect("the table names standard signals");
            (signal, cells[1].to_owned(), cells[2].to_owned())
        })
        .collect();
    assert_eq!(table.len(), Signal::iterator().count(), "every signal has a row");
    table
}

/// Rust's own handler, which looks for stack overflows, takes the first such signal from another
/// process, and restores the default.
const TAKEN_ONCE: [Signal; 2] = [Signal::SIGSEGV, Signal::SIGBUS];

/// Sends a signal again if the first one may have been consumed.
fn insist(pid: u32, signal: Signal) {
    if TAKEN_ONCE.contains(&signal) {
        until("the second one kills it", || {
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
            matches!(state(pid), None | Some('Z')).then_some(())
        });
    }
}

/// A request that is not answered until it is released.
fn hold(service: &mut Service, name: &str) -> Client {
    let mut client = service.connect();
    client.send(&format!("/hold?name={name}")).expect("it is sent");
    held(service, name);
    client
}

fn answered(service: &Service, name: &str, mut client: Client) {
    release(service, name);
    assert_eq!(client.receive().expect("it is answered").status, 200, "{name}");
}

/// The cluster in its own group, whose parent could continue it: otherwise the kernel drops
/// SIGTSTP.
fn as_a_job(workers: usize) -> Start {
    let mut start = Start::workers(workers);
    start.command().process_group(0);
    start
}

/// Signals that change nothing are sent to one cluster, one after the other.
fn to_the_primary(workers: usize) {
    let mut calm = as_a_job(workers).ready();
    for (signal, effect, _) in table() {
        let name = signal.as_str();
        if effect.starts_with("ignored") {
            let (client, pids) = (hold(&mut calm, name), calm.worker_pids());
            calm.signal(signal);
            if effect.contains("with a line") {
                calm.logged(&format!("{name} was ignored"));
            }
            answered(&calm, name, client);
            assert_eq!(calm.worker_pids(), pids, "{name}");
            continue;
        }
        let mut service = as_a_job(workers).ready();
        let client = hold(&mut service, name);
        let pids = service.worker_pids();
        service.signal(signal);
        if effect.starts_with("graceful stop") {
            service.event("Stopping");
            answered(&service, name, client);
            assert!(service.wait().success(), "{name}");
        } else if effect.starts_with("rolling reload") {
            service.event("ReloadFinished");
            answered(&service, name, client);
            service.stop();
        } else if effect.contains(" one worker, ") {
            let more = effect.starts_with("adds");
            let to = if more { workers + 1 } else { workers - 1 };
            assert_eq!(service.event("Scaled")["to"], to, "{name}");
            answered(&service, name, client);
            service.stop();
        } else if effect.starts_with("stops until") {
            until("it is stopped", || (state(service.pid()) == Some('T')).then_some(()));
            answered(&service, name, client);
            service.signal(Signal::SIGCONT);
            service.stop();
        } else if effect.starts_with("ends at once") {
            insist(service.pid(), signal);
            assert_eq!(service.wait().signal(), Some(signal as i32), "{name}");
            for pid in pids {
                until("its workers exit with it", || gone(pid).then_some(()));
            }
        } else {
            panic!("{name}: no test knows the effect {effect:?}");
        }
    }
    calm.stop();
}

fn to_a_worker(workers: usize) {
    let mut service = Start::workers(workers).ready();
    for (signal, _, effect) in table() {
        let name = signal.as_str();
        let client = hold(&mut service, name);
        let worker = service.worker_pids()[0];
        send(worker, signal);
        if effect.starts_with("ignored") {
            answered(&service, name, client);
            assert_eq!(service.worker_pids(), [worker], "{name}");
        } else if effect.starts_with("is replaced") {
            service.event("Draining");
            answered(&service, name, client);
            let exited = service.event("Exited");
            let how = (&exited["pid"], &exited["code"], &exited["voluntary"]);
            assert_eq!(how, (&worker.into(), &0.into(), &true.into()), "{name}");
        } else if effect.starts_with("ends at once") {
            insist(worker, signal);
            let exited = service.event("Exited");
            let how = (&exited["pid"], &exited["signal"]);
            assert_eq!(how, (&worker.into(), &(signal as i32).into()), "{name}");
            // For the next row, the slot must not look like a crash loop.
            service.stop();
            service = Start::workers(workers).ready();
        } else if effect.starts_with("stops until") {
            until("it is stopped", || (state(worker) == Some('T')).then_some(()));
            send(worker, Signal::SIGCONT);
            answered(&service, name, client);
        } else {
            panic!("{name}: no test knows the effect {effect:?}");
        }
    }
    service.stop();
}

/// Programs that std and Tokio start in the primary, and std in a worker.
fn masks(workers: usize) {
    let mut service = Start::workers(workers).ready();
    assert_eq!(standard(&service.get("/mask").body), [0, 0], "in a worker");
    service.get("/tell?run+children");
    let ran = service.event("Ran");
    assert_eq!(standard(ran["mask"].as_str().expect("text")), [0, 0], "in the primary");
    service.stop();
}

/// The blocked and the ignored standard signals. (The C library ignores two of its own, 32 and 33, in
/// the processes that it spawns.)
fn standard(status: &str) -> [u64; 2] {
    let mask = |line: &str| u64::from_str_radix(line.split_once('\t')?.1, 16).ok();
    let masks: Vec<u64> = status.lines().map(|line| mask(line).expect("hexadecimal")).collect();
    [masks[0] & 0x7fff_ffff, masks[1] & 0x7fff_ffff]
}

/// `pkill -USR1 app` and `pkill -HUP app`, again and again, while workers start.
fn at_once(workers: usize) {
    let mut service = Start::workers(workers).spawn();
    let sends = |signal: Signal, pid: u32| {
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal); // it may already have exited
    };
    let mut seen = 0;
    until("all workers are ready", || {
        for pid in service.worker_pids() {
            for signal in [Signal::SIGUSR1, Signal::SIGALRM, Signal::SIGHUP] {
                sends(signal, pid);
            }
            seen += 1;
        }
        service.events().iter().any(|event| event["event"] == "Serving").then_some(())
    });
    service.serving();
    service.signal(Signal::SIGUSR2);
    let over = |event: &serde_json::Value| {
        event["event"].as_str().is_some_and(|kind| kind.starts_with("ReloadF"))
    };
    until("the reload is over", || {
        for pid in service.worker_pids() {
            for signal in [Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPROF] {
                sends(signal, pid);
            }
        }
        service.events().iter().any(over).then_some(())
    });
    service.event("ReloadFinished");
    let killed = service.events().into_iter().find(|event| !event["signal"].is_null());
    assert_eq!(killed, None, "{seen} volleys");
    service.stop();
}

/// A cluster as a shell's background job, and everything that it prints on the terminal.
struct Job {
    shell: Child,
    screen: Arc<Mutex<String>>,
    program: Program,
    _keyboard: File,
}

impl Job {
    #[allow(unsafe_code)]
    fn start(workers: usize) -> Self {
        let program = Program::new();
        let pty = openpty(None, None).expect("there is a free terminal");
        let (slave, keyboard) = (File::from(pty.slave), File::from(pty.master));
        let end = || Stdio::from(slave.as_fd().try_clone_to_owned().expect("there is room"));
        // `set -m` gives the job a group of its own, in the background.
        let script = "stty tostop; set -m; \"$0\" & wait";
        let mut command = Command::new("bash");
        command.args(["-c", script]).arg(program.path());
        command.env(FIXTURE, "1").env("CLUSTER_WORKERS", workers.to_string());
        command.env("CLUSTER_LISTEN", "127.0.0.1:0").env("NO_COLOR", "1");
        command.env("CLUSTER_API_SOCKET", program.folder().join("admin.sock"));
        command.env("CLUSTER_PID_FILE", program.folder().join("pid"));
        command.stdin(end()).stdout(end()).stderr(end());
        let take_terminal = || {
            setsid()?;
            // SAFETY: 0 is the terminal, and no pointer is passed.
            match unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: it calls nothing but system calls, and allocates nothing.
        unsafe { command.pre_exec(take_terminal) };
        let shell = command.spawn().expect("there is a shell");
        let screen = Arc::<Mutex<String>>::default();
        let (seen, mut output) =
            (Arc::clone(&screen), keyboard.try_clone().expect("there is room"));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                seen.lock().expect("it is not poisoned").push_str(&text);
            }
        });
        Self { shell, screen, program, _keyboard: keyboard }
    }

    fn shows(&self, text: &str) -> usize {
        self.screen.lock().expect("it is not poisoned").matches(text).count()
    }

    fn primary(&self) -> u32 {
        let pid = fs::read_to_string(self.program.folder().join("pid")).expect("it exists");
        pid.trim().parse().expect("it is a pid")
    }

    fn address(&self) -> String {
        let screen = self.screen.lock().expect("it is not poisoned");
        let (_, rest) = screen.split_once("serving on ").expect("it is serving");
        rest.split_whitespace().next().expect("an address follows").to_owned()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The time for which the processor time is measured.
const WATCHED: Duration = Duration::from_secs(2);

fn tostop(workers: usize) {
    let job = Job::start(workers);
    until("it is serving", || (job.shows("serving on ") > 0).then_some(()));
    let (primary, address) = (job.primary(), job.address());
    let pids = children(primary);
    assert_eq!(pids.len(), workers);
    let processes: Vec<u32> = pids.iter().copied().chain([primary]).collect();
    let before: BTreeMap<u32, u64> = processes.iter().map(|pid| (*pid, cpu_ticks(*pid))).collect();
    let get =
        |path: &str| Client::connect(&address).expect("it listens").get(path).expect("it answers");
    send(primary, Signal::SIGUSR1); // a line from the library
    for _ in 0..4 * workers {
        get("/say"); // a worker writes
        let read = get("/tty").body;
        assert!(read.contains("No such device") || read.contains("error"), "{read}");
    }
    get("/tell?hello"); // the program's own thread writes
    thread::sleep(WATCHED); // the processor time that they use is measured
    for pid in &processes {
        // Hundredths of a second in two seconds: half of that is the share in percent.
        let share = (cpu_ticks(*pid) - before[pid]) / WATCHED.as_secs();
        assert!(share <= 10, "process {pid} of {primary}: {share} % of a core");
    }
    assert_eq!(children(primary), pids, "no more and no fewer workers");
    assert!(job.shows("the worker writes something") >= 4 * workers, "everything written is shown");
    assert!(job.shows("SIGUSR1 was ignored") > 0);
    assert!(job.shows("\"Message\"") > 0, "the program's thread has written");
    // An operator's signals still count.
    send(primary, Signal::SIGTTIN);
    until("there is one more worker", || (children(primary).len() == workers + 1).then_some(()));
    send(primary, Signal::SIGTTOU);
    until("there is one fewer worker", || (children(primary).len() == workers).then_some(()));
    send(primary, Signal::SIGTERM);
    until("it stops", || gone(primary).then_some(()));
}

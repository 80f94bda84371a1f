//! A cluster under observation: the fixture, started as its own program.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;

use super::{Client, FIXTURE, PATIENCE, Program, until};

/// The number of users so far.
static USERS: AtomicU32 = AtomicU32::new(0);

/// A cluster that is about to be started.
pub struct Start {
    command: Command,
    user: u32,
    program: Option<Program>,
}

/// A command that does not inherit the ignored SIGHUP of tests that run under `nohup`.
#[allow(unsafe_code)]
fn with_default_signals(program: PathBuf) -> Command {
    // SAFETY: no handler is installed.
    let reset =
        || unsafe { signal(Signal::SIGHUP, SigHandler::SigDfl) }.map(drop).map_err(io::Error::from);
    let mut command = Command::new(program);
    // SAFETY: it calls nothing but a system call.
    unsafe { command.pre_exec(reset) };
    command
}

impl Start {
    /// The fixture with `workers` workers, on a free TCP port.
    pub fn workers(workers: usize) -> Self {
        let program = Program::new();
        let command = with_default_signals(program.path());
        let mut start = Self { command, user: 0, program: Some(program) };
        start = start.env("CLUSTER_WORKERS", workers).env("CLUSTER_LISTEN", "127.0.0.1:0");
        // No test depends on how long these are; short ones make mistakes show sooner.
        start = start.env("DRAIN_WINDOW", "1s").env("RUST_BACKTRACE", "0").env("NO_COLOR", "1");
        let admin = start.folder().join("admin.sock");
        start.env("CLUSTER_API_SOCKET", admin.display())
    }

    #[allow(clippy::needless_pass_by_value)] // a number or a path reads best as it is
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.command.env(name, value.to_string());
        self
    }

    /// Uses another path to the program.
    pub fn path(mut self, path: PathBuf) -> Self {
        let envs: Vec<_> = self
            .command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        self.command = with_default_signals(path);
        self.command.envs(envs);
        self
    }

    /// Runs it as a user that has no other processes, with this limit of processes, threads included.
    #[allow(unsafe_code)]
    pub fn with_processes(mut self, processes: u64) -> Self {
        if !geteuid().is_root() {
            super::skip("only root can run a program as another user");
        }
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(self.folder(), open).expect("it is ours");
        self.user = 2_000_000 + std::process::id() % 10_000 * 100 + USERS.fetch_add(1, Relaxed);
        self.command.uid(self.user).gid(self.user);
        let limit = move || Ok(setrlimit(Resource::RLIMIT_NPROC, processes, processes)?);
        // SAFETY: it calls nothing but a system call.
        unsafe { self.command.pre_exec(limit) };
        self
    }

    /// The user that it runs as.
    pub fn user(&self) -> u32 {
        self.user
    }

    /// Listens on a Unix socket in the program's folder.
    pub fn unix(self) -> Self {
        let path = self.folder().join("app.sock");
        self.env("CLUSTER_LISTEN", format!("unix:{}", path.display()))
    }

    pub fn folder(&self) -> PathBuf {
        self.program.as_ref().expect("it was not started yet").folder().to_owned()
    }

    pub fn program(&self) -> &Program {
        self.program.as_ref().expect("it was not started yet")
    }

    pub fn command(&mut self) -> &mut Command {
        &mut self.command
    }

    /// Starts it; does not wait for anything.
    pub fn spawn(self) -> Service {
        self.spawn_with(Stdio::null())
    }

    pub(super) fn spawn_with(mut self, input: Stdio) -> Service {
        self.command.env(FIXTURE, "1").stdin(input);
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let guard = super::without_forks();
        let mut child = self.command.spawn().expect("the fixture can be started");
        drop(guard);
        let seen = Arc::new(Seen::default());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        watch(out.expect("it is piped"), Arc::clone(&seen), true);
        watch(err.expect("it is piped"), Arc::clone(&seen), false);
        let program = self.program.take().expect("it was not started yet");
        Service { child, seen, program, read: 0, address: String::new() }
    }

    /// Starts it, and waits until all workers accept connections.
    pub fn ready(self) -> Service {
        let mut service = self.spawn();
        service.serving();
        service
    }
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    events: Vec<Value>,
    log: Vec<String>,
    ended: u32,
}

fn watch(from: impl Read + Send + 'static, seen: Arc<Seen>, events: bool) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut lines = seen.lines.lock().expect("no holder panics");
            match serde_json::from_str(&line) {
                Ok(event) if events => lines.events.push(event),
                _ => lines.log.push(line),
            }
            seen.changed.notify_all();
        }
        seen.lines.lock().expect("no holder panics").ended += 1;
        seen.changed.notify_all();
    });
}

/// A running cluster; when it is dropped, all its processes are killed.
pub struct Service {
    child: Child,
    seen: Arc<Seen>,
    program: Program,
    read: usize,
    pub address: String,
}

impl Service {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until all workers accept connections, and remembers the address.
    pub fn serving(&mut self) {
        let serving = self.event("Serving");
        serving["addresses"][0].as_str().expect("text").clone_into(&mut self.address);
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).expect("it is small");
        kill(Pid::from_raw(pid), signal).expect("it was not reaped yet");
    }

    /// The next event of this kind, after the events that were waited for before.
    pub fn event(&mut self, kind: &str) -> Value {
        self.event_where(kind, |_| true)
    }

    /// The next event of this kind for which `wanted` is true.
    pub fn event_where(&mut self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut lines = self.seen.lines.lock().expect("no holder panics");
        loop {
            while self.read < lines.events.len() {
                self.read += 1;
                let event = &lines.events[self.read - 1];
                if event["event"] == kind && wanted(event) {
                    return event.clone();
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.ended == 2 {
                let all = format!("{:#?}\n{}", lines.events, lines.log.join("\n"));
                drop(lines);
                panic!("waited in vain for the event {kind}; received: {all}");
            }
            lines = self.seen.changed.wait_timeout(lines, left).expect("no holder panics").0;
        }
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        self.seen.lines.lock().expect("no holder panics").events.clone()
    }

    /// All events, once the process has exited and no more will arrive.
    pub fn all_events(&self) -> Vec<Value> {
        self.whole_log();
        self.events()
    }

    /// All lines of the log so far.
    pub fn log(&self) -> String {
        self.seen.lines.lock().expect("no holder panics").log.join("\n")
    }

    /// All lines of the log, once the process has exited and no more will arrive.
    pub fn whole_log(&self) -> String {
        until("its output has ended", || {
            let lines = self.seen.lines.lock().expect("no holder panics");
            (lines.ended == 2).then(|| lines.log.join("\n"))
        })
    }

    /// Waits for a line of the log that contains `text`.
    pub fn logged(&self, text: &str) {
        until(&format!("the log contains {text:?}"), || self.log().contains(text).then_some(()));
    }

    pub fn connect(&self) -> Client {
        Client::connect(&self.address).expect("the cluster accepts connections")
    }

    /// One request on a fresh connection.
    pub fn get(&self, path: &str) -> super::Reply {
        self.connect().get(path).expect("the cluster answers")
    }

    /// Sends a request to the admin API.
    pub fn admin(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let socket = format!("unix:{}", self.program.folder().join("admin.sock").display());
        let mut client = Client::connect(&socket).expect("the admin API accepts connections");
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
        client.write(format!("{head}{body}").as_bytes()).expect("it reads");
        let reply = client.receive().expect("it answers");
        (reply.status, serde_json::from_str(&reply.body).unwrap_or(Value::String(reply.body)))
    }

    pub fn stats(&self) -> Value {
        self.admin("GET", "/stats", "").1
    }

    /// The pids of all workers that exist.
    pub fn worker_pids(&self) -> Vec<u32> {
        super::children(self.pid())
    }

    /// Returns true if the primary has exited.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Waits until the primary has exited.
    pub fn wait(&mut self) -> ExitStatus {
        until("the primary exits", || self.child.try_wait().expect("it is our child"))
    }

    /// Asks it to stop, and waits until it has exited with code 0 and no process is left.
    pub fn stop(mut self) {
        let workers = self.worker_pids();
        self.signal(Signal::SIGTERM);
        let status = self.wait();
        assert!(status.success(), "{status}, signal {:?}\n{}", status.signal(), self.log());
        for pid in workers {
            assert!(super::gone(pid), "worker {pid} is left behind");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the log of the cluster\n{}\n---", self.log());
        }
    }
}

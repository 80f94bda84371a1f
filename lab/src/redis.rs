//! A private Redis server: found on this machine, started for one owner, and stopped with it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, io};

use nix::unistd::setsid;

use crate::lines::Lines;
use crate::service::isolate;
use crate::{Result, proc, wait_for};

/// The variable that names a server to use instead of those on the `PATH`.
const PROGRAM: &str = "REDIS_SERVER_BIN";

/// The prefix of the names of its folders; the pid of the owner follows it.
const FOLDER: &str = "workbook-redis-";

/// Servers that speak the same protocol.
const NAMES: [&str; 2] = ["redis-server", "valkey-server"];

/// A running Redis server that keeps nothing on disk and listens on a Unix socket that only this user
/// can reach. It exits when this is dropped, or at the latest when the thread that started it ends.
pub struct RedisServer {
    program: PathBuf,
    folder: PathBuf,
    child: Child,
    log: Lines,
}

impl RedisServer {
    /// The server that this machine has: `REDIS_SERVER_BIN`, or else `redis-server` or `valkey-server`
    /// on the `PATH`.
    #[must_use]
    pub fn find() -> Option<PathBuf> {
        let named = env::var_os(PROGRAM).filter(|name| !name.is_empty()).map(PathBuf::from);
        named.or_else(|| {
            let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
            let places = NAMES.iter().flat_map(|name| folders.iter().map(move |it| it.join(name)));
            places.into_iter().find(|path| path.is_file())
        })
    }

    /// A private server for a test or a bench. The one at `REDIS_URL` would not do: it belongs to the
    /// user, and a test must not kill it.
    ///
    /// # Errors
    /// There is no server; this is the reason for which the test is reported as ignored.
    ///
    /// # Panics
    /// The server does not start; or there is no server, although `WORKBOOK_NEEDS_REDIS=1`, which
    /// `./test.sh` sets, requires one.
    pub fn for_test() -> Result<Self, String> {
        let Some(program) = Self::find() else {
            let needed = env::var_os("WORKBOOK_NEEDS_REDIS").is_some_and(|it| it == "1");
            let missing = format!("no Redis server; ./test.sh gets one, or set {PROGRAM}");
            assert!(!needed, "WORKBOOK_NEEDS_REDIS=1, but {missing}");
            return Err(missing);
        };
        Ok(Self::start(&program).expect("the Redis server starts"))
    }

    /// Starts a server, and waits until it accepts connections.
    ///
    /// # Errors
    /// The server cannot be started, or exits at once: the message contains its last line.
    pub fn start(program: &Path) -> Result<Self> {
        sweep();
        let folder = private_folder()?;
        match launch(program, &folder) {
            Ok((child, log)) => {
                let mut server = Self { program: program.to_owned(), folder, child, log };
                server.until_ready()?;
                Ok(server)
            }
            Err(error) => {
                let _ = fs::remove_dir_all(folder);
                Err(error)
            }
        }
    }

    /// The address of the server, for a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", socket(&self.folder).display())
    }

    /// The pid of the server.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Kills the server with SIGKILL: its clients notice it through the kernel, as after a crash.
    ///
    /// # Errors
    /// The server cannot be reaped.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?; // an exited child that was reaped is not an error
        self.child.wait()?;
        Ok(())
    }

    /// Kills the server, and starts another one at the same address. The new one is empty.
    ///
    /// # Errors
    /// The new server does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let _ = fs::remove_file(socket(&self.folder));
        (self.child, self.log) = launch(&self.program, &self.folder)?;
        self.until_ready()
    }

    /// Starts another server at the same address if this one has ended, and returns whether it had.
    /// Until then its process is a zombie.
    ///
    /// # Errors
    /// The new server does not start.
    pub fn revive(&mut self) -> Result<bool> {
        let ended = self.child.try_wait()?.is_some();
        if ended {
            self.restart()?;
        }
        Ok(ended)
    }

    fn until_ready(&mut self) -> Result<()> {
        let ready = wait_for("the Redis server to be ready", || {
            let said = self.log.so_far();
            let ready = said.iter().any(|line| line.to_lowercase().contains(READY));
            let over = !ready && self.child.try_wait().ok()?.is_some();
            (ready || over).then_some(ready)
        })?;
        if ready {
            return Ok(());
        }
        let said = self.log.so_far().pop().unwrap_or_default();
        let program = self.program.display();
        Err(format!("{program} exited at once: {said}; name another one with {PROGRAM}").into())
    }
}

/// The log line of a server that accepts connections, in all versions since 3.
const READY: &str = "ready to accept connections";

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[allow(unsafe_code)]
fn launch(program: &Path, folder: &Path) -> Result<(Child, Lines)> {
    let mut command = Command::new(program);
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
    command.arg("--unixsocket").arg(socket(folder)).arg("--dir").arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    isolate(&mut command); // it also dies with its owner
    // A session of its own: Ctrl-C in a terminal is meant for its owner, which may need the server until
    // the end.
    // SAFETY: the closure runs between fork and exec and does one system call.
    unsafe { command.pre_exec(|| Ok(setsid().map(drop)?)) };
    let cannot = |error: io::Error| format!("cannot start {}: {error}", program.display());
    let mut child = command.spawn().map_err(cannot)?;
    let log = Lines::of(child.stdout.take().expect("piped"));
    Ok((child, log))
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

/// The place for the folders. The name of a socket has at most 107 bytes (`man 7 unix`).
fn place() -> PathBuf {
    Some(env::temp_dir()).filter(|it| it.as_os_str().len() < 70).unwrap_or_else(|| "/tmp".into())
}

/// A folder that no other user can look into.
fn private_folder() -> Result<PathBuf> {
    let mine = format!("{FOLDER}{}", std::process::id());
    let mut number = 0;
    loop {
        let folder = place().join(format!("{mine}-{number}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(format!("cannot make {}: {error}", folder.display()).into()),
        }
    }
}

/// Removes the folders of owners that had no time to do it, because they were killed.
fn sweep() {
    let Ok(entries) = fs::read_dir(place()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split('-').next());
        let owner = owner.and_then(|pid| pid.parse().ok());
        let dead = owner.is_some_and(proc::gone);
        // The pid of an owner in another container means nothing here, but its server answers.
        if dead && UnixStream::connect(socket(&entry.path())).is_err() {
            let _ = fs::remove_dir_all(entry.path()); // or it belongs to another user
        }
    }
}

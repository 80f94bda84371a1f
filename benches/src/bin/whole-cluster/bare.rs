//! Bare processes, to which the cluster is compared.

use std::io::{self, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use cluster::Result;

/// The last byte of a message that needs an answer.
const QUESTION: u8 = b'?';

/// Prints that it is running, once it has a runtime, as every worker does. Then it reads its input.
pub fn play() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {}); // as far as a runtime gets without a task
    io::stdout().write_all(b"!").and_then(|()| io::stdout().flush())?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

/// Sends questions back, on the socket that is its input.
pub fn play_echo() -> Result<()> {
    let mut to = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut from = BufReader::new(to.try_clone()?);
    let mut message = Vec::new();
    while read(&mut from, &mut message).is_ok() {
        if message.last() == Some(&QUESTION) {
            to.write_all(&framed(&message))?;
        }
    }
    Ok(())
}

/// A frame: the length, and the message.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("it is short");
    [&length.to_be_bytes(), message].concat()
}

fn read(from: &mut impl Read, message: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    message.resize(u32::from_be_bytes(length) as usize, 0);
    from.read_exact(message)
}

/// A running process.
pub struct Bare(Child);

impl Bare {
    /// Starts a bare process, and waits until it prints that it is running.
    pub fn start() -> Result<Self> {
        let mut process = command("bare").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        process.stdout.as_mut().expect("it is piped").read_exact(&mut [0])?;
        Ok(Self(process))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends bytes to its input.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.stdin.as_mut().expect("it is piped").write_all(bytes)?)
    }

    /// Waits until it has exited.
    pub fn wait(&mut self) -> Result<()> {
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.wait(); // closes its input first
    }
}

/// A process that answers, at the other end of a socket pair.
pub struct Echo {
    process: Child,
    socket: Option<BufReader<UnixStream>>,
}

impl Echo {
    pub fn start() -> Result<Self> {
        let (mine, theirs) = UnixStream::pair()?;
        let process = command("echo").stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
        Ok(Self { process, socket: Some(BufReader::new(mine)) })
    }

    /// Sends a message.
    pub fn tell(&mut self, message: &str) -> Result<()> {
        self.send(format!("{message}.").as_bytes())
    }

    /// Sends a message, and waits until it comes back.
    pub fn ask(&mut self, message: &str) -> Result<()> {
        self.send(format!("{message}?").as_bytes())?;
        let socket = self.socket.as_mut().expect("it is taken only at the end");
        Ok(read(socket, &mut Vec::new())?)
    }

    fn send(&mut self, message: &[u8]) -> Result<()> {
        let socket = self.socket.as_mut().expect("it is taken only at the end");
        Ok(socket.get_mut().write_all(&framed(message))?)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.socket = None; // the process ends when we hang up
        let _ = self.process.wait();
    }
}

fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program knows its path"));
    command.args(["--play", role]);
    command
}

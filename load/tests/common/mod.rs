//! A small server in the test's process, and the real `load` as a child.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod tiny;

use std::process::{Child, Command, Output, Stdio};

use lab::{Result, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The command `load` with arguments, separated by spaces.
pub fn load(url: &str, options: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.arg(url).args(options.split_whitespace());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The result of a `load` that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The JSON report; null if there is none.
    pub json: Value,
}

impl Ended {
    pub fn count(&self, key: &str) -> u64 {
        self.json[key].as_u64().unwrap_or_else(|| panic!("no {key}: {self:?}"))
    }

    /// The one line on stderr, after `error: `.
    pub fn complaint(&self) -> &str {
        let line = self.stderr.strip_suffix('\n').and_then(|it| it.strip_prefix("error: "));
        let line = line.unwrap_or_else(|| panic!("not an error in one line: {self:?}"));
        assert!(!line.contains('\n'), "{line}");
        line
    }
}

/// A `load` that is running. It is killed if its test fails.
pub struct Running {
    child: Option<Child>,
    json: tempfile::NamedTempFile,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let json = tempfile::NamedTempFile::new().unwrap();
        command.arg("--json").arg(json.path());
        Self { child: Some(command.spawn().unwrap()), json }
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    pub fn pid(&self) -> Pid {
        let id = self.child.as_ref().unwrap().id();
        Pid::from_raw(id.try_into().unwrap())
    }

    pub fn ended(mut self) -> Ended {
        let Output { status, stdout, stderr } =
            self.child.take().unwrap().wait_with_output().unwrap();
        let json = std::fs::read(self.json.path()).unwrap();
        Ended {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
            json: serde_json::from_slice(&json).unwrap_or_default(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// Runs `load` to its end.
pub fn run(url: &str, options: &str) -> Ended {
    Running::start(load(url, options)).ended()
}

/// Waits until `look` returns true.
pub fn wait(what: &str, mut look: impl FnMut() -> bool) -> Result<()> {
    wait_for(what, || look().then_some(()))
}

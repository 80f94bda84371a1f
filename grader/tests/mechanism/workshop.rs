//! A copy of the workbook's exercises, in which a learner's files are tried out.
//!
//! There is one copy, below `target`, and one test at a time works in it: so the grader and its
//! dependencies are compiled for it once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;

use crate::source::{self, root};

/// The five exercises of level 1, and all that come later.
pub fn exercises() -> Vec<String> {
    source::list().exercises.into_iter().map(|item| item.id).collect()
}

/// The copy, locked by this test.
pub struct Workshop {
    folder: PathBuf,
    _mine: Flock<File>,
}

/// The result of a run of `cargo test -p exercises`.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// For each trial the JSON that the grader wrote about it.
    pub trials: BTreeMap<String, Value>,
}

impl Workshop {
    /// A fresh copy: all stubs as they are.
    pub fn open() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("workshop");
        fs::create_dir_all(&folder).expect("a folder below target");
        // A lock on a file, because some runners start a process for each test.
        let file = File::create(folder.join("lock")).expect("a file below target");
        let mine = Flock::lock(file, FlockArg::LockExclusive).expect("a lock");
        for part in ["exercises", "grader/src", "grader/suite", "workbook"] {
            mirror(&root().join(part), &folder.join(part));
        }
        for part in ["grader/Cargo.toml", "Cargo.lock", "workbook.toml"] {
            write(&folder.join(part), &source::read(root().join(part)));
        }
        let manifest = source::read(root().join("Cargo.toml"));
        let (before, after) = manifest.split_once("members = [").expect("a workspace");
        let (_, after) = after.split_once(']').expect("a list");
        let members = r#"members = ["exercises", "grader", "workbook"]"#;
        write(&folder.join("Cargo.toml"), &[before, members, after].concat());
        Self { folder, _mine: mine }
    }

    /// The file of an exercise, as a learner has saved it.
    pub fn save(&self, id: &str, text: &str) {
        let item = source::list().exercises.into_iter().find(|item| item.id == id);
        write(&self.folder.join(item.expect("it is in the list").file), text);
    }

    /// Runs `cargo test -p exercises` with `arguments`; those after `--` go to the grader.
    pub fn test(&self, arguments: &[&str]) -> Run {
        let json = self.folder.join("verdicts.jsonl");
        let _ = fs::remove_file(&json);
        let mut command = self.cargo(&["test", "-p", "exercises"]);
        command.args(arguments).env("GRADER_JSON", &json);
        let Output { status, stdout, stderr } = command.output().expect("cargo runs");
        self.nothing_is_left();
        let text = fs::read_to_string(&json).unwrap_or_default();
        let trials = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            (line["trial"].as_str().expect("a trial").to_owned(), line)
        });
        Run {
            code: status.code(),
            trials: trials.collect(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Cargo in the copy, without the network. It has a build folder of its own: in the folder of the
    /// workbook, the packages of the copy would be taken for those of the workbook.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).arg("--offline").current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", self.folder.join("target"));
        command.env("CARGO_TERM_COLOR", "never");
        for ours in ["GRADER_STRICT", "GRADER_JSON", "GRADER_JUNIT", "GRADER_DEADLINE"] {
            command.env_remove(ours);
        }
        command
    }
}

impl Workshop {
    /// Returns true if there is a file or folder of this name in the copy.
    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// Checks that no program that was built here is still running.
    fn nothing_is_left(&self) {
        for entry in fs::read_dir("/proc").expect("/proc can be listed").flatten() {
            let program = fs::read_link(entry.path().join("exe")).unwrap_or_default();
            assert!(!program.starts_with(&self.folder), "{} is left", entry.path().display());
        }
    }
}

impl Run {
    /// The state of each trial: `done`, `failing` or `not started`.
    pub fn states(&self) -> BTreeMap<&str, &str> {
        let state = |line: &'_ Value| line["state"].as_str().map(str::to_owned);
        assert!(!self.trials.is_empty(), "nothing was graded:\n{}\n{}", self.stdout, self.stderr);
        self.trials
            .iter()
            .map(|(trial, line)| {
                let state = match state(line).as_deref() {
                    Some("done") => "done",
                    Some("failing") => "failing",
                    _ => "not started",
                };
                (trial.as_str(), state)
            })
            .collect()
    }

    /// The trials in a state.
    pub fn in_state(&self, wanted: &str) -> Vec<&str> {
        self.states()
            .into_iter()
            .filter(|(_, state)| *state == wanted)
            .map(|(one, _)| one)
            .collect()
    }

    /// The id of the finding in a trial.
    pub fn finding(&self, trial: &str) -> String {
        let id = &self.trials[trial]["verdict"]["failed"]["id"];
        id.as_str().unwrap_or_default().to_owned()
    }

    /// The message to the learner about a trial.
    pub fn message(&self, trial: &str) -> String {
        self.trials[trial]["message"].as_str().unwrap_or_default().to_owned()
    }
}

/// Makes `to` the same as `from`. A file that has not changed is not written, so it is not compiled
/// again.
fn mirror(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let names = |folder: &Path| -> Vec<_> {
        let entries = fs::read_dir(folder).expect("a folder can be listed");
        entries.map(|entry| entry.expect("listed").file_name()).collect()
    };
    let ours = names(from);
    for name in names(to).into_iter().filter(|name| !ours.contains(name)) {
        let old = to.join(name);
        let removed = if old.is_dir() { fs::remove_dir_all(&old) } else { fs::remove_file(&old) };
        removed.unwrap_or_else(|error| panic!("{}: {error}", old.display()));
    }
    for name in ours {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            mirror(&from, &to);
        } else {
            write(&to, &source::read(&from));
        }
    }
}

fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    let folder = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

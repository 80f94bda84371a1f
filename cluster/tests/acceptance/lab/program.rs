//! A program on disk that can be replaced by a different version, as in a deploy.

use std::env;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

/// The mark between the code and the version at the end of the file.
const MARK: &[u8] = b"\n#fixture#";

/// The behaviour of a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conduct {
    #[default]
    Good,
    /// Exits with code 3 as soon as it runs.
    ExitsAtBoot,
    /// Never becomes ready, and ignores SIGTERM.
    NeverReady,
    /// Exits with code 7 a moment after it is ready: as soon as a file named `die` exists.
    DiesOnCue,
    /// Crashes as soon as it is ready.
    DiesAtOnce,
    /// Speaks a different protocol.
    Gibberish,
}

/// A version of the program.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Version {
    pub number: u32,
    pub conduct: Conduct,
}

/// A folder with the program in it.
pub struct Program {
    folder: TempDir,
}

impl Program {
    /// Version 1.
    pub fn new() -> Self {
        let program = Self { folder: tempfile::tempdir().expect("there is room") };
        program.deploy(1, Conduct::Good);
        program
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the program by a version, in one step: the new file is written next to the program,
    /// and renamed over it.
    pub fn deploy(&self, number: u32, conduct: Conduct) {
        write_version(&self.path(), Version { number, conduct });
    }

    /// Creates `releases/NUMBER/server`, and points the link `current` to that release.
    pub fn release(&self, number: u32) -> PathBuf {
        let release = self.folder.path().join("releases").join(number.to_string());
        fs::create_dir_all(&release).expect("there is room");
        write_version(&release.join("server"), Version { number, conduct: Conduct::Good });
        let (link, current) = (self.folder.path().join("next"), self.folder.path().join("current"));
        symlink(&release, &link).expect("it is free");
        fs::rename(link, &current).expect("it is ours");
        current.join("server")
    }
}

fn write_version(path: &Path, version: Version) {
    let _guard = super::without_forks();
    let new = path.with_extension("new");
    let me = env::current_exe().expect("/proc is mounted");
    fs::copy(me, &new).expect("there is room");
    let mut file = fs::OpenOptions::new().append(true).open(&new).expect("it is ours");
    let version = serde_json::to_vec(&version).expect("it is plain");
    file.write_all(&[MARK, &version].concat()).expect("there is room");
    drop(file);
    fs::rename(new, path).expect("it is ours");
}

/// The version of the running program.
pub fn mine() -> Version {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = fs::File::open("/proc/self/exe").expect("/proc is mounted");
    let mut tail = Vec::new();
    file.seek(SeekFrom::End(-200)).expect("it is a large file");
    file.read_to_end(&mut tail).expect("it can be read");
    let at = tail.windows(MARK.len()).rposition(|window| window == MARK);
    at.and_then(|at| serde_json::from_slice(&tail[at + MARK.len()..]).ok()).unwrap_or_default()
}

//! Versions of a program for lessons that have no time to build them: the same code, with the name of
//! a different version at the end of its file. The loader does not mind bytes there.
//!
//! The version is read from `/proc/self/exe`, which is the file from which this process was started,
//! even if there is now a different file at its path, or none.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use lab::Result;

/// The mark between the code and the version.
const MARK: &[u8] = b"\n#version#";

/// The longest version, in bytes: versions are names, not stories.
const LONGEST: usize = 64;

const MYSELF: &str = "/proc/self/exe";

/// Replaces `file` with a copy of the running program under a different version. The copy is written
/// next to it and renamed over it, so that there is a complete program at that path all the time. The
/// file of a running program cannot be written to (`ETXTBSY`), but its name can be given to another
/// file.
///
/// # Errors
/// The disk is full, the folder is not writable, or the version is longer than 64 bytes.
pub fn stamp(file: &Path, version: &str) -> Result<()> {
    if version.len() > LONGEST {
        return Err(format!("a version has at most {LONGEST} bytes").into());
    }
    let new = file.with_extension("new");
    copy(&new, version)
        .and_then(|()| fs::rename(&new, file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}

fn copy(new: &Path, version: &str) -> std::io::Result<()> {
    fs::copy(MYSELF, new)?;
    OpenOptions::new().append(true).open(new)?.write_all(&[MARK, version.as_bytes()].concat())
}

/// The version that was last stamped on the running program, if there is one.
#[must_use]
pub fn stamped() -> Option<String> {
    let room = i64::try_from(MARK.len() + LONGEST).expect("it is small");
    let (mut file, mut tail) = (File::open(MYSELF).ok()?, Vec::new());
    file.seek(SeekFrom::End(-room)).ok()?;
    file.read_to_end(&mut tail).ok()?;
    let at = tail.windows(MARK.len()).rposition(|window| window == MARK)?;
    String::from_utf8(tail.split_off(at + MARK.len())).ok()
}

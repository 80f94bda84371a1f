//! The hole that you fill. Nothing in this file is for you to edit.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::process;
use std::{env, fmt};

/// Stands where your code belongs: `hole!("reap::1", status)`. When a process or thread reaches it,
/// the step is reported as not started. The arguments are used, so that a stub compiles without
/// warnings.
#[allow(unused_macros)] // the solutions have none left
macro_rules! hole {
    ($step:literal $(, $argument:expr)* $(,)?) => {{
        $(let _ = &$argument;)*
        $crate::hole::reached($step)
    }};
}

/// Reports to the grader that `step` is not started, and exits.
#[allow(dead_code)] // the solutions have none left
pub fn reached(step: impl Display) -> ! {
    if report(&step).is_err() {
        eprintln!("{step} is not started");
    }
    process::exit(86)
}

/// Writes the report to the pipe that the grader has opened for the check; the number of its
/// descriptor is in the environment. A line this short never mixes with another one (`man 7 pipe`).
fn report(step: &impl fmt::Display) -> Result<(), Box<dyn std::error::Error>> {
    let pipe = format!("/proc/self/fd/{}", env::var("GRADER_PIPE")?);
    let line = format!("{{\"pid\":{},\"hole\":{{\"step\":\"{step}\"}}}}\n", process::id());
    Ok(OpenOptions::new().write(true).open(pipe)?.write_all(line.as_bytes())?)
}

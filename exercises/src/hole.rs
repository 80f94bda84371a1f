//! The hole that you fill. Nothing in this file is for you to edit.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::process;
use std::{env, fmt};

/// Stands where your code belongs: `hole!("reap::1", status)`. When a process or thread reaches it,
/// the step is reported as not started. The arguments are used up, so that a stub compiles without a
/// warning.
#[allow(unused_macros)] // the solutions have none left
macro_rules! hole {
    ($step:literal $(, $argument:expr)* $(,)?) => {{
        $(let _ = &$argument;)*
        $crate::hole::reached($step)
    }};
}

/// Reports to the grader that `step` is not started, and ends this process.
#[allow(dead_code)] // the solutions have none left
pub fn reached(step: impl Display) -> ! {
    if report(&step).is_err() {
        eprintln!("{step} is not started");
    }
    process::exit(86)
}

/// The grader hands its checks a pipe, and puts its number in the environment. A line this short is
/// never mixed with another one (`man 7 pipe`).
fn report(step: &impl fmt::Display) -> Result<(), Box<dyn std::error::Error>> {
    let pipe = format!("/proc/self/fd/{}", env::var("GRADER_PIPE")?);
    let line = format!("{{\"pid\":{},\"hole\":{{\"step\":\"{step}\"}}}}\n", process::id());
    Ok(OpenOptions::new().write(true).open(pipe)?.write_all(line.as_bytes())?)
}

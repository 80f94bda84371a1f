//! What the six examples of level 1 share, so that each of them can be read as one page.
//!
//! There is no cluster library here: a primary forks, polls and reaps in plain sight, in its
//! example. This crate holds what would distract from that:
//!
//! | module | what it is for |
//! |---|---|
//! | [`args`] | the options that every example takes, the listening socket, one-line errors |
//! | [`narrate`] | the `ready` line on stdout, the narration on stderr |
//! | [`process`] | `fork` behind a check, the tie to the primary, the graceful stop |
//! | [`signals`] | signals that arrive through a descriptor, and one `poll` for everything |
//! | [`http`] | HTTP/1.1 for one worker; the only place where hyper and `async` live |
//! | [`lab`] | the laboratory of `--demo` and of the tests: starts an example and watches it |
//!
//! The guides of the level are modules below, so that every Rust block in them is compiled and
//! run by `cargo test`.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this workbook watches Linux processes. On Windows use WSL2; on any other system open the \
     folder in the dev container (.devcontainer), which has everything that is needed."
);

pub mod args;
pub mod http;
pub mod lab;
pub mod narrate;
pub mod process;
pub mod signals;

/// An error that can be shown to a user in one line.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything in this level that can fail.
pub type Result<T> = std::result::Result<T, Error>;

//! A primary finds out that its service can answer: it is its own first client.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

use nix::sys::signal::raise;
use nix::sys::signalfd::SignalFd;

use crate::signals::{asked_to_stop, pending, poll_readable};
use lab::{Result, say};

/// Requests a page from `address` until there is an answer, or until this process is asked to stop;
/// returns whether there was an answer. A service that has answered is ready. One that can no longer
/// be reached has lost its workers, and its primary is about to reap them.
///
/// # Errors
/// Any error of the kernel.
pub fn answers(address: SocketAddr, signals: &SignalFd) -> Result<bool> {
    let mut news = Vec::new();
    let mut client = ask(address);
    let answered = loop {
        let asked = match client {
            Ok(asked) => asked,
            Err(error) => {
                say!("primary: no worker answers on {address}: {error}");
                break false;
            }
        };
        let readable = poll_readable(&[asked.as_fd(), signals.as_fd()], None)?;
        news.extend(pending(signals)?);
        if asked_to_stop(&news).is_some() {
            break false;
        }
        if readable[0] && answered(&asked) {
            break true;
        }
        // A worker has died: if it was the one that had accepted, ask another one.
        client = if readable[0] { ask(address) } else { Ok(asked) };
    };
    for signal in news {
        raise(signal)?; // it is blocked, so it is pending again for the next `pending`
    }
    Ok(answered)
}

/// The first half of [`answers`], for a primary that has something to do in between.
///
/// # Errors
/// The connection was refused or reset.
pub fn ask(address: SocketAddr) -> io::Result<TcpStream> {
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    Ok(client)
}

/// The second half, once `client` is readable: returns whether it got an answer, and not just the end.
#[must_use]
pub fn answered(mut client: &TcpStream) -> bool {
    client.read(&mut [0]).is_ok_and(|n| n > 0)
}

//! HTTP/2 as raw frames.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::PATIENCE;

/// The first bytes of the client: it speaks HTTP/2 and has no settings.
const HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
    stream
}

/// A connection whose client has sent the first `bytes` of HTTP/2, and sends nothing else. If that is
/// the whole preface, the server has started its answer.
pub fn silent_h2(address: &str, bytes: usize) -> TcpStream {
    const PREFACE: usize = 24;
    let mut stream = connect(address);
    stream.write_all(&HELLO[..bytes]).expect("it reads");
    if bytes >= PREFACE {
        stream.read_exact(&mut [0; 9]).expect("it sends its settings");
    }
    stream
}

/// A connection with a request that is never answered, as raw frames.
pub fn stuck_h2(address: &str) -> TcpStream {
    let mut stream = connect(address);
    let path = b"/slow?ms=60000";
    let mut head = vec![0x82, 0x86, 0x41, 1, b'x', 0x44, u8::try_from(path.len()).expect("short")];
    head.extend_from_slice(path);
    let length = u8::try_from(head.len()).expect("short");
    stream.write_all(HELLO).expect("it reads");
    stream.write_all(&[0, 0, length, 1, 5, 0, 0, 0, 1]).expect("it reads");
    stream.write_all(&head).expect("it reads");
    stream.write_all(b"\0\0\x08\x06\0\0\0\0\0pingpong").expect("it reads");
    let mut seen = Vec::new();
    while !seen.windows(8).any(|bytes| bytes == b"pingpong") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("it answers the ping");
        seen.push(byte[0]);
    }
    stream
}

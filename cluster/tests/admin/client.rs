//! Clients that know only HTTP. They never retry.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use cluster::admin::Server;
use serde_json::Value;

pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Longer than any of the server's own limits: a test that would hang fails instead.
const LONG: Option<Duration> = Some(Duration::from_secs(20));

/// The address at which the server is listening.
pub fn address(server: &Server) -> &str {
    server.address().expect("it listens")
}

pub fn connect(server: &Server) -> Box<dyn Stream> {
    if let Some(path) = address(server).strip_prefix("unix:") {
        let stream = UnixStream::connect(path).expect("it listens");
        stream.set_read_timeout(LONG).expect("a duration that is not zero");
        return Box::new(stream);
    }
    let stream = TcpStream::connect(address(server).trim_start_matches("http://"));
    let stream = stream.expect("it listens");
    stream.set_read_timeout(LONG).expect("a duration that is not zero");
    Box::new(stream)
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().expect("a reason").to_owned()
    }
}

pub fn read_answer(stream: &mut dyn Stream) -> Answer {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer, then the end");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), head: head.into(), body: body.into() }
}

/// One request on one connection; nothing is ever retried.
pub fn ask(server: &Server, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = connect(server);
    stream.write_all(request(line, headers, body).as_bytes()).expect("it reads");
    read_answer(&mut *stream)
}

pub fn request(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text =
        format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if headers.iter().all(|(name, _)| *name != "Host") {
        text += "Host: localhost\r\n";
    }
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").expect("writing to a String cannot fail");
    }
    text + "\r\n" + body
}

pub fn get(server: &Server, path: &str) -> Answer {
    ask(server, &format!("GET {path}"), &[], "")
}

pub fn post(server: &Server, path: &str, body: &str) -> Answer {
    ask(server, &format!("POST {path}"), &[], body)
}

/// Reads until the other side closes; a reset is a close too.
pub fn wait_for_close(stream: &mut dyn Stream) {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}

//! A client on a bare socket, TCP or Unix: it reports exactly what happened, and never tries twice.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::patience;

/// One connection.
pub struct Client {
    stream: BufReader<Box<dyn Wire>>,
}

/// A socket of either family.
trait Wire: Read + Write + Send {
    fn set_patience(&self, patience: Duration) -> io::Result<()>;
    fn half_close(&self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_nodelay(true)?;
        self.set_read_timeout(Some(patience))
    }

    fn half_close(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Wire for UnixStream {
    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(patience))
    }

    fn half_close(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// The answer had `Connection: close`.
    pub closes: bool,
    /// The whole body.
    pub body: String,
}

impl Reply {
    /// The value of `name` in a body of the form `a=1 b=2`.
    ///
    /// # Panics
    /// The body has no such field.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        let pairs = self.body.split_whitespace().filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(key, _)| *key == name);
        found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.body)).1
    }

    /// The same, as a number.
    ///
    /// # Panics
    /// The body has no such field, or its value is not a number.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.field(name).parse().expect("a number was sent")
    }
}

impl Client {
    /// Connects to `127.0.0.1:8000` or `unix:/path`.
    ///
    /// # Errors
    /// Nothing listens there.
    pub fn connect(address: &str) -> io::Result<Self> {
        let stream: Box<dyn Wire> = match address.strip_prefix("unix:") {
            Some(path) => Box::new(UnixStream::connect(path)?),
            None => Box::new(TcpStream::connect(address)?),
        };
        stream.set_patience(patience() * 3)?; // a slow and busy machine passes, too
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection ended or was reset before the end of the answer, or nothing arrived within three
    /// times [`patience()`].
    pub fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.send(path)?;
        self.receive()
    }

    /// Sends a request with a body, and reads the whole answer.
    ///
    /// # Errors
    /// The same as for [`get`](Self::get).
    pub fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Reply> {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
        self.write(&[head.as_bytes(), body].concat())?;
        self.receive()
    }

    /// Sends a request, and does not wait for the answer.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn send(&mut self, path: &str) -> io::Result<()> {
        self.write(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").as_bytes())
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Closes the client's half of the connection, as `nc -N` does at the end of its input: nothing
    /// more is sent, and answers can still be read.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn half_close(&mut self) -> io::Result<()> {
        self.stream.get_ref().half_close()
    }

    /// Reads one answer.
    ///
    /// # Errors
    /// The same as for [`get`](Self::get).
    pub fn receive(&mut self) -> io::Result<Reply> {
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("not HTTP: {status_line}")))?;
        let (mut length, mut closes) = (0, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().map_err(io::Error::other)?;
            }
            closes |= line == "connection: close";
        }
        let mut body = vec![0; if status == 101 { 0 } else { length }];
        self.stream.read_exact(&mut body)?;
        Ok(Reply { status, closes, body: String::from_utf8_lossy(&body).into_owned() })
    }

    /// Reads bytes as they arrive, for upgraded connections.
    ///
    /// # Errors
    /// The connection ended before all bytes arrived.
    pub fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(bytes)
    }

    /// Waits for the end of the connection: `Ok` for an orderly one.
    ///
    /// # Errors
    /// The connection was reset, more bytes arrived, or nothing happened within three times
    /// [`patience()`].
    pub fn end(&mut self) -> io::Result<()> {
        match self.stream.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(io::Error::other("more bytes arrived")),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        }
        Ok(line.trim_end().to_owned())
    }
}

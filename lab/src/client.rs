//! A client that never retries: what is lost shows up as an error.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::patience;
use crate::Result;

/// One connection, kept open between requests (keep-alive).
pub struct Client {
    runtime: Runtime,
    sender: SendRequest<Empty<Bytes>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: String,
}

impl Client {
    /// Opens a connection.
    ///
    /// # Errors
    /// Refused, reset, or nothing within [`patience()`].
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let sender = runtime.block_on(async {
            let stream = timeout(patience(), TcpStream::connect(address)).await??;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok::<_, crate::Error>(sender)
        })?;
        Ok(Self { runtime, sender })
    }

    /// Sends `GET path` on this connection and waits for the whole answer.
    ///
    /// # Errors
    /// The connection was closed or reset, or the answer took longer than three times
    /// [`patience()`]: computing is slow on a busy machine.
    pub fn get(&mut self, path: &str) -> Result<Answer> {
        let request = Request::get(path).header("host", "localhost").body(Empty::new())?;
        self.runtime.block_on(async {
            let answer = async {
                self.sender.ready().await?;
                let response = self.sender.send_request(request).await?;
                let status = response.status().as_u16();
                let body = response.into_body().collect().await?.to_bytes();
                Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
            };
            timeout(patience() * 3, answer).await?
        })
    }
}

impl Answer {
    /// The pid that the body names: the number after the word `worker`.
    ///
    /// # Errors
    /// There is none; the message has the whole body.
    pub fn worker(&self) -> Result<i32> {
        let after = self.body.split("worker ").nth(1).unwrap_or_default();
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().map_err(|_| format!("no worker pid in {:?}", self.body).into())
    }
}

//! A client that never retries: a lost request shows up as an error.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::CONNECTION;
use hyper::http::request::Builder;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;

use super::patience;
use crate::Result;

/// One connection, kept open between requests (keep-alive).
pub struct Client {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: String,
    /// The answer had `Connection: close`: it is the last one on this connection.
    pub closes: bool,
}

impl Client {
    /// Opens a connection.
    ///
    /// # Errors
    /// The connection was refused or reset, or not accepted within [`patience()`].
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
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
        self.send(Request::get(path), "")
    }

    /// Sends `POST path` with a body, and waits for the whole answer.
    ///
    /// # Errors
    /// The same as for [`get`](Self::get).
    pub fn post(&mut self, path: &str, body: &str) -> Result<Answer> {
        self.send(Request::post(path), body)
    }

    /// Waits until the other side has closed this connection.
    ///
    /// # Errors
    /// The connection was not closed within [`patience()`].
    pub fn closed(&mut self) -> Result<()> {
        let closed = async {
            while self.sender.ready().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let result = self.runtime.block_on(async { timeout(patience(), closed).await });
        result.map_err(|_| "the connection was not closed".into())
    }

    fn send(&mut self, request: Builder, body: &str) -> Result<Answer> {
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let request = request.header("host", "localhost").body(body)?;
        self.runtime.block_on(async {
            let answer = async {
                self.sender.ready().await?;
                let response = self.sender.send_request(request).await?;
                let status = response.status().as_u16();
                let closes = response.headers().get(CONNECTION).is_some_and(|it| it == "close");
                let body = response.into_body().collect().await?.to_bytes();
                let body = String::from_utf8_lossy(&body).into_owned();
                Ok(Answer { status, body, closes })
            };
            timeout(patience() * 3, answer).await?
        })
    }
}

impl Answer {
    /// The pid that the body names: the number after the word `worker`.
    ///
    /// # Errors
    /// Returns an error if there is no pid; the message contains the whole body.
    pub fn worker(&self) -> Result<i32> {
        let after = self.body.split("worker ").nth(1).unwrap_or_default();
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().map_err(|_| format!("no worker pid in {:?}", self.body).into())
    }
}

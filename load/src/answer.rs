//! Reads one answer: its status is kept, its body is counted off.

use httparse::Status;

use crate::loss::Loss;
use crate::target::Stream;

/// A head with more headers is refused.
const MOST_HEADERS: usize = 100;
/// A head with more bytes is refused.
const LONGEST_HEAD: usize = 64 * 1024;

/// An answer that was read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    /// The connection cannot be used again.
    pub closes: bool,
}

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    bytes: usize,
    status: u16,
    body: Body,
    closes: bool,
}

/// The end of a body, as RFC 9112, section 6.3 defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Sized(u64),
    Chunked,
    UntilClosed,
}

/// The bytes of one connection. `buffer` holds those that have arrived and are not used up.
pub(crate) struct Reader<'a> {
    pub stream: &'a mut Stream,
    pub buffer: &'a mut Vec<u8>,
}

impl Reader<'_> {
    /// Reads one answer; `to_head` says that it answers a HEAD request.
    pub(crate) async fn answer(&mut self, to_head: bool) -> Result<Answer, Loss> {
        let head = loop {
            let head = self.head().await?;
            self.skip(head.bytes as u64).await?;
            if !(100..200).contains(&head.status) {
                break head;
            }
        };
        let bodiless = to_head || [204, 304].contains(&head.status);
        let body = if bodiless { Body::Sized(0) } else { head.body };
        match body {
            Body::Sized(bytes) => self.skip(bytes).await?,
            Body::Chunked => self.chunks().await?,
            Body::UntilClosed => self.rest().await?,
        }
        // Bytes after the answer belong to nothing that was requested.
        let closes = head.closes || body == Body::UntilClosed || !self.buffer.is_empty();
        Ok(Answer { status: head.status, closes })
    }

    async fn head(&mut self) -> Result<Head, Loss> {
        loop {
            if let Some(head) = parse_head(self.buffer)? {
                return Ok(head);
            }
            if self.buffer.len() > LONGEST_HEAD {
                return Err(Loss::NotHttp(format!("its head exceeds {LONGEST_HEAD} bytes")));
            }
            self.more().await?;
        }
    }

    async fn chunks(&mut self) -> Result<(), Loss> {
        loop {
            match httparse::parse_chunk_size(self.buffer) {
                Ok(Status::Complete((line, 0))) => {
                    self.skip(line as u64).await?;
                    return self.trailers().await;
                }
                Ok(Status::Complete((line, bytes))) => {
                    self.skip((line as u64).saturating_add(bytes).saturating_add(2)).await?;
                }
                Ok(Status::Partial) => self.more().await?,
                Err(_) => return Err(Loss::NotHttp("a chunk has no size".to_owned())),
            }
        }
    }

    /// Skips the lines after the last chunk, up to the empty one.
    async fn trailers(&mut self) -> Result<(), Loss> {
        loop {
            match self.buffer.windows(2).position(|two| two == b"\r\n") {
                Some(0) => return self.skip(2).await,
                Some(end) => self.skip(end as u64 + 2).await?,
                None => self.more().await?,
            }
        }
    }

    async fn rest(&mut self) -> Result<(), Loss> {
        while self.fill().await? {
            self.buffer.clear();
        }
        Ok(())
    }

    async fn skip(&mut self, mut bytes: u64) -> Result<(), Loss> {
        loop {
            let here = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.buffer.len());
            self.buffer.drain(..here);
            bytes -= here as u64;
            if bytes == 0 {
                return Ok(());
            }
            self.more().await?;
        }
    }

    /// Waits for bytes that belong to the answer.
    async fn more(&mut self) -> Result<(), Loss> {
        if self.fill().await? { Ok(()) } else { Err(Loss::Closed) }
    }

    /// Waits for bytes; returns whether there are any, or the stream has ended.
    async fn fill(&mut self) -> Result<bool, Loss> {
        Ok(self.stream.read(self.buffer).await? > 0)
    }
}

/// Parses the head of an answer; returns nothing if it has not arrived completely.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Loss> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    let end = match answer.parse(bytes) {
        Ok(Status::Complete(end)) => end,
        Ok(Status::Partial) => return Ok(None),
        Err(error) => return Err(Loss::NotHttp(format!("{error}: {}", begin(bytes)))),
    };
    let mut body = Body::UntilClosed;
    let mut closes = answer.version == Some(0);
    for header in answer.headers.iter() {
        let value = header.value.trim_ascii();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("transfer-encoding") && has(value, b"chunked") {
            body = Body::Chunked;
        } else if is("content-length") && body != Body::Chunked {
            body = Body::Sized(length(value)?);
        } else if is("connection") {
            closes = has(value, b"close") || closes && !has(value, b"keep-alive");
        }
    }
    Ok(Some(Head { bytes: end, status: answer.code.unwrap_or_default(), body, closes }))
}

fn length(value: &[u8]) -> Result<u64, Loss> {
    let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    length.ok_or_else(|| Loss::NotHttp("its Content-Length is not a number".to_owned()))
}

/// Returns whether a list such as `keep-alive, Upgrade` contains `token`.
fn has(list: &[u8], token: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|it| it.trim_ascii().eq_ignore_ascii_case(token))
}

/// The begin of an answer, for a message.
fn begin(bytes: &[u8]) -> String {
    format!("it begins with {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(20)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        parse_head(text.as_bytes()).unwrap().expect("a complete head")
    }

    #[test]
    fn body_ends_as_its_headers_say() {
        let cases = [
            ("content-length: 12\r\n", Body::Sized(12), false),
            ("Transfer-Encoding: chunked\r\n", Body::Chunked, false),
            ("transfer-encoding: chunked\r\ncontent-length: 3\r\n", Body::Chunked, false),
            ("content-length: 0\r\nconnection: Close\r\n", Body::Sized(0), true),
            ("", Body::UntilClosed, false),
        ];
        for (headers, body, closes) in cases {
            let head = head(&format!("HTTP/1.1 200 OK\r\n{headers}\r\n"));
            assert_eq!((head.body, head.closes), (body, closes), "{headers}");
        }
    }

    #[test]
    fn old_version_closes_unless_it_says_otherwise() {
        assert!(head("HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n").closes);
        let kept = "HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\n";
        assert!(!head(kept).closes);
    }

    #[test]
    fn part_of_a_head_is_not_yet_an_answer() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(parse_head(&whole[..end]).unwrap(), None, "{end} bytes");
        }
    }

    #[test]
    fn other_protocol_is_shown_by_its_begin() {
        let error = parse_head(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap_err().to_string();
        assert!(error.contains("not HTTP") && error.contains("SSH-2.0"), "{error}");
    }
}

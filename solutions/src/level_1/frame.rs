//! # Frame messages on a stream
//!
//! A stream keeps bytes and forgets where a message ends. You restore the messages: each one
//! travels in a frame, which is its length in bytes (as four bytes, most significant first),
//! followed by the message itself.
//!
//! ```text
//!   ┌────┬────┬────┬────┬────┬────┐
//!   │  0 │  0 │  0 │  2 │ 'h'│ 'i'│      the message "hi"
//!   └────┴────┴────┴────┴────┴────┘
//! ```
//!
//! The first four bytes say that two more follow.
//!
//! What must hold:
//!
//! 1. A message arrives whole or not at all, whatever pieces its frame arrives in.
//! 2. A call that is interrupted by a signal ([`io::ErrorKind::Interrupted`]) is retried.
//! 3. The end of the stream is a goodbye between two frames, and an error inside a frame.
//! 4. A length is checked before it is believed: [`LIMIT`] is the longest message.
//!
//! To read: `level-1-basics/guides/05-talking-to-workers.md`. In a second terminal:
//! `cargo test -p exercises frame`.

use std::io::{self, ErrorKind, Read, Write};

/// The longest message, in bytes.
pub const LIMIT: usize = 64 * 1024;

/// The size of the length, in bytes.
pub const HEADER: usize = 4;

/// Step 1. Returns the frame of `message`.
///
/// # Errors
/// [`ErrorKind::InvalidInput`]: the message is longer than [`LIMIT`].
pub fn encode(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = checked(message.len(), ErrorKind::InvalidInput)?;
    let mut frame = Vec::with_capacity(HEADER + message.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    Ok(frame)
}

/// Step 2. Writes the whole frame of `message` to `stream`.
///
/// # Errors
/// The same as in step 1, in which case nothing is written; or any error of the stream.
pub fn write_frame(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    // `write` may accept only a part, or be interrupted. `write_all` continues until all is written.
    stream.write_all(&encode(message)?)
}

/// Step 3. Fills `buffer` from `stream`, in as many reads as it takes, and returns the number of
/// bytes filled: fewer than `buffer` holds only if the stream has ended.
///
/// # Errors
/// Any error of the stream. An interrupted read is not an error.
pub fn read_full(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let room = buffer.len();
    let mut rest = buffer; // the part that is still empty
    while !rest.is_empty() {
        match stream.read(rest) {
            Ok(0) => break, // the end of the stream
            Ok(count) => rest = &mut rest[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(room - rest.len())
}

/// Step 4. Reads one frame from `stream`, and returns its message, or `None` if the stream has
/// ended before the first byte of a frame.
///
/// # Errors
/// - [`ErrorKind::UnexpectedEof`]: the stream has ended inside a frame.
/// - [`ErrorKind::InvalidData`]: the length is above [`LIMIT`]. Nothing after the length is read,
///   and no memory is allocated for the message.
/// - Any other error of the stream.
pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut header = [0; HEADER];
    match read_full(stream, &mut header)? {
        0 => return Ok(None),
        HEADER => {}
        _ => return Err(ErrorKind::UnexpectedEof.into()),
    }
    let mut message = vec![0; length(header)?];
    if read_full(stream, &mut message)? < message.len() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}

/// The bytes that have arrived but are not a whole frame yet. A primary has a decoder for each
/// worker: it must not wait in a read, so it reads what is available and comes back later.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame, never a whole one.
    rest: Vec<u8>,
}

impl Decoder {
    /// Step 5. Accepts a piece of the stream, and returns the messages that are now complete, in
    /// order. The rest of the piece is kept for the next call.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`]: a length is above [`LIMIT`]. It is reported as soon as the four
    /// bytes of the length have arrived. Nothing after a false length can be understood, so the
    /// caller has to give up on the stream; messages in the same piece are lost with it.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.rest.extend_from_slice(piece);
        let mut messages = Vec::new();
        // As long as there is a header: check its length, then see whether the whole message has
        // arrived.
        while let Some((header, body)) = self.rest.split_first_chunk::<HEADER>() {
            let length = length(*header)?;
            let Some(message) = body.get(..length) else { break };
            messages.push(message.to_vec());
            self.rest.drain(..HEADER + length);
        }
        Ok(messages)
    }
}

/// The length that `header` announces.
fn length(header: [u8; HEADER]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(header)).unwrap_or(usize::MAX);
    checked(length, ErrorKind::InvalidData)?;
    Ok(length)
}

/// Converts `length` to the type in a header, if it is allowed.
fn checked(length: usize, error: ErrorKind) -> io::Result<u32> {
    match u32::try_from(length) {
        Ok(short) if length <= LIMIT => Ok(short),
        _ => Err(io::Error::new(error, format!("{length} bytes are more than {LIMIT}"))),
    }
}

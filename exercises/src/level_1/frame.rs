//! # Frame messages on a stream
//!
//! A stream keeps bytes and forgets where a message ends. You bring the messages back: each travels
//! in a frame, which is its length in bytes, as four bytes with the most significant one first,
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
//! 1. A message arrives whole, or not at all, in whatever pieces its frame arrives.
//! 2. A call that a signal interrupts ([`io::ErrorKind::Interrupted`]) is made again.
//! 3. The end of the stream between two frames is a goodbye, and inside of a frame a mistake.
//! 4. A length is checked before it is believed: [`LIMIT`] is the longest message.
//!
//! To read: `level-1-basics/guides/05-talking-to-workers.md`. In a second terminal:
//! `cargo test -p exercises frame`.

#![allow(unused_imports)] // what you will probably need is here already

use std::io::{self, ErrorKind, Read, Write};

/// The longest message, in bytes.
pub const LIMIT: usize = 64 * 1024;

/// The size of the length, in bytes.
pub const HEADER: usize = 4;

/// Step 1. The frame of `message`.
///
/// # Errors
/// [`ErrorKind::InvalidInput`]: the message is longer than [`LIMIT`].
pub fn encode(message: &[u8]) -> io::Result<Vec<u8>> {
    hole!("frame::1", message)
}

/// Step 2. Writes the frame of `message` to `stream`, all of it.
///
/// # Errors
/// As in step 1, and then nothing is written; or the stream's.
pub fn write_frame(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    hole!("frame::2", stream, message)
}

/// Step 3. Fills `buffer` from `stream`, in as many reads as it takes, and returns how many bytes
/// it has filled: fewer than fit only if the stream has ended.
///
/// # Errors
/// The stream's. An interrupted read is not an error.
pub fn read_full(stream: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    hole!("frame::3", stream, buffer)
}

/// Step 4. Reads one frame from `stream`, and returns its message; nothing, if the stream has ended
/// before the first byte of a frame.
///
/// # Errors
/// - [`ErrorKind::UnexpectedEof`]: the stream has ended inside of a frame.
/// - [`ErrorKind::InvalidData`]: the length is above [`LIMIT`]. No byte after the length is read, and
///   no memory is allocated for it.
/// - The stream's.
pub fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    hole!("frame::4", stream)
}

/// The bytes that have arrived and are not a whole frame yet. A primary has a decoder for each worker:
/// it must not wait in a read, so it takes the bytes that are there and comes back later.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a frame, never a whole one.
    rest: Vec<u8>,
}

impl Decoder {
    /// Step 5. Takes a piece of the stream, and returns the messages that are complete now, in order.
    /// The rest of the piece waits for the next one.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`]: a length is above [`LIMIT`]. It is reported as soon as the four
    /// bytes of the length are there. Nothing after a false length can be understood, so the caller
    /// gives up the stream; messages of the same piece are lost with it.
    pub fn push(&mut self, piece: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        hole!("frame::5", self.rest, piece)
    }
}

//! Frames: the format of a message in a stream of bytes.
//!
//! ```text
//! length: u32, big endian | version: u8 | body: JSON, length - 1 bytes
//! ```
//! The length counts the version and the body, and has a limit: a broken or hostile peer cannot
//! make us keep more than [`MAX_FRAME`] bytes.

use std::io::{self, Read};

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

use crate::{Error, Result};

/// The version of the frames and of their messages. A primary and its workers must have the same
/// version; a reload into a program with a different version fails and changes nothing.
pub const VERSION: u8 = 2;

/// The largest frame, in bytes, not counting the four bytes of its length.
pub const MAX_FRAME: usize = 1024 * 1024;

const LENGTH: usize = size_of::<u32>();

/// Encodes a message as a frame that is ready to be written.
///
/// # Errors
/// The message is too large, or cannot be represented as JSON (a map whose keys are not strings).
pub fn encode(message: &impl Serialize) -> Result<Bytes> {
    let mut frame = BytesMut::new();
    frame.put_u32(0);
    frame.put_u8(VERSION);
    let mut frame = frame.writer();
    serde_json::to_writer(&mut frame, message)
        .map_err(|error| Error::because("cannot encode a message", error))?;
    let mut frame = frame.into_inner();
    let length = frame.len() - LENGTH;
    if length > MAX_FRAME {
        return Err(Error::new(format!(
            "a message of {length} bytes is too large: a frame has at most {MAX_FRAME}"
        )));
    }
    let length = u32::try_from(length).expect("it is below the limit");
    frame[..LENGTH].copy_from_slice(&length.to_be_bytes());
    Ok(frame.freeze())
}

/// Extracts frames from a growing buffer.
#[derive(Debug)]
pub struct Frames(LengthDelimitedCodec);

impl Default for Frames {
    fn default() -> Self {
        let mut builder = LengthDelimitedCodec::builder();
        Self(builder.length_field_type::<u32>().max_frame_length(MAX_FRAME).new_codec())
    }
}

impl Frames {
    /// The next message, or `None` if the buffer does not hold a whole frame.
    ///
    /// # Errors
    /// The next bytes are not one of our frames; the rest of the stream cannot be read.
    pub fn next<M: DeserializeOwned>(&mut self, buffer: &mut BytesMut) -> Result<Option<M>> {
        let malformed = |error: io::Error| {
            if error.kind() == io::ErrorKind::InvalidData {
                return Error::new(format!("a frame is larger than {MAX_FRAME} bytes"));
            }
            Error::because("a malformed frame", error)
        };
        let frame = self.0.decode(buffer).map_err(malformed)?;
        frame.map(|frame| decode(&frame)).transpose()
    }
}

/// Reads one frame from a blocking stream, and not one byte more.
///
/// # Errors
/// The stream ended or failed, or its bytes are not one of our frames.
pub fn read<M: DeserializeOwned>(mut from: impl Read) -> Result<M> {
    let mut length = [0; LENGTH];
    from.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(Error::new(format!("a frame is larger than {MAX_FRAME} bytes")));
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame)?;
    decode(&frame)
}

fn decode<M: DeserializeOwned>(frame: &[u8]) -> Result<M> {
    match frame {
        [VERSION, body @ ..] => serde_json::from_slice(body).map_err(|error| {
            // The error may quote the sender, which may have sent a word as long as a frame.
            Error::new(format!(
                "a frame does not hold one of our messages: {:.200}",
                error.to_string()
            ))
        }),
        [other, ..] => {
            Err(Error::new(format!("a frame has protocol version {other}, and ours is {VERSION}")))
        }
        [] => Err(Error::new("a frame is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Result<Vec<Vec<u32>>> {
        let mut buffer = BytesMut::from(bytes);
        let mut frames = Frames::default();
        std::iter::from_fn(|| frames.next(&mut buffer).transpose()).collect()
    }

    #[test]
    fn a_frame_is_length_version_and_json() {
        assert_eq!(&encode(&[1, 2]).expect("it is small")[..], b"\0\0\0\x06\x02[1,2]");
    }

    #[test]
    fn malformed_frame_is_refused_with_the_reason() {
        for (bytes, complaint) in [
            (&b"\0\0\0\x02\x01[]"[..], "a frame has protocol version 1, and ours is 2"),
            (b"\0\0\0\0", "a frame is empty"),
            (b"\xff\xff\xff\xff", "a frame is larger than 1048576 bytes"),
            (b"\0\0\0\x02\x02[", "a frame does not hold one of our messages: EOF while parsing"),
        ] {
            for error in [all(bytes).map(drop), read::<Vec<u32>>(bytes).map(drop)] {
                let error = error.expect_err("it is not a frame").to_string();
                assert!(error.starts_with(complaint), "{error}");
            }
        }
    }

    #[test]
    fn message_that_is_too_large_is_refused_before_it_is_sent() {
        let error = encode(&"x".repeat(MAX_FRAME)).expect_err("it is too large").to_string();
        assert_eq!(error, "a message of 1048579 bytes is too large: a frame has at most 1048576");
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(
            messages in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..20), 0..5),
            piece in 1..9_usize,
        ) {
            let stream = messages.iter().map(|m| encode(m).expect("it is small")).collect::<Vec<_>>();
            let (mut buffer, mut frames) = (BytesMut::new(), Frames::default());
            let mut seen: Vec<Vec<u32>> = Vec::new();
            for bytes in stream.concat().chunks(piece) {
                buffer.extend_from_slice(bytes);
                while let Some(message) = frames.next(&mut buffer).expect("they are ours") {
                    seen.push(message);
                }
            }
            prop_assert_eq!(seen, messages);
        }

        #[test]
        fn reader_never_panics_and_keeps_at_most_a_frame(bytes: Vec<u8>) {
            let _ = all(&bytes);
            let _ = read::<Vec<u32>>(&bytes[..]);
        }
    }
}

//! The channel between the primary and a worker.

use std::fmt::Debug;

use bytes::{BufMut, BytesMut};
use cluster::channel::frame::{Frames, MAX_FRAME, VERSION, encode, read};
use cluster::channel::message::{ToPrimary, ToWorker};
use serde_json::value::RawValue;

/// The maximum number of bytes that a read returns.
const READ: usize = 8192;

/// The bytes as a stream, and as the body of one frame.
pub fn frames(bytes: &[u8]) {
    for stream in [bytes, &framed(bytes)] {
        both_readers_agree(&receive::<ToPrimary>(stream), read::<ToPrimary>(stream));
        both_readers_agree(&receive::<ToWorker>(stream), read::<ToWorker>(stream));
        receive::<ToPrimary>(stream).into_iter().flatten().for_each(relayed);
    }
}

/// All messages as the primary extracts them from a channel; the last one may be an error.
fn receive<M: serde::de::DeserializeOwned>(stream: &[u8]) -> Vec<cluster::Result<M>> {
    let (mut buffer, mut frames, mut seen) = (BytesMut::new(), Frames::default(), Vec::new());
    for piece in stream.chunks(READ) {
        buffer.extend_from_slice(piece);
        while let Some(message) = frames.next(&mut buffer).transpose() {
            let broken = message.is_err();
            seen.push(message);
            if broken {
                return seen;
            }
        }
        // A frame, and the bytes that a read returned beyond it; a buffer that grows may double its
        // size.
        assert!(buffer.capacity() <= 2 * (MAX_FRAME + READ), "it keeps {}", buffer.capacity());
    }
    seen
}

fn both_readers_agree<M: Debug>(received: &[cluster::Result<M>], read: cluster::Result<M>) {
    match (received.first(), read) {
        (None, Err(_)) => {}
        (Some(Ok(one)), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Some(Err(one)), Err(other)) => {
            assert_eq!(one.to_string(), other.to_string());
            // The error is logged, and its words may come from a worker.
            assert!(one.to_string().len() <= 1024, "an error of {} bytes", one.to_string().len());
        }
        (one, other) => panic!("{one:?}, but {other:?}"),
    }
}

/// A message that one worker may send to all others fits in their frames.
fn relayed(message: ToPrimary) {
    let body: Box<RawValue> = match message {
        ToPrimary::Tell(body) | ToPrimary::Relay(body) | ToPrimary::Ask(_, body) => body,
        _ => return,
    };
    encode(&ToWorker::Tell(body)).expect("it came in a frame");
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(body.len() + 5);
    frame.put_u32(u32::try_from(body.len() + 1).expect("inputs are small"));
    frame.put_u8(VERSION);
    frame.put_slice(body);
    frame
}

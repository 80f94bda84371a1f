//! `frame`.

use super::{Explanation, GUIDE_5};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    ("frame::1", "encode(message) was called with messages from 0 to 65,537 bytes."),
    (
        "frame::2",
        "write_frame(stream, message) was called with streams that take a few bytes at a time, and \
         are interrupted in between.",
    ),
    (
        "frame::3",
        "read_full(stream, buffer) was called with streams and buffers of 0 to 9 bytes, which come \
         in pieces, with interruptions, and with a stream that fails.",
    ),
    (
        "frame::4",
        "read_frame(stream) was called with whole frames in pieces, with frames that are cut at \
         every place, with lengths that are lies, and with a worker that dies in the middle of a \
         frame.",
    ),
    (
        "frame::5",
        "push(piece) was called with four messages in one stream, cut at all places into one to \
         three pieces, and into single bytes; and with a length that is a lie.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "frame.encoded",
        expected: "the frame of a message of {length} bytes: {expected}",
        observed: "{seen}",
        cause: "First the length of the message (without the four bytes of the length itself), as a \
                `u32` with the most significant byte first: `to_be_bytes`. Then the message.",
        read: Some((GUIDE_5, "Framing")),
    },
    Explanation {
        id: "frame.long",
        expected: "the error InvalidInput for a message of LIMIT + 1 bytes, and nothing written",
        observed: "{seen}",
        cause: "What the other side would refuse is not sent: it would cost the whole channel. Check \
                before the first byte.",
        read: Some((GUIDE_5, "No limit.")),
    },
    Explanation {
        id: "frame.written",
        expected: "all of the frame of a message of {length} bytes, on a stream that takes pieces of \
                   {plan} bytes: {expected}",
        observed: "{seen}",
        cause: "`write` may take a part, and says how many bytes it took. Somebody has to write the rest: \
                `write_all` does, through interruptions, too.",
        read: Some((GUIDE_5, "`write` may take a part")),
    },
    Explanation {
        id: "frame.filled",
        expected: "{expected} bytes in a buffer of {room}, from a stream of {there} bytes that come \
                   in pieces of {plan}",
        observed: "{seen}, and the buffer holds \"{buffer}\"",
        cause: "One read returns what is there. Go on until the buffer is full or the stream has ended \
                (a read of 0 bytes), and read behind what is in the buffer already.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "frame.endless",
        expected: "the loop ends when the stream does",
        observed: "a thousand reads after the end of the stream",
        cause: "At its end a stream returns 0 bytes, again and again, and never an error. Nothing more \
                will come: that is the end of the loop.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.hidden",
        expected: "the error of a stream that fails (ConnectionReset)",
        observed: "{seen}",
        cause: "Only an interruption is tried again. Every other error goes to the caller: it is neither \
                the end of the stream nor a success.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.read",
        expected: "the message of {length} bytes, whole, from a stream that comes in pieces of \
                   {plan} bytes",
        observed: "{seen}",
        cause: "Read the four bytes of the length, all of them; then as many bytes as it says, all of \
                them, and not one more: the next one belongs to the next frame.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "frame.goodbye",
        expected: "Ok(None): the stream has ended between two frames",
        observed: "{seen}",
        cause: "The peer has said all that it had to say, and has hung up. That is not an error. You \
                know it by a read that fills nothing of the header.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.cut",
        expected: "the error UnexpectedEof: the stream has ended inside of a frame, at byte {cut}",
        observed: "{seen}",
        cause: "The peer died in the middle of a sentence. Half a message is no message, and half a \
                length is no goodbye.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.lie",
        expected: "the error InvalidData for a length of {length}, after the 4 bytes of the length",
        observed: "{seen}, after {read} bytes",
        cause: "The length comes from the other side, and was believed. Whoever believes it waits for \
                bytes that never come, or takes memory that is not there. Check it against LIMIT first.",
        read: Some((GUIDE_5, "No limit.")),
    },
    Explanation {
        id: "frame.decoded",
        expected: "{expected} after {pushed} bytes, in pieces of {pieces} bytes",
        observed: "{seen}",
        cause: "A piece may hold half a length, several frames, or the end of one and the beginning of \
                the next. Keep what is not complete; take out everything that is; forget nothing, and \
                nothing twice.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "frame.lie-decoded",
        expected: "the error InvalidData for a length of LIMIT + 1, with the fourth byte of it",
        observed: "{seen}",
        cause: "A decoder that believes the length collects bytes until memory is full. Check it against \
                LIMIT as soon as it is there, and not before.",
        read: Some((GUIDE_5, "No limit.")),
    },
];

//! `frame`.

use super::{Explanation, GUIDE_5};

/// By the name of the trial.
pub const DONE: &[(&str, &str)] = &[
    ("frame::1", "encode(message) was called with messages of 0 to 65,537 bytes."),
    (
        "frame::2",
        "write_frame(stream, message) was called with streams that accept a few bytes at a time, \
         with interruptions in between.",
    ),
    (
        "frame::3",
        "read_full(stream, buffer) was called with streams and buffers of 0 to 9 bytes, where the \
         bytes arrive in pieces, with interruptions; and with a stream that fails.",
    ),
    (
        "frame::4",
        "read_frame(stream) was called with whole frames in pieces, with frames that are cut off \
         at every position, with false lengths, and with a worker that dies in the middle of a \
         frame.",
    ),
    (
        "frame::5",
        "push(piece) was called with four messages in one stream, cut at every position into one \
         to three pieces, and into single bytes; and with a false length.",
    ),
];

/// By id.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        id: "frame.encoded",
        expected: "the frame of a message of {length} bytes: {expected}",
        observed: "{seen}",
        cause: "First comes the length of the message (without the four bytes of the length itself), as \
                a `u32` with the most significant byte first: `to_be_bytes`. Then comes the message.",
        read: Some((GUIDE_5, "Framing")),
    },
    Explanation {
        id: "frame.long",
        expected: "the error InvalidInput for a message of LIMIT + 1 bytes, and nothing written",
        observed: "{seen}",
        cause: "Do not send a message that the other side would refuse: it would cost the whole channel. \
                Check the length before you write the first byte.",
        read: Some((GUIDE_5, "No limit.")),
    },
    Explanation {
        id: "frame.written",
        expected: "the whole frame of a message of {length} bytes, on a stream that accepts pieces \
                   of {plan} bytes: {expected}",
        observed: "{seen}",
        cause: "`write` may accept only a part, and returns how many bytes it accepted. Your code \
                has to write the rest: `write_all` does so, even after interruptions.",
        read: Some((GUIDE_5, "`write` may take a part")),
    },
    Explanation {
        id: "frame.filled",
        expected: "{expected} bytes in a buffer of {room}, from a stream of {there} bytes that \
                   arrive in pieces of {plan}",
        observed: "{seen}, and the buffer holds \"{buffer}\"",
        cause: "One read returns only the bytes that are available. Continue until the buffer is \
                full or the stream has ended (a read of 0 bytes), and put each piece after the \
                bytes that are already in the buffer.",
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
        cause: "Try again only after an interruption. Return every other error to the caller: it is \
                neither the end of the stream nor a success.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.read",
        expected: "the whole message of {length} bytes, from a stream that arrives in pieces of \
                   {plan} bytes",
        observed: "{seen}",
        cause: "Read all four bytes of the length; then read exactly as many bytes as it says, and not \
                one more: the next byte belongs to the next frame.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "frame.goodbye",
        expected: "Ok(None): the stream has ended between two frames",
        observed: "{seen}",
        cause: "The peer has sent all its messages, and has closed the stream. That is not an \
                error. The sign of this is a read that does not fill a single byte of the header.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.cut",
        expected: "the error UnexpectedEof: the stream has ended inside a frame, at byte {cut}",
        observed: "{seen}",
        cause: "The peer died in the middle of a frame. Half a message is not a message, and half a \
                length is not a goodbye.",
        read: Some((GUIDE_5, "The end.")),
    },
    Explanation {
        id: "frame.lie",
        expected: "the error InvalidData for a length of {length}, after the 4 bytes of the length",
        observed: "{seen}, after {read} bytes",
        cause: "The length comes from the other side, and your code believed it. Such code waits \
                for bytes that never come, or allocates memory that the machine does not have. \
                Check the length against LIMIT first.",
        read: Some((GUIDE_5, "No limit.")),
    },
    Explanation {
        id: "frame.decoded",
        expected: "{expected} after {pushed} bytes, in pieces of {pieces} bytes",
        observed: "{seen}",
        cause: "A piece may hold half a length, several frames, or the end of one frame and the \
                beginning of the next. Keep a frame that is not complete; take out every frame \
                that is; do not lose anything, and do not return anything twice.",
        read: Some((GUIDE_5, "A stream has no messages.")),
    },
    Explanation {
        id: "frame.lie-decoded",
        expected: "the error InvalidData for a length of LIMIT + 1, as soon as its fourth byte has \
                   arrived",
        observed: "{seen}",
        cause: "A decoder that believes the length collects bytes until memory runs out. Check the \
                length against LIMIT as soon as all four of its bytes have arrived, and not \
                before.",
        read: Some((GUIDE_5, "No limit.")),
    },
];

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;

use grader::pieces::{Pieces, hex};
use grader::{Check, Exercise, Outcome, ensure};

use crate::level_1::frame::{self, Decoder, HEADER, LIMIT};

pub const EXERCISE: Exercise = Exercise {
    id: "frame",
    steps: &[
        ("encode", encodes),
        ("write_frame", writes),
        ("read_full", fills),
        ("read_frame", reads),
        ("push", decodes),
    ],
    programs: &[],
};

// Both are given: changing either of them makes a different protocol.
const _: () = assert!(LIMIT == 64 * 1024 && HEADER == 4);

/// The pieces in which a stream moves, from easy to hard; 0 is an interruption.
const PLANS: [&[usize]; 6] = [&[usize::MAX], &[1], &[3], &[0, 1], &[2, 0, 0, 5], &[0, 4, 1]];

/// The correct frame of `message`.
fn oracle(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a test's message is short");
    [&length.to_be_bytes(), message].concat()
}

/// Messages from short to long.
fn messages() -> [Vec<u8>; 6] {
    [vec![], vec![7], b"hi".to_vec(), vec![b'a'; 255], vec![b'b'; 256], vec![b'c'; LIMIT]]
}

fn encodes(check: &Check) -> Outcome {
    for message in messages() {
        let length = message.len();
        let frame = check.call_ok(format!("encode({length} bytes)"), || frame::encode(&message))?;
        let right = oracle(&message);
        ensure!(
            frame == right,
            "frame.encoded",
            length = length,
            expected = hex(&right),
            seen = hex(&frame)
        );
    }
    let long = vec![0; LIMIT + 1];
    let refused = check.call("encode(65537 bytes)", || frame::encode(&long));
    let kind = refused.map_err(|error| error.kind());
    let right = kind == Err(ErrorKind::InvalidInput);
    ensure!(right, "frame.long", seen = format!("{:?}", kind.map(|frame| frame.len())));
    Ok(())
}

fn writes(check: &Check) -> Outcome {
    for message in messages() {
        for plan in PLANS {
            let mut stream = Pieces::new(&[], plan);
            check.call_ok("write_frame(stream, message)", || {
                frame::write_frame(&mut stream, &message)
            })?;
            ensure!(
                stream.output == oracle(&message),
                "frame.written",
                length = message.len(),
                plan = shown(plan),
                expected = hex(&oracle(&message)),
                seen = hex(&stream.output)
            );
        }
    }
    let mut stream = Pieces::new(&[], PLANS[0]);
    let long = vec![0; LIMIT + 1];
    let refused =
        check.call("write_frame(stream, 65537 bytes)", || frame::write_frame(&mut stream, &long));
    let kind = refused.map_err(|error| error.kind());
    let right = kind == Err(ErrorKind::InvalidInput) && stream.output.is_empty();
    ensure!(right, "frame.long", seen = format!("{kind:?}"));
    let broken = check.call("write_frame(broken stream, 2 bytes)", || {
        frame::write_frame(&mut Pieces::broken(b""), b"hi")
    });
    let kind = broken.map_err(|error| error.kind());
    ensure!(kind == Err(ErrorKind::ConnectionReset), "frame.hidden", seen = format!("{kind:?}"));
    Ok(())
}

fn fills(check: &Check) -> Outcome {
    let text = b"0123456789";
    for plan in PLANS {
        for there in 0..text.len() {
            for room in 0..text.len() {
                let mut stream = Pieces::new(&text[..there], plan);
                let mut buffer = vec![b'.'; room];
                let count = check.call("read_full(stream, buffer)", || {
                    frame::read_full(&mut stream, &mut buffer)
                });
                ensure!(!stream.endless, "frame.endless");
                let count = check.ok(count)?;
                let most = there.min(room);
                let right = [&text[..most], &b".........."[..room - most]].concat();
                ensure!(
                    count == most && buffer == right && stream.read == most,
                    "frame.filled",
                    there = there,
                    room = room,
                    plan = shown(plan),
                    expected = most,
                    seen = count,
                    buffer = String::from_utf8_lossy(&buffer).into_owned()
                );
            }
        }
    }
    let broken = check.call("read_full(broken stream)", || {
        frame::read_full(&mut Pieces::broken(b""), &mut [0; 4])
    });
    let kind = broken.map_err(|error| error.kind());
    ensure!(kind == Err(ErrorKind::ConnectionReset), "frame.hidden", seen = format!("{kind:?}"));
    Ok(())
}

fn reads(check: &Check) -> Outcome {
    let read = |stream: &mut Pieces| {
        check.call("read_frame(stream)", || frame::read_frame(stream)).map_err(|e| e.kind())
    };
    for plan in PLANS {
        let all: Vec<u8> = messages().iter().flat_map(|message| oracle(message)).collect();
        let mut stream = Pieces::new(&all, plan);
        for message in messages() {
            let seen = read(&mut stream);
            let right = seen.as_ref() == Ok(&Some(message.clone()));
            let (length, plan) = (message.len(), shown(plan));
            ensure!(right, "frame.read", length = length, plan = plan, seen = message_of(&seen));
        }
        let seen = read(&mut stream);
        ensure!(!stream.endless, "frame.endless");
        ensure!(seen == Ok(None), "frame.goodbye", seen = message_of(&seen));
        for cut in 1..oracle(b"hi").len() {
            let seen = read(&mut Pieces::new(&oracle(b"hi")[..cut], plan));
            let right = seen == Err(ErrorKind::UnexpectedEof);
            ensure!(right, "frame.cut", cut = cut, seen = message_of(&seen));
        }
    }
    for length in [u32::try_from(LIMIT + 1).unwrap_or_default(), 1 << 30, u32::MAX] {
        let lie = [&length.to_be_bytes()[..], b"and then something else"].concat();
        let mut stream = Pieces::new(&lie, PLANS[0]);
        let seen = read(&mut stream);
        let right = seen == Err(ErrorKind::InvalidData) && stream.read == HEADER;
        let length = length.to_string();
        ensure!(right, "frame.lie", length = length, read = stream.read, seen = message_of(&seen));
    }
    for begin in [&[][..], &oracle(b"hi")[..HEADER]] {
        let seen = read(&mut Pieces::broken(begin));
        let right = seen == Err(ErrorKind::ConnectionReset);
        ensure!(right, "frame.hidden", seen = message_of(&seen));
    }
    worker_that_dies(check)
}

/// Checks the same with a process at the other end: it sends one whole frame, and half of another.
fn worker_that_dies(check: &Check) -> Outcome {
    let (mut ours, theirs) = UnixStream::pair().expect("two descriptors");
    let worker = check.fork(|| {
        let _ = (&theirs).write_all(&oracle(b"whole"));
        let _ = (&theirs).write_all(&oracle(b"half")[..6]);
        0
    });
    drop(theirs);
    let first = check.call_ok("read_frame(worker)", || frame::read_frame(&mut ours))?;
    let seen = message_of(&Ok(first.clone()));
    let right = first.as_deref() == Some(b"whole");
    ensure!(right, "frame.read", length = 5, plan = shown(PLANS[0]), seen = seen);
    let second = check.call("read_frame(worker)", || frame::read_frame(&mut ours));
    let seen = second.map_err(|error| error.kind());
    let right = seen == Err(ErrorKind::UnexpectedEof);
    ensure!(right, "frame.cut", cut = 6, seen = message_of(&seen));
    check.reap(worker).map(drop)
}

fn decodes(check: &Check) -> Outcome {
    let wanted: [&[u8]; 4] = [b"", b"hi", b"", b"you"];
    let all: Vec<u8> = wanted.iter().flat_map(|message| oracle(message)).collect();
    // From one piece to three, cut at every position.
    for first in 0..=all.len() {
        for second in first..=all.len() {
            let pieces = [&all[..first], &all[first..second], &all[second..]];
            are_decoded(check, &pieces, &wanted)?;
        }
    }
    let single: Vec<&[u8]> = all.chunks(1).collect();
    are_decoded(check, &single, &wanted)?;
    let long = vec![b'x'; LIMIT];
    are_decoded(check, &oracle(&long).chunks(1000).collect::<Vec<_>>(), &[&long])?;
    let lie = u32::try_from(LIMIT + 1).unwrap_or_default().to_be_bytes();
    let mut decoder = Decoder::default();
    let before = check.call_ok("push(3 bytes)", || decoder.push(&lie[..3]))?;
    ensure!(before.is_empty(), "frame.lie-decoded", seen = format!("{before:?}"));
    let seen = check.call("push(1 byte)", || decoder.push(&lie[3..])).map_err(|e| e.kind());
    let right = seen == Err(ErrorKind::InvalidData);
    ensure!(right, "frame.lie-decoded", seen = format!("{seen:?}"));
    Ok(())
}

fn are_decoded(check: &Check, pieces: &[&[u8]], wanted: &[&[u8]]) -> Outcome {
    let mut decoder = Decoder::default();
    let (mut seen, mut pushed, mut due) = (Vec::new(), 0, 0);
    for piece in pieces {
        seen.extend(check.call_ok("push(piece)", || decoder.push(piece))?);
        pushed += piece.len();
        // Which messages are complete now, not one too early and not one too late?
        let ends = wanted.iter().scan(0, |end, message| {
            *end += HEADER + message.len();
            Some(*end)
        });
        due = due.max(ends.filter(|end| *end <= pushed).count());
        let right = seen.len() == due && seen.iter().zip(wanted).all(|(one, other)| one == other);
        let sizes: Vec<String> = pieces.iter().map(|piece| piece.len().to_string()).collect();
        let mut sizes = sizes.join(", ");
        sizes.truncate(60);
        ensure!(
            right,
            "frame.decoded",
            pieces = sizes,
            pushed = pushed,
            expected = shown_all(wanted.iter().take(due)),
            seen = shown_all(&seen)
        );
    }
    Ok(())
}

/// The result of a read, as Rust shows it, but with a long message cut short.
fn message_of(seen: &Result<Option<Vec<u8>>, ErrorKind>) -> String {
    match seen {
        Ok(Some(message)) => format!("Ok(Some({}))", hex(message)),
        Ok(None) => "Ok(None)".to_owned(),
        Err(kind) => format!("Err({kind:?})"),
    }
}

/// Messages, as in `["hi", ""]`.
fn shown_all<M: AsRef<[u8]>>(messages: impl IntoIterator<Item = M>) -> String {
    let shown = messages.into_iter().map(|message| {
        let message = message.as_ref();
        format!("{:?}", String::from_utf8_lossy(&message[..message.len().min(8)]))
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

/// A plan, as in `[2, EINTR, 5, …]`; `[…]` is everything at once.
fn shown(plan: &[usize]) -> String {
    let shown = plan.iter().filter(|piece| **piece != usize::MAX).map(|piece| match piece {
        0 => "EINTR, ".to_owned(),
        _ => format!("{piece}, "),
    });
    format!("[{}…]", shown.collect::<String>())
}

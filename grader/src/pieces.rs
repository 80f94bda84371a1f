//! A stream that arrives in pieces, as streams do: the checks of framing read and write it.

use std::io::{self, ErrorKind, Read, Write};

/// A stream that accepts and returns pieces according to its plan.
#[derive(Debug)]
pub struct Pieces<'p> {
    input: Vec<u8>,
    /// The bytes that were written.
    pub output: Vec<u8>,
    /// The longest piece of each call, repeated over and over; 0 is an interruption.
    plan: &'p [usize],
    calls: usize,
    /// The number of bytes that have been read.
    pub read: usize,
    broken: bool,
    /// The stream was read again and again, although there was nothing left.
    pub endless: bool,
    reads_at_end: usize,
}

impl<'p> Pieces<'p> {
    /// A stream with `input` to read, followed by the end of the stream.
    ///
    /// # Panics
    /// The plan contains nothing but interruptions.
    #[must_use]
    pub fn new(input: &[u8], plan: &'p [usize]) -> Self {
        assert!(plan.iter().any(|piece| *piece > 0), "a stream must move");
        Self {
            input: input.to_vec(),
            output: Vec::new(),
            plan,
            calls: 0,
            read: 0,
            broken: false,
            endless: false,
            reads_at_end: 0,
        }
    }

    /// A stream that fails after all of `input` has been read, and whenever it is written to.
    #[must_use]
    pub fn broken(input: &[u8]) -> Self {
        Self { broken: true, ..Self::new(input, &[usize::MAX]) }
    }

    /// The number of bytes that this call may transfer, at most `most`.
    fn next(&mut self, most: usize) -> io::Result<usize> {
        let piece = self.plan[self.calls % self.plan.len()];
        self.calls += 1;
        if piece == 0 { Err(ErrorKind::Interrupted.into()) } else { Ok(piece.min(most)) }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.input.len() - self.read;
        self.reads_at_end += usize::from(left == 0);
        self.endless = self.reads_at_end > 1000;
        match (left, self.broken, self.endless) {
            // The other outcome, so that even a loop that never stops reading ends.
            (0, true, true) => return Ok(0),
            (0, false, true) => return Err(ErrorKind::BrokenPipe.into()),
            (0, true, false) => return Err(ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        let count = self.next(buffer.len().min(left))?;
        buffer[..count].copy_from_slice(&self.input[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let count = self.next(bytes.len())?;
        self.output.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first bytes of `bytes`, as in `00 00 00 02 68 69`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    match bytes.len() {
        0 => "nothing".to_owned(),
        length if length > SHOWN => format!("{} … ({length} bytes)", shown.join(" ")),
        _ => shown.join(" "),
    }
}

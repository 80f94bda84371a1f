//! The output of a learner's code: its beginning and its end, however much there is in between.

use std::collections::VecDeque;

/// The number of bytes that are kept of the beginning, and of the end.
const KEPT: usize = 4 * 1024;

/// The output so far.
#[derive(Debug, Default)]
pub struct Output {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Output {
    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        let (head, rest) = piece.split_at(piece.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let too_many = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..too_many);
        self.left_out += too_many as u64;
    }

    /// Everything that was kept, with a note where bytes are left out.
    #[must_use]
    pub fn text(&self) -> String {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.left_out == 0 {
            return String::from_utf8_lossy(&[self.head.as_slice(), &tail].concat()).into_owned();
        }
        let [head, tail] = [&self.head, &tail].map(|bytes| String::from_utf8_lossy(bytes));
        format!("{head}\n[… {} bytes left out …]\n{tail}", self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_kept_whole_and_long_output_is_cut() {
        let mut output = Output::default();
        output.push(b"one ");
        output.push("zwei ü".as_bytes());
        assert_eq!(output.text(), "one zwei ü");
        output.push(&vec![b'.'; 10 << 20]);
        output.push(b"the end");
        let text = output.text();
        assert!(text.starts_with("one zwei ü..") && text.ends_with("..the end"));
        assert!(text.contains("bytes left out") && text.len() < 3 * KEPT, "{}", text.len());
    }
}

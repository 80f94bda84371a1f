//! The small table that a demo prints, and its verdict.

use std::io::{self, Write};

use crate::Result;

/// The claims of a demo and its observations, printed row by row; it fails if a claim did not hold.
#[derive(Default)]
pub struct Table {
    broken: Vec<String>,
}

impl Table {
    /// A row that must hold: the claim, what was seen, and whether the two agree.
    pub fn claim(&mut self, claim: impl Into<String>, seen: impl AsRef<str>, held: bool) {
        let claim = claim.into();
        print(if held { "held" } else { "BROKEN" }, &claim, seen.as_ref());
        if !held {
            self.broken.push(claim);
        }
    }

    /// A claim that something succeeds: the row shows `tell` of the value, or else the error.
    pub fn claim_ok<T>(&mut self, claim: &str, result: &Result<T>, tell: impl Fn(&T) -> String) {
        let seen = result.as_ref().map_or_else(ToString::to_string, tell);
        self.claim(claim, seen, result.is_ok());
    }

    /// A row for information, which depends on the machine and is not a claim: a time, a wrong version.
    pub fn note(&mut self, what: impl AsRef<str>, seen: impl AsRef<str>) {
        print("", what.as_ref(), seen.as_ref());
    }

    /// The verdict.
    ///
    /// # Errors
    /// A claim did not hold; the message names all of them.
    pub fn finish(self) -> Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        Err(format!("this did not hold: {}", self.broken.join("; ")).into())
    }
}

fn print(verdict: &str, what: &str, seen: &str) {
    let rows = layout(verdict, what, seen, terminal_width());
    let _ = io::stdout().write_all(rows.as_bytes()); // a closed pipe is not a reason to panic
}

/// The columns of the terminal, if stdout is one. A pipe or a file gets each row as one line.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// A row; if it is wider than the terminal, the observation goes to lines of its own.
fn layout(verdict: &str, what: &str, seen: &str, width: Option<usize>) -> String {
    let row = format!("{verdict:<6}  {what:<48}  {seen}\n");
    let Some(width) = width.filter(|width| row.trim_end().chars().count() > *width) else {
        return row;
    };
    let options = textwrap::Options::new(width).initial_indent(INDENT).subsequent_indent(INDENT);
    format!("{verdict:<6}  {what}\n{}\n", textwrap::fill(seen, options))
}

/// The space before an observation that has lines of its own.
const INDENT: &str = "            ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_that_fits_is_one_line() {
        let row = "held    it answers                                        in 3 ms\n";
        for width in [None, Some(80)] {
            assert_eq!(layout("held", "it answers", "in 3 ms", width), row);
        }
    }

    #[test]
    fn wide_row_is_wrapped_at_the_terminals_width() {
        let seen =
            "a long observation that does not fit beside the claim, and needs two lines of its own";
        let rows = layout("BROKEN", "it answers", seen, Some(80));
        assert!(rows.lines().all(|line| line.chars().count() <= 80), "{rows}");
        let rows: Vec<&str> = rows.lines().collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], "BROKEN  it answers");
        let words: Vec<&str> = rows[1..].iter().flat_map(|row| row.split_whitespace()).collect();
        assert_eq!(words.join(" "), seen);
    }

    #[test]
    fn row_is_one_line_in_a_pipe_however_long() {
        let rows = layout("held", &"claim ".repeat(20), &"seen ".repeat(50), None);
        assert_eq!(rows.lines().count(), 1);
    }
}

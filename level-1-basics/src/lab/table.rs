//! The small table that a demo prints, and its verdict.

use crate::Result;

/// What a demo claimed and what it saw, row by row; it fails if a claim did not hold.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    what: String,
    seen: String,
    held: Option<bool>,
}

impl Table {
    /// A row that must hold: the claim, what was seen, and whether it agrees.
    pub fn claim(&mut self, claim: impl Into<String>, seen: impl Into<String>, held: bool) {
        self.rows.push(Row { what: claim.into(), seen: seen.into(), held: Some(held) });
    }

    /// A claim that something succeeds: what was seen is `tell` of the value, or else the error.
    pub fn claim_ok<T>(&mut self, claim: &str, result: &Result<T>, tell: impl Fn(&T) -> String) {
        let seen = result.as_ref().map_or_else(ToString::to_string, tell);
        self.claim(claim, seen, result.is_ok());
    }

    /// A row to look at, which is the machine's business and not a claim: a time, a wrong version.
    pub fn note(&mut self, what: impl Into<String>, seen: impl Into<String>) {
        self.rows.push(Row { what: what.into(), seen: seen.into(), held: None });
    }

    /// Prints the table on stdout.
    ///
    /// # Errors
    /// Names the claims that did not hold.
    pub fn finish(self) -> Result<()> {
        print(&self.lines());
        let broken: Vec<&str> = self
            .rows
            .iter()
            .filter(|row| row.held == Some(false))
            .map(|row| row.what.as_str())
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        Err(format!("this did not hold: {}", broken.join("; ")).into())
    }

    fn lines(&self) -> String {
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        let line = |row: &Row| {
            let verdict = match row.held {
                Some(true) => "held",
                Some(false) => "BROKEN",
                None => "",
            };
            format!("  {verdict:<6}  {:<width$}  {}\n", row.what, row.seen)
        };
        self.rows.iter().map(line).collect()
    }
}

fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes()); // a closed pipe is no reason to panic
}

//! The small table that a demo prints, and its verdict.

use std::io::{self, Write};

use crate::Result;

/// What a demo claims and what it sees, row by row as it goes; it fails if a claim did not hold.
#[derive(Default)]
pub struct Table {
    broken: Vec<String>,
}

impl Table {
    /// A row that must hold: the claim, what was seen, and whether it agrees.
    pub fn claim(&mut self, claim: impl Into<String>, seen: impl AsRef<str>, held: bool) {
        let claim = claim.into();
        print(if held { "held" } else { "BROKEN" }, &claim, seen.as_ref());
        if !held {
            self.broken.push(claim);
        }
    }

    /// A claim that something succeeds: what was seen is `tell` of the value, or else the error.
    pub fn claim_ok<T>(&mut self, claim: &str, result: &Result<T>, tell: impl Fn(&T) -> String) {
        let seen = result.as_ref().map_or_else(ToString::to_string, tell);
        self.claim(claim, seen, result.is_ok());
    }

    /// A row to look at, which is the machine's business and not a claim: a time, a wrong version.
    pub fn note(&mut self, what: impl AsRef<str>, seen: impl AsRef<str>) {
        print("", what.as_ref(), seen.as_ref());
    }

    /// The verdict.
    ///
    /// # Errors
    /// Names the claims that did not hold.
    pub fn finish(self) -> Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        Err(format!("this did not hold: {}", self.broken.join("; ")).into())
    }
}

fn print(verdict: &str, what: &str, seen: &str) {
    let row = format!("{verdict:<6}  {what:<48}  {seen}\n");
    let _ = io::stdout().write_all(row.as_bytes()); // a closed pipe is no reason to panic
}

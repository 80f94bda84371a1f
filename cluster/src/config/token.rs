//! The admin API's secret.

use std::fmt;

/// What a change over TCP must bring. It is never printed, logged or sent to a worker.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Visible ASCII characters, as a header can carry them; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(text.to_owned()))
    }

    /// Whether this is the same. It takes as long for a wrong first character as for a wrong last
    /// one, so that nobody can find the token by measuring answers; only its length may be learnt.
    #[must_use]
    pub fn matches(&self, given: &str) -> bool {
        let differences = self.0.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        self.0.len() == given.len() && std::hint::black_box(differences) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn only_the_same_token_matches() {
        let token = Token::new("s3cret").expect("visible characters");
        assert!(token.matches("s3cret"));
        for other in ["", "s3cre", "s3cret!", "S3cret"] {
            assert!(!token.matches(other), "{other}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }
}

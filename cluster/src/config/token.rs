//! The admin API's secret.

use std::fmt;

/// The token that a change over TCP must carry. It is never printed, logged or sent to a worker.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Accepts visible ASCII characters, which a header can carry; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(text.to_owned()))
    }

    /// Returns whether the given token is the same. A wrong first character takes as long as a wrong
    /// last one, so an attacker cannot find the token by timing the answers; only its length may leak.
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

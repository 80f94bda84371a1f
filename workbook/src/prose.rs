//! Patterns of English that the workbook avoids, and the hits of each in a text.
//!
//! The rules help readers that are not native speakers: a sentence has a noun as its subject, and
//! reads like something that an engineer would write in a code review. A pattern finds only what a
//! pattern can find; the test `prose` runs all of them over every file, and lists the exceptions with
//! their reasons.

use std::sync::LazyLock;

use regex::Regex;

/// A word or a turn of phrase that the workbook avoids.
pub struct Pattern {
    /// Its name, in failures and in the list of exceptions.
    pub name: &'static str,
    /// The advice that a failure shows.
    pub instead: &'static str,
    find: Regex,
    except: Option<Regex>,
}

/// A place where a pattern was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Hit<'a> {
    /// The number of the line, from 1.
    pub line: usize,
    /// The line itself, without the space around it.
    pub text: &'a str,
}

/// All patterns.
pub static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern = |name, instead, find: &str, except: &str| Pattern {
        name,
        instead,
        find: Regex::new(find).expect("a test finds with it"),
        except: (!except.is_empty()).then(|| Regex::new(except).expect("a test finds with it")),
    };
    vec![
        pattern(
            "pronoun",
            "a noun as the subject: the worker, the client, the caller, a program that …",
            r"(?i-u)\b(who|whoever|whom|whomever|nobody|somebody|everybody|anybody)\b",
            "",
        ),
        pattern(
            "is no",
            "is not a …",
            r"(?i-u)\b(is|are|was|were|be|been) no \w+",
            r"(?i-u)\bthere( \w+)? (is|are|was|were|be|been) no |\b(is|are|was|were|be|been) no (longer|more)\b",
        ),
        pattern("for ever", "forever", r"(?i-u)\bfor ever\b", ""),
        pattern(
            "so many",
            "the quantity by its name: `n` words",
            r"(?i-u)\bso (many|much|long)\b",
            "",
        ),
        pattern(
            "wish, hear",
            "a plain verb: request, receive, notice, get",
            r"(?i-u)\b(wish|wishes|wished|hear|hears|heard)\b",
            "",
        ),
        pattern(
            "told, tells",
            "a plain verb: report, log, notify, send, show, return",
            r"(?i-u)\b(told|tells)\b",
            "",
        ),
    ]
});

/// The question words that no documentation begins with.
static QUESTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)^(What|Who|Whom|Whose|How|When|Where|Which|Why|Whether)\b")
        .expect("it compiles")
});

impl Pattern {
    /// The lines of `text` in which the pattern is found.
    ///
    /// An underscore counts as a space, so that names of tests are read as well.
    #[must_use]
    pub fn hits<'a>(&self, text: &'a str) -> Vec<Hit<'a>> {
        let words = text.replace('_', " ");
        if !self.find.is_match(&words) {
            return Vec::new(); // most files, at a fraction of the cost
        }
        let found = |line: &str| match &self.except {
            Some(except) => self.find.is_match(&except.replace_all(line, " ")),
            None => self.find.is_match(line),
        };
        let pairs = lines(text).zip(words.lines());
        pairs.filter(|(_, line)| found(line)).map(|(hit, _)| hit).collect()
    }
}

/// The comments of a Rust file that document a module or an item, and begin with a question word.
#[must_use]
pub fn documentation_that_asks(rust: &str) -> Vec<Hit<'_>> {
    let mut documented = false;
    let first = |hit: &Hit| {
        let comment = hit.text.strip_prefix("///").or_else(|| hit.text.strip_prefix("//!"));
        let begins = !documented;
        documented = comment.is_some();
        begins && comment.is_some_and(|words| QUESTION.is_match(words.trim()))
    };
    let mut first = first;
    lines(rust).filter(|hit| first(hit)).collect()
}

fn lines(text: &str) -> impl Iterator<Item = Hit<'_>> {
    text.lines().enumerate().map(|(at, line)| Hit { line: at + 1, text: line.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> bool {
        let pattern = PATTERNS.iter().find(|pattern| pattern.name == name).expect("it exists");
        !pattern.hits(text).is_empty()
    }

    #[test]
    fn each_pattern_finds_its_kind() {
        for (name, text) in [
            ("pronoun", "Who has nothing to do is healthy."),
            ("pronoun", "fn nobody_dies() {}"),
            ("is no", "A process is no faster core."),
            ("is no", "the_worker_is_no_child"),
            ("for ever", "It waits for ever."),
            ("so many", "Gives so many words."),
            ("wish, hear", "A worker that wished to leave"),
            ("told, tells", "The caller is told why."),
        ] {
            assert!(found(name, text), "{name}: {text}");
        }
    }

    #[test]
    fn ordinary_english_passes() {
        for (name, text) in [
            ("pronoun", "the whole body"),
            ("is no", "There is no worker, and there will be no other."),
            ("is no", "It is no longer ready, and it is not a child."),
            ("is no", "there_are_no_zombies"),
            ("for ever", "It waits forever, for every client."),
            ("so many", "It is so."),
            ("told, tells", "a test cannot tell them apart"),
        ] {
            assert!(!found(name, text), "{name}: {text}");
        }
    }

    #[test]
    fn documentation_begins_with_a_noun_or_a_verb() {
        let asks = "/// What it holds.\n//! Why, then?\nlet a = 1;\n    //! How it works.\n";
        let lines: Vec<usize> = documentation_that_asks(asks).iter().map(|hit| hit.line).collect();
        assert_eq!(lines, [1, 4]);
        let plain =
            "/// The contents, and\n/// What follows.\n// What a comment asks\n/// Whatever\n";
        assert_eq!(documentation_that_asks(plain), []);
    }
}

//! The English of the workbook: plain sentences, with nouns as subjects.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use workbook::prose::{Hit, PATTERNS, documentation_that_asks};
use workbook::root;

/// A line that matches a pattern, and may keep it.
struct Exception {
    pattern: &'static str,
    file: &'static str,
    /// A part of the line.
    line: &'static str,
    reason: &'static str,
}

/// The maximum number of exceptions for a pattern.
const MOST: usize = 10;

/// The lines that may match a pattern.
const EXCEPTIONS: &[Exception] = &[];

/// The endings of the names of files that have prose.
const ENDINGS: [&str; 7] = ["md", "rs", "toml", "txt", "sh", "yml", "json"];

/// The files that name the patterns.
const OWN: [&str; 2] = ["workbook/src/prose.rs", "workbook/tests/prose.rs"];

#[test]
fn patterns_are_found_only_where_a_reason_is_given() {
    let mut found = Vec::new();
    for file in files() {
        let text = read(&file);
        for pattern in PATTERNS.iter() {
            let hits = pattern.hits(&text);
            let new = hits.iter().filter(|hit| !is_excepted(pattern.name, &file, hit));
            found.extend(new.map(|hit| {
                format!(
                    "{file}:{}: {:?}: {}\n    {}",
                    hit.line, pattern.name, pattern.instead, hit.text
                )
            }));
        }
    }
    assert!(found.is_empty(), "{} lines:\n{}", found.len(), found.join("\n"));
}

#[test]
fn documentation_never_begins_with_a_question_word() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| is_rust(file)) {
        let text = read(file);
        let hits = documentation_that_asks(&text);
        found.extend(hits.iter().map(|hit| format!("{file}:{}: {}", hit.line, hit.text)));
    }
    assert!(found.is_empty(), "{} comments:\n{}", found.len(), found.join("\n"));
}

#[test]
fn names_of_tests_are_short() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| is_rust(file)) {
        let text = read(file);
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if !line.starts_with("#[test]") && !line.starts_with("#[tokio::test") {
                continue;
            }
            let head =
                iter::once(line).chain(lines.by_ref()).find_map(|line| line.split_once("fn "));
            let name = head.and_then(|(_, rest)| rest.split('(').next()).unwrap_or_default();
            if name.len() > 60 {
                found.push(format!("{file}: {name}"));
            }
        }
    }
    assert!(found.is_empty(), "{} names:\n{}", found.len(), found.join("\n"));
}

#[test]
fn exceptions_are_few_and_each_is_needed() {
    for pattern in PATTERNS.iter() {
        let mine = EXCEPTIONS.iter().filter(|one| one.pattern == pattern.name).count();
        assert!(mine <= MOST, "{:?} has {mine} exceptions", pattern.name);
    }
    for one in EXCEPTIONS {
        let pattern = PATTERNS.iter().find(|pattern| pattern.name == one.pattern);
        let pattern = pattern.unwrap_or_else(|| panic!("{:?} is not a pattern", one.pattern));
        let text = read(one.file);
        let hits = pattern.hits(&text);
        let used = hits.iter().any(|hit| hit.text.contains(one.line));
        assert!(used, "{}: the exception for {:?} is not needed", one.file, one.line);
        assert!(!one.reason.is_empty(), "{}: {:?} has no reason", one.file, one.line);
    }
}

fn is_excepted(pattern: &str, file: &str, hit: &Hit) -> bool {
    let fits = |one: &&Exception| {
        one.pattern == pattern && one.file == file && hit.text.contains(one.line)
    };
    EXCEPTIONS.iter().any(|one| fits(&one))
}

/// The files of the workbook that have prose, relative to its folder.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("listed").path();
            let name = relative(&path);
            if path.is_dir() {
                let skipped =
                    name.ends_with("target") || [".git", ".cache"].contains(&name.as_str());
                if !skipped {
                    folders.push(path);
                }
            } else if has_prose(&path) && !OWN.contains(&name.as_str()) {
                found.push(name);
            }
        }
    }
    found.sort();
    assert!(found.len() > 500, "only {} files: is this the workbook?", found.len());
    found
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

fn has_prose(path: &Path) -> bool {
    match path.extension() {
        Some(extension) => ENDINGS.iter().any(|ending| extension == *ending),
        // Scripts begin with `#!`, and a Dockerfile with a comment; the text of a licence is not ours.
        None => fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"#")),
    }
}

fn relative(path: &Path) -> String {
    let name: PathBuf = path.strip_prefix(root()).expect("it was found there").to_owned();
    name.to_str().expect("our names are UTF-8").to_owned()
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

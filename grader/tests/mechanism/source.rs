//! Cuts the files of exercises into functions, and puts others in their place. The files are
//! formatted by rustfmt, so a function ends at the first `}` with the same indentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the workbook.
pub fn root() -> PathBuf {
    workbook::root()
}

pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The solution of an exercise.
pub fn solution(id: &str) -> String {
    read(root().join(file(id).replacen("exercises", "solutions", 1)))
}

/// The stub of an exercise.
pub fn stub(id: &str) -> String {
    read(root().join(file(id)))
}

fn file(id: &str) -> String {
    let item = list().exercises.into_iter().find(|item| item.id == id);
    item.unwrap_or_else(|| panic!("{id} is not in workbook.toml")).file
}

pub fn list() -> workbook::list::List {
    workbook::list::List::read(&root()).unwrap_or_else(|error| panic!("{error}"))
}

/// A function: its name, and all its lines, from the first of its signature to the last `}`.
#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub lines: Vec<String>,
}

/// All functions of `text`, in order, methods included.
pub fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if let Some(name) = name(lines[at]) {
            let end = end(&lines, at);
            let lines = lines[at..=end].iter().map(ToString::to_string).collect();
            found.push(Function { name, lines });
            at = end;
        }
        at += 1;
    }
    found
}

/// The name of the function that begins in `line`.
fn name(line: &str) -> Option<String> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let after = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    Some(after.split(['(', '<']).next()?.to_owned())
}

fn end(lines: &[&str], at: usize) -> usize {
    let last = format!("{}}}", indent(lines[at]));
    let length = lines[at..].iter().position(|line| *line == last);
    at + length.unwrap_or_else(|| panic!("a function without an end: {}", lines[at]))
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// `text` with the function of the same name replaced by `new`. A function that does not exist yet
/// is added.
pub fn replace(text: &str, new: &Function) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| name(line).as_ref() == Some(&new.name));
    let (before, after) = match at {
        Some(at) => (&lines[..at], &lines[end(&lines, at) + 1..]),
        None => (&lines[..], &lines[lines.len()..]),
    };
    let middle: Vec<&str> = new.lines.iter().map(String::as_str).collect();
    [before, &middle, after].concat().join("\n") + "\n"
}

/// The functions of a stub that hold the hole of a step, in the order of the steps.
pub fn holes(stub: &str) -> Vec<Function> {
    let has_hole = |function: &Function| function.lines.iter().any(|line| line.contains("hole!("));
    functions(stub).into_iter().filter(has_hole).collect()
}

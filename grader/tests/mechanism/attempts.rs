//! The wrong attempts in `grader/gallery`: each a function that replaces one of the solution.

use std::fs;
use std::path::PathBuf;

use crate::source::{self, Function, functions, replace};

/// One wrong attempt.
#[derive(Debug)]
pub struct Attempt {
    /// The file.
    pub path: PathBuf,
    /// Its name: the name of its file.
    pub name: String,
    /// The exercise that it pretends to solve.
    pub exercise: String,
    /// The trials that must fail, and no others.
    pub fails: Vec<String>,
    /// True if a race decides which processes are seen; then they are not compared.
    pub races: bool,
    /// The finding of the first of them, if the attempt names it.
    pub finding: String,
    functions: Vec<Function>,
    uses: Vec<String>,
}

impl Attempt {
    /// All attempts in a folder of the gallery, by name.
    pub fn all(folder: &str) -> Vec<Self> {
        let folder = source::root().join("grader/gallery").join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("listed").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
        paths.sort();
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let text = source::read(&path);
        let header = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("//! {key}: ")));
            line.unwrap_or_default().to_owned()
        };
        let folder = path.parent().and_then(|folder| folder.file_name()).expect("in a folder");
        let folder = folder.to_string_lossy().into_owned();
        let exercise = header("exercise");
        Self {
            name: path.file_stem().expect("a file").to_string_lossy().into_owned(),
            exercise: if exercise.is_empty() { folder } else { exercise },
            fails: header("fails").split(' ').map(str::to_owned).collect(),
            races: !header("race").is_empty(),
            finding: header("finding"),
            functions: functions(&text),
            uses: text.lines().filter(|l| l.starts_with("use ")).map(str::to_owned).collect(),
            path,
        }
    }

    /// The solution, with the functions of this attempt in place of its own.
    pub fn applied(&self) -> String {
        let solution = source::solution(&self.exercise);
        let text = self.functions.iter().fold(solution, |text, function| replace(&text, function));
        self.uses
            .iter()
            .fold(text, |text, line| text.replacen("\nuse ", &format!("\n{line}\nuse "), 1))
    }
}

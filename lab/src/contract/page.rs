//! The rules for the pages of all examples.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::suite::Suite;

/// A file of an example is short enough to be read in one sitting, and starts by saying what it is.
pub fn each_file_of_an_example_is_a_page(suite: &Suite) {
    for example in suite.examples {
        for (path, text) in pages(suite, example) {
            let lines = code(&text).count();
            assert!(lines <= 150, "{path} has {lines} lines of code");
            assert!(text.starts_with("//! "), "{path} does not say what it is");
        }
    }
}

/// Every example is tested: the list of examples has all folders, and nothing else.
pub fn each_example_is_listed(suite: &Suite) {
    let folder = Path::new(suite.folder).join("examples");
    let entries = fs::read_dir(folder).expect("it exists").map(|entry| entry.expect("listed"));
    let folders: BTreeSet<String> =
        entries.map(|it| it.file_name().display().to_string()).collect();
    let listed: BTreeSet<String> = suite.examples.iter().map(ToString::to_string).collect();
    assert_eq!(listed, folders, "listed, and on disk");
}

/// The files of an example, with their names.
#[must_use]
pub fn pages(suite: &Suite, example: &str) -> Vec<(String, String)> {
    let folder = Path::new(suite.folder).join("examples").join(example);
    let files = fs::read_dir(folder).expect("each example has a folder");
    let paths = files.map(|entry| entry.expect("it can be listed").path());
    let rust = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let text = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("it can be read");
        (path.display().to_string(), text)
    };
    rust.map(text).collect()
}

/// The lines of code in `text`, without comments and empty lines.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

//! The one list of the parts of the workbook, and the tables that are made from it.
//!
//! `workbook.toml` names every guide, example and exercise, once. The tables in the READMEs are
//! written from it by `cargo run -p workbook`, and the tests of this package compare them, follow
//! every link, and check that each guide has the same bones.

pub mod interview;
pub mod list;
pub mod page;
pub mod prose;
pub mod tables;

use std::path::{Path, PathBuf};

/// An error that can be shown in one line.
pub type Error = Box<dyn std::error::Error>;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The folder of the workbook.
#[must_use]
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("a member lies in the workspace's folder").to_owned()
}

/// The pages that have tables: the README at the top, the one for the exercises, and one per level.
#[must_use]
pub fn pages_with_tables(list: &list::List) -> Vec<String> {
    let levels = list.levels.iter().map(|level| format!("{}/README.md", level.folder));
    ["README.md", "exercises/README.md"].map(str::to_owned).into_iter().chain(levels).collect()
}

//! Rewrites the tables of the READMEs from `workbook.toml`.
//!
//! ```console
//! $ cargo run -p workbook
//! ```

use std::fs;
use std::process::ExitCode;

use workbook::list::List;
use workbook::{Result, pages_with_tables, root, tables};

fn main() -> ExitCode {
    match write_tables() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_tables() -> Result<()> {
    let root = root();
    let list = List::read(&root)?;
    for page in pages_with_tables(&list) {
        let path = root.join(&page);
        let text = fs::read_to_string(&path).map_err(|error| format!("{page}: {error}"))?;
        let folder = page.strip_suffix("README.md").unwrap_or_default();
        let filled =
            tables::fill(&text, folder, &list).map_err(|error| format!("{page}: {error}"))?;
        if filled != text {
            fs::write(&path, filled)?;
            println!("{page}: tables written");
        }
    }
    Ok(())
}

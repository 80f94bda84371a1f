//! The demos on the pages of a level: their rows are those that the demos print.

use std::fs;
use std::path::{Path, PathBuf};

use crate::suite::Suite;

/// A row of a demo, without the observation, which differs from run to run.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    verdict: String,
    claim: String,
}

/// Compares each block of the level's pages that shows this demo with the `table` of a real run. A
/// command with a pipe (`| head -n 3`) shows a part of the rows. A run that had to leave something out
/// is not compared.
pub(super) fn is_on_the_pages(suite: &Suite, example: &str, table: &str) {
    if table.contains("  left out: ") {
        return;
    }
    let printed: Vec<Row> = table.lines().filter_map(row).collect();
    let command = format!("--example {example} -- --demo");
    for page in pages(suite) {
        let text = fs::read_to_string(&page).expect("it was listed");
        for (options, block) in shown(&text, &command) {
            let rows: Vec<Row> = block.filter_map(row).collect();
            let same = match options {
                "" => rows == printed,
                _ => printed.windows(rows.len()).any(|part| part == rows),
            };
            let page = page.display();
            assert!(same, "{page} shows other rows of {example}:\n{rows:#?}\nthan\n{table}");
        }
    }
}

/// The blocks below a command: the rest of the command's line, and the lines that it prints.
fn shown<'t>(text: &'t str, command: &str) -> Vec<(&'t str, impl Iterator<Item = &'t str>)> {
    let behind = |(at, _)| {
        let (line, rest) = text[at + command.len()..].split_once('\n').unwrap_or_default();
        let printed = rest.lines().take_while(|line| !line.starts_with("$ ") && *line != "```");
        (line, printed)
    };
    let in_console = |(at, _): &(usize, &str)| {
        let start = text[..*at].rfind('\n').map_or(0, |newline| newline + 1);
        text[start..].starts_with("$ ")
    };
    let found = text.match_indices(command).filter(in_console).map(behind);
    found.filter(|(options, _)| options.is_empty() || options.starts_with(" |")).collect()
}

/// `held    a claim            an observation`. One 0 stands for every number.
fn row(line: &str) -> Option<Row> {
    let verdict = line.get(..6)?.trim();
    let claim = line.get(8..)?.trim_start().split("  ").next()?;
    let mut claim = claim.trim().replace(|letter: char| letter.is_ascii_digit(), "0");
    while claim.contains("00") {
        claim = claim.replace("00", "0");
    }
    Some(Row { verdict: verdict.to_owned(), claim })
}

/// The README and the guides of a level.
fn pages(suite: &Suite) -> Vec<PathBuf> {
    let folder = Path::new(suite.folder);
    let guides = fs::read_dir(folder.join("guides")).expect("each level has guides");
    let mut pages: Vec<PathBuf> = guides.map(|entry| entry.expect("listed").path()).collect();
    pages.push(folder.join("README.md"));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Run `cargo run --example it -- --demo`:\n\n```console\n\
        $ cargo run -q --example it -- --demo\nheld    it answers in 20 ms       21.5 ms\n        a note    x\n```\n\n\
        ```console\n$ cargo run -q --example it -- --demo | head -n 1\nheld    it answers in 20 ms       9 ms\n\
        $ cargo run -q --example it -- --demo --workers 4\nheld    other\n```\n";

    #[test]
    fn blocks_are_found_with_their_rows() {
        let blocks = shown(PAGE, "--example it -- --demo");
        let rows: Vec<(&str, Vec<Row>)> = blocks
            .into_iter()
            .map(|(options, lines)| (options, lines.filter_map(row).collect()))
            .collect();
        let held = || Row { verdict: "held".into(), claim: "it answers in 0 ms".into() };
        let note = Row { verdict: String::new(), claim: "a note".into() };
        assert_eq!(rows, [("", vec![held(), note]), (" | head -n 1", vec![held()])]);
    }
}

//! A report as text, for a terminal.

use super::document::{Section, Table};

/// Text is broken at this width.
const WIDTH: usize = 100;

pub fn of(sections: &[Section]) -> String {
    sections.iter().map(section).collect::<Vec<_>>().join("\n")
}

fn section(section: &Section) -> String {
    let mut text = format!("{}\n\n", section.heading);
    for of in &section.tables {
        text += &table(of);
        text += "\n";
    }
    for sentence in &section.sentences {
        let options = textwrap::Options::new(WIDTH)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent("- ")
            .subsequent_indent("  ");
        text += &textwrap::fill(sentence, options);
        text += "\n";
    }
    text
}

/// The first column is aligned to the left, the others to the right.
fn table(table: &Table) -> String {
    let lines = || std::iter::once(&table.head).chain(&table.rows);
    let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    lines().map(|row| line(row, &widths)).collect()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
        0 => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
}

//! A report as Markdown.

use super::document::{Section, Table};

pub fn of(title: &str, notes: &[String], sections: &[Section]) -> String {
    let mut blocks = vec![format!("# {}", escaped(title))];
    blocks.extend(notes.iter().map(|note| escaped(note)));
    blocks.extend(sections.iter().flat_map(section));
    blocks.join("\n\n") + "\n"
}

/// The blocks of a section, which blank lines separate.
fn section(section: &Section) -> Vec<String> {
    let mut blocks = vec![format!("## {}", escaped(&section.heading))];
    blocks.extend(section.tables.iter().map(table));
    let sentences = section.sentences.iter().map(|of| format!("- {}", escaped(of)));
    let list = sentences.collect::<Vec<_>>().join("\n");
    blocks.extend((!list.is_empty()).then_some(list));
    blocks
}

/// The first column is aligned to the left, the others to the right.
fn table(table: &Table) -> String {
    let rule = (0..table.head.len()).map(|column| if column == 0 { ":--" } else { "--:" });
    let mut lines = vec![row(&table.head), line(&rule.map(str::to_owned).collect::<Vec<_>>())];
    lines.extend(table.rows.iter().map(|cells| row(cells)));
    lines.join("\n")
}

fn row(cells: &[String]) -> String {
    line(&cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>())
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Names of files may contain what Markdown would read as markup.
fn escaped(text: &str) -> String {
    let escape = |character: char| match character {
        '\\' | '|' | '*' | '_' | '`' | '<' | '[' | ']' => format!("\\{character}"),
        '\n' | '\r' => " ".into(),
        _ => character.into(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_the_table() {
        let table_of = |cell: &str| {
            table(&Table { head: vec!["a".into(), "b".into()], rows: vec![vec![cell.into(); 2]] })
        };
        assert_eq!(table_of("x|y"), "| a | b |\n| :-- | --: |\n| x\\|y | x\\|y |");
    }
}

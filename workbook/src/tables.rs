//! The tables that are written from the list, and their places in a page.
//!
//! A page marks such a place by two comments, and the text between them is replaced:
//!
//! ```text
//! <!-- table: examples 1 -->
//! <!-- end of table -->
//! ```

use crate::Result;
use crate::list::{Item, Level, List};

/// The names of all tables.
const TABLES: &str = "path, guides N, examples, examples N, exercises, exercises N, steps";

const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end of table -->";

/// The page `text` in folder `folder` with all its tables rewritten.
///
/// # Errors
/// A table is unknown, or has no end.
pub fn fill(text: &str, folder: &str, list: &List) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after.split_once(" -->").ok_or("a table's first mark is not closed")?;
        let (_, after) =
            after.split_once(END).ok_or_else(|| format!("table {name:?} has no end"))?;
        let table = table(name, folder, list)?;
        filled += before;
        filled += &[BEGIN, name, " -->\n\n", &table, "\n", END].concat();
        rest = after;
    }
    Ok(filled + rest)
}

fn table(name: &str, folder: &str, list: &List) -> Result<String> {
    let words: Vec<&str> = name.split(' ').collect();
    match words[..] {
        ["path"] => Ok(path(list)),
        ["examples"] => Ok(examples(&list.examples.iter().collect::<Vec<_>>(), folder, list)),
        ["examples", level] => Ok(examples(&of(&list.examples, level)?, folder, list)),
        ["guides", level] => Ok(guides(&of(&list.guides, level)?, folder)),
        ["exercises"] => Ok(exercises(&list.exercises.iter().collect::<Vec<_>>(), folder)),
        ["exercises", level] => Ok(exercises(&of(&list.exercises, level)?, folder)),
        ["steps"] => Ok(steps(&list.exercises, folder)),
        _ => Err(format!("there is no table {name:?}: {TABLES}").into()),
    }
}

fn of<'l>(items: &'l [Item], level: &str) -> Result<Vec<&'l Item>> {
    let level: u8 = level.parse().map_err(|_| format!("{level:?} is not the number of a level"))?;
    Ok(items.iter().filter(|item| item.level == level).collect())
}

/// The time that each level takes: the sum of its minutes, separately for reading and exercises.
fn path(list: &List) -> String {
    let mut rows = row(&["level", "guides and examples", "exercises"]) + &row(&["---"; 3]);
    for level in &list.levels {
        let reading = minutes(&list.guides, level) + minutes(&list.examples, level);
        let solving = minutes(&list.exercises, level);
        let link = format!("[{} {}]({}/README.md)", level.number, level.title, level.folder);
        rows += &row(&[&link, &hours(reading), &hours(solving)]);
    }
    rows
}

fn minutes(items: &[Item], level: &Level) -> u32 {
    items.iter().filter(|item| item.level == level.number).map(|item| item.minutes).sum()
}

/// The time, to the nearest quarter of an hour: a reader does not plan an evening by the minute.
fn hours(minutes: u32) -> String {
    match minutes.div_ceil(15) {
        0 => "to come".to_owned(),
        quarters => match (quarters / 4, quarters % 4) {
            (0, part) => format!("{} min", part * 15),
            (hours, 0) => format!("{hours} h"),
            (hours, part) => format!("{hours} h {} min", part * 15),
        },
    }
}

fn examples(items: &[&Item], folder: &str, list: &List) -> String {
    let mut rows = row(&["example", "what it shows", "run it", "minutes"]) + &row(&["---"; 4]);
    for item in items {
        let level = list.levels.iter().find(|level| level.number == item.level);
        let package = level.map_or("", |level| &level.package);
        let command = format!("`cargo run -p {package} --example {}`", item.id);
        let link = format!("[{}]({})", item.id, relative(&item.file, folder));
        rows += &row(&[&link, &item.title, &command, &item.minutes.to_string()]);
    }
    rows
}

fn guides(items: &[&Item], folder: &str) -> String {
    let mut rows = row(&["guide", "by the end you can", "minutes"]) + &row(&["---"; 3]);
    for item in items {
        let link = format!("[{}]({})", item.title, relative(&item.file, folder));
        rows += &row(&[&link, &item.objectives.join("; "), &item.minutes.to_string()]);
    }
    rows
}

fn exercises(items: &[&Item], folder: &str) -> String {
    let mut rows = row(&["exercise", "what you do", "check it", "minutes"]) + &row(&["---"; 4]);
    for item in items {
        let link = format!("[{}]({})", item.id, relative(&item.file, folder));
        let command = format!("`cargo test -p exercises {}`", item.id);
        rows += &row(&[&link, &item.title, &command, &item.minutes.to_string()]);
    }
    rows
}

/// The exercises with everything that belongs to them.
fn steps(items: &[Item], folder: &str) -> String {
    let mut rows = row(&["exercise", "steps", "hints", "follow-ups"]) + &row(&["---"; 4]);
    for item in items {
        let link = |name: &str, file: &str| format!("[{name}]({})", relative(file, folder));
        let hints = (1..).zip(&item.hints).map(|(at, file): (u32, _)| link(&at.to_string(), file));
        rows += &row(&[
            &link(&item.id, &item.file),
            &item.steps.join("; "),
            &hints.collect::<Vec<_>>().join(" "),
            &item.interview.as_ref().map_or(String::new(), |file| link("five", file)),
        ]);
    }
    rows
}

/// The path from `folder` to `file`, both given from the top.
fn relative(file: &str, folder: &str) -> String {
    match file.strip_prefix(folder) {
        Some(inside) => inside.trim_start_matches('/').to_owned(),
        None => "../".repeat(folder.matches('/').count()) + file,
    }
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        toml::from_str(
            r#"
            level = [{ number = 1, title = "One", folder = "one", package = "level-1" }]
            [[guide]]
            id = "g"
            level = 1
            title = "G"
            file = "one/g.md"
            minutes = 50
            objectives = ["a", "b"]
            prerequisites = []
            platform = "linux"
            steps = ["run"]
            [[example]]
            id = "e"
            level = 1
            title = "E"
            file = "one/e.rs"
            minutes = 15
            objectives = ["c"]
            prerequisites = ["g"]
            platform = "linux"
            steps = ["run"]
            [[exercise]]
            id = "x"
            level = 1
            title = "X"
            file = "two/x.rs"
            minutes = 20
            objectives = ["d"]
            prerequisites = ["g"]
            platform = "linux"
            steps = ["first", "then"]
            hints = ["two/1.md", "two/2.md"]
            interview = "two/i.md"
            "#,
        )
        .expect("a list")
    }

    #[test]
    fn a_table_is_written_between_its_marks_and_nowhere_else() {
        let page = format!("before\n{BEGIN}guides 1 -->\nold\n{END}\nafter\n");
        let filled = fill(&page, "one/", &list()).expect("filled");
        assert!(filled.starts_with("before\n") && filled.ends_with("\nafter\n"));
        assert!(filled.contains("| [G](g.md) | a; b | 50 |") && !filled.contains("old"));
        assert_eq!(fill(&filled, "one/", &list()).expect("filled again"), filled);
    }

    #[test]
    fn the_path_adds_up_minutes_to_quarters_of_an_hour() {
        let row = "| [1 One](one/README.md) | 1 h 15 min | 30 min |";
        assert!(path(&list()).contains(row), "{}", path(&list()));
        assert_eq!(
            [1, 15, 60, 61, 120].map(hours),
            ["15 min", "15 min", "1 h", "1 h 15 min", "2 h"]
        );
    }

    #[test]
    fn exercises_are_linked_from_every_folder() {
        let row = "| [x](../two/x.rs) | X | `cargo test -p exercises x` | 20 |";
        let table = table("exercises 1", "one/", &list()).expect("a table");
        assert!(table.contains(row), "{table}");
        let row = "| [x](x.rs) | first; then | [1](1.md) [2](2.md) | [five](i.md) |";
        let table = super::table("steps", "two/", &list()).expect("a table");
        assert!(table.contains(row), "{table}");
    }

    #[test]
    fn an_unknown_or_open_table_is_an_error() {
        for page in ["<!-- table: pears -->\n<!-- end of table -->", "<!-- table: path -->\n"] {
            assert!(fill(page, "", &list()).is_err(), "{page}");
        }
    }
}

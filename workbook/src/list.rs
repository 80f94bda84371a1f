//! `workbook.toml`: its shape, and the rules that it must keep.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::interview::Question;

/// The whole list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The three levels, in order.
    #[serde(rename = "level")]
    pub levels: Vec<Level>,
    /// Everything to read, in the order of reading.
    #[serde(rename = "guide")]
    pub guides: Vec<Item>,
    /// Everything to run.
    #[serde(rename = "example")]
    pub examples: Vec<Item>,
    /// Everything to solve.
    #[serde(rename = "exercise", default)]
    pub exercises: Vec<Item>,
    /// The topics of the interview questions.
    #[serde(default)]
    pub topics: Vec<String>,
    /// The interview questions, page by page.
    #[serde(rename = "question", default)]
    pub questions: Vec<Question>,
}

/// A level of the workbook.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// 1, 2 or 3.
    pub number: u8,
    /// Its name.
    pub title: String,
    /// Its folder, from the top.
    pub folder: String,
    /// Its cargo package.
    pub package: String,
}

/// A guide, an example or an exercise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its name, which never changes.
    pub id: String,
    /// The number of its level.
    pub level: u8,
    /// Its title in a table.
    pub title: String,
    /// Its file, from the top.
    pub file: String,
    /// The time that it takes, in minutes.
    pub minutes: u32,
    /// The things that a reader can do afterwards.
    pub objectives: Vec<String>,
    /// The ids of the items that should come before it.
    pub prerequisites: Vec<String>,
    /// The platform on which it runs.
    pub platform: String,
    /// Its parts, in order.
    pub steps: Vec<String>,
    /// An exercise's hints, from weak to strong.
    #[serde(default)]
    pub hints: Vec<String>,
    /// An exercise's follow-ups for an interview.
    #[serde(default)]
    pub interview: Option<String>,
}

impl Item {
    /// All files that belong to it, from the top.
    pub fn files(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.file).chain(&self.hints).chain(&self.interview)
    }
}

impl List {
    /// Reads `workbook.toml` in `root`.
    ///
    /// # Errors
    /// The file is missing, or does not have this shape.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("workbook.toml");
        let text = fs::read_to_string(&path).map_err(|error| format!("workbook.toml: {error}"))?;
        Ok(toml::from_str(&text).map_err(|error| format!("workbook.toml: {error}"))?)
    }

    /// Everything in the list.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.guides.iter().chain(&self.examples).chain(&self.exercises)
    }

    /// The interview questions of a guide or an exercise.
    pub fn questions_of(&self, item: &Item) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|question| question.of == item.id)
    }

    /// Everything that is wrong with the list, one sentence for each mistake.
    #[must_use]
    pub fn mistakes(&self, root: &Path) -> Vec<String> {
        let ids: BTreeSet<&str> = self.items().map(|item| item.id.as_str()).collect();
        let levels: BTreeSet<u8> = self.levels.iter().map(|level| level.number).collect();
        let mut mistakes = Vec::new();
        if ids.len() != self.items().count() {
            mistakes.push("duplicate id".to_owned());
        }
        for item in self.items() {
            let id = &item.id;
            let mut wrong = |is_wrong: bool, what: String| {
                if is_wrong {
                    mistakes.push(format!("{id}: {what}"));
                }
            };
            for file in item.files() {
                wrong(!root.join(file).is_file(), format!("there is no {file}"));
            }
            wrong(!levels.contains(&item.level), format!("there is no level {}", item.level));
            wrong(item.minutes == 0, "it takes no time".to_owned());
            wrong(item.objectives.is_empty(), "it has no objective".to_owned());
            wrong(item.steps.is_empty(), "it has no steps".to_owned());
            for before in &item.prerequisites {
                wrong(
                    !ids.contains(before.as_str()),
                    format!("there is no {before} to come before it"),
                );
                wrong(before == id, "it comes before itself".to_owned());
            }
        }
        mistakes.extend(self.circles());
        mistakes
    }

    /// Items that can never be started, because their prerequisites depend on them.
    fn circles(&self) -> Vec<String> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let ready = |item: &Item, done: &BTreeSet<&str>| {
            item.prerequisites.iter().all(|before| done.contains(before.as_str()))
        };
        loop {
            let next =
                self.items().find(|item| !done.contains(item.id.as_str()) && ready(item, &done));
            let Some(next) = next else { break };
            done.insert(&next.id);
        }
        let left = self.items().filter(|item| !done.contains(item.id.as_str()));
        left.map(|item| format!("{}: its prerequisites can never be met", item.id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    fn item(id: &str, prerequisites: &[&str]) -> Item {
        Item {
            id: id.to_owned(),
            level: 1,
            title: id.to_owned(),
            file: "workbook.toml".to_owned(),
            minutes: 1,
            objectives: vec!["something".to_owned()],
            prerequisites: prerequisites.iter().map(ToString::to_string).collect(),
            platform: "linux".to_owned(),
            steps: vec!["run".to_owned()],
            hints: Vec::new(),
            interview: None,
        }
    }

    fn list(guides: Vec<Item>) -> List {
        let folder = "level-1-basics".to_owned();
        let level =
            Level { number: 1, title: "One".to_owned(), folder, package: "level-1".to_owned() };
        List { levels: vec![level], guides, ..List::default() }
    }

    #[test]
    fn a_good_list_has_no_mistakes() {
        let good = list(vec![item("b", &["a"]), item("a", &[])]);
        assert!(good.mistakes(&root()).is_empty());
    }

    #[test]
    fn each_mistake_is_named() {
        let mut elsewhere = item("elsewhere", &[]);
        elsewhere.file = "nowhere.md".to_owned();
        let bad = list(vec![item("a", &["b"]), item("b", &["a"]), item("c", &["z"]), elsewhere]);
        let mistakes = bad.mistakes(&root()).join("\n");
        for part in [
            "a: its prerequisites can never be met",
            "b: its prerequisites can never be met",
            "c: there is no z to come before it",
            "elsewhere: there is no nowhere.md",
        ] {
            assert!(mistakes.contains(part), "{part} is missing in:\n{mistakes}");
        }
        let twice = list(vec![item("a", &[]), item("a", &[])]);
        assert_eq!(twice.mistakes(&root()), ["duplicate id"]);
    }
}

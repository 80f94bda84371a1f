//! The interview questions on the pages, and their entries in the list.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::list::{Item, List};

/// An entry of the list: a question on the page of a guide or of an exercise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its name, which never changes.
    pub id: String,
    /// The id of its guide or exercise.
    pub of: String,
    /// Its title on the page: the question of a guide, or the heading of a follow-up.
    pub title: String,
    /// The kind of thinking that it asks for.
    pub level: Depth,
    /// Its topic, one of [`List::topics`].
    pub topic: String,
}

/// The kind of thinking that a question asks for, from easy to hard.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// A fact.
    Recall,
    /// The way that something works.
    Mechanism,
    /// A symptom, and its causes.
    Failure,
    /// A plan for something new.
    Design,
    /// Two solutions, and the cost of each.
    TradeOff,
}

/// The titles of the questions on a page, in order.
///
/// A guide has them as summaries below "Interview questions"; a page of follow-ups has a heading for
/// each.
#[must_use]
pub fn titles(page: &str) -> Vec<&str> {
    match page.split_once("\n## Interview questions\n") {
        Some((_, questions)) => {
            let inner = |line| str::strip_prefix(line, "<summary>")?.strip_suffix("</summary>");
            questions.lines().filter_map(inner).collect()
        }
        None => page.lines().filter_map(|line| line.strip_prefix("## ")).collect(),
    }
}

/// Everything that is wrong with the questions of the list, one sentence for each mistake.
///
/// # Errors
/// A page cannot be read.
pub fn mistakes(list: &List, root: &Path) -> Result<Vec<String>> {
    let mut mistakes = Vec::new();
    for item in list.guides.iter().chain(&list.exercises) {
        let page = page(item);
        let text =
            fs::read_to_string(root.join(page)).map_err(|error| format!("{page}: {error}"))?;
        let listed: Vec<&str> = list.questions_of(item).map(|one| one.title.as_str()).collect();
        let there = titles(&text);
        for title in there.iter().filter(|title| !listed.contains(title)) {
            mistakes.push(format!("{page}: {title:?} is not in workbook.toml"));
        }
        for title in listed.iter().filter(|title| !there.contains(title)) {
            mistakes.push(format!("workbook.toml: {title:?} is not in {page}"));
        }
        if mistakes.is_empty() && there != listed {
            mistakes
                .push(format!("workbook.toml: the questions of {page} are in a different order"));
        }
    }
    for question in &list.questions {
        if !list.topics.contains(&question.topic) {
            mistakes
                .push(format!("{}: {:?} is not one of the topics", question.id, question.topic));
        }
        if !list.items().any(|item| item.id == question.of) {
            mistakes.push(format!("{}: there is no {:?}", question.id, question.of));
        }
        if list.questions.iter().filter(|other| other.id == question.id).count() > 1 {
            mistakes.push(format!("{}: duplicate id", question.id));
        }
    }
    let asked = |topic: &&String| list.questions.iter().any(|one| one.topic == **topic);
    let silent = list.topics.iter().filter(|topic| !asked(topic));
    mistakes.extend(silent.map(|topic| format!("there is no question on {topic:?}")));
    Ok(mistakes)
}

/// The page that has the questions of an item.
fn page(item: &Item) -> &str {
    item.interview.as_ref().unwrap_or(&item.file)
}

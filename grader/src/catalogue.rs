//! The exercises as `workbook.toml` lists them, joined with their checks and with the files of the
//! subject.

use std::fs;
use std::path::PathBuf;

use workbook::list::{Item, List};

use crate::{Exercise, Result};

/// One step of one exercise: the subject of a trial.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name of the trial, as in `reap::1`.
    pub trial: String,
    /// The id of the exercise.
    pub exercise: String,
    /// The task, in a sentence.
    pub task: String,
    /// The function to write.
    pub function: &'static str,
    /// The file to edit, from the top of the workbook.
    pub file: String,
    /// The guides to read, from the top of the workbook.
    pub guides: Vec<String>,
    /// The hints, from weak to strong, from the top of the workbook.
    pub hints: Vec<String>,
}

impl Step {
    /// The steps of `exercises` in the order of the list.
    ///
    /// # Errors
    /// The list cannot be read, or the steps of an exercise in it differ from its checks.
    pub fn all(subject: &str, exercises: &[Exercise]) -> Result<Vec<Self>> {
        let list = List::read(&workbook::root()).map_err(|error| error.to_string())?;
        let mut steps = Vec::new();
        for item in &list.exercises {
            if let Some(exercise) = exercises.iter().find(|exercise| exercise.id == item.id) {
                steps.extend(of(subject, exercise, item, &list)?);
            }
        }
        let known = |exercise: &&Exercise| list.exercises.iter().any(|item| item.id == exercise.id);
        match exercises.iter().find(|exercise| !known(exercise)) {
            Some(exercise) => Err(format!("{} is not in workbook.toml", exercise.id).into()),
            None => Ok(steps),
        }
    }

    /// The line where the function starts, if it exists.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        let start = format!("fn {}", self.function);
        let is_it = |line: &str| {
            let after = line.split_once(&start).map(|(_, after)| after);
            after.is_some_and(|after| after.starts_with(['(', '<']))
        };
        self.text()?.lines().position(is_it).map(|index| index + 1)
    }

    /// Returns true if the file still holds the hole of this step. Comments do not count.
    #[must_use]
    pub fn has_hole(&self) -> bool {
        let hole = format!("hole!(\"{}\"", self.trial);
        let code = |line: &str| line.split("//").next().unwrap_or_default().contains(&hole);
        self.text().is_some_and(|text| text.lines().any(code))
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.path()).ok()
    }

    fn path(&self) -> PathBuf {
        workbook::root().join(&self.file)
    }
}

fn of(subject: &str, exercise: &Exercise, item: &Item, list: &List) -> Result<Vec<Step>> {
    if exercise.steps.len() != item.steps.len() {
        return Err(format!(
            "{} has {} steps in workbook.toml and {} checks",
            item.id,
            item.steps.len(),
            exercise.steps.len()
        )
        .into());
    }
    let guides: Vec<String> = list
        .guides
        .iter()
        .filter(|guide| item.prerequisites.contains(&guide.id))
        .map(|guide| guide.file.clone())
        .collect();
    let file = item.file.replacen("exercises", subject, 1);
    let steps = item.steps.iter().zip(exercise.steps).enumerate();
    Ok(steps
        .map(|(index, (task, (function, _)))| Step {
            trial: format!("{}::{}", item.id, index + 1),
            exercise: item.id.clone(),
            task: task.clone(),
            function,
            file: file.clone(),
            guides: guides.clone(),
            hints: item.hints.clone(),
        })
        .collect())
}

//! The report: text for the terminal, one HTML page with charts, and Markdown.
//!
//! It takes any number of [`Group`]s: the reader's own tables, or points that were measured.

mod chart;
mod conclusions;
mod digits;
mod document;
mod html;
mod markdown;
mod palette;
mod sections;
mod text;

use std::fs;
use std::path::Path;

use cluster::{Error, Result};

use crate::measure::Gain;
use crate::series::Group;
use document::Section;

/// The meaning of N and X in a report, with units.
pub struct Axes {
    /// The meaning of N, such as "workers".
    pub n: String,
    /// The meaning of X with its unit, such as "requests per second".
    pub x: String,
}

impl Axes {
    fn n_title(&self) -> String {
        format!("N ({})", self.n)
    }

    fn x_title(&self) -> String {
        format!("X ({})", self.x)
    }
}

/// A report on groups of series.
pub struct Report {
    title: String,
    /// Paragraphs below the title.
    notes: Vec<String>,
    sections: Vec<Section>,
}

impl Report {
    /// `conditions` are those of a measurement, and `gains` its gains over one worker.
    pub fn new(
        title: &str,
        conditions: Option<String>,
        groups: &[Group],
        gains: &[Gain],
        axes: &Axes,
    ) -> Result<Self> {
        let about_the_law = [
            String::from("The Universal Scalability Law, X(N) = λN / (1 + σ(N−1) + κN(N−1)), fitted by nonlinear \
             least squares with σ ≥ 0, κ ≥ 0 and λ > 0. All points have the same weight."),
            "Intervals are value ± t × standard error, with t for 95 % and as many degrees of \
             freedom as there are points minus free parameters. They are about the law: scatter that \
             one run does not show is not in them."
                .into(),
        ];
        let mut sections: Vec<Section> = sections::of_gains(gains).into_iter().collect();
        for group in groups {
            sections.extend(sections::of(group, axes)?);
        }
        let notes = conditions.into_iter().chain(about_the_law).collect();
        Ok(Self { title: title.into(), notes, sections })
    }

    /// The report for a terminal.
    pub fn text(&self) -> String {
        text::of(&self.sections)
    }

    /// Writes `NAME.html` and `NAME.md` into a folder, which is made if it is missing.
    pub fn write(&self, folder: &Path, name: &str) -> Result<()> {
        let write = |file: &str, text: String| {
            let path = folder.join(file);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .map_err(|error| Error::because(format!("cannot write {}", path.display()), error))
        };
        write(&format!("{name}.html"), html::of(&self.title, &self.notes, &self.sections))?;
        write(&format!("{name}.md"), markdown::of(&self.title, &self.notes, &self.sections))
    }
}

//! The report: text for the terminal, one HTML page with charts, and Markdown.
//!
//! It takes any number of [`Series`]: the reader's own tables, or points that were measured.

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

use crate::series::Series;
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

/// A report on series of points.
pub struct Report {
    title: String,
    /// Paragraphs below the title.
    notes: Vec<String>,
    sections: Vec<Section>,
}

impl Report {
    pub fn new(title: &str, series: &[Series], axes: &Axes) -> Result<Self> {
        let notes = vec![
            "The Universal Scalability Law, X(N) = λN / (1 + σ(N−1) + κN(N−1)), fitted by nonlinear \
             least squares with σ ≥ 0, κ ≥ 0 and λ > 0. All points have the same weight."
                .into(),
            "Intervals are value ± t × standard error, with t for 95 % and as many degrees of \
             freedom as there are points minus free parameters. They are about the law: scatter that \
             one run does not show is not in them."
                .into(),
        ];
        Ok(Self { title: title.into(), notes, sections: sections::of(series, axes)? })
    }

    /// The report for a terminal.
    pub fn text(&self) -> String {
        text::of(&self.sections)
    }

    /// Writes `report.html` and `report.md` into a folder, which is made if it is missing.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .map_err(|error| Error::because(format!("cannot write {}", path.display()), error))
        };
        write("report.html", html::of(&self.title, &self.notes, &self.sections))?;
        write("report.md", markdown::of(&self.title, &self.notes, &self.sections))
    }
}

//! Verdicts for programs: JSON lines for editors, `JUnit` for classrooms and continuous integration.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::BytesText;
use serde::Serialize;

use super::{Graded, Look, State, message};
use crate::warden::Report;
use crate::{Error, Result};

/// One line of JSON. Programs rely on the names.
#[derive(Serialize)]
struct Record<'g> {
    /// `done`, `failing`, `not started` or `unavailable`.
    state: &'static str,
    exercise: &'g str,
    task: &'g str,
    function: &'g str,
    file: &'g str,
    line: Option<usize>,
    hints: &'g [String],
    /// The message for the learner, without colours; `None` if the step is done.
    message: Option<String>,
    #[serde(flatten)]
    report: &'g Report,
}

/// Writes one line of JSON for each step.
///
/// # Errors
/// Any error of the file.
pub fn json(graded: &[Graded], width: usize, mut file: impl Write) -> Result<()> {
    for one in graded {
        let step = &one.step;
        let line = Record {
            state: one.state().name(),
            exercise: &step.exercise,
            task: &step.task,
            function: step.function,
            file: &step.file,
            line: step.line(),
            hints: &step.hints,
            message: (one.state() == State::Failing)
                .then(|| message::text(one, Look { colours: false, width })),
            report: &one.report,
        };
        writeln!(file, "{}", serde_json::to_string(&line)?)?;
    }
    Ok(())
}

/// Writes the steps as a `JUnit` test suite.
///
/// # Errors
/// Any error of the file.
pub fn junit(subject: &str, graded: &[Graded], width: usize, file: impl Write) -> Result<()> {
    let count = |state: State| graded.iter().filter(|one| one.state() == state).count().to_string();
    let is_skipped = |one: &&Graded| matches!(one.state(), State::NotStarted | State::Unavailable);
    let skipped = graded.iter().filter(is_skipped).count().to_string();
    let seconds: f64 = graded.iter().map(|one| one.report.took.as_secs_f64()).sum();
    let mut xml = Writer::new_with_indent(file, b' ', 2);
    xml.create_element("testsuite")
        .with_attribute(("name", subject))
        .with_attribute(("tests", graded.len().to_string().as_str()))
        .with_attribute(("failures", count(State::Failing).as_str()))
        .with_attribute(("skipped", skipped.as_str()))
        .with_attribute(("time", format!("{seconds:.3}").as_str()))
        .write_inner_content(|xml| {
            for one in graded {
                test_case(xml, one, width)?;
            }
            Ok(())
        })?;
    writeln!(xml.get_mut()).map_err(Error::from)
}

fn test_case(xml: &mut Writer<impl Write>, one: &Graded, width: usize) -> std::io::Result<()> {
    let seconds = format!("{:.3}", one.report.took.as_secs_f64());
    let case = xml
        .create_element("testcase")
        .with_attribute(("classname", one.step.exercise.as_str()))
        .with_attribute(("name", one.step.trial.as_str()))
        .with_attribute(("file", one.step.file.as_str()))
        .with_attribute(("time", seconds.as_str()));
    match one.state() {
        State::Failing => case.write_inner_content(|xml| {
            let text = message::text(one, Look { colours: false, width });
            let failure = xml.create_element("failure");
            let failure = failure.with_attribute(("message", one.step.task.as_str()));
            failure.write_text_content(BytesText::new(&text))?;
            Ok(())
        })?,
        State::NotStarted | State::Unavailable => case.write_inner_content(|xml| {
            let skipped = xml.create_element("skipped");
            skipped.with_attribute(("message", super::ignored(one).as_str())).write_empty()?;
            Ok(())
        })?,
        State::Done => case.write_empty()?,
    };
    Ok(())
}

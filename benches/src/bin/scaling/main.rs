//! Throughput over the number of workers, and the Universal Scalability Law that fits it.
//!
//! ```console
//! $ cargo run --release -p benches --bin scaling -- --points my-points.txt
//! ```
//!
//! The file has a line for each point: N and X, such as `4 3700`. Several files make several series
//! of one report. The report is printed, and written to `target/scaling/` as one HTML page with
//! charts (`report.html`) and as Markdown (`report.md`).

mod point;
mod points_file;
mod report;
mod series;
mod usl;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use cluster::{Error, Result};

use report::{Axes, Report};
use series::Series;

/// Fits the Universal Scalability Law to points, and reports what they show.
///
/// The exit code is 1 if a series cannot be fitted; the report is written all the same, with the
/// reason.
#[derive(Parser)]
struct Args {
    /// A file with a point per line: N and X, or N, X and the 95 % interval of X (low, high), separated
    /// by commas or blanks. `#` begins a comment. Several files make several series.
    #[arg(long, value_name = "FILE", required = true)]
    points: Vec<PathBuf>,
    /// Cores of the machine that was measured: the report then has the conclusions that they allow.
    #[arg(long)]
    cores: Option<NonZeroUsize>,
    /// The meaning of N, in the report.
    #[arg(long, value_name = "TEXT", default_value = "workers")]
    n_label: String,
    /// The meaning of X with its unit, in the report.
    #[arg(long, value_name = "TEXT", default_value = "throughput, unit of the file")]
    x_label: String,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let read = |path: &PathBuf| Ok(Series::new(name(path), points_file::read(path)?, args.cores));
    let series = args.points.iter().map(read).collect::<Result<Vec<_>>>()?;
    let axes = Axes { n: args.n_label, x: args.x_label };
    publish(&series, &axes)?;
    match series.iter().find_map(|series| Some((series, series.fit.as_ref().err()?))) {
        Some((series, refusal)) => {
            Err(Error::because(format!("{} is not fitted", series.name), refusal.to_string()))
        }
        None => Ok(()),
    }
}

/// Prints the report on these series, and writes it.
fn publish(series: &[Series], axes: &Axes) -> Result<()> {
    let report = Report::new("Throughput over the number of workers", series, axes)?;
    print!("{}", report.text());
    let folder = folder();
    report.write(&folder)?;
    println!("\nwritten: report.html and report.md in {}", folder.display());
    Ok(())
}

/// The folder of the report.
fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).join("target/scaling")
}

/// The name of a file's series.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

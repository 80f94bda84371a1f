//! Throughput over the number of workers, and the Universal Scalability Law that fits it.
//!
//! ```console
//! $ cargo run --release -p benches --bin scaling
//! $ cargo run --release -p benches --bin scaling -- --points my-points.txt
//! ```
//!
//! Without `--points` it measures this machine: processes of `cluster` against threads, under three
//! kinds of work, and bare processes as the ceiling. The machine should be otherwise idle.
//!
//! The file of `--points` has a line for each point: N and X, such as `4 3700`. Several files make
//! several series of one report. A report is printed, and written to `target/scaling/` as one HTML page
//! with charts and as Markdown: `report.html` and `report.md` after a measurement, `points.html` and
//! `points.md` after a fit.

mod measure;
mod point;
mod points_file;
mod report;
mod series;
mod usl;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cluster::{Error, Result};

use measure::{Kind, Measured, Options};
use report::{Axes, Report};
use series::{Group, Series};

/// Measures the throughput over the number of workers, and fits the Universal Scalability Law to it.
///
/// It starts itself as the servers, and loads only the loopback interface. A full run on two cores
/// takes about ten minutes. With --points it measures nothing and fits a table; the exit code is
/// then 1 if a series cannot be fitted, and the report is written all the same, with the reason.
#[derive(Parser)]
struct Args {
    /// Kind of work to measure; may be given several times. The default is all of them.
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "points")]
    work: Vec<Kind>,
    /// Numbers of workers, such as 1,2,4,8. The default is 1 up to the cores and twice as many, and
    /// 1,2,4,8,16 for work that waits.
    #[arg(long, value_delimiter = ',', value_name = "N", conflicts_with = "points")]
    workers: Vec<NonZeroUsize>,
    /// Rounds, at least 2, and better an even number; each has one run of every server with every number
    /// of workers.
    #[arg(long, default_value = "6", value_parser = rounds, conflicts_with = "points")]
    rounds: usize,
    /// Time of one run, as in 3s or 500ms.
    #[arg(long, default_value = "3s", value_name = "TIME", value_parser = time, conflicts_with = "points")]
    time: Duration,
    /// A file with a point per line: N and X, or N, X and the 95 % interval of X (low, high), separated
    /// by commas or blanks. `#` begins a comment. Several files make several series.
    #[arg(long, value_name = "FILE")]
    points: Vec<PathBuf>,
    /// Cores of the machine that was measured: the report then has the conclusions that they allow.
    #[arg(long, requires = "points")]
    cores: Option<NonZeroUsize>,
    /// The meaning of N, in the report.
    #[arg(long, value_name = "TEXT", default_value = "workers", requires = "points")]
    n_label: String,
    /// The meaning of X with its unit, in the report.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "throughput, unit of the file",
        requires = "points"
    )]
    x_label: String,
}

fn main() -> ExitCode {
    if let Some(code) = benches::rivals::play() {
        return code; // this process is one of the servers
    }
    let args = Args::parse();
    match if args.points.is_empty() { measured(args) } else { fitted(args) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures this machine, and reports it.
fn measured(args: Args) -> Result<()> {
    if cfg!(debug_assertions) {
        return Err(Error::new("a debug build is not measured; run it with `cargo run --release`"));
    }
    let all = Kind::value_variants().to_vec();
    let kinds = if args.work.is_empty() { all } else { args.work };
    let options = Options { kinds, workers: args.workers, rounds: args.rounds, time: args.time };
    let Measured { conditions, groups, gains } = measure::measure(&options)?;
    let axes = Axes { n: "workers".into(), x: "requests per second".into() };
    println!("{conditions}\n");
    publish(&Report::new(TITLE, Some(conditions), &groups, &gains, &axes)?, "report")
}

/// Fits the reader's own tables, and reports them.
fn fitted(args: Args) -> Result<()> {
    let read = |path: &PathBuf| Ok(Series::new(name(path), points_file::read(path)?, args.cores));
    let series = args.points.iter().map(read).collect::<Result<Vec<_>>>()?;
    let axes = Axes { n: args.n_label, x: args.x_label };
    let groups = [Group { heading: "All series".into(), series }];
    publish(&Report::new(TITLE, None, &groups, &[], &axes)?, "points")?;
    let [Group { series, .. }] = groups;
    match series.iter().find_map(|series| Some((series, series.fit.as_ref().err()?))) {
        Some((series, refusal)) => {
            Err(Error::because(format!("{} is not fitted", series.name), refusal.to_string()))
        }
        None => Ok(()),
    }
}

const TITLE: &str = "Throughput over the number of workers";

/// Prints a report, and writes it under this name.
fn publish(report: &Report, name: &str) -> Result<()> {
    print!("{}", report.text());
    let folder = folder();
    report.write(&folder, name)?;
    println!("\nwritten: {name}.html and {name}.md in {}", folder.display());
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

fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse().ok().filter(|rounds| (2..=1000).contains(rounds));
    rounds.ok_or_else(|| "expected a number of rounds, from 2 to 1000".into())
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let allowed = Duration::from_millis(200)..=Duration::from_secs(600);
    if allowed.contains(&time) { Ok(time) } else { Err("expected a time from 200ms to 10m".into()) }
}

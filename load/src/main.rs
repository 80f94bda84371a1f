//! The command `load`: see the library for what it measures, and `--help` for its options.

mod args;

use std::fs::File;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;

use lab::Result;
use lab::narrate::complain;
use load::{compare, measure};
use tokio::runtime::{Builder, LocalOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use args::Args;

/// The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = lab::args::parse::<Args>();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let result = runtime.map_err(Into::into).and_then(|it| it.block_on(carry_out(&args)));
    result.unwrap_or_else(|error| lab::args::exit(Err(error)))
}

async fn carry_out(args: &Args) -> Result<ExitCode> {
    let stop = stop_on_signal()?;
    let json = args.json()?;
    if let Some([a, b]) = args.compare.as_deref() {
        let (plan, figure) = (args.plan()?, args.figure());
        let compared = compare([a, b], &plan, figure, args.pairs, &stop, show_pair).await?;
        print(&compared.to_string());
        write_json(json, &compared)?;
        return Ok(verdict(compared.complaint(), compared.interrupted));
    }
    let report = measure(args.plan()?, &stop).await?;
    print(&report.to_string());
    write_json(json, &report)?;
    Ok(verdict(report.complaint(), report.interrupted))
}

fn verdict(complaint: Option<String>, interrupted: bool) -> ExitCode {
    let Some(complaint) = complaint else { return ExitCode::SUCCESS };
    complain(&complaint);
    if interrupted { INTERRUPTED.into() } else { ExitCode::FAILURE }
}

/// Shows each pair on a terminal as soon as it is measured.
fn show_pair(row: &str) {
    if stderr().is_terminal() {
        let _ = writeln!(stderr(), "{row}");
    }
}

fn print(text: &str) {
    let _ = stdout().write_all(text.as_bytes()); // a closed pipe is not a reason to panic
}

fn write_json(file: Option<File>, data: &impl serde::Serialize) -> Result<()> {
    let Some(mut file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(data)? + "\n";
    Ok(file.write_all(text.as_bytes()).map_err(|error| format!("--json: {error}"))?)
}

/// A token that is cancelled by the first Ctrl-C, or by SIGTERM or SIGHUP.
fn stop_on_signal() -> Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut arrives, stop) = (signal(kind)?, stop.clone());
        tokio::spawn(async move {
            arrives.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

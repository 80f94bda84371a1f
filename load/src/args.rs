//! The command line.

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use lab::Result;
use load::{FEWEST_PAIRS, Figure, Pace, Plan, Request, Target};

/// The most intervals of a report.
const MOST_INTERVALS: u128 = 100_000;

/// Puts a server under load, and reports its throughput and latencies.
///
/// Without --rate the loop is closed: each connection sends its next request when it has the answer
/// to the last one. With --rate it is open: requests start at fixed times, and a latency counts from
/// the time at which the request was due.
///
/// The exit code is 0 if every planned request got a good answer; 1 if some were lost, or the rate
/// could not be kept, or the server could not be reached; 2 for a mistake on the command line; 130
/// after Ctrl-C, with the figures so far.
#[derive(Parser, Debug)]
#[command(name = "load")]
pub struct Args {
    /// The server and the resource.
    #[arg(
        value_name = "URL",
        help = "http://HOST:PORT/PATH, or unix:/SOCKET:/PATH for a Unix socket"
    )]
    pub target: Target,

    /// Clients, each with one connection
    #[arg(short, long, value_name = "N", default_value = "64")]
    pub connections: NonZeroUsize,

    /// Time in which requests are sent, as in 10s or 1m30s
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = positive)]
    pub duration: Duration,

    /// Open loop: requests per second, at fixed times
    #[arg(short, long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,

    /// A new connection for each request
    #[arg(long)]
    pub fresh: bool,

    /// Method; the default is GET, or POST if there is a body
    #[arg(short = 'X', long)]
    pub method: Option<Method>,

    /// Header to send; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(HeaderName, HeaderValue)>,

    /// Body to send
    #[arg(short, long, value_name = "TEXT", conflicts_with = "body_file")]
    pub body: Option<String>,

    /// File with the body to send
    #[arg(long, value_name = "FILE")]
    pub body_file: Option<PathBuf>,

    /// Longest time for one request; a request that takes longer is lost
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = positive)]
    pub timeout: Duration,

    /// Length of the report's intervals; the default is a tenth of the duration, in whole seconds
    #[arg(long, value_name = "TIME", value_parser = positive)]
    pub interval: Option<Duration>,

    /// Also write the report to this file, as JSON; times are in seconds
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Compare two servers: start A, run, end A, start B, run, end B, then B first, and so on; reports
    /// the ratio
    ///
    /// A command is started by `sh`, and has to listen at URL. It is ready when that accepts
    /// connections, and is ended by SIGTERM to its process group, or by SIGKILL after 5 s. Its output
    /// is discarded. No other server may run at URL.
    #[arg(long, num_args = 2, value_names = ["COMMAND_A", "COMMAND_B"])]
    pub compare: Option<Vec<String>>,

    /// Pairs of a comparison, at least 10
    #[arg(long, value_name = "N", default_value = "10", value_parser = pairs, requires = "compare")]
    pub pairs: usize,

    /// Figure of a comparison; the default is requests-per-second, or p50 with --rate
    #[arg(long, value_enum, requires = "compare")]
    pub figure: Option<Figure>,
}

impl Args {
    /// The plan of one run.
    ///
    /// # Errors
    /// The file with the body cannot be read, or the interval is too short.
    pub fn plan(&self) -> Result<Plan> {
        let body = self.body()?;
        let has_body = self.body.is_some() || self.body_file.is_some();
        let usual = if has_body { Method::POST } else { Method::GET };
        let method = self.method.clone().unwrap_or(usual);
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if self.fresh {
            Request::close_after(&mut headers);
        }
        Ok(Plan {
            request: Request::new(&self.target, method, headers, &body),
            target: self.target.clone(),
            connections: self.connections,
            fresh: self.fresh,
            pace: self.rate.map_or(Pace::Closed, |rate| Pace::Open { rate }),
            duration: self.duration,
            interval: self.interval()?,
            timeout: self.timeout,
        })
    }

    /// Creates the file for the JSON report: before the run, so that a wrong path costs no time.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn json(&self) -> Result<Option<File>> {
        let Some(path) = &self.json else { return Ok(None) };
        let file = File::create(path);
        Ok(Some(file.map_err(|error| format!("--json {}: {error}", path.display()))?))
    }

    /// The figure to compare.
    pub fn figure(&self) -> Figure {
        let usual = if self.rate.is_some() { Figure::P50 } else { Figure::RequestsPerSecond };
        self.figure.unwrap_or(usual)
    }

    fn body(&self) -> Result<Vec<u8>> {
        match (&self.body, &self.body_file) {
            (Some(text), _) => Ok(text.clone().into_bytes()),
            (None, Some(file)) => Ok(fs::read(file)
                .map_err(|error| format!("--body-file {}: {error}", file.display()))?),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn interval(&self) -> Result<Duration> {
        let tenth = Duration::from_secs(self.duration.as_secs().div_ceil(10).max(1));
        let interval = self.interval.unwrap_or(tenth);
        if self.duration.as_nanos() / interval.as_nanos() > MOST_INTERVALS {
            return Err(format!("--interval: more than {MOST_INTERVALS} intervals").into());
        }
        Ok(interval)
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("expected a time above 0".to_owned()) } else { Ok(duration) }
}

fn pairs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(pairs) if (FEWEST_PAIRS..=100_000).contains(&pairs) => Ok(pairs),
        _ => Err(format!("expected a number of pairs, at least {FEWEST_PAIRS}")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (1e-3..=1e7).contains(&rate) => Ok(rate),
        _ => Err("expected requests per second, from 0.001 to 10000000".to_owned()),
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'Name: value'")?;
    let name = name.parse().map_err(|_| format!("{name:?} is not the name of a header"))?;
    let value = HeaderValue::from_str(value.trim());
    Ok((name, value.map_err(|_| "its value has a character that headers cannot have")?))
}

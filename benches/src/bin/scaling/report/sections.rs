//! The sections of a report, from its series.

use cluster::Result;

use super::digits::{decimals, significant};
use super::document::{Section, Table};
use super::{Axes, chart, conclusions};
use crate::measure::Gain;
use crate::point::{Interval, Point};
use crate::series::{Group, Series};
use crate::usl::{Estimate, Fit, Parameter};

/// Significant digits of a parameter, and of a throughput.
const OF_PARAMETER: usize = 4;
const OF_THROUGHPUT: usize = 5;

/// A section for each series of a group, after a first one that compares them if there are several.
pub fn of(group: &Group, axes: &Axes) -> Result<Vec<Section>> {
    let first = (group.series.len() > 1).then(|| comparison(group, axes));
    let each = group.series.iter().map(|series| section(series, axes));
    first.into_iter().chain(each).collect()
}

/// The gains over one worker, against those of bare processes; none if nothing was measured.
pub fn of_gains(gains: &[Gain]) -> Option<Section> {
    let number = |number: f64| significant(number, 3);
    let row = |gain: &Gain| {
        let Gain { name, workers, own, bare, ratio } = gain;
        let interval = format!("{} to {}", number(ratio.low), number(ratio.high));
        let numbers = [number(*own), number(*bare), number(ratio.ratio), interval];
        let ends = [vec![format!("{name}, {workers} workers")], vec![gain.verdict().into()]];
        [&ends[0][..], &numbers, &ends[1]].concat()
    };
    (!gains.is_empty()).then(|| Section {
        heading: "Gains over one worker, against bare processes".into(),
        sentences: vec![
            "Bare processes only calculate: their gain is the most that this machine allows. All \
             numbers are geometric means of the rounds, and the ratio is taken round by round. The \
             target is 0.93, and the whole interval has to be above it."
                .into(),
            "Where bare processes gain less than 95 % of linear growth, nothing is judged: other \
             programs were running, or the cores are not full cores (two threads of one core, a \
             quota)."
                .into(),
        ],
        tables: vec![Table {
            head: ["", "gain", "bare processes", "ratio", "95 % interval", "verdict"]
                .map(Into::into)
                .into(),
            rows: gains.iter().map(row).collect(),
        }],
        chart: None,
    })
}

fn comparison(group: &Group, axes: &Axes) -> Result<Section> {
    let all = &group.series;
    let rows = all.iter().map(|series| {
        let fit = series.fit.as_ref().ok();
        let values = Parameter::ALL
            .map(|parameter| fit.map_or("not fitted".into(), |fit| value(fit.estimate(parameter))));
        let peak = fit.and_then(|fit| fit.peak().ok());
        let peak = peak.map_or("–".into(), |peak| significant(peak.n, OF_PARAMETER));
        [vec![series.name.clone()], values.to_vec(), vec![peak]].concat()
    });
    Ok(Section {
        heading: group.heading.clone(),
        sentences: vec![
            "The chart shows each series as a multiple of its throughput at the first point. Equal \
             gains can hide unequal throughputs: compare λ as well."
                .into(),
        ],
        tables: vec![Table {
            head: ["series", "σ", "κ", "λ", "peak at N"].map(Into::into).into(),
            rows: rows.collect(),
        }],
        chart: Some(chart::all(all, axes)?),
    })
}

fn section(series: &Series, axes: &Axes) -> Result<Section> {
    let parameters = series.fit.as_ref().ok().map(parameters);
    Ok(Section {
        heading: series.name.clone(),
        sentences: conclusions::of(series),
        tables: parameters.into_iter().chain([points(series, axes)]).collect(),
        chart: Some(chart::one(series, axes)?),
    })
}

fn parameters(fit: &Fit) -> Table {
    let row = |parameter| {
        let estimate = fit.estimate(parameter);
        let (error, interval) = match estimate {
            Estimate::AtBound => ("–".into(), "at the bound".into()),
            Estimate::Free { error, interval, .. } => {
                (significant(error, OF_PARAMETER), range(interval))
            }
        };
        vec![name(parameter).into(), value(estimate), error, interval]
    };
    Table {
        head: ["parameter", "value", "standard error", "95 % interval"].map(Into::into).into(),
        rows: Parameter::ALL.map(row).into(),
    }
}

fn name(parameter: Parameter) -> &'static str {
    match parameter {
        Parameter::Sigma => "σ, contention",
        Parameter::Kappa => "κ, coherency",
        Parameter::Lambda => "λ, X at N = 1",
    }
}

fn value(estimate: Estimate) -> String {
    match estimate {
        Estimate::AtBound => "0".into(),
        Estimate::Free { value, .. } => significant(value, OF_PARAMETER),
    }
}

fn points(series: &Series, axes: &Axes) -> Table {
    let fit = series.fit.as_ref().ok();
    let with_interval = series.points.iter().any(|point| point.interval.is_some());
    let with_generator = series.points.iter().any(|point| point.generator.is_some());
    let mut head = vec![axes.n_title(), axes.x_title()];
    head.extend(with_interval.then(|| "95 % interval".into()));
    if fit.is_some() {
        head.extend(["fitted", "difference"].map(String::from));
    }
    head.extend(with_generator.then(|| "generator, of a core".into()));
    let largest = series.points.iter().map(|point| point.throughput).fold(0.0, f64::max);
    let number = |x: f64| format!("{x:.*}", decimals(largest, OF_THROUGHPUT));
    let row = |point: &Point| {
        let mut row = vec![point.n.to_string(), number(point.throughput)];
        row.extend(with_interval.then(|| match point.interval {
            Some(Interval { low, high }) => format!("{} to {}", number(low), number(high)),
            None => "–".into(),
        }));
        if let Some(fit) = fit {
            let fitted = fit.law.throughput(point.n);
            let difference = 100.0 * (point.throughput / fitted - 1.0);
            row.extend([number(fitted), format!("{difference:+.1} %")]);
        }
        row.extend(with_generator.then(|| {
            point.generator.map_or("–".into(), |share| format!("{:.1} %", 100.0 * share))
        }));
        row
    };
    Table { rows: series.points.iter().map(row).collect(), head }
}

fn range(interval: Interval) -> String {
    let [low, high] = [interval.low, interval.high].map(|end| significant(end, OF_PARAMETER));
    format!("{low} to {high}")
}

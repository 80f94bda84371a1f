//! The sections of a report, from its series.

use cluster::Result;

use super::digits::{decimals, significant};
use super::document::{Section, Table};
use super::{Axes, chart, conclusions};
use crate::point::{Interval, Point};
use crate::series::Series;
use crate::usl::{Estimate, Fit, Parameter};

/// Significant digits of a parameter, and of a throughput.
const OF_PARAMETER: usize = 4;
const OF_THROUGHPUT: usize = 5;

/// A section for each series, after a first one that compares them if there are several.
pub fn of(series: &[Series], axes: &Axes) -> Result<Vec<Section>> {
    let first = (series.len() > 1).then(|| comparison(series, axes));
    let each = series.iter().map(|series| section(series, axes));
    first.into_iter().chain(each).collect()
}

fn comparison(all: &[Series], axes: &Axes) -> Result<Section> {
    let rows = all.iter().map(|series| {
        let fit = series.fit.as_ref().ok();
        let values = Parameter::ALL
            .map(|parameter| fit.map_or("not fitted".into(), |fit| value(fit.estimate(parameter))));
        let peak = fit.and_then(|fit| fit.peak().ok());
        let peak = peak.map_or("–".into(), |peak| significant(peak.n, OF_PARAMETER));
        [vec![series.name.clone()], values.to_vec(), vec![peak]].concat()
    });
    Ok(Section {
        heading: "All series".into(),
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
    let mut head = vec![axes.n_title(), axes.x_title()];
    head.extend(with_interval.then(|| "95 % interval".into()));
    if fit.is_some() {
        head.extend(["fitted", "difference"].map(String::from));
    }
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
        row
    };
    Table { rows: series.points.iter().map(row).collect(), head }
}

fn range(interval: Interval) -> String {
    let [low, high] = [interval.low, interval.high].map(|end| significant(end, OF_PARAMETER));
    format!("{low} to {high}")
}

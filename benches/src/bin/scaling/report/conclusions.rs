//! The sentences of a report: what the points show, and what they cannot show.

use super::digits::significant;
use crate::point::{Point, different_n};
use crate::series::Series;
use crate::usl::{Estimate, Fit, NoPeak, Parameter};

/// The conclusions of a series, the most important first.
pub fn of(series: &Series) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(growth(series));
    match &series.fit {
        Ok(fit) => {
            sentences.push(peak(series, fit));
            sentences.extend(contention(fit));
            sentences.push(degrees(series, fit));
            sentences.extend(warning(fit));
        }
        Err(refusal) => sentences.push(format!("Not fitted: {refusal}.")),
    }
    sentences.extend(few_cores(series));
    sentences
}

/// The growth that was measured; it needs no law.
fn growth(series: &Series) -> Option<String> {
    let [first, last] = series.ends()?;
    (first.n < last.n).then(|| {
        let measured = significant(last.throughput / first.throughput, 3);
        let linear = significant(last.n / first.n, 3);
        let [from, to] = [first.n, last.n];
        format!(
            "At N = {to} the throughput is {measured} times that at N = {from}; with linear growth \
             it would be {linear} times."
        )
    })
}

fn peak(series: &Series, fit: &Fit) -> String {
    let peak = match fit.peak() {
        Ok(peak) => peak,
        Err(NoPeak::Falls) => return format!("No peak: {}.", NoPeak::Falls),
        Err(reason) => return format!("No peak can be given: {reason}."),
    };
    let [n, x] = [peak.n, peak.throughput].map(|number| significant(number, 4));
    let measured = |ends: [&Point; 2]| (ends[0].n..=ends[1].n).contains(&peak.n);
    let place = if series.ends().is_some_and(measured) {
        "between the points"
    } else {
        "beyond the points: it is extrapolated, and was not measured"
    };
    format!("Peak: N = {n} with X = {x}. It lies {place}.")
}

/// The meaning of σ, if it cannot be told from 0.
fn contention(fit: &Fit) -> Option<String> {
    let sentence = match fit.estimate(Parameter::Sigma) {
        Estimate::AtBound => {
            "σ is at its bound, 0: these points show no contention. A throughput that grows faster \
             than N has the same effect."
        }
        Estimate::Free { interval, .. } if interval.contains(0.0) => {
            "The interval of σ contains 0: these points do not prove contention."
        }
        Estimate::Free { .. } => return None,
    };
    Some(sentence.into())
}

fn degrees(series: &Series, fit: &Fit) -> String {
    let (points, left) = (series.points.len(), fit.degrees_of_freedom());
    let free = points - left;
    let at_bound = Parameter::ALL.len() - free;
    let error = significant(fit.residual_error(), 4);
    let bound = match at_bound {
        0 => String::new(),
        _ => format!(
            " (with all 3 parameters free it would be {}; the intervals take the bound as known)",
            points - 3
        ),
    };
    let free =
        if free == 1 { "1 free parameter".into() } else { format!("{free} free parameters") };
    format!(
        "Degrees of freedom: {points} points − {free} = {left}{bound}. Residual standard error: \
         {error}."
    )
}

fn warning(fit: &Fit) -> Option<String> {
    fit.has_few_points().then(|| {
        "Warning: fewer than 6 different N. The intervals hold only if the law does, and so few \
         points cannot show whether it does. Measure at more N."
            .into()
    })
}

/// What a machine with few cores can show, and what it cannot.
fn few_cores(series: &Series) -> Vec<String> {
    let (Some(cores), Some(within)) = (series.cores, series.within_cores()) else {
        return Vec::new();
    };
    let [all, own] = [&series.points, within].map(different_n);
    let mut sentences = Vec::new();
    if own < all {
        sentences.push(format!(
            "Cores of this machine: {cores}. At {own} of {all} different N each worker can have one. \
             At the others workers share cores: CPU-bound work must flatten there, on any server, \
             and only work that waits (I/O-bound) can still grow. So σ, κ and a peak describe this \
             server on this machine."
        ));
    }
    if own < 4 {
        sentences.push(format!(
            "Not to be concluded: how the server scales with cores. Points at {own} different N \
             within {cores} cores cannot separate σ from κ, and say nothing about a larger machine."
        ));
        sentences.extend(gain_within_cores(within));
        if own < all {
            sentences.push(
                "To be concluded: whether more workers than cores gain or cost throughput on this \
                 machine."
                    .into(),
            );
        }
    }
    sentences
}

/// The gain that points within the cores show, however few they are.
fn gain_within_cores(within: &[Point]) -> Option<String> {
    let (first, last) = (within.first()?, within.last()?);
    (first.n < last.n).then(|| {
        let [from, to] = [first.n, last.n];
        let gain = significant(last.throughput / first.throughput, 3);
        format!(
            "To be concluded: {to} workers do {gain} times the work of {from}, on this machine."
        )
    })
}

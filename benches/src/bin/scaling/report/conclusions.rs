//! The sentences of a report: the conclusions that the points allow, and those that they do not.

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

/// The meaning of a σ that may be 0.
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

/// The conclusions that few cores allow, and those that they do not.
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
            "Not to be concluded: how the server scales with cores. To separate σ from κ takes \
             points at 4 different N up to the number of cores, and here are {own}. Nothing follows \
             for a larger machine."
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    /// All conclusions of a table, as one text.
    fn conclusions(table: &[(f64, f64)], cores: Option<usize>) -> String {
        let points = table.iter().map(|&(n, throughput)| Point::new(n, throughput)).collect();
        of(&Series::new("table", points, cores.and_then(NonZeroUsize::new))).join("\n")
    }

    #[track_caller]
    fn contains(text: &str, expected: &[&str]) {
        for expected in expected {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
    }

    #[test]
    fn seeds_table_of_four_has_no_peak_and_a_warning() {
        let table = [(1.0, 1000.0), (2.0, 1900.0), (4.0, 3700.0), (8.0, 7000.0)];
        let text = conclusions(&table, None);
        contains(
            &text,
            &["is 7.00 times that at N = 1", "No peak can be given: κ is at its bound"],
        );
        contains(
            &text,
            &["= 2 (with all 3 parameters free it would be 1;", "Warning: fewer than 6"],
        );
        assert!(!text.contains("Peak:"), "{text}");
    }

    #[test]
    fn seeds_table_of_three_is_an_invention() {
        let text = conclusions(&[(1.0, 2500.0), (4.0, 9800.0), (8.0, 18500.0)], None);
        contains(
            &text,
            &["Not fitted: 3 points leave no degree of freedom", "N = 29", "invention"],
        );
    }

    #[test]
    fn peak_beyond_the_points_is_extrapolated() {
        let n = [1.0, 4.0, 8.0, 12.0, 16.0, 20.0];
        let raytracer: Vec<_> =
            n.into_iter().zip([20.0, 78.0, 130.0, 170.0, 190.0, 200.0]).collect();
        let text = conclusions(&raytracer, None);
        contains(&text, &["Peak: N = 24.49", "was not measured", "The interval of σ contains 0"]);
        assert!(!text.contains("Warning"), "{text}");
    }

    #[test]
    fn interval_of_kappa_with_zero_hides_the_peak() {
        let table =
            [(1.0, 100.0), (2.0, 190.0), (3.0, 282.0), (4.0, 350.0), (5.0, 440.0), (6.0, 500.0)];
        contains(
            &conclusions(&table, None),
            &["No peak can be given: the interval of κ contains 0"],
        );
    }

    #[test]
    fn throughput_that_falls_from_the_first_worker_has_no_peak() {
        let table = [(1.0, 100.0), (2.0, 60.0), (3.0, 40.0), (4.0, 31.0), (5.0, 22.0), (6.0, 19.0)];
        contains(&conclusions(&table, None), &["No peak: the throughput falls from the first"]);
    }

    #[test]
    fn two_cores_cannot_show_how_a_server_scales() {
        let table = [(1.0, 100.0), (2.0, 195.0), (3.0, 190.0), (4.0, 186.0)];
        let text = conclusions(&table, Some(2));
        contains(&text, &["Cores of this machine: 2. At 2 of 4", "Not to be concluded"]);
        contains(&text, &["2 workers do 1.95 times the work of 1", "more workers than cores"]);
        let text = conclusions(&table, Some(4));
        assert!(!text.contains("concluded"), "four cores are enough for a fit: {text}");
    }
}

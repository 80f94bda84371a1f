//! Properties of every fit, on generated points.

use proptest::prelude::*;

use super::least_squares::sum_of_squares;
use super::{Estimate, Law, NoPeak, Parameter, fit};
use crate::point::Point;

/// Throughputs at 1, 2, 4 … 64: a law, times a factor of at most 1.3 in either direction.
fn points() -> impl Strategy<Value = Vec<Point>> {
    let law = (0.0..0.3, 0.0..0.01, 1.0..1e6_f64);
    let scatter = prop::collection::vec(-0.26..0.26_f64, 7);
    (law, scatter).prop_map(|((sigma, kappa, lambda), scatter)| {
        let law = Law { sigma, kappa, lambda };
        let n = (0..7).map(|power| 2_f64.powi(power));
        let point = |(n, scatter): (f64, f64)| Point::new(n, law.throughput(n) * scatter.exp());
        n.zip(scatter).map(point).collect()
    })
}

/// Laws within the bounds, a little to each side of `law`.
fn neighbours(law: Law) -> Vec<Law> {
    let moved = |parameter: Parameter, step: f64| {
        let mut law = law;
        let value = parameter.of_mut(&mut law);
        *value = (*value + step * value.max(1e-4)).max(0.0);
        law
    };
    let both = |parameter| [moved(parameter, 1e-3), moved(parameter, -1e-3)];
    Parameter::ALL.into_iter().flat_map(both).collect()
}

proptest! {
    #[test]
    fn fit_is_a_minimum_within_the_bounds(points in points()) {
        let fit = fit(&points).expect("seven points");
        prop_assert!(fit.law.sigma >= 0.0 && fit.law.kappa >= 0.0 && fit.law.lambda > 0.0);
        let least = sum_of_squares(&points, &fit.law);
        for law in neighbours(fit.law) {
            prop_assert!(least <= sum_of_squares(&points, &law) * (1.0 + 1e-9), "{law:?}");
        }
    }

    #[test]
    fn points_of_a_law_give_that_law(
        sigma in 1e-3..0.5, kappa in 1e-5..0.01, lambda in 1e-3..1e6_f64
    ) {
        let law = Law { sigma, kappa, lambda };
        let points: Vec<_> =
            (1..=8).map(f64::from).map(|n| Point::new(n, law.throughput(n))).collect();
        let fitted = fit(&points).expect("eight points").law;
        for parameter in Parameter::ALL {
            let (ours, true_value) = (parameter.of(&fitted), parameter.of(&law));
            prop_assert!((ours / true_value - 1.0).abs() < 1e-6, "{parameter:?}: {ours}");
        }
    }
}

#[test]
fn growth_faster_than_n_puts_sigma_and_kappa_at_the_bound() {
    let points: Vec<_> = (1..=6).map(f64::from).map(|n| Point::new(n, n.powf(1.4))).collect();
    let fit = fit(&points).expect("six points");
    for parameter in [Parameter::Sigma, Parameter::Kappa] {
        assert_eq!(fit.estimate(parameter), Estimate::AtBound);
    }
    assert_eq!(fit.degrees_of_freedom(), 5);
}

/// Rounding must not become a parameter, whose interval would be tiny and so prove a peak.
#[test]
fn exactly_linear_points_have_no_peak() {
    let points: Vec<_> = (1..=6).map(f64::from).map(|n| Point::new(n, 0.3 * n)).collect();
    let fit = fit(&points).expect("six points");
    assert_eq!(fit.peak(), Err(NoPeak::KappaAtBound));
    assert_eq!(fit.estimate(Parameter::Sigma), Estimate::AtBound);
}

#[test]
fn points_at_three_different_n_are_refused_however_many() {
    let points: Vec<_> = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0].map(|n| Point::new(n, 10.0 * n)).into();
    let refusal = fit(&points).expect_err("three different N");
    assert!(refusal.to_string().starts_with("3 points leave no degree"), "{refusal}");
}

//! Numbers as text.

/// A number with `digits` significant digits, without an exponent if it is not tiny.
pub fn significant(number: f64, digits: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    if number.abs() < 1e-7 {
        return format!("{number:.*e}", digits.saturating_sub(1));
    }
    format!("{number:.*}", decimals(number, digits))
}

/// The decimals with which `number` has `digits` significant digits: a column of numbers takes those
/// of its largest.
pub fn decimals(number: f64, digits: usize) -> usize {
    // The exponent after rounding: 9.9996 with 4 digits is 10.00, and not 10.000.
    let rounded = format!("{number:.*e}", digits.saturating_sub(1));
    let exponent = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse::<i64>().ok());
    let digits = i64::try_from(digits).unwrap_or(i64::MAX);
    usize::try_from(digits - 1 - exponent.unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::significant;

    #[test]
    fn numbers_have_significant_digits() {
        for (number, text) in [
            (0.0, "0"),
            (0.000_104_4, "0.0001044"),
            (-0.002_258_7, "-0.002259"),
            (9.9996, "10.00"),
            (96.5213, "96.52"),
            (1884.2, "1884"),
            (12_345.6, "12346"),
            (1.234_56e-9, "1.235e-9"),
        ] {
            assert_eq!(significant(number, 4), text);
        }
    }
}

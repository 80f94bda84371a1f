//! The reader's own table of points, in a file.
//!
//! Each line has N and X, or N, X and the 95 % interval of X (low, high), separated by commas,
//! semicolons or blanks. `#` begins a comment.

use std::fs;
use std::path::Path;

use cluster::{Error, Result};

use crate::point::{Interval, Point};

/// Reads the points of a file. An error names the first line that is wrong.
pub fn read(path: &Path) -> Result<Vec<Point>> {
    let text = fs::read_to_string(path)
        .map_err(|error| Error::because(format!("cannot read {}", path.display()), error))?;
    let points = parse(&text).map_err(|(line, error)| {
        Error::because(format!("{}, line {line}", path.display()), error)
    })?;
    if points.is_empty() {
        return Err(Error::new(format!(
            "{} has no points; write one per line, N and X, such as '4 3700'",
            path.display()
        )));
    }
    Ok(points)
}

/// The points of a text, or the number of the first wrong line and the reason.
fn parse(text: &str) -> Result<Vec<Point>, (usize, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, without_comment(line)));
    lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| point(line).map_err(|error| (number, error)))
        .collect()
}

fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

fn point(line: &str) -> Result<Point, String> {
    let numbers = fields(line).into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let point = match numbers[..] {
        [n, x] => Point::new(n, x),
        [n, x, low, high] => Point { interval: Some(Interval { low, high }), ..Point::new(n, x) },
        _ => {
            let count = numbers.len();
            return Err(format!(
                "a line has 2 numbers, N and X, or 4 with an interval; not {count}"
            ));
        }
    };
    check(&point).map(|()| point)
}

fn check(point: &Point) -> Result<(), String> {
    let Point { n, throughput, interval, .. } = *point;
    if n < 1.0 {
        return Err(format!("N is {n}; it counts workers, from 1"));
    }
    if throughput <= 0.0 {
        return Err(format!("X is {throughput}; a throughput is more than 0"));
    }
    if interval.is_some_and(|interval| !interval.contains(throughput)) {
        return Err(format!("the interval does not contain X, which is {throughput}"));
    }
    Ok(())
}

fn fields(line: &str) -> Vec<&str> {
    if line.contains([',', ';']) {
        line.split([',', ';']).map(str::trim).collect()
    } else {
        line.split_whitespace().collect()
    }
}

fn number(field: &str) -> Result<f64, String> {
    match field.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("'{field}' is not a number; begin a heading with #")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_separated_by_commas_or_blanks() {
        let text =
            "\u{feff}# N, X\r\n1,1000\r\n\r\n2 ; 1900 # second\n4\t 3.7e3\n8, 7000, 6900, 7100";
        let interval = Some(Interval { low: 6900.0, high: 7100.0 });
        let expected = [
            Point::new(1.0, 1000.0),
            Point::new(2.0, 1900.0),
            Point::new(4.0, 3700.0),
            Point { interval, ..Point::new(8.0, 7000.0) },
        ];
        assert_eq!(parse(text), Ok(expected.to_vec()));
    }

    #[test]
    fn first_wrong_line_is_named_with_its_number() {
        for (line, error) in [
            ("N X", "'N' is not a number; begin a heading with #"),
            ("4", "a line has 2 numbers, N and X, or 4 with an interval; not 1"),
            ("4 12,500", "'4 12' is not a number; begin a heading with #"),
            ("4, 3,700", "a line has 2 numbers, N and X, or 4 with an interval; not 3"),
            ("4,,3700", "'' is not a number; begin a heading with #"),
            ("4 inf", "'inf' is not a number; begin a heading with #"),
            ("0 10", "N is 0; it counts workers, from 1"),
            ("4 0", "X is 0; a throughput is more than 0"),
            ("4 10 11 12", "the interval does not contain X, which is 10"),
        ] {
            let text = format!("# points\n1 1000\n{line}\nwrong too\n");
            assert_eq!(parse(&text), Err((3, error.into())), "{line}");
        }
    }
}

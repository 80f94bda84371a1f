//! Durations and sizes as people write them.

use std::time::Duration;

/// Parses `1h 30m`, `500ms`; a bare number is milliseconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if let Ok(milliseconds) = text.parse() {
        return Some(Duration::from_millis(milliseconds));
    }
    // humantime 2.4 panics if the sum of many huge parts just exceeds what a Duration can hold. No
    // setting needs such numbers, so they are refused before that.
    let long = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 10);
    if long || text.len() > 64 { None } else { humantime::parse_duration(text).ok() }
}

/// Units of sizes. The powers of a thousand come last: [`show_bytes`] uses the first unit that fits.
const UNITS: [(&str, u64); 14] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
    ("", 1),
];

/// Parses `64KiB`, `1.5G`, `10MB`; a bare number is bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..end], text[end..].trim_start());
    let (_, unit) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<u128>().ok()? * u128::from(*unit) / scale;
    let whole = u128::from(whole.parse::<u64>().ok()?) * u128::from(*unit);
    u64::try_from(whole + part).ok()
}

/// Shows a size in the largest unit that needs no fraction.
pub(super) fn show_bytes(bytes: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    let (name, unit) = UNITS[..4].iter().find(fits).unwrap_or(&("", 1));
    format!("{}{name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::{bytes, duration, show_bytes};
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let good = [
            ("0", 0),
            ("4096", 4096),
            ("64k", 64 << 10),
            ("1GiB", 1 << 30),
            ("1.5 GiB", 3 << 29),
            ("10MB", 10_000_000),
            ("7 b", 7),
        ];
        for (text, size) in good {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in ["", "GiB", "1.GiB", ".5GiB", "1.2.3", "-1", "1 MiB MiB", "20000000TiB", "1e3"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("30s"), Some(Duration::from_secs(30)));
        assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("1500"), Some(Duration::from_millis(1500)));
        for text in ["", "-1s", "soon", "1 fortnight", "18446744073709551615s 1000ms"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn shown_size_is_read_back(size: u64) {
            prop_assert_eq!(bytes(&show_bytes(size)), Some(size));
        }

        #[test]
        fn shown_duration_is_read_back(seconds in 0..1_u64 << 33, nanos in 0..1_000_000_000_u32) {
            let span = Duration::new(seconds, nanos);
            let text = humantime::format_duration(span).to_string();
            prop_assert_eq!(duration(&text), Some(span));
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _ = (bytes(&text), duration(&text));
        }

        #[test]
        fn arbitrary_numbers_and_units_never_panic(text in "([0-9]{1,20}(\\.[0-9]{0,30})? ?(s|ms|ns|years|KiB|T|) ?){0,8}") {
            let _ = (bytes(&text), duration(&text));
        }
    }
}

//! Colours of the charts.
//!
//! An SVG has the colours for a light background. On a page with a dark background, rules of CSS
//! replace each colour, found by its value: an attribute of SVG gives way to any rule.

use plotters::style::RGBColor;

/// A colour on a light and on a dark background.
#[derive(Clone, Copy)]
pub struct Colour {
    light: [u8; 3],
    dark: [u8; 3],
}

/// Text and axes.
pub const INK: Colour = Colour { light: [26, 26, 26], dark: [232, 230, 227] };
/// The grid.
pub const GRID: Colour = Colour { light: [221, 221, 221], dark: [62, 68, 73] };
/// The line of linear growth, and the mark of a peak.
pub const GUIDE: Colour = Colour { light: [110, 110, 110], dark: [160, 165, 170] };
/// The background behind a legend.
pub const PAPER: Colour = Colour { light: [254, 254, 254], dark: [22, 26, 29] };

/// A colour for each series, in turn. They differ for colour-blind readers, too (after Okabe and Ito).
const SERIES: [Colour; 6] = [
    Colour { light: [0, 114, 178], dark: [86, 180, 233] },
    Colour { light: [213, 94, 0], dark: [255, 145, 77] },
    Colour { light: [0, 128, 96], dark: [64, 200, 160] },
    Colour { light: [170, 80, 140], dark: [230, 150, 205] },
    Colour { light: [130, 100, 0], dark: [240, 228, 66] },
    Colour { light: [90, 70, 160], dark: [180, 165, 240] },
];

/// The colour of the series at this position.
pub fn of_series(index: usize) -> Colour {
    SERIES[index % SERIES.len()]
}

impl Colour {
    /// The colour as it stands in an SVG.
    pub fn rgb(self) -> RGBColor {
        let [red, green, blue] = self.light;
        RGBColor(red, green, blue)
    }

    fn rule(self) -> String {
        let [light, dark] = [self.light, self.dark].map(hex);
        format!(
            "  svg [fill=\"{light}\"] {{ fill: {dark}; }} svg [stroke=\"{light}\"] {{ stroke: {dark}; }}\n"
        )
    }
}

/// The rules for a dark background.
pub fn css() -> String {
    let colours = [INK, GRID, GUIDE, PAPER].into_iter().chain(SERIES);
    let rules: String = colours.map(Colour::rule).collect();
    format!("@media (prefers-color-scheme: dark) {{\n{rules}}}\n")
}

/// The notation of plotters.
fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

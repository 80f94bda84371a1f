//! Charts of throughput over N, as SVG.

mod lines;

use std::io;

use cluster::{Error, Result};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use self::lines::{Frame, Line};
use super::Axes;
use super::digits::significant;
use super::document::Chart;
use super::palette::{self, Colour};
use crate::point::Point;
use crate::series::Series;
use crate::usl::Fit;

/// The units of a pixel: plotters rounds to whole units, and half of a pixel can be seen.
const PIXEL: u32 = 4;

/// Width and height; a page may shrink them.
const SIZE: (u32, u32) = (880 * PIXEL, 460 * PIXEL);

const THIN: u32 = PIXEL;
const THICK: u32 = 2 * PIXEL;

type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// One series: points, curve with its 95 % band, linear growth and peak.
pub fn one(series: &Series, axes: &Axes) -> Result<Chart> {
    let frame = Frame::of(series);
    let colour = palette::of_series(0);
    let svg = svg(frame, [axes.n_title(), axes.x_title()], |plot| {
        if let Some((fit, last_n)) = series.fitted() {
            band(plot, fit, frame, colour)?;
            linear(plot, fit.law.lambda, frame)?;
            peak(plot, fit, frame)?;
            curve(plot, frame.sampled(0.0, last_n, |n| fit.law.throughput(n)), colour)?;
            let beyond = frame.sampled(last_n, frame.n, |n| fit.law.throughput(n));
            extrapolation(plot, frame.dashes(&beyond), colour)?;
        }
        points(plot, &series.points, colour, "measured")
    })?;
    let name = &series.name;
    let description = format!("Throughput over N, {name}; the tables below have the numbers.");
    Ok(Chart { svg, description })
}

/// All series, each as a multiple of its throughput at the first point.
pub fn all(all: &[Series], axes: &Axes) -> Result<Chart> {
    let gains: Vec<Series> = all.iter().map(Series::as_gain).collect();
    let frames = gains.iter().map(Frame::of);
    let frame = frames.reduce(Frame::and).unwrap_or(Frame::EMPTY);
    let svg = svg(frame, [axes.n_title(), "gain over the first point".into()], |plot| {
        linear(plot, 1.0, frame)?;
        for (index, series) in gains.iter().enumerate() {
            let colour = palette::of_series(index);
            if let Some((fit, last_n)) = series.fitted() {
                curve(plot, frame.sampled(0.0, last_n, |n| fit.law.throughput(n)), colour)?;
            }
            points(plot, &series.points, colour, &series.name)?;
        }
        Ok(())
    })?;
    let description = "Gain over N, all series; the tables below have the numbers.".into();
    Ok(Chart { svg, description })
}

fn svg(frame: Frame, titles: [String; 2], draw: impl FnOnce(&mut Plot) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let drawn = (|| {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut plot = ChartBuilder::on(&area)
            .margin(12 * PIXEL)
            .x_label_area_size(46 * PIXEL)
            .y_label_area_size(84 * PIXEL)
            .build_cartesian_2d(0.0..frame.n, 0.0..frame.x)?;
        mesh(&mut plot, frame, titles)?;
        draw(&mut plot)?;
        legend(&mut plot)?;
        area.present()
    })();
    drawn.map_err(|error| Error::because("cannot draw a chart", error))?;
    Ok(svg)
}

fn mesh(plot: &mut Plot, frame: Frame, [n, x]: [String; 2]) -> Drawn {
    // Casts: a count of labels. There are no half workers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let n_labels = (frame.n as usize + 1).min(11);
    plot.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(palette::GRID.rgb().stroke_width(THIN))
        .axis_style(palette::INK.rgb().stroke_width(THIN))
        .set_all_tick_mark_size(5 * PIXEL)
        .x_labels(n_labels)
        .label_style(text(14))
        .axis_desc_style(text(15))
        .x_desc(n)
        .y_desc(x)
        .x_label_formatter(&|n| tick(*n))
        .y_label_formatter(&|x| tick(*x))
        .draw()
}

fn legend(plot: &mut Plot) -> Drawn {
    plot.configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .margin(14 * PIXEL)
        .legend_area_size(32 * PIXEL)
        .label_font(text(14))
        .background_style(palette::PAPER.rgb().filled())
        .border_style(palette::GRID.rgb().stroke_width(THIN))
        .draw()
}

/// Text of a size in pixels.
fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size * PIXEL).into_font().color(&palette::INK.rgb())
}

/// A length in pixels, for the marks of a legend.
fn pixels(count: u32) -> i32 {
    i32::try_from(count * PIXEL).unwrap_or(i32::MAX)
}

/// A number at an axis.
fn tick(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 {
        return significant(number, 2);
    }
    format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').into()
}

fn points(plot: &mut Plot, points: &[Point], colour: Colour, label: &str) -> Drawn {
    let style = colour.rgb().stroke_width(THICK);
    let intervals = points.iter().filter_map(|point| Some((point.n, point.interval?)));
    let bars = intervals.map(|(n, of)| vec![(n, of.low), (n, of.high)]).collect();
    draw(plot, bars, style, None)?;
    let circle = |at: (f64, f64)| Circle::new(at, pixels(5), colour.rgb().filled());
    plot.draw_series(points.iter().map(|of| circle((of.n, of.throughput))))?
        .label(label)
        .legend(move |(x, y)| Circle::new((x + pixels(10), y), pixels(5), colour.rgb().filled()));
    Ok(())
}

/// The fitted curve, up to the last point.
fn curve(plot: &mut Plot, line: Line, colour: Colour) -> Drawn {
    draw(plot, vec![line], colour.rgb().stroke_width(THICK), None)
}

/// The fitted curve beyond the last point.
fn extrapolation(plot: &mut Plot, dashes: Vec<Line>, colour: Colour) -> Drawn {
    let style = colour.rgb().stroke_width(THICK);
    draw(plot, dashes, style, Some("fitted (dashed: beyond the points)"))
}

fn linear(plot: &mut Plot, lambda: f64, frame: Frame) -> Drawn {
    let line = frame.sampled(0.0, frame.n.min(frame.x / lambda), |n| lambda * n);
    draw(
        plot,
        frame.dashes(&line),
        palette::GUIDE.rgb().stroke_width(THIN),
        Some("linear (dashed)"),
    )
}

fn peak(plot: &mut Plot, fit: &Fit, frame: Frame) -> Drawn {
    let Some(peak) = fit.peak().ok().filter(|peak| peak.n <= frame.n) else { return Ok(()) };
    let line = vec![(peak.n, 0.0), (peak.n, peak.throughput)];
    let label = format!("peak, N = {}", significant(peak.n, 4));
    draw(plot, vec![line], palette::GUIDE.rgb().stroke_width(THICK), Some(&label))
}

fn band(plot: &mut Plot, fit: &Fit, frame: Frame, colour: Colour) -> Drawn {
    let mut outline = frame.sampled(0.0, frame.n, |n| fit.band(n).low);
    outline.extend(frame.sampled(0.0, frame.n, |n| fit.band(n).high).into_iter().rev());
    let style = colour.rgb().mix(0.18).filled();
    plot.draw_series([Polygon::new(outline, style)])?.label("95 % interval of the curve").legend(
        move |(x, y)| Rectangle::new([(x, y - pixels(6)), (x + pixels(20), y + pixels(6))], style),
    );
    Ok(())
}

/// Draws lines of one style, and their label in the legend.
fn draw(plot: &mut Plot, lines: Vec<Line>, style: ShapeStyle, label: Option<&str>) -> Drawn {
    let drawn = plot.draw_series(lines.into_iter().map(|line| PathElement::new(line, style)))?;
    if let Some(label) = label {
        let mark = move |(x, y)| PathElement::new(vec![(x, y), (x + pixels(20), y)], style);
        drawn.label(label).legend(mark);
    }
    Ok(())
}

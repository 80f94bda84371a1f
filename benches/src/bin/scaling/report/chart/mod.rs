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

/// Width and height; a page may shrink them.
const SIZE: (u32, u32) = (880, 460);

/// Width of a line, in the unit of `SIZE`.
const STROKE: u32 = 2;

type Plot<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// One series: points, curve with its 95 % band, linear growth and peak.
pub fn one(series: &Series, axes: &Axes) -> Result<Chart> {
    let frame = Frame::of(&[series]);
    let colour = palette::of_series(0);
    let svg = svg(frame, axes, |plot| {
        if let Ok(fit) = &series.fit {
            band(plot, fit, frame, colour)?;
            linear(plot, fit, frame)?;
            peak(plot, fit, frame)?;
            curve(plot, fit, frame, colour, "fitted (dashed: beyond the points)")?;
        }
        points(plot, &series.points, colour, "measured")
    })?;
    let name = &series.name;
    let description = format!("Throughput over N, {name}; the tables below have the numbers.");
    Ok(Chart { svg, description })
}

/// All series: points and curves.
pub fn all(all: &[Series], axes: &Axes) -> Result<Chart> {
    let frame = Frame::of(&all.iter().collect::<Vec<_>>());
    let svg = svg(frame, axes, |plot| {
        for (index, series) in all.iter().enumerate() {
            let colour = palette::of_series(index);
            if let Ok(fit) = &series.fit {
                curve(plot, fit, frame, colour, "")?;
            }
            points(plot, &series.points, colour, &series.name)?;
        }
        Ok(())
    })?;
    let description = "Throughput over N, all series; the tables below have the numbers.".into();
    Ok(Chart { svg, description })
}

fn svg(frame: Frame, axes: &Axes, draw: impl FnOnce(&mut Plot) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let drawn = (|| {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut plot = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(46)
            .y_label_area_size(84)
            .build_cartesian_2d(0.0..frame.n, 0.0..frame.x)?;
        mesh(&mut plot, axes)?;
        draw(&mut plot)?;
        legend(&mut plot)?;
        area.present()
    })();
    drawn.map_err(|error| Error::because("cannot draw a chart", error))?;
    Ok(svg)
}

fn mesh(plot: &mut Plot, axes: &Axes) -> Drawn {
    plot.configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(palette::GRID.rgb())
        .axis_style(palette::INK.rgb())
        .label_style(text(14))
        .axis_desc_style(text(15))
        .x_desc(axes.n_title())
        .y_desc(axes.x_title())
        .x_label_formatter(&|n| tick(*n))
        .y_label_formatter(&|x| tick(*x))
        .draw()
}

fn legend(plot: &mut Plot) -> Drawn {
    plot.configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .margin(14)
        .label_font(text(14))
        .background_style(palette::PAPER.rgb().filled())
        .border_style(palette::GRID.rgb())
        .draw()
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&palette::INK.rgb())
}

/// A number at an axis.
fn tick(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 {
        return significant(number, 2);
    }
    format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').into()
}

fn points(plot: &mut Plot, points: &[Point], colour: Colour, label: &str) -> Drawn {
    let style = colour.rgb().stroke_width(STROKE);
    let intervals = points.iter().filter_map(|point| Some((point.n, point.interval?)));
    plot.draw_series(
        intervals.map(|(n, of)| PathElement::new(vec![(n, of.low), (n, of.high)], style)),
    )?;
    let filled = colour.rgb().filled();
    plot.draw_series(points.iter().map(|of| Circle::new((of.n, of.throughput), 5, filled)))?
        .label(label)
        .legend(move |(x, y)| Circle::new((x + 10, y), 5, filled));
    Ok(())
}

/// The fitted curve: a line up to the last point, and dashes beyond it.
fn curve(plot: &mut Plot, fit: &Fit, frame: Frame, colour: Colour, label: &str) -> Drawn {
    let style = colour.rgb().stroke_width(STROKE);
    let throughput = |n| fit.law.throughput(n);
    let line = frame.sampled(0.0, frame.last_n, throughput);
    draw(plot, vec![line], style, label)?;
    draw(plot, lines::dashes(&frame.sampled(frame.last_n, frame.n, throughput)), style, "")
}

fn linear(plot: &mut Plot, fit: &Fit, frame: Frame) -> Drawn {
    let end = frame.n.min(frame.x / fit.law.lambda);
    let line = frame.sampled(0.0, end, |n| fit.law.lambda * n);
    draw(plot, lines::dashes(&line), palette::GUIDE.rgb().stroke_width(1), "linear, λN")
}

fn peak(plot: &mut Plot, fit: &Fit, frame: Frame) -> Drawn {
    let Ok(peak) = fit.peak() else { return Ok(()) };
    if peak.n > frame.n {
        return Ok(());
    }
    let line = vec![(peak.n, 0.0), (peak.n, peak.throughput)];
    let label = format!("peak, N = {}", significant(peak.n, 4));
    draw(plot, vec![line], palette::GUIDE.rgb().stroke_width(STROKE), &label)
}

fn band(plot: &mut Plot, fit: &Fit, frame: Frame, colour: Colour) -> Drawn {
    let mut outline = frame.sampled(0.0, frame.n, |n| fit.band(n).low);
    outline.extend(frame.sampled(0.0, frame.n, |n| fit.band(n).high).into_iter().rev());
    let style = colour.rgb().mix(0.18).filled();
    plot.draw_series([Polygon::new(outline, style)])?
        .label("95 % interval of the curve")
        .legend(move |(x, y)| Rectangle::new([(x, y - 6), (x + 20, y + 6)], style));
    Ok(())
}

/// Draws lines of one style, with a label in the legend if it is not empty.
fn draw(plot: &mut Plot, lines: Vec<Line>, style: ShapeStyle, label: &str) -> Drawn {
    let drawn = plot.draw_series(lines.into_iter().map(|line| PathElement::new(line, style)))?;
    if !label.is_empty() {
        drawn.label(label).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], style));
    }
    Ok(())
}

//! Time against size, both in powers of ten: what grows with its work is a straight line that rises as the dashed
//! one does.

use std::{error::Error, path::Path};

use plotters::prelude::*;

/// A function's times by size, in nanoseconds.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws the lines into an SVG file. Their names stand beside it, the slowest first.
///
/// # Errors
///
/// The file cannot be written.
pub(crate) fn write(path: &Path, title: &str, lines: &mut [Line]) -> Result<(), Box<dyn Error>> {
    let last = |line: &Line| line.points.last().map_or(0.0, |(_, time)| *time);
    lines.sort_by(|a, b| last(b).total_cmp(&last(a)));
    let all = || lines.iter().flat_map(|line| &line.points);
    let sizes = bounds(all().map(|(size, _)| *size));
    let times = bounds(all().map(|(_, time)| *time));
    let height = HEIGHT.max(70 + 20 * u32::try_from(lines.len())?);
    let longest = lines
        .iter()
        .map(|line| line.name.chars().count())
        .max()
        .unwrap_or(0);
    let legend = NAME + LETTER * u32::try_from(longest)?;
    let root = SVGBackend::new(path, (WIDTH + legend, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (picture, legend) = root.split_horizontally(WIDTH);
    let mut chart = ChartBuilder::on(&picture)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d((sizes.0..sizes.1).log_scale(), (times.0..times.1).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("size")
        .y_desc("time")
        .x_label_formatter(&|size| format!("{size:.0}"))
        .y_label_formatter(&|time| duration(*time))
        .light_line_style(TRANSPARENT)
        .draw()?;
    // From the lower left corner, as long as it stays in the picture.
    let end = sizes.1.min(sizes.0 * times.1 / times.0);
    let straight = [(sizes.0, times.0), (end, times.0 * end / sizes.0)];
    chart.draw_series(DashedLineSeries::new(
        straight,
        6,
        6,
        BLACK.mix(0.5).stroke_width(1),
    ))?;
    for (line, row) in lines.iter().zip(0_u8..) {
        let style = Palette99::pick(row.into()).stroke_width(2);
        chart.draw_series(LineSeries::new(line.points.iter().copied(), style).point_size(3))?;
        let y = 50 + 20 * i32::from(row);
        legend.draw(&PathElement::new([(0, y), (16, y)], style))?;
        legend.draw(&Text::new(
            line.name.as_str(),
            (i32::try_from(NAME)?, y - 6),
            ("sans-serif", 13),
        ))?;
    }
    root.present()?;
    Ok(())
}

/// The powers of ten around some numbers.
fn bounds(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = numbers.fold((f64::MAX, 0.0_f64), |(least, most), it| {
        (least.min(it), most.max(it))
    });
    let down = 10.0_f64.powf(least.log10().floor());
    (down, (10.0 * down).max(10.0_f64.powf(most.log10().ceil())))
}

/// Nanoseconds in the unit that one would say.
pub(crate) fn duration(nanoseconds: f64) -> String {
    let units = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let (scale, unit) = units
        .into_iter()
        .find(|(scale, _)| nanoseconds >= *scale)
        .unwrap_or((1.0, "ns"));
    let number = nanoseconds / scale;
    match number {
        100.0.. => format!("{number:.0} {unit}"),
        10.0.. => format!("{number:.1} {unit}"),
        _ => format!("{number:.2} {unit}"),
    }
}

/// Without the column with the names.
const WIDTH: u32 = 750;
/// Unless the names need more.
const HEIGHT: u32 = 560;
/// From the edge of that column to the letters.
const NAME: u32 = 22;
/// A letter of a name, or somewhat more.
const LETTER: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        let durations = [0.5, 7.0, 12.34, 999.4, 1500.0, 2.5e7, 3e9].map(duration);
        assert_eq!(
            durations,
            [
                "0.50 ns", "7.00 ns", "12.3 ns", "999 ns", "1.50 µs", "25.0 ms", "3.00 s"
            ]
        );
    }

    #[test]
    fn bounds_are_powers_of_ten_and_never_one() {
        let near =
            |a: (f64, f64), b: (f64, f64)| (a.0 / b.0 - 1.0).abs() < 1e-9 && (a.1 / b.1 - 1.0).abs() < 1e-9;
        assert!(near(bounds([1.0, 1170.0].into_iter()), (1.0, 10_000.0)));
        assert!(near(bounds([100.0].into_iter()), (100.0, 1000.0)));
    }
}

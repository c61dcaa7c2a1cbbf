//! Figures of the same run beside each other: only their ratio outlives the machine.

use crate::figures::Figure;

/// How many times as long one thing takes as another, over several runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Ratio {
    /// Pairs the runs, because a noisy minute is noisy for both.
    pub(crate) fn of(figure: &Figure, baseline: &Figure) -> Option<Self> {
        let pairs = figure.runs.iter().zip(&baseline.runs);
        Self::over(pairs.map(|(figure, baseline)| figure / baseline).collect())
    }

    /// The middle and the ends of some numbers. `None` if there is none.
    pub(crate) fn over(mut ratios: Vec<f64>) -> Option<Self> {
        ratios.sort_by(f64::total_cmp);
        Some(Self {
            median: median(&ratios)?,
            least: *ratios.first()?,
            most: *ratios.last()?,
        })
    }

    /// The same, seen from the other side.
    pub(crate) fn inverse(self) -> Self {
        Self {
            median: 1.0 / self.median,
            least: 1.0 / self.most,
            most: 1.0 / self.least,
        }
    }
}

/// The middle of sorted numbers.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        0 => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

/// The power of the size that the time grows with: 1 is a straight line. From the least squares through
/// the logarithms of the larger half of the sizes, where a start-up cost no longer flattens it.
pub(crate) fn growth(points: &[(f64, f64)]) -> Option<f64> {
    let larger = &points[points.len().saturating_sub(3)..];
    let [_, _, ..] = larger else { return None };
    let logs = || larger.iter().map(|(size, time)| (size.ln(), time.ln()));
    let count = logs().map(|_| 1.0).sum::<f64>();
    let (x, y) = (
        logs().map(|(x, _)| x).sum::<f64>() / count,
        logs().map(|(_, y)| y).sum::<f64>() / count,
    );
    let above: f64 = logs().map(|(a, b)| (a - x) * (b - y)).sum();
    let below: f64 = logs().map(|(a, _)| (a - x).powi(2)).sum();
    Some(above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(runs: &[f64]) -> Figure {
        Figure {
            runs: runs.to_vec(),
            work: None,
            peak_kib: None,
        }
    }

    #[test]
    fn a_ratio_pairs_the_runs() {
        let ratio = Ratio::of(&figure(&[4.0, 90.0, 8.0]), &figure(&[2.0, 30.0, 1.0])).unwrap();
        assert_eq!((ratio.least, ratio.median, ratio.most), (2.0, 3.0, 8.0));
        let inverse = ratio.inverse();
        assert_eq!(
            (inverse.least, inverse.median, inverse.most),
            (0.125, 1.0 / 3.0, 0.5)
        );
        assert_eq!(Ratio::of(&figure(&[]), &figure(&[1.0])), None);
    }

    #[test]
    fn growth_is_the_power_of_the_size() {
        let square: Vec<(f64, f64)> = [1.0, 10.0, 100.0, 1000.0].map(|n| (n, 3.0 * n * n)).into();
        assert!((growth(&square).unwrap() - 2.0).abs() < 1e-9);
        let flat_first = [
            (1.0, 50.0),
            (100.0, 100.0),
            (1000.0, 1000.0),
            (10_000.0, 10_000.0),
        ];
        assert!((growth(&flat_first).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(growth(&[(1.0, 1.0)]), None);
    }
}

//! Things against the places where they were found: a hole is seen at once.

use super::{Anchor, MARGIN, Svg, cut, float};

/// A matrix of dots.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// What the places are called.
    pub columns: Vec<&'a str>,
    /// The things, as they stand below each other.
    pub rows: Vec<Row>,
}

/// A thing.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// For each place whether it is there; `None`: it need not be, or nobody has looked.
    pub marks: Vec<Option<bool>>,
    /// What is to be said of it.
    pub note: String,
    /// How bad that is.
    pub tone: Tone,
}

/// How bad a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Not at all.
    Plain,
    /// Perhaps.
    Unsure,
    /// It is.
    Bad,
}

impl Matrix<'_> {
    /// The picture, of as many rows as fit.
    pub fn svg(&self) -> String {
        let shown = &self.rows[..self.rows.len().min(ROWS_MAX)];
        let longest = |text: fn(&Row) -> &String| {
            let lengths = shown.iter().map(|row| text(row).chars().count());
            float(lengths.max().unwrap_or(0).min(NAME_MAX)) * LETTER
        };
        let marks = MARGIN + 40.0 + longest(|row| &row.name).max(20.0 * LETTER);
        let notes = marks + float(self.columns.len()) * STEP;
        let row_at = |row: usize| TOP + float(row) * ROW;

        let mut out = Svg::default();
        out.text("title", (MARGIN, 26.0), Anchor::Start, self.title);
        out.text("note", (MARGIN, 46.0), Anchor::Start, LEGEND);
        for (n, column) in self.columns.iter().enumerate() {
            let middle = marks + float(n) * STEP;
            out.text("note", (middle, TOP - 20.0), Anchor::Middle, column);
        }
        for (n, row) in shown.iter().enumerate() {
            let (y, class) = (row_at(n), row.tone.class());
            out.line("grid", (MARGIN, y + ROW / 2.0), (notes + 160.0, y + ROW / 2.0));
            out.text(class, (MARGIN, y + 4.0), Anchor::Start, &cut(&row.name, NAME_MAX));
            out.text(
                class,
                (notes - 20.0, y + 4.0),
                Anchor::Start,
                &cut(&row.note, NAME_MAX),
            );
            for (column, there) in row.marks.iter().enumerate() {
                let class = match there {
                    None => continue,
                    Some(true) => "there",
                    Some(false) => "hole",
                };
                out.dot(class, (marks + float(column) * STEP, y), "");
            }
        }
        let left_out = self.rows.len() - shown.len();
        if left_out > 0 {
            let text = format!("and {left_out} more");
            out.text("note", (MARGIN, row_at(shown.len()) + 4.0), Anchor::Start, &text);
        }
        let rows = shown.len() + usize::from(left_out > 0);
        let width = notes + longest(|row| &row.note).max(160.0) + MARGIN;
        out.finish(width.max(LEGEND_WIDTH), row_at(rows))
    }
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Unsure => "unsure",
            Self::Bad => "bad",
        }
    }
}

const LEGEND: &str = "A dot: there. A ring: missing. Nothing: it need not be there, or nobody has looked.";
const LEGEND_WIDTH: f64 = 560.0;
const ROWS_MAX: usize = 200;
/// Longer names are cut.
const NAME_MAX: usize = 60;
/// The width of a letter that is bold.
const LETTER: f64 = 7.5;
const STEP: f64 = 80.0;
const TOP: f64 = 96.0;
const ROW: f64 = 20.0;

//! Items with commas between them.

use crate::text::print::Printer;
use core::fmt;

/// Writes the items of a list; a comma goes before an item if one stands before it.
pub(crate) struct List<'a, 'b> {
    pub(crate) f: &'a mut Printer<'b>,
    comma: bool,
    /// How many nests stand around it.
    pub(crate) depth: usize,
}

impl<'a, 'b> List<'a, 'b> {
    pub(crate) fn new(f: &'a mut Printer<'b>) -> Self {
        Self {
            f,
            comma: false,
            depth: 0,
        }
    }

    pub(crate) fn item(&mut self, item: fmt::Arguments<'_>) -> fmt::Result {
        self.separate()?;
        self.comma = true;
        self.f.write_fmt(item)
    }

    /// An item that begins with its name.
    pub(crate) fn begin(&mut self, name: &str) -> fmt::Result {
        self.separate()?;
        self.comma = true;
        self.f.write_str(name)
    }

    /// The item `name(..)`.
    pub(crate) fn nest(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut List<'_, 'b>) -> fmt::Result,
    ) -> fmt::Result {
        self.begin(name)?;
        self.f.write_str("(")?;
        self.fresh(fill)?;
        self.f.write_str(")")
    }

    /// A list inside this one.
    pub(crate) fn fresh(&mut self, fill: impl FnOnce(&mut List<'_, 'b>) -> fmt::Result) -> fmt::Result {
        fill(&mut List {
            f: self.f,
            comma: false,
            depth: self.depth + 1,
        })
    }

    /// Writes the comma that is due. (The item that follows sees none, as Open vSwitch has it after attributes of a
    /// wrong length.)
    pub(crate) fn separate(&mut self) -> fmt::Result {
        if core::mem::take(&mut self.comma) {
            self.f.write_str(",")?;
        }
        Ok(())
    }

    /// Writes the comma that is due, and leaves the next one due as it was.
    pub(crate) fn separate_and_keep(&mut self) -> fmt::Result {
        let comma = self.comma;
        self.separate()?;
        self.comma = comma;
        Ok(())
    }
}

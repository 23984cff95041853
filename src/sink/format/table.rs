//! A table for people: columns aligned, numbers to the right, control characters shown and not obeyed.
//!
//! Widths come from the first rows; later rows are streamed, and a cell that is wider than its column is kept
//! whole. How values look is [`super::value`]'s.

use std::fmt::Write as _;
use std::io::Write;

use arrow_array::RecordBatch;
use arrow_json::writer::EncoderOptions;
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};
use unicode_width::UnicodeWidthStr as _;

use super::columns::{Limits, Shape, union, variant};
use super::text::Text;
use super::value;
use crate::sink::refusal::Refusal;

/// How many rows decide the widths.
const MEASURED_ROWS: usize = 1_000;
/// How much text is held back at most to decide the widths.
const MEASURED_BYTES: usize = 4 << 20;

const LIMITS: Limits =
    Limits { format: "a table", shape: Shape::Any, lacks: |field| variant(field).or_else(|| union(field)) };

/// Everything about these columns that a table cannot show.
pub(crate) fn refuse(schema: &Schema) -> Vec<Refusal> {
    LIMITS.refuse(schema)
}

/// Writes rows as a table.
pub(crate) struct Table {
    columns: Vec<Column>,
    /// The rows that decide the widths, until these are decided.
    measured: Option<Measured>,
    options: EncoderOptions,
}

struct Column {
    name: String,
    align: Align,
    width: usize,
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

#[derive(Default)]
struct Measured {
    rows: Vec<Vec<String>>,
    bytes: usize,
}

impl Table {
    pub(crate) fn new(schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|field| {
            let name = visible(field.name());
            let numeric = value::value_type(field.data_type()).is_numeric();
            let align = if numeric { Align::Right } else { Align::Left };
            Column { width: name.width(), name, align }
        });
        Self { columns: columns.collect(), measured: Some(Measured::default()), options: value::options() }
    }

    /// A table of texts, in rows as long as the header.
    pub(crate) fn of_texts(names: &[&str], rows: &[Vec<String>]) -> String {
        let column =
            |name: &&str| Column { name: (*name).to_owned(), align: Align::Left, width: name.width() };
        let cells = |row: &Vec<String>| row.iter().map(|cell| visible(cell)).collect();
        let measured = Measured { rows: rows.iter().map(cells).collect(), bytes: 0 };
        let columns = names.iter().map(column).collect();
        let mut table = Self { columns, measured: Some(measured), options: value::options() };
        let mut text = Vec::new();
        table.settle(&mut text).expect("a vector takes everything");
        String::from_utf8_lossy(&text).lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Decides the widths, then writes the header and the rows that were held back.
    fn settle(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        let Some(measured) = self.measured.take() else { return Ok(()) };
        for row in &measured.rows {
            for (column, cell) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.width());
            }
        }
        let names = self.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        self.write_line(&names, out)?;
        let rules = self.columns.iter().map(|column| "-".repeat(column.width)).collect::<Vec<_>>();
        writeln!(out, "{}", rules.join("-+-"))?;
        for row in &measured.rows {
            self.write_line(row, out)?;
        }
        Ok(())
    }

    fn write_line(&self, cells: &[String], out: &mut dyn Write) -> Result<(), ArrowError> {
        let mut line = String::new();
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if index > 0 {
                line.push_str(" | ");
            }
            let padding = " ".repeat(column.width.saturating_sub(cell.width()));
            let last = index + 1 == cells.len();
            match column.align {
                Align::Right => line.extend([padding.as_str(), cell]),
                Align::Left if last => line.push_str(cell),
                Align::Left => line.extend([cell, padding.as_str()]),
            }
        }
        line.push('\n');
        Ok(out.write_all(line.as_bytes())?)
    }
}

impl Text for Table {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        let options = self.options.clone();
        let mut columns = value::cells(batch, &options)?;
        let mut buffer = Vec::new();
        for row in 0..batch.num_rows() {
            let cells = columns.iter_mut().map(|column| {
                if column.is_null(row) {
                    return "NULL".to_owned();
                }
                buffer.clear();
                column.write(row, &mut buffer);
                visible(&String::from_utf8_lossy(&buffer))
            });
            let cells = cells.collect::<Vec<_>>();
            let Some(measured) = &mut self.measured else {
                self.write_line(&cells, out)?;
                continue;
            };
            measured.bytes += cells.iter().map(String::len).sum::<usize>();
            measured.rows.push(cells);
            if measured.rows.len() >= MEASURED_ROWS || measured.bytes >= MEASURED_BYTES {
                self.settle(out)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.settle(out)
    }
}

/// Text with everything escaped that a terminal would obey instead of show.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\0'..='\x7f' if character.is_control() => {
                write!(shown, "\\x{:02x}", u32::from(character)).expect("a string takes everything");
            }
            // The separators break lines, the others turn the direction of what follows.
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_unicode()),
            _ => shown.push(character),
        }
    }
    shown
}

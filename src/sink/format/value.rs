//! How one value looks in every textual format: table, CSV and NDJSON.
//!
//! arrow-json writes most types as we want them. This adds what it lacks or writes inexactly:
//!
//! - a double that is not a number is `"NaN"`, `"Infinity"` or `"-Infinity"` (arrow-json: null), others have
//!   the fewest digits that read back as the same double;
//! - dates and timestamps are ISO 8601 for every value, with the offset of the session's time zone for
//!   TIMESTAMP and none for `TIMESTAMP_NTZ`; a zone that nobody knows becomes UTC, which is the same
//!   instant;
//! - intervals are ISO 8601 durations: `P1Y2M`, `P1DT2H3M4.5S`;
//! - the keys of a map may be of any type: a key that is not a string is its JSON text.
//!
//! What stays as arrow-json has it: binary is lower-case hexadecimal, a decimal is a JSON number with all of
//! its digits.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::timezone::Tz;
use arrow_array::types::{IntervalDayTime, IntervalMonthDayNano};
use arrow_array::{Array, MapArray, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, FieldRef, IntervalUnit, TimeUnit};

use super::{iso, zone};

/// The options under which arrow-json writes values in this way.
pub(crate) fn options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(Values))
}

/// The cells of each column of a batch, for formats whose cells are bare text.
pub(crate) fn cells<'a>(
    batch: &'a RecordBatch,
    options: &'a EncoderOptions,
) -> Result<Vec<Cells<'a>>, ArrowError> {
    let fields = batch.schema_ref().fields();
    fields.iter().zip(batch.columns()).map(|(field, array)| Cells::new(field, array, options)).collect()
}

/// The cells of one column as bare text: a string as it stands, a nested value as JSON, all else as in JSON
/// unquoted.
pub(crate) struct Cells<'a> {
    json: NullableEncoder<'a>,
    shape: CellShape<'a>,
    scratch: Vec<u8>,
}

enum CellShape<'a> {
    Text(ArrayFormatter<'a>),
    Nested,
    Plain,
}

impl<'a> Cells<'a> {
    fn new(
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        let shape = match value_type(array.data_type()) {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                CellShape::Text(ArrayFormatter::try_new(array, &FormatOptions::new())?)
            }
            nested if nested.is_nested() => CellShape::Nested,
            _ => CellShape::Plain,
        };
        Ok(Self { json: make_encoder(field, array, options)?, shape, scratch: Vec::new() })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.json.is_null(row)
    }

    /// Appends the cell of a row where this column is not null.
    pub(crate) fn write(&mut self, row: usize, out: &mut Vec<u8>) {
        match &self.shape {
            CellShape::Text(formatter) => {
                write!(out, "{}", formatter.value(row)).expect("a vector takes everything");
            }
            CellShape::Nested => self.json.encode(row, out),
            CellShape::Plain => {
                self.scratch.clear();
                self.json.encode(row, &mut self.scratch);
                let quoted = self.scratch.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\""));
                out.extend_from_slice(quoted.unwrap_or(&self.scratch));
            }
        }
    }
}

/// The type of the values, where they are behind keys.
pub(crate) fn value_type(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => value_type(values),
        other => other,
    }
}

/// Makes the encoders that arrow-json lacks.
#[derive(Debug)]
pub(crate) struct Values;

impl EncoderFactory for Values {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        // The field is not asked for its type: inside lists, maps and dictionaries arrow-json passes the
        // outer one.
        let encoder: Box<dyn Encoder + 'a> = match array.data_type() {
            DataType::Float32 => Box::new(Singles(natives(array))),
            DataType::Float64 => Box::new(Doubles(natives(array))),
            DataType::Date32 => Box::new(Dates(natives(array))),
            DataType::Timestamp(unit, zone) => {
                let zone = zone.as_ref().map(|zone| zone::named(zone));
                Box::new(Timestamps { values: natives(array), unit: *unit, zone })
            }
            DataType::Duration(unit) => Box::new(Durations { values: natives(array), unit: *unit }),
            DataType::Interval(IntervalUnit::YearMonth) => Box::new(Months(natives(array))),
            DataType::Interval(IntervalUnit::DayTime) => Box::new(DayTimes(natives(array))),
            DataType::Interval(IntervalUnit::MonthDayNano) => Box::new(Calendars(natives(array))),
            DataType::Map(entries, _) if !has_text_keys(entries) => {
                Box::new(Pairs::new(field, array.as_map(), options)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

fn natives<T: ArrowNativeType>(array: &dyn Array) -> ScalarBuffer<T> {
    let data = array.to_data();
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

fn has_text_keys(entries: &FieldRef) -> bool {
    let DataType::Struct(pair) = entries.data_type() else { return false };
    matches!(pair[0].data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn nanos(value: i64, unit: TimeUnit) -> i128 {
    let scale = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    i128::from(value) * scale
}

/// Puts text that needs no escapes between quotes.
fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) {
    out.push(b'"');
    write(out).expect("a vector takes everything");
    out.push(b'"');
}

struct Singles(ScalarBuffer<f32>);

impl Encoder for Singles {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.0[row];
        match not_a_number(f64::from(value)) {
            Some(name) => out.extend_from_slice(name),
            None => write!(out, "{value:?}").expect("a vector takes everything"),
        }
    }
}

struct Doubles(ScalarBuffer<f64>);

impl Encoder for Doubles {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let value = self.0[row];
        match not_a_number(value) {
            Some(name) => out.extend_from_slice(name),
            None => write!(out, "{value:?}").expect("a vector takes everything"),
        }
    }
}

/// What JSON has no number for, named as Spark names it.
fn not_a_number(value: f64) -> Option<&'static [u8]> {
    if value.is_nan() {
        return Some(b"\"NaN\"");
    }
    if value.is_finite() {
        return None;
    }
    Some(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" })
}

struct Dates(ScalarBuffer<i32>);

impl Encoder for Dates {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        quoted(out, |out| iso::date(out, i64::from(self.0[row])));
    }
}

struct Timestamps {
    values: ScalarBuffer<i64>,
    unit: TimeUnit,
    zone: Option<Tz>,
}

impl Encoder for Timestamps {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let nanos = nanos(self.values[row], self.unit);
        quoted(out, |out| match self.zone {
            Some(zone) => iso::instant(out, nanos, zone),
            None => iso::local(out, nanos),
        });
    }
}

struct Durations {
    values: ScalarBuffer<i64>,
    unit: TimeUnit,
}

impl Encoder for Durations {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        quoted(out, |out| iso::duration(out, nanos(self.values[row], self.unit)));
    }
}

struct Months(ScalarBuffer<i32>);

impl Encoder for Months {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        quoted(out, |out| iso::months(out, self.0[row]));
    }
}

struct DayTimes(ScalarBuffer<IntervalDayTime>);

impl Encoder for DayTimes {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let IntervalDayTime { days, milliseconds } = self.0[row];
        quoted(out, |out| iso::calendar(out, 0, days, i64::from(milliseconds) * 1_000_000));
    }
}

struct Calendars(ScalarBuffer<IntervalMonthDayNano>);

impl Encoder for Calendars {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let IntervalMonthDayNano { months, days, nanoseconds } = self.0[row];
        quoted(out, |out| iso::calendar(out, months, days, nanoseconds));
    }
}

/// A map whose keys are not strings.
struct Pairs<'a> {
    offsets: &'a OffsetBuffer<i32>,
    keys: NullableEncoder<'a>,
    values: NullableEncoder<'a>,
    key: Vec<u8>,
}

impl<'a> Pairs<'a> {
    fn new(
        field: &'a FieldRef,
        array: &'a MapArray,
        options: &'a EncoderOptions,
    ) -> Result<Self, ArrowError> {
        Ok(Self {
            offsets: array.offsets(),
            keys: make_encoder(field, array.keys(), options)?,
            values: make_encoder(field, array.values(), options)?,
            key: Vec::new(),
        })
    }

    /// Writes a key, which JSON wants to be a string.
    fn encode_key(&mut self, entry: usize, out: &mut Vec<u8>) {
        self.key.clear();
        self.keys.encode(entry, &mut self.key);
        if self.key.starts_with(b"\"") {
            out.extend_from_slice(&self.key);
            return;
        }
        let text = str::from_utf8(&self.key).expect("JSON is UTF-8");
        serde_json::to_writer(out, text).expect("a vector takes everything");
    }
}

impl Encoder for Pairs<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let entries = self.offsets[row].as_usize()..self.offsets[row + 1].as_usize();
        out.push(b'{');
        for entry in entries.clone() {
            if entry != entries.start {
                out.push(b',');
            }
            self.encode_key(entry, out);
            out.push(b':');
            if self.values.is_null(entry) {
                out.extend_from_slice(b"null");
            } else {
                self.values.encode(entry, out);
            }
        }
        out.push(b'}');
    }
}

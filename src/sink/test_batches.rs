//! Batches for the tests: every type that Spark can send, as values, extremes and nulls.

use std::sync::Arc;

use arrow_array::types::IntervalMonthDayNano;
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    DurationMicrosecondArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
    IntervalMonthDayNanoArray, IntervalYearMonthArray, LargeBinaryArray, LargeStringArray, ListArray,
    MapArray, NullArray, RecordBatch, StringArray, StructArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow_buffer::i256;
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema};

/// Three rows of every type that every format holds: values, nulls, extremes.
pub(super) fn every_type() -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(1), None, Some(i8::MIN)]))),
        ("i16", Arc::new(Int16Array::from(vec![Some(2), None, Some(i16::MIN)]))),
        ("i32", Arc::new(Int32Array::from(vec![Some(3), None, Some(i32::MIN)]))),
        ("i64", Arc::new(Int64Array::from(vec![Some(4), None, Some(i64::MIN)]))),
        ("f32", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::NEG_INFINITY)]))),
        ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN)]))),
        ("f64_far", Arc::new(Float64Array::from(vec![Some(1e300), None, Some(-0.0)]))),
        ("decimal", decimals(&[Some(150), None, Some(-1)], 10, 2)),
        ("decimal_wide", decimals(&[Some(10_i128.pow(38) - 1), None, Some(1 - 10_i128.pow(38))], 38, 10)),
        ("decimal_256", wide_decimals()),
        ("utf8", Arc::new(StringArray::from(vec![Some("a, \"b\"\nc"), None, Some("")]))),
        ("large_utf8", Arc::new(LargeStringArray::from(vec![Some("日本 é"), None, Some("\u{1b}[31m\u{7}")]))),
        ("binary", Arc::new(BinaryArray::from(vec![Some([0, 255].as_slice()), None, Some(&[])]))),
        ("large_binary", Arc::new(LargeBinaryArray::from(vec![Some(b"x".as_slice()), None, Some(&[])]))),
        ("date", Arc::new(Date32Array::from(vec![Some(20_484), None, Some(-719_162)]))),
        ("ts_utc", instants("UTC")),
        ("ts_berlin", instants("Europe/Berlin")),
        ("ts_gmt8", instants("GMT+8")),
        (
            "ts_ntz",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1_769_860_800_123_456), None, Some(-1)])),
        ),
        (
            "ts_ns",
            Arc::new(
                TimestampNanosecondArray::from(vec![Some(1_769_860_800_123_456_789), None, Some(i64::MIN)])
                    .with_timezone("UTC"),
            ),
        ),
        ("time", times()),
        ("time_ns", times()),
        ("year_month", year_months()),
        (
            "day_time",
            Arc::new(DurationMicrosecondArray::from(vec![Some(93_784_567_000), None, Some(i64::MIN)])),
        ),
        ("list", lists(Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])))),
        ("list_of_intervals", lists(year_months())),
        ("map", map(Arc::new(StringArray::from(vec!["k", "l \"", ""])))),
        ("map_of_ints", map(Arc::new(Int64Array::from(vec![1, -2, 3])))),
        ("map_of_dates", map(Arc::new(Date32Array::from(vec![0, 1, 2])))),
        ("struct", structs()),
        ("void", Arc::new(NullArray::new(3))),
    ];
    let fields = columns.iter().map(|(name, array)| {
        let field = Field::new(*name, array.data_type().clone(), true);
        match *name {
            "time" => field.with_metadata([("SPARK::time::precision".to_owned(), "6".to_owned())]),
            "time_ns" => field.with_metadata([("SPARK::time::precision".to_owned(), "9".to_owned())]),
            _ => field,
        }
    });
    let schema = Schema::new(fields.collect::<Fields>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

/// Three calendar intervals, which only textual formats hold.
pub(super) fn calendar_intervals() -> RecordBatch {
    let values =
        [Some(IntervalMonthDayNano::new(14, -3, 1_500_000_000)), None, Some(IntervalMonthDayNano::default())];
    batch("span", Arc::new(IntervalMonthDayNanoArray::from_iter(values)))
}

/// A batch of one column.
pub(super) fn batch(name: &str, array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([(name, array, true)]).unwrap()
}

/// The numbers from `start` on, in one column.
pub(super) fn numbers(start: i64, rows: i64) -> RecordBatch {
    batch("id", Arc::new(Int64Array::from_iter_values(start..start + rows)))
}

fn decimals(values: &[Option<i128>], precision: u8, scale: i8) -> ArrayRef {
    let array = values.iter().copied().collect::<Decimal128Array>();
    Arc::new(array.with_precision_and_scale(precision, scale).unwrap())
}

fn wide_decimals() -> ArrayRef {
    let wide = i256::from_string("1234567890123456789012345678901234567890").unwrap();
    let array = Decimal256Array::from(vec![Some(wide), None, Some(wide.wrapping_neg())]);
    Arc::new(array.with_precision_and_scale(40, 5).unwrap())
}

fn instants(zone: &str) -> ArrayRef {
    let array = TimestampMicrosecondArray::from(vec![
        Some(1_769_860_800_000_000),
        None,
        Some(-62_135_596_800_000_000),
    ]);
    Arc::new(array.with_timezone(zone))
}

fn times() -> ArrayRef {
    Arc::new(Time64NanosecondArray::from(vec![Some(45_296_123_456_000), None, Some(0)]))
}

fn year_months() -> ArrayRef {
    Arc::new(IntervalYearMonthArray::from(vec![Some(14), None, Some(-1)]))
}

/// Two elements, null, one element.
fn lists(elements: ArrayRef) -> ArrayRef {
    let field = Field::new("element", elements.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
    Arc::new(ListArray::new(Arc::new(field), offsets, elements, Some(nulls())))
}

/// Two entries, null, one entry.
fn map(keys: ArrayRef) -> ArrayRef {
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
    let fields = Fields::from(vec![
        Field::new("key", keys.data_type().clone(), false),
        Field::new("value", values.data_type().clone(), true),
    ]);
    let entries = StructArray::new(fields, vec![keys, values], None);
    let field = Field::new("entries", entries.data_type().clone(), false);
    let offsets = OffsetBuffer::from_lengths([2, 0, 1]);
    Arc::new(MapArray::new(Arc::new(field), offsets, entries, Some(nulls()), false))
}

fn structs() -> ArrayRef {
    let inner = StructArray::new(
        Fields::from(vec![Field::new(
            "span",
            DataType::Interval(arrow_schema::IntervalUnit::YearMonth),
            true,
        )]),
        vec![year_months()],
        None,
    );
    let fields = Fields::from(vec![
        Field::new("text", DataType::Utf8, true),
        Field::new("inner", inner.data_type().clone(), true),
    ]);
    let text = Arc::new(StringArray::from(vec![Some("a\nb"), None, None]));
    Arc::new(StructArray::new(fields, vec![text, Arc::new(inner)], Some(nulls())))
}

fn nulls() -> NullBuffer {
    NullBuffer::from(vec![true, false, true])
}

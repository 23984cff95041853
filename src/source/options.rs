//! The options that engines know of formats which are built in. One that is none of them is passed over without a word.

use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::text::Spanned;

/// Of every format of files.
const FILES: &[&str] = &[
    "path",
    "paths",
    "basePath",
    "pathGlobFilter",
    "recursiveFileLookup",
    "modifiedBefore",
    "modifiedAfter",
    "ignoreCorruptFiles",
    "ignoreMissingFiles",
    "ignoreInvalidPartitionPaths",
    "readerCaseSensitive",
    "rescuedDataColumn",
    "fileNamePattern",
    "timeZone",
    "compression",
    "extension",
    "file_extension",
    "schema_infer_max_records",
];

/// Of formats of text that hold values of many types.
const VALUES: &[&str] = &[
    "mode",
    "columnNameOfCorruptRecord",
    "dateFormat",
    "timeFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "enableDateTimeParsingFallback",
    "locale",
    "encoding",
    "charset",
    "lineSep",
    "multiLine",
    "samplingRatio",
    "inferSchema",
    "singleVariantColumn",
];

const CSV: &[&str] = &[
    "sep",
    "delimiter",
    "header",
    "quote",
    "escape",
    "charToEscapeQuoteEscaping",
    "comment",
    "nullValue",
    "emptyValue",
    "nanValue",
    "positiveInf",
    "negativeInf",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "enforceSchema",
    "preferDate",
    "maxColumns",
    "maxCharsPerColumn",
    "unescapedQuoteHandling",
    "columnPruning",
    "inputBufferSize",
    "skipRows",
    "codec",
    "null_regex",
    "allow_truncated_rows",
];

const JSON: &[&str] = &[
    "primitivesAsString",
    "prefersDecimal",
    "allowComments",
    "allowUnquotedFieldNames",
    "allowSingleQuotes",
    "allowNumericLeadingZeros",
    "allowNonNumericNumbers",
    "allowBackslashEscapingAnyCharacter",
    "allowUnquotedControlChars",
    "dropFieldIfAllNull",
    "inferTimestamp",
    "useUnsafeRow",
    "maxNestingDepth",
    "maxNumLen",
    "maxStringLen",
];

const XML: &[&str] = &[
    "rowTag",
    "excludeAttribute",
    "attributePrefix",
    "valueTag",
    "ignoreSurroundingSpaces",
    "rowValidationXSDPath",
    "ignoreNamespace",
    "nullValue",
    "wildcardColName",
];

const PARQUET: &[&str] = &[
    "mergeSchema",
    "datetimeRebaseMode",
    "int96RebaseMode",
    "enable_page_index",
    "pruning",
    "skip_metadata",
    "metadata_size_hint",
    "pushdown_filters",
    "reorder_filters",
    "schema_force_view_types",
    "binary_as_string",
    "coerce_int96",
    "bloom_filter_on_read",
];

const ORC: &[&str] = &["mergeSchema"];

const TEXT: &[&str] = &["wholetext", "lineSep", "encoding", "charset"];

const AVRO: &[&str] = &[
    "avroSchema",
    "avroSchemaUrl",
    "datetimeRebaseMode",
    "mode",
    "positionalFieldMatching",
    "ignoreExtension",
    "recursiveFieldMaxDepth",
    "enableStableIdentifiersForUnionType",
    "stableIdentifierPrefixForUnionType",
];

const JDBC: &[&str] = &[
    "url",
    "dbtable",
    "query",
    "prepareQuery",
    "driver",
    "user",
    "password",
    "partitionColumn",
    "lowerBound",
    "upperBound",
    "numPartitions",
    "queryTimeout",
    "fetchsize",
    "sessionInitStatement",
    "customSchema",
    "pushDownPredicate",
    "pushDownAggregate",
    "pushDownLimit",
    "pushDownOffset",
    "pushDownTableSample",
    "pushDownJoin",
    "keytab",
    "principal",
    "refreshKrb5Config",
    "connectionProvider",
    "preferTimestampNTZ",
    "hint",
];

/// What other tools call an option.
const ELSEWHERE: &[(&str, &str)] = &[
    ("separator", "sep"),
    ("seperator", "sep"),
    ("field_delimiter", "sep"),
    ("has_header", "header"),
    ("quotechar", "quote"),
    ("escapechar", "escape"),
    ("null_value", "nullValue"),
    ("null_values", "nullValue"),
    ("na_values", "nullValue"),
    ("nullstr", "nullValue"),
    ("date_format", "dateFormat"),
    ("timestamp_format", "timestampFormat"),
    ("table", "dbtable"),
    ("username", "user"),
];

/// Warns of an option that is none of its format's.
pub(super) fn check(format: &str, option: &Spanned<String>, found: &mut Diagnostics) {
    let own: &[&[&str]] = match format {
        "csv" => &[FILES, VALUES, CSV],
        "json" => &[FILES, VALUES, JSON],
        "xml" => &[FILES, VALUES, XML],
        "parquet" => &[FILES, PARQUET],
        "orc" => &[FILES, ORC],
        "text" => &[FILES, TEXT],
        "avro" => &[FILES, AVRO],
        "jdbc" => &[JDBC],
        _ => return,
    };
    let known = || own.iter().flat_map(|names| names.iter().copied());
    let name = option.value.as_str();
    if known().any(|known| known.eq_ignore_ascii_case(name)) {
        return;
    }
    let elsewhere = ELSEWHERE
        .iter()
        .find(|(other, own)| other.eq_ignore_ascii_case(name) && known().any(|known| known == *own));
    let meant = elsewhere.map(|(_, own)| *own).or_else(|| nearest(name, known()));
    // What JDBC does not know goes to the database's driver.
    if format == "jdbc" && meant.is_none() {
        return;
    }
    let message = format!("`{format}` has no option `{name}`: engines pass over it");
    let diagnostic = Diagnostic::new(Code::UnknownOption, option.span, message);
    found.push(match meant {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")).instead(meant),
        None => diagnostic,
    });
}

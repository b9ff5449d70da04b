//! Events as a Parquet file (<https://parquet.apache.org/docs/file-format/>), one row group after another: what is written
//! is given away at once, and only the file's directory is kept for its end.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use sqlx::types::Json;

use crate::query::error::QueryError;
use crate::query::events::EventRow;

/// Rows of a row group, which is what a reader takes or skips at once. Its entry in the directory has some 2 KB, so the
/// directory of 100 million events some 4 MB.
const GROUP_ROWS: usize = 50_000;

/// A row group of large events ends earlier: 16 MiB before they are encoded, which take about five times as much while they are.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Ids are text, which every reader takes; Spark takes no `UUID`. JSON is called text, too: what is called JSON, ClickHouse
/// parses into paths, refuses the whole file where two are equal (`{"a.b": 1, "a": {"b": 2}}`), and rounds long numbers.
const SCHEMA: &str = "
    message event {
        REQUIRED BYTE_ARRAY id (STRING);
        REQUIRED BYTE_ARRAY event (STRING);
        OPTIONAL BYTE_ARRAY anonymous_id (STRING);
        OPTIONAL BYTE_ARRAY user_id (STRING);
        REQUIRED INT64 person_id;
        OPTIONAL BYTE_ARRAY session_id (STRING);
        OPTIONAL BYTE_ARRAY install_id (STRING);
        OPTIONAL INT64 seq;
        REQUIRED INT64 timestamp (TIMESTAMP(MICROS, true));
        REQUIRED INT64 received_at (TIMESTAMP(MICROS, true));
        REQUIRED INT64 client_timestamp (TIMESTAMP(MICROS, true));
        OPTIONAL BYTE_ARRAY properties (STRING);
        OPTIONAL BYTE_ARRAY context (STRING);
    }";

/// Numbers that mostly rise by a little.
const DELTAS: [&str; 4] = ["seq", "timestamp", "received_at", "client_timestamp"];

/// No two are equal, so a dictionary of them would be in vain.
const DISTINCT: [&str; 2] = ["id", "properties"];

/// The least and the greatest of them say nothing.
const UNORDERED: [&str; 2] = ["properties", "context"];

/// A file that is being written.
#[derive(Debug)]
pub struct Parquet {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The values of a column in this row group, and for each row whether it has one (1) or none (0).
#[derive(Debug, Default)]
struct Column {
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    levels: Vec<i16>,
}

enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl Parquet {
    /// Begins a file.
    ///
    /// # Errors
    /// [`QueryError::File`].
    pub fn begin() -> Result<Self, QueryError> {
        let schema: TypePtr = Arc::new(parse_message_type(SCHEMA)?);
        let columns = schema.get_fields().iter().map(|_| Column::default()).collect();
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties()))?;
        Ok(Self {
            file,
            columns,
            rows: 0,
            bytes: 0,
        })
    }

    /// Takes a row into the row group.
    pub fn push(&mut self, row: EventRow) {
        self.rows += 1;
        self.bytes += row.json_bytes();
        for (column, value) in self.columns.iter_mut().zip(values(row)) {
            column.push(value);
        }
    }

    /// Whether the row group has to be written.
    #[must_use]
    pub fn is_group_full(&self) -> bool {
        self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    /// Writes the row group; what the file has grown by.
    ///
    /// # Errors
    /// [`QueryError::File`].
    pub fn write_group(&mut self) -> Result<Bytes, QueryError> {
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            let mut writer = group.next_column()?.ok_or_else(|| missing("column"))?;
            std::mem::take(column).write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        // What the file is to be at is counted by the writer itself, which needs none of it again.
        self.file.flush().map_err(ParquetError::from)?;
        Ok(std::mem::take(self.file.inner_mut()).into())
    }

    /// Writes the last row group, and the directory.
    ///
    /// # Errors
    /// [`QueryError::File`].
    pub fn end(mut self) -> Result<Bytes, QueryError> {
        let mut bytes = Vec::new();
        if self.rows > 0 {
            bytes.extend_from_slice(&self.write_group()?);
        }
        bytes.extend_from_slice(&self.file.into_inner()?);
        Ok(bytes.into())
    }
}

impl Column {
    fn push(&mut self, value: Value) {
        let is_there = match value {
            Value::Text(text) => self.texts.extend_some(text.map(|text| text.into_bytes().into())),
            Value::Number(number) => self.numbers.extend_some(number),
        };
        self.levels.push(i16::from(is_there));
    }

    /// The levels are passed over where the schema says that a value is always there.
    fn write(self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), QueryError> {
        let levels = Some(self.levels.as_slice());
        match writer.untyped() {
            ColumnWriter::ByteArrayColumnWriter(writer) => writer.write_batch(&self.texts, levels, None)?,
            ColumnWriter::Int64ColumnWriter(writer) => writer.write_batch(&self.numbers, levels, None)?,
            _ => return Err(missing("kind of column")),
        };
        Ok(())
    }
}

/// Pushes what is there, and says whether it is.
trait ExtendSome<T> {
    fn extend_some(&mut self, value: Option<T>) -> bool;
}

impl<T> ExtendSome<T> for Vec<T> {
    fn extend_some(&mut self, value: Option<T>) -> bool {
        let before = self.len();
        self.extend(value);
        self.len() > before
    }
}

/// In the order of [`SCHEMA`].
fn values(row: EventRow) -> [Value; 13] {
    let json = |json: Option<Json<Box<serde_json::value::RawValue>>>| {
        Value::Text(json.map(|Json(text)| Box::<str>::from(text).into_string()))
    };
    [
        Value::Text(Some(row.id.to_string())),
        Value::Text(Some(row.event)),
        Value::Text(row.anonymous_id),
        Value::Text(row.user_id),
        Value::Number(Some(row.person_id)),
        Value::Text(row.session_id),
        Value::Text(row.install_id),
        Value::Number(row.seq),
        Value::Number(Some(row.timestamp.0.micros())),
        Value::Number(Some(row.received_at.0.micros())),
        Value::Number(Some(row.client_timestamp.0.micros())),
        json(row.properties),
        json(row.context),
    ]
}

fn properties() -> WriterProperties {
    let column = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    for name in DELTAS {
        properties = properties
            .set_column_dictionary_enabled(column(name), false)
            .set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in DISTINCT {
        properties = properties.set_column_dictionary_enabled(column(name), false);
    }
    for name in UNORDERED {
        properties = properties.set_column_statistics_enabled(column(name), EnabledStatistics::None);
    }
    properties.build()
}

fn missing(what: &str) -> QueryError {
    QueryError::File(format!("there is no such {what}"))
}

impl From<ParquetError> for QueryError {
    fn from(error: ParquetError) -> Self {
        Self::File(error.to_string())
    }
}

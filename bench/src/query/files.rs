//! The history as Parquet files, for the engines that answers are compared with: `events-1.parquet` and `events-2.parquet`,
//! each written by a thread of its own, and `identities.parquet`, which says whose they are.

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::history::{self, History};
use super::questions::PROMOTED;
use crate::Outcome;
use crate::args::HistoryFiles;

/// Rows of a row group: 60 MB before they are encoded.
const GROUP: u64 = 1_000_000;

/// All numbers but `ms` (milliseconds since 1970) and the session fit into 32 bits; the other five properties and the
/// context are left out, because no question asks for them.
const EVENTS: &str = "
    message event {
        REQUIRED INT32 name;
        REQUIRED INT32 identity;
        REQUIRED INT64 ms;
        REQUIRED INT32 seq;
        REQUIRED INT64 session;
        OPTIONAL BYTE_ARRAY property (STRING);
    }";

const IDENTITIES: &str = "message identity { REQUIRED INT32 identity; REQUIRED INT32 person; }";

/// The values of a column, in the form of its kind.
enum Column {
    Small(Vec<i32>),
    Large(Vec<i64>),
    /// Texts, and for each row whether it has one (1) or none (0).
    Text(Vec<ByteArray>, Vec<i16>),
}

/// Writes the files.
///
/// # Errors
/// The disk's.
pub fn write(args: &HistoryFiles) -> Outcome<()> {
    let (history, began) = (History { events: args.events }, Instant::now());
    fs::create_dir_all(&args.dir)?;
    let half = history.events / 2;
    let file = |name: &str| args.dir.join(name);
    let (first, second) = (file("events-1.parquet"), file("events-2.parquet"));
    thread::scope(|scope| {
        let other = scope.spawn(|| events(&second, history, half..history.events).map_err(|error| error.to_string()));
        events(&first, history, 0..half)?;
        other.join().map_err(|_| "the other thread panicked")??;
        Outcome::Ok(())
    })?;
    identities(&file("identities.parquet"), history)?;
    println!(
        "{} events written in {:.0} s",
        history.events,
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

fn events(path: &Path, history: History, range: Range<u64>) -> Outcome<()> {
    let texts: Vec<ByteArray> = (0..=history::NAMES)
        .map(|number| history::text_value(number).into_bytes().into())
        .collect();
    let mut file = begun(path, EVENTS)?;
    for from in range.clone().step_by(GROUP as usize) {
        let to = (from + GROUP).min(range.end);
        let (mut name, mut identity, mut at, mut seq, mut session) = (vec![], vec![], vec![], vec![], vec![]);
        let (mut property, mut levels) = (vec![], vec![]);
        for index in from..to {
            let made = history.event(index);
            name.push(i32::try_from(made.name)?);
            identity.push(i32::try_from(made.identity)?);
            at.push(made.at.millis());
            seq.push(i32::try_from(made.seq)?);
            session.push(made.session.as_u64_pair().1.cast_signed());
            let value = history::text_property(&made, index, PROMOTED);
            levels.push(i16::from(value.is_some()));
            property.extend(value.and_then(|number| texts.get(number as usize).cloned()));
        }
        let columns = [
            Column::Small(name),
            Column::Small(identity),
            Column::Large(at),
            Column::Small(seq),
            Column::Large(session),
            Column::Text(property, levels),
        ];
        group(&mut file, columns)?;
    }
    file.close()?;
    Ok(())
}

fn identities(path: &Path, history: History) -> Outcome<()> {
    let (mut identity, mut whose) = (Vec::new(), Vec::new());
    for person in 0..history.persons() {
        let (device, user) = (history.device(person), history.user(person));
        for id in [Some(device), user].into_iter().flatten() {
            identity.push(i32::try_from(id)?);
            whose.push(i32::try_from(user.unwrap_or(device))?);
        }
    }
    let mut file = begun(path, IDENTITIES)?;
    group(&mut file, [Column::Small(identity), Column::Small(whose)])?;
    file.close()?;
    Ok(())
}

fn begun(path: &Path, schema: &str) -> Outcome<SerializedFileWriter<File>> {
    let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    for rising in ["ms", "seq", "identity"] {
        properties = properties
            .set_column_dictionary_enabled(ColumnPath::from(rising), false)
            .set_column_encoding(ColumnPath::from(rising), Encoding::DELTA_BINARY_PACKED);
    }
    let schema = Arc::new(parse_message_type(schema)?);
    Ok(SerializedFileWriter::new(
        File::create(path)?,
        schema,
        Arc::new(properties.build()),
    )?)
}

fn group<const N: usize>(file: &mut SerializedFileWriter<File>, columns: [Column; N]) -> Outcome<()> {
    let mut group = file.next_row_group()?;
    for column in columns {
        let mut writer = group.next_column()?.ok_or("the schema has fewer columns")?;
        match (writer.untyped(), column) {
            (ColumnWriter::Int32ColumnWriter(writer), Column::Small(values)) => {
                writer.write_batch(&values, None, None)?
            }
            (ColumnWriter::Int64ColumnWriter(writer), Column::Large(values)) => {
                writer.write_batch(&values, None, None)?
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Column::Text(values, levels)) => {
                writer.write_batch(&values, Some(&levels), None)?
            }
            _ => return Err("the schema has another column here".into()),
        };
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{Row, RowAccessor};

    use super::*;

    fn rows(path: &Path) -> Vec<Row> {
        let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        file.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect()
    }

    #[test]
    fn the_files_hold_every_event_once_and_whose_each_identity_is() {
        let dir = tempfile::tempdir().unwrap();
        let history = History { events: 2_001 };
        write(&HistoryFiles {
            events: history.events,
            dir: dir.path().to_owned(),
        })
        .unwrap();
        let events: Vec<Row> = ["events-1.parquet", "events-2.parquet"]
            .iter()
            .flat_map(|name| rows(&dir.path().join(name)))
            .collect();
        assert_eq!(events.len(), 2_001);
        for (row, index) in events.iter().zip(0..) {
            let made = history.event(index);
            let numbers = [row.get_int(0), row.get_int(1), row.get_int(3)].map(|number| number.unwrap() as u64);
            assert_eq!(numbers, [made.name, made.identity, made.seq]);
            assert_eq!(row.get_long(2).unwrap(), made.at.millis());
            let property = history::text_property(&made, index, PROMOTED).map(history::text_value);
            assert_eq!(row.get_string(5).ok(), property.as_ref());
        }
        let identities = rows(&dir.path().join("identities.parquet"));
        for row in &identities {
            let [identity, whose] = [row.get_int(0), row.get_int(1)].map(|number| number.unwrap() as u64);
            let person =
                (0..history.persons()).find(|person| history.user(*person).unwrap_or(history.device(*person)) == whose);
            let person = person.unwrap();
            assert!(identity == history.device(person) || Some(identity) == history.user(person));
        }
        let users = (0..history.persons())
            .filter(|person| history.user(*person).is_some())
            .count();
        assert_eq!(identities.len() as u64, history.persons() + users as u64);
    }
}

//! The events of a stretch of time as a file, Parquet or JSON lines, in bounded memory.
//!
//! [`pages`] reads the rows a page at a time, each page a look of its own, in [`slices`] of time; [`parquet`] makes row
//! groups of them; [`http`] streams what is done. Events never change, so what is there from beginning to end is in it once;
//! what arrives meanwhile may or may not be.

pub mod slices;
pub mod pages;
pub mod parquet;
pub mod http;

use bytes::Bytes;

use self::pages::Pages;
use self::parquet::Parquet;
use super::error::QueryError;
use super::events::EventRow;
use super::params::TimeRange;
use super::reader::Reader;
use super::turns::Turns;
use crate::gateway::problem::Problem;

/// Media type of Parquet (<https://www.iana.org/assignments/media-types/application/vnd.apache.parquet>).
pub const PARQUET: &str = "application/vnd.apache.parquet";

/// Media type of JSON lines.
pub const NDJSON: &str = "application/x-ndjson";

/// In what form events are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns, compressed with zstd.
    Parquet,
    /// One JSON object per line.
    NdJson,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Parquet => PARQUET,
            Self::NdJson => NDJSON,
        }
    }
}

/// An export that is under way.
#[derive(Debug)]
pub struct EventsExport {
    project_id: i32,
    pages: Pages,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Parquet(Box<Parquet>),
    NdJson,
    /// The end was written.
    Ended,
}

impl EventsExport {
    /// Begins with the events of `range`, those of these names or of all where there are none.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn begin(reader: Reader, format: Format, range: TimeRange, names: &[String]) -> Result<Self, QueryError> {
        let form = match format {
            Format::Parquet => Form::Parquet(Box::new(Parquet::begin()?)),
            Format::NdJson => Form::NdJson,
        };
        Ok(Self {
            project_id: reader.project_id(),
            pages: Pages::begin(reader, range, names).await?,
            form,
        })
    }

    /// The next bytes of the file; `None` behind its end. A turn is taken for each page: who takes the bytes slowly keeps
    /// nobody waiting.
    ///
    /// # Errors
    /// What stands in the way; then the file has no end.
    pub async fn next(&mut self, turns: &Turns) -> Result<Option<Bytes>, Problem> {
        loop {
            if matches!(self.form, Form::Ended) {
                return Ok(None);
            }
            let turn = turns.next(self.project_id).await?;
            let page = self.pages.next().await?;
            drop(turn);
            let written = match page {
                Some(page) => self.take(page).await?,
                None => Some(self.end().await?),
            };
            if let Some(bytes) = written.filter(|bytes| !bytes.is_empty()) {
                return Ok(Some(bytes));
            }
        }
    }

    async fn take(&mut self, page: Vec<EventRow>) -> Result<Option<Bytes>, QueryError> {
        match &mut self.form {
            Form::NdJson => Ok(Some(lines(&page))),
            Form::Parquet(file) => {
                page.into_iter().for_each(|row| file.push(row));
                if file.is_group_full() {
                    self.group().await.map(Some)
                } else {
                    Ok(None)
                }
            }
            Form::Ended => Ok(None),
        }
    }

    /// A row group takes some 0.2 s to encode, which is done aside.
    async fn group(&mut self) -> Result<Bytes, QueryError> {
        let Form::Parquet(mut file) = std::mem::replace(&mut self.form, Form::Ended) else {
            return Ok(Bytes::new());
        };
        let (file, bytes) = aside(move || {
            let bytes = file.write_group()?;
            Ok((file, bytes))
        })
        .await?;
        self.form = Form::Parquet(file);
        Ok(bytes)
    }

    async fn end(&mut self) -> Result<Bytes, QueryError> {
        match std::mem::replace(&mut self.form, Form::Ended) {
            Form::Parquet(file) => aside(move || file.end()).await,
            Form::NdJson | Form::Ended => Ok(Bytes::new()),
        }
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(QueryError::File(error.to_string())))
}

/// What is exported was read from `jsonb` and plain columns, which always serialise.
fn lines(page: &[EventRow]) -> Bytes {
    let mut lines = Vec::new();
    for row in page {
        lines.extend(serde_json::to_vec(row).unwrap_or_default());
        lines.push(b'\n');
    }
    lines.into()
}

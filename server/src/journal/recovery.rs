//! Opening: which segments there are, where the last one ends, and what of it is torn.

use std::io;
use std::sync::Arc;

use tracing::{info, warn};
use uuid::Uuid;

use super::disk::{Disk, DiskFile, SharedFile};
use super::ending::{Ending, ending};
use super::local::OpenError;
use super::record::{self, FRAME_BYTES, HEADER_BYTES, Header, HeaderFound};
use super::scanner::{Found, Scanner};
use super::segment::{self, Segment};
use super::{Seq, spares};

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The journal's identity; new if the directory was empty.
    pub id: Uuid,
    /// The first record on disk, or the one that will be.
    pub first_seq: Seq,
    /// The last durable record; `first_seq - 1` if there is none.
    pub last_seq: Seq,
    /// Records on disk. Only the last segment is verified now, older ones when they are read.
    pub records: u64,
    /// Bytes of torn, never acknowledged writes that were cut off.
    pub cut_bytes: u64,
    /// Damaged files set aside, now or earlier.
    pub quarantined: Vec<String>,
}

/// An opened directory.
pub(super) struct Opened {
    /// Oldest first; the last one is to be written.
    pub(super) segments: Vec<Arc<Segment>>,
    /// Where in the last segment to write.
    pub(super) offset: u64,
    /// The record to be written next.
    pub(super) next: Seq,
    pub(super) recovery: Recovery,
}

/// Where writing goes on.
struct Place {
    offset: u64,
    next: Seq,
    durable: Seq,
}

/// A directory being opened.
struct Opening<'a> {
    disk: &'a dyn Disk,
    segment_bytes: u64,
    /// Known once a whole header was met.
    id: Option<Uuid>,
    quarantined: Vec<String>,
    cut_bytes: u64,
}

/// Opens the journal in `disk`. New segments have `segment_bytes`; a new journal is called `new_id`.
pub(super) fn recover(disk: &dyn Disk, segment_bytes: u64, new_id: Uuid) -> Result<Opened, OpenError> {
    let names = disk.list()?;
    let mut firsts: Vec<Seq> = names.iter().filter_map(|name| segment::first_of(name)).collect();
    firsts.sort_unstable();
    let quarantined = names
        .into_iter()
        .filter(|name| segment::is_corrupt_name(name))
        .collect();
    let mut opening = Opening {
        disk,
        segment_bytes,
        id: None,
        quarantined,
        cut_bytes: 0,
    };
    let mut files = opening.files(&firsts)?;
    let last = files.pop();
    let id = opening.id.unwrap_or(new_id);
    let mut segments = files.into_iter().map(older).collect::<io::Result<Vec<_>>>()?;
    let Place { offset, next, durable } = match last {
        None => opening.start_segment(&mut segments, 1, id, 0)?,
        Some((first, file)) => opening.last(&mut segments, first, file, id)?,
    };
    let first_seq = segments.first().map_or(next, |segment| segment.first);
    let Opening {
        mut quarantined,
        cut_bytes,
        ..
    } = opening;
    quarantined.sort_unstable();
    let records = durable.saturating_add(1).saturating_sub(first_seq);
    let last_seq = durable.max(first_seq.saturating_sub(1));
    let recovery = Recovery {
        id,
        first_seq,
        last_seq,
        records,
        cut_bytes,
        quarantined,
    };
    info!(?recovery, "journal opened");
    Ok(Opened {
        segments,
        offset,
        next,
        recovery,
    })
}

/// A segment that is not the last: verified when it is read.
fn older((first, file): (Seq, SharedFile)) -> io::Result<Arc<Segment>> {
    let len = file.len()?;
    Ok(Arc::new(Segment::new(first, file, len, len)))
}

impl Opening<'_> {
    /// Opens the segments that belong to this journal and sets others aside.
    fn files(&mut self, firsts: &[Seq]) -> Result<Vec<(Seq, SharedFile)>, OpenError> {
        let mut files = Vec::new();
        for &first in firsts {
            let file = self.disk.open(&segment::name_of(first))?;
            if self.belongs(first, &*file)? {
                files.push((first, file));
            } else {
                self.set_aside(first)?;
            }
        }
        Ok(files)
    }

    /// Whether a segment is this journal's. One with a broken header is: its records are checked on their own.
    fn belongs(&mut self, first: Seq, file: &dyn DiskFile) -> Result<bool, OpenError> {
        match header_of(file)? {
            HeaderFound::Foreign => Err(OpenError::Format(segment::name_of(first))),
            HeaderFound::Broken => Ok(true),
            HeaderFound::Whole(header) => {
                let id = *self.id.get_or_insert(header.journal);
                Ok(header == Header { first, journal: id })
            }
        }
    }

    fn set_aside(&mut self, first: Seq) -> io::Result<()> {
        let name = segment::name_of(first);
        let kept = segment::corrupt_name(&name);
        warn!(%name, "a segment that belongs to another journal was set aside");
        self.disk.rename(&name, &kept)?;
        self.disk.sync_dir()?;
        self.quarantined.push(kept);
        Ok(())
    }

    /// Finds the end of the last segment and makes it, or a new one, ready to be written.
    fn last(
        &mut self,
        segments: &mut Vec<Arc<Segment>>,
        first: Seq,
        file: SharedFile,
        id: Uuid,
    ) -> Result<Place, OpenError> {
        settle(&*file)?;
        let len = file.len()?;
        let segment = Arc::new(Segment::new(first, Arc::clone(&file), len, len));
        let (next, offset) = walk(&segment)?;
        match ending(&*file, next, offset, len)? {
            Ending::Damaged => {
                self.keep_damaged(&segment);
                segments.push(segment);
                // Each lost record took a frame at least, so none of them can have had this number.
                let beyond = next.saturating_add((len - offset) / FRAME_BYTES as u64 + 1);
                return Ok(self.start_segment(segments, beyond, id, next - 1)?);
            }
            Ending::Torn(bytes) => {
                warn!(segment = segment.name(), bytes, "cut the torn tail of the journal");
                self.cut_bytes += bytes;
                file.truncate(offset)?;
            }
            Ending::Clean => {}
        }
        let capacity = self.make_writable(&*file, Header { first, journal: id })?;
        let ready = Arc::new(Segment::new(first, file, capacity, offset));
        ready.take_marks_of(&segment);
        segments.push(ready);
        Ok(Place {
            offset,
            next,
            durable: next - 1,
        })
    }

    /// Restores a last segment's header and size; its capacity.
    fn make_writable(&self, file: &dyn DiskFile, header: Header) -> io::Result<u64> {
        if let Err(error) = file.allocate(self.segment_bytes) {
            warn!(%error, "the last segment keeps its size");
        }
        if header_of(file)? != HeaderFound::Whole(header) {
            file.write_at(&record::encode_header(header), 0)?;
        }
        file.sync_all()?;
        self.disk.sync_dir()?;
        file.len()
    }

    fn keep_damaged(&mut self, segment: &Segment) {
        segment.mark_damaged();
        let kept = keep_corrupt(self.disk, &segment.name());
        self.quarantined.extend(kept);
    }

    /// Adds an empty segment that begins with `first`.
    fn start_segment(&self, segments: &mut Vec<Arc<Segment>>, first: Seq, id: Uuid, durable: Seq) -> io::Result<Place> {
        let file = spares::make(self.disk, self.segment_bytes)?;
        file.write_at(&record::encode_header(Header { first, journal: id }), 0)?;
        file.sync_all()?;
        self.disk.rename(segment::SPARE, &segment::name_of(first))?;
        self.disk.sync_dir()?;
        let offset = HEADER_BYTES as u64;
        segments.push(Arc::new(Segment::new(first, file, self.segment_bytes, offset)));
        Ok(Place {
            offset,
            next: first,
            durable,
        })
    }
}

/// Keeps a damaged file under a second name, so that freeing its space later does not destroy the evidence. Its new
/// name, unless it was kept before or the file system cannot.
pub(super) fn keep_corrupt(disk: &dyn Disk, name: &str) -> Option<String> {
    let kept = segment::corrupt_name(name);
    match disk.link(name, &kept).and_then(|()| disk.sync_dir()) {
        Ok(()) => {
            tracing::error!(%name, %kept, "a journal segment is damaged; its readable records are served");
            Some(kept)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
        Err(error) => {
            tracing::error!(%name, %error, "a journal segment is damaged and cannot be kept aside");
            Some(name.to_owned())
        }
    }
}

/// Makes sure that what is read next is what a power loss would leave. Valid records of an unfinished group become
/// durable here, before anyone may act on them.
fn settle(file: &dyn DiskFile) -> io::Result<()> {
    file.sync_all()?;
    if let Err(error) = file.drop_cache() {
        warn!(%error, "the file system does not drop its cache");
    }
    Ok(())
}

fn header_of(file: &dyn DiskFile) -> io::Result<HeaderFound> {
    let mut bytes = [0; HEADER_BYTES];
    file.read_at(&mut bytes, 0)?;
    Ok(record::decode_header(&bytes))
}

/// Walks all whole records from the start: the record that would come next and its offset.
fn walk(segment: &Segment) -> io::Result<(Seq, u64)> {
    let mut scanner = Scanner::new(&*segment.file, segment.first, HEADER_BYTES as u64, segment.end());
    while let Found::Record(_) = scanner.step()? {
        segment.marks().note(scanner.seq, scanner.offset);
    }
    Ok((scanner.seq, scanner.offset))
}

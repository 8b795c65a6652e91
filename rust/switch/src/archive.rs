//! Bodies stay in the journal: what a queue holds of an entry is where to read it again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_routing::LineId;
use clets_wire::{Dialect, KeyId, decode};

use crate::decision::find_key;
use crate::entry::{Entry, Stored, Waiting};
use crate::record::{self, Accepted, EntryRecord, InterceptEvent};
use crate::{Bundle, codes};

/// Records by number: the journal, or what stands in for it.
///
/// The engine reads here only what [`crate::Event::Durable`] has told it is on stable storage. A
/// read may touch the disk; it is short, and most of what is read was written a moment ago.
pub trait Archive: fmt::Debug + Send {
    /// A record.
    ///
    /// # Errors
    /// Why it cannot be had, in words: the switch then stops rather than pass it over.
    fn read(&mut self, number: u64) -> Result<Archived, String>;
}

/// A record that was read again.
#[derive(Clone, Debug)]
pub struct Archived {
    /// Its kind, one of [`crate::record`].
    pub kind: u8,
    /// When it was appended, microseconds since 1970, UTC.
    pub time_us: i64,
    /// Its body.
    pub body: Vec<u8>,
}

/// A record that is needed and cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable {
    /// The record's number.
    pub record: u64,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "E{}: record {}: {}", codes::JOURNAL_UNREADABLE, self.record, self.reason)
    }
}

impl Stored {
    /// The message of an ACCEPTED record.
    ///
    /// # Errors
    /// When the record is not what its kind says.
    pub(crate) fn of_record(
        bundle: &Bundle,
        number: u64,
        accepted: &Accepted<'_>,
    ) -> Result<Self, String> {
        let dialect = Dialect::parse(&accepted.dialect)
            .ok_or_else(|| format!("dialect `{}` is not known", accepted.dialect))?;
        let text = if accepted.meaning.is_empty() { &accepted.body } else { &accepted.meaning };
        let envelope = decode(text, dialect).map_err(|error| error.to_string())?;
        let line = bundle.directory.find_line(&accepted.line);
        // An answer that names no key goes by that of its inquiry.
        let key = find_key(bundle, &envelope, text).or_else(|| {
            let (system, key) = accepted.key.split_once('.').unwrap_or(("", &accepted.key));
            let key = key.strip_prefix("R.").unwrap_or(key);
            bundle.catalogue.find(system.as_bytes(), key.as_bytes())
        });
        Ok(Self {
            number,
            line,
            key: key.unwrap_or(KeyId(0)),
            dialect,
            envelope,
            labels: accepted.labels.iter().map(ToString::to_string).collect(),
            late: accepted.late,
            responder: line.map(|id| bundle.directory.line(id).ori.clone()).unwrap_or_default(),
            requester: accepted.requester.as_bytes().into(),
            entered: accepted.entered.as_bytes().into(),
            follow_ups: AtomicU8::new(crate::follow::count_of(!accepted.follow_up.is_empty())),
            body: text.as_ref().into(),
        })
    }
}

/// Messages that were released from the intercept queue, with the records that have their entries.
pub(crate) type Released = BTreeMap<u64, u64>;

/// The entry that waits, read again where it is not at hand.
pub(crate) fn load(
    archive: &mut dyn Archive,
    bundle: &Bundle,
    released: &Released,
    (line, precedence): (LineId, u8),
    waiting: &mut Waiting,
) -> Result<Box<Entry>, Unreadable> {
    if let Some(entry) = waiting.ready.take() {
        return Ok(entry);
    }
    let record = released.get(&waiting.number).copied().unwrap_or(waiting.number);
    let (stored, target) = read(archive, bundle, record, waiting.index)
        .map_err(|reason| Unreadable { record, reason })?;
    Ok(Box::new(Entry {
        stored: Arc::new(stored),
        index: waiting.index,
        line,
        home: waiting.home,
        precedence,
        sequence: waiting.sequence,
        deadline_us: waiting.deadline_us,
        notice_s: waiting.notice_s,
        key: waiting.key,
        refusals: waiting.refusals,
        possible_duplicate: waiting.possible_duplicate,
        target: target.target.into_owned(),
    }))
}

/// The message of a number.
pub(crate) fn message(
    archive: &mut dyn Archive,
    bundle: &Bundle,
    number: u64,
) -> Result<Stored, String> {
    let Archived { kind, body, .. } = archive.read(number)?;
    Ok(accepted(bundle, number, kind, &body)?.0)
}

/// A message and one of its entries, as a record gave it.
fn read(
    archive: &mut dyn Archive,
    bundle: &Bundle,
    number: u64,
    index: u16,
) -> Result<(Stored, EntryRecord<'static>), String> {
    let Archived { kind, body, .. } = archive.read(number)?;
    if kind == record::INTERCEPT {
        let event: InterceptEvent<'_> = record::decode(&body).map_err(|it| it.to_string())?;
        let entry = entry_of(&event.entries, index)?;
        return Ok((message(archive, bundle, event.message)?, entry));
    }
    let (stored, entries) = accepted(bundle, number, kind, &body)?;
    Ok((stored, entry_of(&entries, index)?))
}

fn accepted<'b>(
    bundle: &Bundle,
    number: u64,
    kind: u8,
    body: &'b [u8],
) -> Result<(Stored, Vec<EntryRecord<'b>>), String> {
    if kind != record::ACCEPTED {
        return Err(format!("`{}` is no message", record::kind_name(kind)));
    }
    let accepted: Accepted<'_> = record::decode(body).map_err(|it| it.to_string())?;
    let stored = Stored::of_record(bundle, number, &accepted)?;
    Ok((stored, accepted.entries))
}

fn entry_of(entries: &[EntryRecord<'_>], index: u16) -> Result<EntryRecord<'static>, String> {
    let entry = entries.get(usize::from(index)).ok_or("it has no such entry")?;
    Ok(EntryRecord {
        line: entry.line.clone().into_owned().into(),
        home: entry.home.clone().into_owned().into(),
        target: entry.target.clone().into_owned(),
        ..*entry
    })
}

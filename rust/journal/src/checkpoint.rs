//! Checkpoint files: the key, the latest signed tree head, and the history of all of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::note::{Checkpoint, NoteKey, VerifyingKey};
use crate::storage::{Access, Handle, Storage, read_file, read_full, replace_file, write_all};
use crate::tree::Hash;

pub(crate) const KEY_FILE: &str = "checkpoint.key";
pub(crate) const VKEY_FILE: &str = "checkpoint.vkey";
pub(crate) const LATEST_FILE: &str = "checkpoint";
pub(crate) const HISTORY_FILE: &str = "checkpoint.history";

const NOTE_BYTES_MAX: u64 = 64 << 10;
const RECENT_BYTES: u64 = 64 << 10;

/// Signs tree heads and keeps them.
pub(crate) struct Notary {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    key: NoteKey,
    history: Box<dyn Handle>,
    history_end: u64,
    /// The last tree size signed, and the last one known in the journal's directory.
    pub(crate) size: u64,
}

impl Notary {
    /// Takes up the key and the history, making both on first use.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        origin: &str,
    ) -> Result<(Self, Option<Checkpoint>), Error> {
        let key = open_key(&*storage, dir, origin)?;
        let path = dir.join(HISTORY_FILE);
        let known = Known::load(&*storage, dir, &key.verifying(), Extent::Recent)?;
        let history = match known.history_end {
            None => storage.create(&path, Access::Public).map_err(Error::write(&path))?,
            Some(_) => storage.open(&path, true).map_err(Error::write(&path))?,
        };
        // An unfinished note at the end is what a power cut leaves; the next one takes its place.
        let history_end = known.history_end.unwrap_or(0);
        if history.length().map_err(Error::read(&path))? != history_end {
            history.set_length(history_end).map_err(Error::write(&path))?;
        }
        // A failed sync may have left the last note to be seen and not on the disk: once more.
        let last_at = history_end.saturating_sub(known.last_note.len() as u64);
        write_all(&*history, known.last_note.as_bytes(), last_at).map_err(Error::write(&path))?;
        history.sync().map_err(Error::write(&path))?;
        let last = known.history.into_iter().last();
        let size = last.as_ref().map_or(0, |last| last.size);
        let dir = dir.to_path_buf();
        Ok((Self { storage, dir, key, history, history_end, size }, last))
    }

    /// Signs and stores a tree head. History first: the latest file is never ahead of it.
    pub(crate) fn sign(&mut self, size: u64, root: Hash) -> Result<(), Error> {
        let note = self.key.sign(size, root);
        let failed = || Error::write(self.dir.join(HISTORY_FILE));
        let entry = format!("{note}\n");
        write_all(&*self.history, entry.as_bytes(), self.history_end).map_err(failed())?;
        self.history.sync().map_err(failed())?;
        self.history_end += entry.len() as u64;
        let latest = self.dir.join(LATEST_FILE);
        replace_file(&*self.storage, &latest, Access::Public, note.as_bytes())
            .map_err(Error::write(&latest))?;
        self.size = size;
        Ok(())
    }
}

/// How much of the history to look at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// The end of it: all that opening needs, and flat in cost as the history grows.
    Recent,
}

/// What the checkpoint files of a directory say, every signature looked at checked.
pub(crate) struct Known {
    /// In order of size.
    pub(crate) history: Vec<Checkpoint>,
    /// Bytes of whole notes in the history; `None` when there is no such file.
    history_end: Option<u64>,
    /// The last whole note with the empty line behind it, or nothing.
    last_note: String,
}

impl Known {
    /// Reads and checks latest and history.
    ///
    /// Errors: a note that does not open, sizes that go back, or a latest that the history lacks.
    pub(crate) fn load(
        storage: &dyn Storage,
        dir: &Path,
        key: &VerifyingKey,
        extent: Extent,
    ) -> Result<Self, Error> {
        // The latest before the history: a living writer adds to the history first.
        let latest = read_text(storage, &dir.join(LATEST_FILE))?;
        let Some((start, text)) = read_history(storage, dir, key, extent)? else {
            if latest.is_some() {
                return Err(Error::checkpoint("the history is missing"));
            }
            return Ok(Self { history: Vec::new(), history_end: None, last_note: String::new() });
        };
        let mut history: Vec<Checkpoint> = Vec::new();
        let mut found = latest.is_none();
        let mut rest = text.as_str();
        let mut last_note = String::new();
        while let Some((note, after)) = split_note(rest) {
            let checkpoint = match Checkpoint::open(note, key) {
                Ok(checkpoint) => checkpoint,
                // Nothing whole follows: a note whose sectors did not all arrive.
                Err(_) if split_note(after).is_none() => break,
                Err(error) => return Err(error),
            };
            if history.last().is_some_and(|last| last.size > checkpoint.size) {
                return Err(Error::checkpoint("sizes in the history go back"));
            }
            found |= latest.as_deref() == Some(note);
            history.push(checkpoint);
            last_note = format!("{note}\n");
            rest = after;
        }
        if !found {
            return Err(Error::checkpoint("the latest one is not in the history"));
        }
        let history_end = Some(start + (text.len() - rest.len()) as u64);
        Ok(Self { history, history_end, last_note })
    }
}

/// The history's text and where it begins in the file; `None` when there is no file. What is not
/// text behind it is left out: an unfinished note is never whole.
fn read_history(
    storage: &dyn Storage,
    dir: &Path,
    key: &VerifyingKey,
    extent: Extent,
) -> Result<Option<(u64, String)>, Error> {
    let path = dir.join(HISTORY_FILE);
    let failed = || Error::read(&path);
    let file = match storage.open(&path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed()(error)),
    };
    let length = file.length().map_err(failed())?;
    let mut start = match extent {
        Extent::All => 0,
        Extent::Recent => length.saturating_sub(RECENT_BYTES),
    };
    let mut bytes = vec![0; usize::try_from(length - start).unwrap_or(usize::MAX)];
    let read = read_full(&*file, &mut bytes, start).map_err(failed())?;
    bytes.truncate(read);
    if start > 0 {
        // Begin with a whole note: behind a blank line, the origin.
        let mark = format!("\n\n{}\n", key.name());
        let at = bytes.windows(mark.len()).position(|window| window == mark.as_bytes());
        let skipped = at.map_or(bytes.len(), |at| at + 2);
        bytes.drain(..skipped);
        start += skipped as u64;
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let whole = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(whole);
            String::from_utf8(bytes).unwrap_or_default()
        }
    };
    Ok(Some((start, text)))
}

/// The verifier key that lies beside the journal; `None` before the journal's first opening.
pub(crate) fn load_vkey(storage: &dyn Storage, dir: &Path) -> Result<Option<VerifyingKey>, Error> {
    let text = read_text(storage, &dir.join(VKEY_FILE))?;
    let Some(text) = text else { return Ok(None) };
    let line = text.strip_suffix('\n').ok_or_else(|| Error::checkpoint("unfinished vkey file"))?;
    VerifyingKey::parse(line).map(Some)
}

fn open_key(storage: &dyn Storage, dir: &Path, origin: &str) -> Result<NoteKey, Error> {
    let path = dir.join(KEY_FILE);
    let key = match read_text(storage, &path)? {
        Some(text) => NoteKey::parse(text.strip_suffix('\n').unwrap_or(&text))?,
        None => {
            if load_vkey(storage, dir)?.is_some() {
                return Err(Error::checkpoint("the private key is missing, its vkey is there"));
            }
            let mut seed = [0; 32];
            storage.random(&mut seed).map_err(Error::read("random bytes"))?;
            let key = NoteKey::new(origin, &seed)?;
            replace_file(storage, &path, Access::Secret, format!("{}\n", key.encode()).as_bytes())
                .map_err(Error::write(&path))?;
            key
        }
    };
    let verifying = key.verifying();
    if verifying.name() != origin {
        let what = format!("the key is for `{}`, not for origin `{origin}`", verifying.name());
        return Err(Error::checkpoint(what));
    }
    match load_vkey(storage, dir)? {
        Some(stored) if stored != verifying => {
            return Err(Error::checkpoint("the vkey file is not of the private key"));
        }
        Some(_) => {}
        None => {
            let path = dir.join(VKEY_FILE);
            let line = format!("{}\n", verifying.encode());
            replace_file(storage, &path, Access::Public, line.as_bytes())
                .map_err(Error::write(&path))?;
        }
    }
    Ok(key)
}

/// One note from the front of a history: text, blank line, signature lines, blank line.
fn split_note(history: &str) -> Option<(&str, &str)> {
    let text = history.find("\n\n")? + 2;
    let signatures = history.get(text..)?.find("\n\n")?;
    let (note, rest) = history.split_at_checked(text + signatures + 1)?;
    Some((note, rest.strip_prefix('\n')?))
}

fn read_text(storage: &dyn Storage, path: &Path) -> Result<Option<String>, Error> {
    let bytes = read_file(storage, path, NOTE_BYTES_MAX).map_err(Error::read(&path))?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| Error::checkpoint(format!("`{}` is not text", path.display())))
}

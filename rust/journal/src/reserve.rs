//! A file that only takes up room, and is given up when the disk is full, so that the journal has
//! room while somebody makes more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::segment;
use crate::storage::{Storage, is_full};

pub(crate) const RESERVE_FILE: &str = "reserve";

pub(crate) struct Reserve {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    bytes: u64,
    /// Free bytes beside the reserve itself without which it is not made.
    spare_bytes: u64,
    there: bool,
}

impl Reserve {
    /// Takes up what an earlier run made. One of another length goes; `bytes` 0 means none.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        bytes: u64,
        spare_bytes: u64,
    ) -> Result<Self, Error> {
        let path = dir.join(RESERVE_FILE);
        let failed = || Error::read(&path);
        let names = storage.list(dir).map_err(Error::read(dir))?;
        let mut there = names.iter().any(|name| name == RESERVE_FILE);
        if there {
            let file = storage.open(&path, false).map_err(failed())?;
            if bytes == 0 || file.length().map_err(failed())? != bytes {
                storage.remove(&path).map_err(Error::write(&path))?;
                there = false;
            }
        }
        Ok(Self { storage, dir: dir.to_path_buf(), bytes, spare_bytes, there })
    }

    /// Whether one should be there and is not.
    pub(crate) fn wanting(&self) -> bool {
        self.bytes > 0 && !self.there
    }

    /// Gives it up; false when there is none to give.
    pub(crate) fn release(&mut self) -> Result<bool, Error> {
        let path = self.dir.join(RESERVE_FILE);
        if !std::mem::take(&mut self.there) {
            return Ok(false);
        }
        self.storage.remove(&path).map_err(Error::write(&path))?;
        // Without this some file systems do not give the room back.
        self.storage.sync_dir(&self.dir).map_err(Error::write(&self.dir))?;
        Ok(true)
    }

    /// Makes it when there is ample room; else that is for a later time.
    pub(crate) fn restore(&mut self) -> Result<(), Error> {
        let space = self.storage.space(&self.dir).map_err(Error::read(&self.dir))?;
        if space.free_bytes < self.bytes.saturating_add(self.spare_bytes) {
            return Ok(());
        }
        let path = self.dir.join(RESERVE_FILE);
        match segment::allocate(&*self.storage, &self.dir, &path, self.bytes) {
            Ok(()) => self.there = true,
            Err(error) if is_full(&error) => {}
            Err(error) => return Err(Error::write(&path)(error)),
        }
        Ok(())
    }
}

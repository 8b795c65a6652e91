//! A disk in memory that knows what a power cut would leave, and can fail, lie and wait.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use clets_journal::{Access, Handle, Space, Storage};

/// Finer than any real disk's, so that more combinations arise in small files.
const SECTOR: usize = 64;

/// What a call that is made to fail does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `EINTR` with nothing done.
    Interrupt,
    /// A read gives what stands elsewhere in the file.
    Misdirect,
    /// This one call fails.
    Once,
    /// This call and all after it fail.
    Persist,
    /// The power goes: an image of what is left is taken, and nothing works any more.
    PowerCut,
    /// A write or read does half of what was asked.
    Short,
}

#[derive(Clone, Default)]
struct Inode {
    live: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// Sectors that the next sync will write. A failed sync forgets them, as Linux does: they are
    /// still seen, and no later sync writes them.
    dirty: BTreeSet<usize>,
}

impl Inode {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let end = self.live.len().min((sector + 1) * SECTOR);
            if let Some(bytes) = self.live.get(sector * SECTOR..end) {
                self.durable[sector * SECTOR..end].copy_from_slice(bytes);
            }
        }
    }
}

#[derive(Clone, Default)]
struct Files {
    inodes: Vec<Inode>,
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
}

#[derive(Default)]
struct State {
    files: Files,
    locks: BTreeSet<PathBuf>,
    calls: u64,
    fault: Option<(u64, Fault)>,
    hit: bool,
    /// A call has failed that may not be tried again.
    failed: bool,
    dead: bool,
    image: Option<Files>,
    lying: bool,
    held: bool,
    /// The journal's keeper waits before its next call.
    keeper_held: bool,
    syncs: u64,
    /// Segment files of which a write or sync has failed, and calls that touched such a file later.
    spoiled: BTreeSet<usize>,
    retries: u64,
    reads: (u64, usize),
    /// Files that need not stay in the cache.
    uncached: BTreeSet<usize>,
    /// Room cannot be taken up without writing.
    only_writes: bool,
    /// Bytes that all files together may take; `None` without limit.
    capacity: Option<usize>,
    random: u64,
}

/// Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct MemoryDisk {
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
}

impl MemoryDisk {
    pub(crate) fn new(seed: u64) -> Self {
        let disk = Self::default();
        disk.state().random = seed;
        disk
    }

    /// The known-bad one: every sync says yes and does nothing.
    pub(crate) fn lying(seed: u64) -> Self {
        let disk = Self::new(seed);
        disk.state().lying = true;
        disk
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.clone())
    }

    /// Makes the call with this number (from now, from 1) go wrong.
    pub(crate) fn fail_at(&self, call: u64, fault: Fault) {
        let mut state = self.state();
        state.calls = 0;
        state.hit = false;
        state.failed = false;
        state.fault = Some((call, fault));
    }

    pub(crate) fn was_hit(&self) -> bool {
        self.state().hit
    }

    /// Calls on a file after a write or sync of it had failed.
    pub(crate) fn retries(&self) -> u64 {
        self.state().retries
    }

    /// Everything works again; what was written and not synced is still seen, as a kernel would
    /// show it.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.failed = false;
        state.image = None;
        state.dead = false;
        state.spoiled.clear();
    }

    /// File syncs that took effect.
    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Reads and bytes read since the last such call.
    pub(crate) fn count_reads(&self) -> (u64, usize) {
        std::mem::take(&mut self.state().reads)
    }

    /// Files that need not stay in the cache, by their present names.
    pub(crate) fn uncached(&self) -> Vec<PathBuf> {
        let state = self.state();
        let names = state.files.live.iter().filter(|(_, inode)| state.uncached.contains(inode));
        names.map(|(path, _)| path.clone()).collect()
    }

    /// Changes a file behind everybody's back.
    pub(crate) fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.files.live[path];
        change(&mut state.files.inodes[inode].live);
    }

    /// Leaves this much room beside the files there are; `None` takes the limit away.
    pub(crate) fn leave_room(&self, bytes: Option<usize>) {
        let mut state = self.state();
        state.capacity = bytes.map(|bytes| state.used() + bytes);
    }

    /// From now on room is taken up by writing alone, as on some file systems.
    pub(crate) fn only_writes(&self) {
        self.state().only_writes = true;
    }

    /// While held, a file sync does not return.
    pub(crate) fn hold_syncs(&self, held: bool) {
        self.state().held = held;
        self.released.notify_all();
    }

    /// While held, the journal's keeper makes no call: what it does beside the writer then falls
    /// between two calls of a test's choice.
    pub(crate) fn hold_keeper(&self, held: bool) {
        self.state().keeper_held = held;
        self.released.notify_all();
    }

    /// Waits until a segment is ready without records, its name durable where that is `asked`;
    /// false when a call has failed.
    pub(crate) fn await_spare_segment(&self, asked: bool) -> bool {
        let blank = |state: &State| {
            let is_segment = |path: &&PathBuf| path.extension().is_some_and(|it| it == "segment");
            let names = if asked { &state.files.durable } else { &state.files.live };
            let last = names.keys().rfind(is_segment);
            let inode = last.and_then(|path| state.files.live.get(path));
            inode.is_some_and(|it| state.files.inodes[*it].live.iter().take(64).all(|it| *it == 0))
        };
        let waits = |state: &mut State| !(state.failed || state.dead || blank(state));
        let state = self.released.wait_while(self.state(), waits).unwrap();
        !state.failed && !state.dead
    }

    /// The process has died: none of its threads reaches the disk any more.
    pub(crate) fn cut_off(&self) {
        self.state().dead = true;
        self.released.notify_all();
    }

    /// Whether a call has failed, other than by being interrupted.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Whether no call reaches it any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Whether the power went at a call, and nobody has looked at what it left.
    pub(crate) fn was_power_cut(&self) -> bool {
        self.state().image.is_some()
    }

    /// The disk after the power cut that happened, or one that happens now.
    pub(crate) fn after_power_cut(&self) -> Self {
        let mut state = self.state();
        let files = match state.image.take() {
            Some(files) => files,
            None => state.crash_image(),
        };
        let random = state.next_random();
        let after = Self::new(random);
        let lying = state.lying;
        after.state().files = files;
        after.state().lying = lying;
        after
    }

    /// Only what was synced: the worst a power cut can leave.
    pub(crate) fn durable_only(&self) -> Self {
        let state = self.state();
        let after = Self::new(state.random);
        let mut files = state.files.clone();
        files.live = files.durable.clone();
        for inode in &mut files.inodes {
            inode.live.clone_from(&inode.durable);
            inode.dirty.clear();
        }
        after.state().files = files;
        after
    }

    /// Files as they are now, by name.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let bytes = |inode: &usize| state.files.inodes[*inode].live.clone();
        state.files.live.iter().map(|(path, inode)| (path.clone(), bytes(inode))).collect()
    }

    /// A healthy disk with these files on it.
    pub(crate) fn with_files(files: &BTreeMap<PathBuf, Vec<u8>>) -> Self {
        let disk = Self::new(1);
        let mut state = disk.state();
        for (path, bytes) in files {
            let inode = state.files.inodes.len();
            state.files.inodes.push(Inode {
                live: bytes.clone(),
                durable: bytes.clone(),
                dirty: BTreeSet::new(),
            });
            state.files.live.insert(path.clone(), inode);
            state.files.durable.insert(path.clone(), inode);
        }
        drop(state);
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Counts a call and lets it fail when its turn has come, or says how it goes wrong. `inode` is
    /// what it writes or syncs.
    fn call(&self, inode: Option<usize>) -> io::Result<(MutexGuard<'_, State>, Option<Fault>)> {
        let mut state = self.state();
        let is_keeper = std::thread::current().name() == Some("journal-keeper");
        while is_keeper && state.keeper_held && !state.dead {
            state = self.released.wait(state).unwrap();
        }
        state.calls += 1;
        if let Some(inode) = inode
            && state.spoiled.contains(&inode)
        {
            state.retries += 1;
        }
        let fault = state.fault.filter(|(at, _)| *at == state.calls).map(|(_, fault)| fault);
        state.hit |= fault.is_some();
        match fault {
            None if !state.dead => return Ok((state, None)),
            Some(Fault::Misdirect | Fault::Short) => return Ok((state, fault)),
            Some(Fault::Interrupt) => {
                // Only reads and writes are tried again.
                state.failed |= is_keeper || inode.is_none();
                self.released.notify_all();
                return Err(io::ErrorKind::Interrupted.into());
            }
            Some(Fault::Persist) => state.dead = true,
            Some(Fault::PowerCut) => {
                let image = state.crash_image();
                state.image = Some(image);
                state.dead = true;
            }
            None | Some(Fault::Once) => {}
        }
        state.spoiled.extend(inode);
        state.failed = true;
        self.released.notify_all();
        Err(io::Error::other("injected"))
    }
}

impl State {
    /// Bytes that the named files take.
    fn used(&self) -> usize {
        self.files.live.values().map(|inode| self.files.inodes[*inode].live.len()).sum()
    }

    /// Whether there is no room for a file to grow so far.
    fn overflows(&self, inode: usize, end: usize) -> bool {
        let grown = end.saturating_sub(self.files.inodes[inode].live.len());
        grown > 0 && self.capacity.is_some_and(|capacity| self.used() + grown > capacity)
    }

    fn next_random(&mut self) -> u64 {
        self.random = splitmix(self.random);
        self.random
    }

    /// Of what was not synced, any sectors and any one moment of the names may have made it.
    fn crash_image(&mut self) -> Files {
        let mut files = self.files.clone();
        if self.next_random().is_multiple_of(2) {
            files.live = files.durable.clone();
        }
        let luck = self.next_random() % 4;
        for inode in &mut files.inodes {
            let live = std::mem::take(&mut inode.live);
            let length = if luck == 0 { inode.durable.len() } else { live.len() };
            let mut left = inode.durable.clone();
            left.resize(length, 0);
            for (at, sector) in left.chunks_mut(SECTOR).enumerate() {
                let from = at * SECTOR;
                let same = live.get(from..from + sector.len());
                let takes = match luck {
                    0 => false,
                    1 => true,
                    _ => self.next_random().is_multiple_of(2),
                };
                if let Some(bytes) = same.filter(|_| takes) {
                    sector.copy_from_slice(bytes);
                }
            }
            inode.durable.clone_from(&left);
            inode.live = left;
            inode.dirty.clear();
        }
        files.durable = files.live.clone();
        files
    }
}

pub(crate) fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Storage for MemoryDisk {
    fn create(&self, path: &Path, _access: Access) -> io::Result<Box<dyn Handle>> {
        let (mut state, _) = self.call(None)?;
        if state.files.live.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.files.inodes.len();
        state.files.inodes.push(Inode::default());
        state.files.live.insert(path.to_path_buf(), inode);
        Ok(Box::new(Open { disk: self.clone(), inode }))
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.call(None).map(|_| ())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let (state, _) = self.call(None)?;
        let names = state.files.live.keys().filter_map(|path| path.strip_prefix(dir).ok());
        Ok(names.map(|name| name.to_str().unwrap().to_owned()).collect())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send>> {
        let (mut state, _) = self.call(None)?;
        if !state.locks.insert(path.to_path_buf()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock { disk: self.clone(), path: path.to_path_buf() }))
    }

    fn open(&self, path: &Path, _write: bool) -> io::Result<Box<dyn Handle>> {
        let (state, _) = self.call(None)?;
        let inode = state.files.live.get(path).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Open { disk: self.clone(), inode }))
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        let (mut state, _) = self.call(None)?;
        for byte in bytes {
            *byte = state.next_random() as u8;
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let (mut state, _) = self.call(None)?;
        let gone = state.files.live.remove(path);
        gone.map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (mut state, _) = self.call(None)?;
        let inode = state.files.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.live.insert(to.to_path_buf(), inode);
        self.released.notify_all();
        Ok(())
    }

    fn space(&self, _dir: &Path) -> io::Result<Space> {
        let (state, _) = self.call(None)?;
        let total = state.capacity.unwrap_or(1 << 40);
        let free = total.saturating_sub(state.used());
        Ok(Space { free_bytes: free as u64, total_bytes: total as u64 })
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        let (mut state, _) = self.call(None)?;
        if !state.lying {
            state.files.durable = state.files.live.clone();
        }
        self.released.notify_all();
        Ok(())
    }
}

struct Lock {
    disk: MemoryDisk,
    path: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.state().locks.remove(&self.path);
    }
}

struct Open {
    disk: MemoryDisk,
    inode: usize,
}

impl Handle for Open {
    fn allocate(&self, length: u64) -> io::Result<()> {
        let (mut state, _) = self.disk.call(Some(self.inode))?;
        if state.only_writes {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if state.overflows(self.inode, length as usize) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.files.inodes[self.inode].live.resize(length as usize, 0);
        Ok(())
    }

    fn bypass(&self, _bypass: bool) {}

    fn length(&self) -> io::Result<u64> {
        let (state, _) = self.disk.call(None)?;
        Ok(state.files.inodes[self.inode].live.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let (mut state, fault) = self.disk.call(None)?;
        let live = &state.files.inodes[self.inode].live;
        let aside = if fault == Some(Fault::Misdirect) { 4096 } else { 0 };
        let rest = live.get(offset as usize + aside..).unwrap_or_default();
        let asked = if fault == Some(Fault::Short) { bytes.len().div_ceil(2) } else { bytes.len() };
        let length = asked.min(rest.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        state.reads.0 += 1;
        state.reads.1 += length;
        Ok(length)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let (mut state, _) = self.disk.call(Some(self.inode))?;
        state.files.inodes[self.inode].live.resize(length as usize, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = match self.disk.call(Some(self.inode)) {
            Ok((state, _)) => state,
            Err(error) => {
                self.disk.state().files.inodes[self.inode].dirty.clear();
                return Err(error);
            }
        };
        while state.held {
            state = self.disk.released.wait(state).unwrap();
        }
        if !state.lying {
            state.syncs += 1;
            state.files.inodes[self.inode].sync();
        }
        Ok(())
    }

    fn uncache(&self) {
        self.disk.state().uncached.insert(self.inode);
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if self.disk.state().overflows(self.inode, offset as usize + bytes.len()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let outcome = self.disk.call(Some(self.inode));
        // Also a write that fails, or that the power cut interrupts, may have left some bytes.
        let part = match &outcome {
            Ok((_, Some(Fault::Short))) => bytes.len().div_ceil(2),
            Ok(_) => bytes.len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(_) => bytes.len() / 3,
        };
        let failure = outcome.map(|(state, _)| drop(state)).err();
        let mut state = self.disk.state();
        state.files.inodes[self.inode].write(&bytes[..part], offset as usize);
        failure.map_or(Ok(part), Err)
    }
}

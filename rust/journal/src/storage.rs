//! The journal's only door to the disk, so that tests and a simulator can stand behind it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand_core::{OsRng, RngCore};
use rustix::fs::{Advice, FallocateFlags, OFlags};

/// Who may read a new file. Bodies hold personal data, so nobody but the switch's own account by
/// default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Owner may read and write (0600).
    Owner,
    /// Anyone may read (0644): public keys and checkpoints.
    Public,
    /// Owner may read, nobody may write (0400): private keys.
    Secret,
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What the switch's account may still take.
    pub free_bytes: u64,
    /// What there is in all.
    pub total_bytes: u64,
}

/// A place that holds files: the real disk ([`Disk`]), or a test's stand-in.
///
/// The journal relies on: a file's bytes survive a power cut once [`Handle::sync`] returned, a name
/// once [`Storage::sync_dir`] returned, and a rename is seen whole or not at all.
pub trait Storage: Send + Sync {
    /// Makes a new empty file for reading and writing; `AlreadyExists` when the name is taken.
    fn create(&self, path: &Path, access: Access) -> io::Result<Box<dyn Handle>>;
    /// Makes `dir` and what is missing above it, durably; nothing to do when it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Names of the files in `dir`, in any order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Takes the exclusive lock that the file `path` stands for, held until the value is dropped;
    /// `WouldBlock` when another holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send>>;
    /// Opens an existing file; `NotFound` when there is none.
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn Handle>>;
    /// Fills `bytes` with randomness fit for a private key.
    fn random(&self, bytes: &mut [u8]) -> io::Result<()>;
    /// Unlinks a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Gives a file a new name, replacing the one that had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Room on the file system that holds `dir`.
    fn space(&self, dir: &Path) -> io::Result<Space>;
    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The kernel's cache is in pages of so many bytes, and a disk's sectors are no larger.
pub(crate) const PAGE_BYTES: usize = 4_096;

/// An open file.
pub trait Handle: Send {
    /// Makes the file `length` bytes long and takes up room for all of them, which read as zeros.
    /// Cheap where the file system can do it without writing; `Unsupported` where it cannot.
    fn allocate(&self, length: u64) -> io::Result<()>;
    /// Whether writes go past the kernel's cache from now on: of whole [`PAGE_BYTES`] from memory
    /// that begins at such a place alone. A hint, that a file system may not follow.
    fn bypass(&self, bypass: bool);
    /// Length in bytes.
    fn length(&self) -> io::Result<u64>;
    /// Reads some bytes at `offset`; 0 at the end of the file. May read less than asked.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Sets the length, dropping bytes or adding zeros.
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Makes what was written durable (fdatasync).
    fn sync(&self) -> io::Result<()>;
    /// What is durable in it need not stay in the kernel's cache. A hint.
    fn uncache(&self);
    /// Writes some bytes at `offset`. May write less than asked.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Box<dyn Handle>> {
        let mode = match access {
            Access::Owner => 0o600,
            Access::Public => 0o644,
            Access::Secret => 0o400,
        };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(mode).open(path)?;
        Ok(Box::new(file))
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            self.create_dir(parent)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.sync_dir(parent.unwrap_or(Path::new(".")))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::Error(error)) => Err(error),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(path)?))
    }

    fn random(&self, bytes: &mut [u8]) -> io::Result<()> {
        OsRng.try_fill_bytes(bytes).map_err(io::Error::other)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(dir)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Space { free_bytes: bytes(found.f_bavail), total_bytes: bytes(found.f_blocks) })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl Handle for File {
    fn allocate(&self, length: u64) -> io::Result<()> {
        let allocate = || rustix::fs::fallocate(self, FallocateFlags::empty(), 0, length);
        Ok(rustix::io::retry_on_intr(allocate)?)
    }

    fn bypass(&self, bypass: bool) {
        if let Ok(mut flags) = rustix::fs::fcntl_getfl(self) {
            flags.set(OFlags::DIRECT, bypass);
            let _ = rustix::fs::fcntl_setfl(self, flags);
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn uncache(&self) {
        let _ = rustix::fs::fadvise(self, 0, None, Advice::DontNeed);
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }
}

/// Whether the failure is that there is no room, which may come again, rather than a disk gone bad.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes all of `bytes`. An interrupted call wrote nothing, so trying again is sound; no other
/// failure is ever retried.
pub(crate) fn write_all(file: &dyn Handle, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads until `bytes` is full or the file ends; gives the number of bytes read.
pub(crate) fn read_full(file: &dyn Handle, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The whole of a small file, at most `bytes_max`; `None` when there is no such file.
pub(crate) fn read_file(
    storage: &dyn Storage,
    path: &Path,
    bytes_max: u64,
) -> io::Result<Option<Vec<u8>>> {
    let file = match storage.open(path, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.length()?;
    if length > bytes_max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let read = read_full(&*file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

/// Replaces `path` in one step: a reader sees the old bytes or the new, never a mixture. The name
/// is durable only after the next `sync_dir`; until then a power cut may bring the old file back.
pub(crate) fn replace_file(
    storage: &dyn Storage,
    path: &Path,
    access: Access,
    bytes: &[u8],
) -> io::Result<()> {
    let file = create_fresh(storage, path, access)?;
    write_all(&*file, bytes, 0)?;
    file.sync()?;
    storage.rename(&fresh(path), path)
}

/// Where a file is made that is to get its name when it is whole.
pub(crate) fn fresh(path: &Path) -> PathBuf {
    path.with_added_extension("new")
}

/// Begins the file that is to become `path`, without what an earlier attempt left.
pub(crate) fn create_fresh(
    storage: &dyn Storage,
    path: &Path,
    access: Access,
) -> io::Result<Box<dyn Handle>> {
    let fresh = fresh(path);
    match storage.remove(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    storage.create(&fresh, access)
}

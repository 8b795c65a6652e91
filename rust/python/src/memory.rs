//! Where memory comes from.

use mimalloc::MiMalloc;
use pyo3::prelude::*;
use rustix::thread::disable_transparent_huge_pages;

/// A message is a dozen small pieces of memory, made by one thread: glibc's allocator took an
/// eighth of the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Lets this process have memory in small pages only, from here on.
///
/// The allocator asks for huge ones, and the kernel clears 2 MiB when the first byte of one is
/// touched: each time the switch grew by as much, all lines waited for milliseconds. A kernel that
/// has no such pages is as good.
#[pyfunction]
pub(crate) fn small_pages() {
    let _ = disable_transparent_huge_pages(true);
}

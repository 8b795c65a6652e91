//! The receive buffer of one connection: Rust's memory, into which the event loop reads.
#![expect(unsafe_code, reason = "the buffer protocol hands out a pointer; this file alone does")]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use clets_wire::FrameBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

/// A connection as the shell sees it: its number, and the buffer to read into.
///
/// `BufferedProtocol.get_buffer` returns the object itself; `Center.advance` takes what was read.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Intake {
    /// Number of the connection, never reused while the switch runs.
    #[pyo3(get)]
    connection: u32,
    buffer: Mutex<FrameBuffer>,
    /// Somebody holds a view of it: nothing in it may move.
    viewed: AtomicBool,
}

impl Intake {
    pub(crate) fn new(connection: u32, capacity: usize) -> Self {
        let buffer = Mutex::new(FrameBuffer::new(capacity));
        Self { connection, buffer, viewed: AtomicBool::new(false) }
    }

    pub(crate) fn number(&self) -> u32 {
        self.connection
    }

    /// Works on the received bytes.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut FrameBuffer) -> T) -> T {
        work(&mut self.buffer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl Intake {
    /// Bytes that can be read into it now: more after a read that filled it.
    fn __len__(&self) -> PyResult<usize> {
        if self.viewed.load(Ordering::Acquire) {
            return Err(view_is_out());
        }
        Ok(self.with(|buffer| buffer.recv_slice().len()))
    }

    /// # Safety
    /// Called by Python's buffer protocol with a view to fill in.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if slf.get().viewed.swap(true, Ordering::AcqRel) {
            return Err(view_is_out());
        }
        let (start, length) = slf.get().with(|buffer| {
            let free = buffer.recv_slice();
            (free.as_mut_ptr(), free.len())
        });
        // No piece of memory is longer than that number says.
        let length = length.cast_signed();
        // SAFETY: `start` points to `length` bytes that `slf` owns and that live as long as `slf`,
        // which the view holds a reference to. They move or grow in `recv_slice` alone, and that is
        // called nowhere but here and above, when no view is out.
        let filled =
            unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start.cast(), length, 0, flags) };
        if filled == 0 {
            return Ok(());
        }
        slf.get().viewed.store(false, Ordering::Release);
        Err(PyErr::fetch(slf.py()))
    }

    /// # Safety
    /// Called by Python's buffer protocol with a view that was filled in.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {
        self.viewed.store(false, Ordering::Release);
    }
}

fn view_is_out() -> PyErr {
    PyBufferError::new_err("expected one view at a time: a read into this buffer is under way")
}

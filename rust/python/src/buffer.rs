//! The receive buffer of one connection: Rust's memory, into which the event loop reads.
#![expect(unsafe_code, reason = "the buffer protocol hands out a pointer; this file alone does")]

use std::ffi::c_int;
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
}

impl Intake {
    pub(crate) fn new(connection: u32, capacity: usize) -> Self {
        Self { connection, buffer: Mutex::new(FrameBuffer::new(capacity)) }
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
    /// Bytes that can be read into it now.
    fn __len__(&self) -> usize {
        self.with(|buffer| buffer.recv_slice().len())
    }

    /// # Safety
    /// Called by Python's buffer protocol with a view to fill in.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let (start, length) = slf.get().with(|buffer| {
            let free = buffer.recv_slice();
            (free.as_mut_ptr(), free.len())
        });
        let length = isize::try_from(length)
            .map_err(|_| PyBufferError::new_err("the receive buffer is too large"))?;
        // SAFETY: `start` points to `length` bytes of a boxed slice that `slf` owns, is never
        // reallocated, and lives as long as `slf`, which the view holds a reference to. Bytes
        // move inside it only in `recv_slice` and `consume`, that is between two reads, on the
        // one thread that also reads.
        let filled =
            unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start.cast(), length, 0, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}

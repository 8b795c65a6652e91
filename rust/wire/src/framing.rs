//! Frames: where one message ends and the next begins on a line's byte stream.
//!
//! Both framings are functions from the bytes at hand to the first frame in them. They look only
//! at a prefix, in the order of its offsets, so every split of a stream gives the same frames and
//! the same error.

mod buffer;
pub mod dmpp;
pub mod native;
#[cfg(test)]
mod splits;

pub use buffer::FrameBuffer;

use crate::code;
use crate::error::FrameError;

/// Compares what is there of a fixed beginning; an incomplete one is no error.
fn expect_start(bytes: &[u8], start: &[u8], expected: &'static str) -> Result<(), FrameError> {
    match bytes.iter().zip(start).position(|(found, wanted)| found != wanted) {
        Some(offset) => Err(FrameError { code: code::GARBAGE, offset, expected }),
        None => Ok(()),
    }
}

/// The `N` bytes at `offset`, if they have arrived.
fn bytes_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk::<N>().copied()
}

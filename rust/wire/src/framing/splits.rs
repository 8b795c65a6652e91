//! For tests: a stream read whole and the same stream read in pieces.

use super::FrameBuffer;
use crate::error::FrameError;

/// Frame limit of the streams, small so that limits are met.
pub(super) const LIMIT: usize = 256;

/// Takes one frame off as an owned value, with its length.
pub(super) type Take<T> = fn(&[u8]) -> Result<Option<(T, usize)>, FrameError>;

/// All frames, then the error that ended the stream or the bytes left over.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome<T> {
    pub(super) frames: Vec<T>,
    pub(super) end: Result<Vec<u8>, FrameError>,
}

/// The naive way: everything at once, no buffer.
pub(super) fn whole<T>(mut bytes: &[u8], take: Take<T>) -> Outcome<T> {
    let mut frames = Vec::new();
    loop {
        match take(bytes) {
            Ok(Some((frame, used))) => {
                frames.push(frame);
                bytes = &bytes[used..];
            }
            Ok(None) => {
                return Outcome { frames, end: Ok(bytes.to_vec()) };
            }
            Err(error) => {
                return Outcome { frames, end: Err(error) };
            }
        }
    }
}

/// The way of a line: reads of the given sizes, in turn, into one buffer of the frame limit.
pub(super) fn split<T>(mut bytes: &[u8], sizes: &[usize], take: Take<T>) -> Outcome<T> {
    let mut buffer = FrameBuffer::new(LIMIT);
    let mut frames = Vec::new();
    for size in sizes.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let space = buffer.recv_slice();
        assert!(!space.is_empty(), "a full buffer without a frame or an error");
        let n = (*size).min(space.len()).min(bytes.len());
        space[..n].copy_from_slice(&bytes[..n]);
        bytes = &bytes[n..];
        buffer.advance(n);
        loop {
            match take(buffer.pending()) {
                Ok(Some((frame, used))) => {
                    frames.push(frame);
                    buffer.consume(used);
                }
                Ok(None) => break,
                Err(error) => {
                    return Outcome { frames, end: Err(error) };
                }
            }
        }
    }
    Outcome { frames, end: Ok(buffer.pending().to_vec()) }
}

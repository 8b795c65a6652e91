//! The receive buffer of one line.

/// A buffer of fixed size between a socket and a framing. Does no input itself: ask for
/// [`recv_slice`](Self::recv_slice), fill it, say how much with [`advance`](Self::advance), look at
/// [`pending`](Self::pending), take frames off with [`consume`](Self::consume).
///
/// A capacity of at least the frame limit guarantees that the buffer is never full without a whole
/// frame or an error at its head.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl FrameBuffer {
    /// A buffer of `capacity` bytes, allocated once.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity].into_boxed_slice(), start: 0, end: 0 }
    }

    /// All free space, after moving what is pending to the front. Empty when the buffer is full.
    /// Moves at most the bytes of one partial frame if whole frames are consumed before.
    pub fn recv_slice(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Notes that `n` bytes were written to the slice given out last; what exceeds it is ignored.
    pub fn advance(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.bytes.len());
    }

    /// The bytes received and not yet consumed.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Drops the first `n` pending bytes, or all if there are fewer.
    pub fn consume(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Size of the buffer in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(buffer: &mut FrameBuffer, bytes: &[u8]) -> usize {
        let space = buffer.recv_slice();
        let n = space.len().min(bytes.len());
        space[..n].copy_from_slice(&bytes[..n]);
        buffer.advance(n);
        n
    }

    #[test]
    fn keeps_order_across_compaction() {
        let mut buffer = FrameBuffer::new(8);
        assert_eq!(feed(&mut buffer, b"abcdefgh"), 8);
        assert!(buffer.recv_slice().is_empty());
        buffer.consume(5);
        assert_eq!(buffer.pending(), b"fgh");
        assert_eq!(feed(&mut buffer, b"ijklmnop"), 5);
        assert_eq!(buffer.pending(), b"fghijklm");
        buffer.consume(100);
        assert_eq!(buffer.pending(), b"");
        assert_eq!(buffer.recv_slice().len(), 8);
    }

    #[test]
    fn ignores_an_advance_beyond_its_end() {
        let mut buffer = FrameBuffer::new(4);
        buffer.advance(usize::MAX);
        assert_eq!(buffer.pending().len(), 4);
        buffer.consume(usize::MAX);
        assert_eq!(buffer.pending().len(), 0);
        assert_eq!(buffer.capacity(), 4);
    }
}

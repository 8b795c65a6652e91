//! The receive buffer of one line.

/// What a line that says little needs.
const FIRST_BYTES: usize = 4 << 10;
/// How much larger it becomes when a read has filled it.
const GROWTH: usize = 4;

/// A buffer of bounded size between a socket and a framing. Does no input itself: ask for
/// [`recv_slice`](Self::recv_slice), fill it, say how much with [`advance`](Self::advance), look at
/// [`pending`](Self::pending), take frames off with [`consume`](Self::consume).
///
/// It begins small and grows to its capacity on a line that fills it, for most lines are quiet.
/// A capacity of at least the frame limit guarantees that the buffer is never full without a whole
/// frame or an error at its head.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    capacity: usize,
    start: usize,
    end: usize,
    /// The last read filled it: the next may be larger.
    filled: bool,
}

impl FrameBuffer {
    /// A buffer of `capacity` bytes at most.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity.min(FIRST_BYTES)],
            capacity,
            start: 0,
            end: 0,
            filled: false,
        }
    }

    /// All free space, after moving what is pending to the front. Empty when the buffer is full.
    /// The slice given out before is no longer valid.
    /// Moves at most the bytes of one partial frame if whole frames are consumed before.
    pub fn recv_slice(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.filled {
            self.filled = false;
            let length = self.bytes.len().saturating_mul(GROWTH).min(self.capacity);
            self.bytes.resize(length, 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Notes that `n` bytes were written to the slice given out last; what exceeds it is ignored.
    pub fn advance(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.bytes.len());
        self.filled = self.end == self.bytes.len();
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

    /// Size of the buffer at most, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
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
    fn grows_to_its_capacity_on_a_line_that_fills_it() {
        let mut buffer = FrameBuffer::new(100_000);
        let sent: Vec<u8> = (0..=250).cycle().take(300_000).collect();
        let (mut came, mut most, mut rest) = (Vec::new(), 0, sent.as_slice());
        while !rest.is_empty() {
            let n = feed(&mut buffer, rest);
            (most, rest) = (most.max(n), &rest[n..]);
            // What is a whole frame is taken, and a part of one stays.
            let whole = buffer.pending().len() - buffer.pending().len() % 7;
            came.extend_from_slice(&buffer.pending()[..whole]);
            buffer.consume(whole);
        }
        came.extend_from_slice(buffer.pending());
        assert_eq!(came, sent);
        assert!(most > 99_000, "{most}");
        // Nothing was taken: it is full in the end, and no larger than it may be.
        let mut buffer = FrameBuffer::new(100_000);
        while !buffer.recv_slice().is_empty() {
            let had = buffer.pending().len();
            feed(&mut buffer, &sent[had..]);
        }
        assert_eq!(buffer.pending(), &sent[..100_000]);
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

//! What the world tells the engine, and what the engine asks of the world.

use clets_routing::LineId;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::Unreadable;

/// One TCP connection; numbers are given by the shell and never reused while it runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ConnectionId(pub u32);

/// Something that happened outside.
#[derive(Debug)]
pub enum Event<'a> {
    /// A connection ended; `unread` bytes had arrived that were no whole frame.
    Close {
        /// The connection.
        connection: ConnectionId,
        /// Bytes left over in the receive buffer.
        unread: usize,
    },
    /// All records with numbers below this one are on stable storage.
    Durable(u64),
    /// A connection was made and its line is known (by certificate, or by address where the
    /// bundle allows plain TCP).
    Open {
        /// The connection.
        connection: ConnectionId,
        /// The line that is speaking.
        line: LineId,
    },
    /// Bytes arrived. [`Effects::consumed`] says how many of them were used.
    Receive {
        /// The connection.
        connection: ConnectionId,
        /// All bytes received and not yet consumed.
        bytes: &'a [u8],
    },
    /// An operator says what a file takes.
    SetService {
        /// The file's line.
        line: LineId,
        /// A family, a data class or a key of messages; empty for all ([`crate::is_family`]).
        family: &'a str,
        /// What happens to them.
        state: crate::Service,
        /// Who says so, and why, for the journal.
        source: &'a str,
    },
    /// Somebody connected whom no line matches; the shell has closed the connection.
    Stranger {
        /// The peer's address or certificate name, for the audit record.
        peer: &'a str,
    },
    /// Time passed; due at least once a second.
    Tick,
}

/// A record for the journal; its number is the order of emission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalEntry {
    /// One of the kinds in [`crate::record`].
    pub kind: u8,
    /// The body, `MessagePack`.
    pub body: Vec<u8>,
}

/// What the engine asks for after one event or several.
#[derive(Debug, Default)]
pub struct Effects {
    /// Records to append, in order.
    pub records: Vec<JournalEntry>,
    /// Bytes to write, one buffer per connection.
    pub writes: Vec<(ConnectionId, Vec<u8>)>,
    /// Connections to close after their bytes are written, with the code that says why.
    pub closes: Vec<(ConnectionId, u16)>,
    /// How many bytes of [`Event::Receive`] were used.
    pub consumed: usize,
    /// A record that the engine needs and cannot read: it does nothing more, and the switch must
    /// stop.
    pub unreadable: Option<Unreadable>,
    /// Emptied buffers for the next writes: large ones cost more to make than to fill.
    spare: Vec<Vec<u8>>,
    /// Where in `writes` the bytes of a connection are.
    places: HashMap<ConnectionId, usize, FixedState>,
}

impl Effects {
    /// Empties everything, keeping the allocations as far as they are not large.
    pub fn clear(&mut self) {
        const SPARE_BUFFERS_MAX: usize = 8;
        const SPARE_BYTES_MAX: usize = 512 << 10;
        self.records.clear();
        for (_, mut bytes) in self.writes.drain(..) {
            if self.spare.len() < SPARE_BUFFERS_MAX && bytes.capacity() <= SPARE_BYTES_MAX {
                bytes.clear();
                self.spare.push(bytes);
            }
        }
        self.places.clear();
        self.closes.clear();
        self.consumed = 0;
    }

    /// The buffer of bytes to write to `connection`.
    pub(crate) fn buffer(&mut self, connection: ConnectionId) -> &mut Vec<u8> {
        let index = *self.places.entry(connection).or_insert_with(|| {
            self.writes.push((connection, self.spare.pop().unwrap_or_default()));
            self.writes.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was found or made just above")]
        &mut self.writes[index].1
    }
}

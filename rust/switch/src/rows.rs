//! Long lists of a snapshot: written from where they stand, and read into a queue in pieces, so
//! that none is ever there twice.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::ser::{Error, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fifo::Fifo;

type Walk<'a, T> = Box<dyn Fn() -> Box<dyn Iterator<Item = T> + 'a> + 'a>;

/// See the module.
pub(crate) enum Rows<'a, T> {
    /// So many rows, and a walk over them.
    Here(usize, Walk<'a, T>),
    /// Rows that were read.
    Read(Fifo<T>),
}

impl<'a, T> Rows<'a, T> {
    /// The rows of a walk, which must be so many each time.
    pub(crate) fn of<I: Iterator<Item = T> + 'a>(length: usize, walk: impl Fn() -> I + 'a) -> Self {
        Self::Here(length, Box::new(move || Box::new(walk())))
    }
}

impl<'a, T: Copy + 'a> Rows<'a, T> {
    /// The rows one after the other; a piece that was gone through is given back.
    pub(crate) fn drain(self) -> Box<dyn Iterator<Item = T> + 'a> {
        match self {
            Self::Here(_, walk) => walk(),
            Self::Read(mut rows) => Box::new(std::iter::from_fn(move || rows.pop_front())),
        }
    }
}

impl<T> Default for Rows<'_, T> {
    fn default() -> Self {
        Self::Read(Fifo::default())
    }
}

impl<T> fmt::Debug for Rows<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rows")
    }
}

impl<T: Serialize + Copy> Serialize for Rows<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (length, rows): (_, Box<dyn Iterator<Item = T> + '_>) = match self {
            Self::Here(length, walk) => (*length, walk()),
            Self::Read(rows) => (rows.len(), Box::new(rows.iter().copied())),
        };
        let mut list = serializer.serialize_seq(Some(length))?;
        let mut written = 0;
        for row in rows {
            list.serialize_element(&row)?;
            written += 1;
        }
        // The length stands before them: what follows would be read as something else.
        if written != length {
            return Err(S::Error::custom(format!("{written} rows in a list of {length}")));
        }
        list.end()
    }
}

impl<'de, T: Deserialize<'de> + Copy> Deserialize<'de> for Rows<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Copy> Visitor<'de> for Reading<T> {
            type Value = Fifo<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Fifo<T>, A::Error> {
                let mut rows = Fifo::default();
                while let Some(row) = list.next_element()? {
                    rows.push_back(row);
                }
                Ok(rows)
            }
        }
        deserializer.deserialize_seq(Reading(PhantomData)).map(Self::Read)
    }
}

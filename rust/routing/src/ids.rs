//! One small number for each thing of a directory. A number means nothing in another directory.

macro_rules! id {
    ($(#[$note:meta])* $name:ident($inner:ty)) => {
        $(#[$note])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub $inner);

        impl $name {
            /// Belongs to nobody: looking it up gives an entry without a name and without rights.
            pub const NOBODY: Self = Self(<$inner>::MAX);

            /// Position in the directory's table.
            #[must_use]
            pub fn index(self) -> usize {
                usize::try_from(self.0).unwrap_or(usize::MAX)
            }

            /// The id of the entry at this position of its table.
            #[must_use]
            pub(crate) fn at(index: usize) -> Self {
                <$inner>::try_from(index).map_or(Self::NOBODY, Self)
            }
        }
    };
}

id!(
    /// An agency.
    AgencyId(u16)
);
id!(
    /// A broadcast group.
    GroupId(u16)
);
id!(
    /// A line: one authenticated computer, of an agency or of a host.
    LineId(u16)
);
id!(
    /// An originating agency identifier.
    OriId(u32)
);
id!(
    /// A station, known by its mnemonic.
    StationId(u32)
);
id!(
    /// A user.
    UserId(u32)
);

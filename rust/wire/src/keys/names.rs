//! The closed sets of words a key row uses.

/// What a message does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Action {
    /// Speaks to people: administrative messages and bulletins.
    Administer,
    /// Takes a record back that should not have been.
    Cancel,
    /// Ends a record whose matter is settled.
    Clear,
    /// Asks whether a hit is still valid, or says so.
    Confirm,
    /// Puts a new record in.
    Enter,
    /// Asks.
    Inquire,
    /// Notes on another's record that the matter was found.
    Locate,
    /// Changes a record.
    Modify,
    /// Answers.
    Reply,
    /// Tells the state of a system or of a message.
    Status,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 10] = [
        Self::Administer,
        Self::Cancel,
        Self::Clear,
        Self::Confirm,
        Self::Enter,
        Self::Inquire,
        Self::Locate,
        Self::Modify,
        Self::Reply,
        Self::Status,
    ];

    /// Name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administer => "administer",
            Self::Cancel => "cancel",
            Self::Clear => "clear",
            Self::Confirm => "confirm",
            Self::Enter => "enter",
            Self::Inquire => "inquire",
            Self::Locate => "locate",
            Self::Modify => "modify",
            Self::Reply => "reply",
            Self::Status => "status",
        }
    }

    /// The action with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// How urgent a message is; a lower number goes first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Precedence {
    /// Status of the network, life in danger.
    P0 = 0,
    /// Answers about hits, hit confirmation.
    P1 = 1,
    /// Inquiries, their replies, updates.
    P2 = 2,
    /// Administrative messages.
    P3 = 3,
    /// Broadcasts, batches, inquiries of a region.
    P4 = 4,
}

impl Precedence {
    /// Every precedence, most urgent first.
    pub const ALL: [Self; 5] = [Self::P0, Self::P1, Self::P2, Self::P3, Self::P4];

    /// `P0` to `P4`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }

    /// The precedence with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|precedence| precedence.name() == name)
    }

    /// The precedence with this number.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::P0,
            1 => Self::P1,
            2 => Self::P2,
            3 => Self::P3,
            4 => Self::P4,
            _ => return None,
        })
    }
}

/// Which way a message of a key goes, seen from the agencies' lines.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// Both ways: people to people, and hit confirmation.
    Both,
    /// From a remote system, or from the switch itself, to a line.
    From,
    /// From a line to a remote system.
    To,
}

impl Direction {
    /// Name in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::From => "from",
            Self::To => "to",
        }
    }
}

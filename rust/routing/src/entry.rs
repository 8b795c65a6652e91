//! The entries of a directory: lines, stations, ORIs, agencies and users.

use std::sync::Arc;

use clets_wire::Dialect;

use crate::ids::{AgencyId, LineId, OriId, StationId};
use crate::table::Named;
use crate::translation::Translation;

/// An enumeration whose variants have a lower-case name in the bundle.
macro_rules! named {
    ($(#[$note:meta])* $name:ident {
        $($(#[$variant_note:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$note])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $name { $($(#[$variant_note])* $variant,)+ }

        impl $name {
            /// Every variant, in alphabetical order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Name, as written in a bundle.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The variant with this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use named;

named!(
    /// How frames are marked off on a line.
    Framing {
        /// DMPP-2020.
        Dmpp = "dmpp",
        /// The native line protocol.
        Native = "native",
    }
);

named!(
    /// What a user may do by training and appointment (CITE: CLETS PPP 1.8).
    Level {
        /// Manages users and asks nothing.
        Administrator = "administrator",
        /// Asks, enters, changes and cancels.
        Full = "full",
        /// Asks only.
        LessThanFull = "less_than_full",
        /// No access.
        None = "none",
        /// Is given what others asked for.
        Practitioner = "practitioner",
        /// Works near the system: computing and custodial staff.
        SecurityAwareness = "security_awareness",
    }
);

named!(
    /// Who is at the far end of a line.
    LineKind {
        /// An agency's computer, which connects to the switch.
        Agency = "agency",
        /// A destination system, to which the switch connects.
        Host = "host",
    }
);

named!(
    /// Whether a user's account is in use.
    Standing {
        /// In use.
        Active = "active",
        /// Stopped because nobody used it for ninety days (CITE: CJISSECPOL AC-2(3), rule D-13).
        Dormant = "dormant",
        /// Stopped while the user is on leave (rule D-13).
        OnLeave = "on_leave",
        /// Left the agency (CITE: CJISSECPOL PS-4, rule A-18).
        Separated = "separated",
        /// Stopped for a time.
        Suspended = "suspended",
        /// In use for test records only (rule D-16).
        Trainee = "trainee",
    }
);

named!(
    /// What kind of device a station is.
    StationKind {
        /// A terminal in a secure place.
        Fixed = "fixed",
        /// A records or dispatch system that speaks for its own users.
        Interface = "interface",
        /// A terminal in a vehicle or a hand.
        Mobile = "mobile",
        /// A printer or display that never sends.
        ReceiveOnly = "receive_only",
        /// A terminal for training and tests (rule M-12).
        Training = "training",
    }
);

/// An agency.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agency {
    /// Short code, unique in the bundle.
    pub code: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// Class of its ORIs, lower case, such as `ca_lea` or `fed_ice_ero`.
    pub class: Box<str>,
    /// `active`, `no_chi` or `suspended`.
    pub standing: Box<str>,
    /// NCIC county number, 1-58; 0 for an agency of the state or the nation.
    pub county: u16,
    /// It has attested that it does not use the system for immigration enforcement.
    pub attested: bool,
    /// A criminal justice agency controls it by a management control agreement (rule A-03).
    pub agreement: bool,
    /// Its mobile terminals may ask for criminal history (rule A-19).
    pub mobile_chi: bool,
}

/// A line: one authenticated computer and what is bound to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Name, unique among agencies' and hosts' lines.
    pub name: Box<str>,
    /// Which side of the switch it is on.
    pub kind: LineKind,
    /// Framing.
    pub framing: Framing,
    /// How to read what arrives.
    pub dialect_in: Dialect,
    /// How to write what is sent.
    pub dialect_out: Dialect,
    /// Most frames sent and not yet acknowledged.
    pub window: u16,
    /// The line that takes what is meant for this one while it is down; none when it waits.
    pub alternate: Option<LineId>,
    /// How long it must be down before that, in milliseconds.
    pub divert_after_ms: u32,
    /// Destination system as policy names it: `state`, `dmv`, `ncic`, `iii`, `nlets`, `oregon`,
    /// `nevada`; `agency` for a line of agencies.
    pub system: Box<str>,
    /// ORI a host answers with; empty for a line of agencies.
    pub ori: Box<[u8]>,
    /// Title for people.
    pub title: Box<str>,
    /// Mnemonic the switch uses toward a host; empty for a line of agencies.
    pub station: Box<[u8]>,
    /// Whether the far end drops what it has seen, so that an update may be sent twice.
    pub dedupes: bool,
    /// How long a reply may take, in milliseconds.
    pub reply_deadline_ms: u32,
    /// Most inquiries a host may have without an answer; 0 when there is no limit.
    pub outstanding: u32,
    /// NCIC county number, 0 when the line belongs to no county.
    pub county: u16,
    /// Agencies the line speaks for, sorted.
    pub agencies: Box<[AgencyId]>,
    /// Destination codes reached by this line, such as `AZ` for Nlets.
    pub members: Box<[Box<[u8]>]>,
    /// The county dialect its messages are written in.
    pub translation: Option<Arc<Translation>>,
    /// Whether the replies to an inquiry come in one message.
    pub collate: bool,
    /// The field whose `Y` or `N` says so for one inquiry; empty when none does.
    pub collate_field: Box<[u8]>,
    /// Whether replies to its inquiries may make the switch ask further.
    pub follow_ups: bool,
}

impl Line {
    /// Whether the line speaks for the agency.
    #[must_use]
    pub fn serves(&self, agency: AgencyId) -> bool {
        self.agencies.binary_search(&agency).is_ok()
    }
}

/// An originating agency identifier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ori {
    /// The nine characters.
    pub ori: [u8; 9],
    /// Its agency.
    pub agency: AgencyId,
    /// Whether it may ask every file; a limited one may not borrow a full one (rule A-07).
    pub full_access: bool,
    /// Whether its agency may have criminal history.
    pub criminal_history: bool,
    /// Where traffic goes that nobody asked for.
    pub station: Option<StationId>,
}

/// A station.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Station {
    /// Mnemonic, assigned by the state (CITE: CLETS PPP 1.6.2).
    pub mnemonic: Box<[u8]>,
    /// The line it is reached by.
    pub line: LineId,
    /// The ORI it works under.
    pub ori: OriId,
    /// What device it is.
    pub kind: StationKind,
}

/// A user. Days are counted from 1970-01-01, UTC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// User id.
    pub id: Box<[u8]>,
    /// Employer.
    pub agency: AgencyId,
    /// What training and appointment allow.
    pub level: Level,
    /// Whether the account is in use.
    pub standing: Standing,
    /// State and federal fingerprint check and background done (rule A-08).
    pub cleared: bool,
    /// Employee/Volunteer Statement signed (rule A-09).
    pub statement: bool,
    /// Day of hire or assignment.
    pub hired_day: i32,
    /// Day of the last test passed.
    pub trained_day: Option<i32>,
    /// Last day on which the training counts.
    pub training_to_day: Option<i32>,
}

impl Named for Agency {
    fn name(&self) -> &[u8] {
        self.code.as_bytes()
    }
}

impl Named for Line {
    fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }
}

impl Named for Ori {
    fn name(&self) -> &[u8] {
        &self.ori
    }
}

impl Named for Station {
    fn name(&self) -> &[u8] {
        &self.mnemonic
    }
}

impl Named for User {
    fn name(&self) -> &[u8] {
        &self.id
    }
}

// The entries an unknown id finds. They have no name and no rights, so that a mistake denies.

impl Agency {
    pub(crate) fn nobody() -> Self {
        let empty = Box::<str>::default;
        Self {
            code: empty(),
            name: empty(),
            class: "unknown".into(),
            standing: "unknown".into(),
            county: 0,
            attested: false,
            agreement: false,
            mobile_chi: false,
        }
    }
}

impl Line {
    pub(crate) fn nobody() -> Self {
        Self {
            name: Box::default(),
            kind: LineKind::Agency,
            framing: Framing::Native,
            dialect_in: Dialect::Clets,
            dialect_out: Dialect::Clets,
            window: 1,
            alternate: None,
            divert_after_ms: 0,
            system: "agency".into(),
            ori: Box::default(),
            title: Box::default(),
            station: Box::default(),
            dedupes: false,
            reply_deadline_ms: 0,
            outstanding: 0,
            county: 0,
            agencies: Box::default(),
            members: Box::default(),
            translation: None,
            collate: false,
            collate_field: Box::default(),
            follow_ups: false,
        }
    }
}

impl Ori {
    pub(crate) fn nobody() -> Self {
        Self {
            ori: [0; 9],
            agency: AgencyId::NOBODY,
            full_access: false,
            criminal_history: false,
            station: None,
        }
    }
}

impl Station {
    pub(crate) fn nobody() -> Self {
        Self {
            mnemonic: Box::default(),
            line: LineId::NOBODY,
            ori: OriId::NOBODY,
            kind: StationKind::ReceiveOnly,
        }
    }
}

impl User {
    pub(crate) fn nobody() -> Self {
        Self {
            id: Box::default(),
            agency: AgencyId::NOBODY,
            level: Level::None,
            standing: Standing::Suspended,
            cleared: false,
            statement: false,
            hired_day: i32::MAX,
            trained_day: None,
            training_to_day: None,
        }
    }
}

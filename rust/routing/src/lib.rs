//! Who exists, where they are reached, and where a message goes.
//!
//! A bundle of configuration becomes one immutable [`Directory`]: lines, stations, ORIs, users,
//! agencies, groups and routes, each found by its name through one hashed look-up. The Python side
//! reads and validates the files and hands over one JSON document ([`Directory::compile`]); what
//! arrives here is checked again wherever an entry names another one.
//!
//! * identify: [`Directory::station`], [`Directory::ori`], [`Directory::user`] and their `_of`;
//! * plan: [`Directory::plan`] finds the route of a message, [`Directory::resolve`] turns its legs
//!   into one leg for each destination line, and [`Directory::addressee`] reads one address.
//!
//! The crate knows no policy and no journal, and opens nothing.

#![forbid(unsafe_code)]

mod addressee;
mod directory;
mod entry;
mod followup;
mod group;
mod ids;
pub mod limits;
mod resolve;
mod route;
mod settings;
mod table;
mod translation;

pub use addressee::Addressee;
pub use directory::{Directory, Origin};
pub use entry::{
    Agency, Framing, Level, Line, LineKind, Ori, Standing, Station, StationKind, User,
};
pub use followup::{FollowUp, Locator};
pub use group::{Group, Member, Scope, Senders};
pub use ids::{AgencyId, GroupId, LineId, OriId, StationId, UserId};
pub use resolve::{Destinations, Leg, Legs, Plan};
pub use route::{Address, LegSpec, Route};
pub use settings::{ClassTimes, FieldNames, Limits, Rate, Rates, Settings};
pub use translation::{Translated, Translation};

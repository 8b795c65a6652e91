//! What one address of an administrative message names.

use crate::directory::Directory;
use crate::ids::{GroupId, LineId, OriId, StationId};

/// What an address names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Addressee {
    /// A broadcast group.
    Group(GroupId),
    /// A line that lists the address as a destination code: another state, Canada, a region.
    Line(LineId),
    /// An agency of this switch, at the station its unsolicited traffic goes to.
    Ori(OriId, StationId),
    /// A station.
    Station(StationId),
}

impl Directory {
    /// Reads one address: a station, a group, an ORI of this switch or a destination code.
    ///
    /// The bundle lets no address have two meanings. An ORI without a station is nobody here; it
    /// may be one beyond the state.
    #[must_use]
    pub fn addressee(&self, address: &[u8]) -> Option<Addressee> {
        if let Some(station) = self.station(address) {
            return Some(Addressee::Station(station));
        }
        if let Some(group) = self.group(address) {
            return Some(Addressee::Group(group));
        }
        if let Some(ori) = self.ori(address)
            && let Some(station) = self.ori_of(ori).station
        {
            return Some(Addressee::Ori(ori, station));
        }
        self.member_line(address).map(Addressee::Line)
    }
}

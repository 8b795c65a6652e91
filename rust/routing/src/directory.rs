//! The directory: one immutable snapshot of a bundle.

mod compile;
mod document;
#[cfg(test)]
mod tests;

use crate::entry::{Agency, Line, LineKind, Ori, Station, StationKind, User};
use crate::followup::FollowUp;
use crate::group::Group;
use crate::ids::{AgencyId, GroupId, LineId, OriId, StationId, UserId};
use crate::route::{Route, Routes, name};
use crate::settings::Settings;
use crate::table::{Named, Table};

/// Who exists, where they are reached, where a message goes. Every look-up by name is one hashed
/// probe; every look-up by id is one array access. An id of another directory finds an entry
/// without a name and without rights.
#[derive(Debug)]
pub struct Directory {
    agencies: Table<Agency>,
    follow_ups: Vec<FollowUp>,
    groups: Table<Group>,
    lines: Table<Line>,
    members: Table<MemberCode>,
    oris: Table<Ori>,
    routes: Routes,
    settings: Settings,
    stations: Table<Station>,
    users: Table<User>,
}

/// What an ORI is to a station.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// A full-access ORI, and the station's own is limited.
    Borrowed,
    /// Of an agency that the station does not serve.
    Foreign,
    /// One that the station may send under.
    Served,
}

/// A destination code and the line that lists it.
#[derive(Debug)]
struct MemberCode {
    code: Box<[u8]>,
    line: LineId,
}

impl Named for MemberCode {
    fn name(&self) -> &[u8] {
        &self.code
    }
}

impl Directory {
    /// Builds the directory from the JSON document the bundle loader writes.
    ///
    /// Linear in the document: 20,000 users take some tens of milliseconds.
    ///
    /// # Errors
    ///
    /// A document of another shape, a name used twice, a name that nothing has, a group that
    /// contains itself, or more entries than [`crate::limits`] allows. The loader has found all
    /// this already, with file and line; here only the first is told.
    pub fn compile(json: &[u8]) -> Result<Self, String> {
        compile::compile(json)
    }

    /// The switch's own settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rules of follow-up inquiries, in the order of the bundle.
    #[must_use]
    pub fn follow_ups(&self) -> &[FollowUp] {
        &self.follow_ups
    }

    /// All lines, agencies' first; a line's id is its position.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        self.lines.rows()
    }

    /// All lines with their ids.
    pub fn line_ids(&self) -> impl Iterator<Item = (LineId, &Line)> {
        self.lines().iter().enumerate().map(|(at, line)| (LineId::at(at), line))
    }

    /// A line.
    #[must_use]
    pub fn line(&self, id: LineId) -> &Line {
        self.lines.row(id.index())
    }

    /// The line of this name.
    #[must_use]
    pub fn find_line(&self, name: &str) -> Option<LineId> {
        self.lines.find(name.as_bytes()).map(LineId::at)
    }

    /// Whether one line can take what is meant for another: the same agencies' computer, or the
    /// same system in the same form.
    #[must_use]
    pub fn stands_in(&self, line: LineId, by: LineId) -> bool {
        let (meant, other) = (self.line(line), self.line(by));
        line != by
            && meant.kind == other.kind
            && match meant.kind {
                LineKind::Agency => meant.agencies.iter().all(|agency| other.serves(*agency)),
                LineKind::Host => {
                    meant.system == other.system && meant.dialect_out == other.dialect_out
                }
            }
    }

    /// The station of this mnemonic.
    #[must_use]
    pub fn station(&self, mnemonic: &[u8]) -> Option<StationId> {
        self.stations.find(mnemonic).map(StationId::at)
    }

    /// A station.
    #[must_use]
    pub fn station_of(&self, id: StationId) -> &Station {
        self.stations.row(id.index())
    }

    /// All stations; a station's id is its position.
    #[must_use]
    pub fn stations(&self) -> &[Station] {
        self.stations.rows()
    }

    /// All agencies, in the order of their ids.
    #[must_use]
    pub fn agencies(&self) -> &[Agency] {
        self.agencies.rows()
    }

    /// The ORI written like this.
    #[must_use]
    pub fn ori(&self, ori: &[u8]) -> Option<OriId> {
        self.oris.find(ori).map(OriId::at)
    }

    /// An ORI.
    #[must_use]
    pub fn ori_of(&self, id: OriId) -> &Ori {
        self.oris.row(id.index())
    }

    /// The user of this id.
    #[must_use]
    pub fn user(&self, id: &[u8]) -> Option<UserId> {
        self.users.find(id).map(UserId::at)
    }

    /// A user.
    #[must_use]
    pub fn user_of(&self, id: UserId) -> &User {
        self.users.row(id.index())
    }

    /// The agency of this code.
    #[must_use]
    pub fn agency(&self, code: &str) -> Option<AgencyId> {
        self.agencies.find(code.as_bytes()).map(AgencyId::at)
    }

    /// An agency.
    #[must_use]
    pub fn agency_of(&self, id: AgencyId) -> &Agency {
        self.agencies.row(id.index())
    }

    /// The group of this code.
    #[must_use]
    pub fn group(&self, code: &[u8]) -> Option<GroupId> {
        self.groups.find(code).map(GroupId::at)
    }

    /// A group.
    #[must_use]
    pub fn group_of(&self, id: GroupId) -> &Group {
        self.groups.row(id.index())
    }

    /// Every station a group reaches, each once; groups inside it are flattened.
    #[must_use]
    pub fn expand(&self, id: GroupId) -> &[StationId] {
        &self.group_of(id).stations
    }

    /// The line that lists a destination code; for an ORI, the one that lists its first two
    /// letters.
    #[must_use]
    pub fn member_line(&self, code: &[u8]) -> Option<LineId> {
        const ORI_LENGTH: usize = 9;
        let find = |code: &[u8]| self.members.find(code).map(|at| self.members.row(at).line);
        find(code).or_else(|| match code.get(..2) {
            Some(member) if code.len() == ORI_LENGTH => find(member),
            _ => None,
        })
    }

    /// What an ORI is to a station whose message names it as its origin.
    ///
    /// A station serves its own and any other of its agency; and an interface, whose users are
    /// many, any of an agency its line speaks for. A limited-access station never borrows a
    /// full-access ORI. CITE: CLETS PPP 1.6.2; CJISSECPOL v6.0 IA-0 (rules ).
    #[must_use]
    pub fn origin(&self, station: StationId, ori: OriId) -> Origin {
        let station = self.station_of(station);
        if ori == OriId::NOBODY {
            return Origin::Foreign;
        }
        if station.ori == ori {
            return Origin::Served;
        }
        let (own, asked) = (self.ori_of(station.ori), self.ori_of(ori));
        if asked.full_access && !own.full_access {
            return Origin::Borrowed;
        }
        let same_agency = own.agency == asked.agency && own.agency != AgencyId::NOBODY;
        let for_another =
            station.kind == StationKind::Interface && self.line(station.line).serves(asked.agency);
        if same_agency || for_another { Origin::Served } else { Origin::Foreign }
    }

    /// The first route of the message key whose condition holds.
    ///
    /// `system` is the CLETS destination (`IV`, `NLTS`, or empty), `federal_only` the `R.` mark,
    /// `field` gives a field's value. One hashed probe, then the key's routes in file order.
    #[must_use]
    pub fn plan<'v>(
        &self,
        system: &[u8],
        federal_only: bool,
        key: &[u8],
        field: &dyn Fn(&[u8]) -> Option<&'v [u8]>,
    ) -> Option<&Route> {
        self.routes.first(&name(system, federal_only, key)?, field)
    }
}

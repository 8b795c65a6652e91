//! PLAN: every destination of one message.
//!
//! A message either names whom it is for (administrative messages, hit confirmations) or names a
//! file, and then a route says which systems are asked. One inquiry to several states is a leg
//! for each, so that each has exactly one outcome.

use clets_routing::{
    self as routing, Addressee, AgencyId, Directory, GroupId, LegSpec, LineId, Member, StationId,
    StationKind,
};
use clets_wire::{Action, Envelope, Key, Span};
use smallvec::SmallVec;

use crate::control::LEGS_MAX;

/// Addressees outside the state in one message (CITE: Nlets, administrative messages: five).
const ELSEWHERE_MAX: usize = 5;

/// Regions in one message; more are all points (CITE: Wisconsin TIME System Manual: two).
const REGIONS_MAX: usize = 2;

/// The address of all Canada.
const CANADA: &[u8] = b"CN";

/// Length of an ORI.
const ORI_BYTES: usize = 9;

/// Length of the code of a state, a country or a region.
const MEMBER_BYTES: usize = 2;

/// Codes inside a destination system.
pub(crate) type Destinations<'a> = SmallVec<[&'a [u8]; 4]>;

/// Where one leg of a message goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Leg<'a> {
    /// To a destination system, in the form that the route gives.
    Host { host: LineId, spec: &'a LegSpec, destinations: Destinations<'a> },
    /// To a station of an agency.
    Station(StationId),
}

impl Leg<'_> {
    /// The destination system's line, of a leg to one.
    pub(crate) fn host(&self) -> Option<LineId> {
        match self {
            Self::Host { host, .. } => Some(*host),
            Self::Station(_) => None,
        }
    }
}

/// How far a message reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    AllPoints,
    Canada,
    Group,
    Joint,
    Region,
    Single,
    State,
    Statewide,
}

impl Scope {
    /// Whether it is a broadcast: nobody in particular is addressed.
    pub(crate) fn broadcasts(self) -> bool {
        matches!(self, Self::AllPoints | Self::Group | Self::Region | Self::Statewide)
    }
}

/// Whether the list of addressees may be written. Policy has the first word on it, so that a
/// refusal names its law; what policy lets pass is refused all the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Addressing {
    /// A place in Canada by other than `CN`.
    Canadian,
    Fair,
    /// More addressees than the limit.
    Many,
    /// More than five outside the state.
    ManyStates,
}

/// All legs of a message, each destination once, in the order of the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Plan<'a> {
    pub(crate) legs: Vec<Leg<'a>>,
    /// The widest reach among its addressees.
    pub(crate) scope: Scope,
    /// The groups among its addressees, and those inside them.
    pub(crate) groups: SmallVec<[GroupId; 2]>,
    pub(crate) addressing: Addressing,
}

/// Why there is no plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlanError {
    /// A place in Canada that no line lists.
    Canadian,
    /// A destination that nobody has, or none where one is needed.
    DestinationUnknown,
    /// No route for this key.
    NoRoute,
    /// More destinations than the limit.
    TooManyDestinations,
}

impl Plan<'_> {
    /// Whether an agency may send to all the groups.
    pub(crate) fn admits(&self, directory: &Directory, sender: AgencyId) -> bool {
        self.groups.iter().all(|group| directory.group_of(*group).senders.include(sender))
    }

    /// Whether the list of addressees is within the limits, whatever policy said of it.
    pub(crate) fn fair(&self) -> Result<(), PlanError> {
        match self.addressing {
            Addressing::Canadian => Err(PlanError::Canadian),
            Addressing::Fair => Ok(()),
            Addressing::Many | Addressing::ManyStates => Err(PlanError::TooManyDestinations),
        }
    }
}

/// The destinations of `envelope`.
pub(crate) fn plan<'a>(
    directory: &'a Directory,
    envelope: &Envelope,
    bytes: &'a [u8],
    key: &Key,
    for_everyone: bool,
) -> Result<Plan<'a>, PlanError> {
    let named: Destinations<'a> = envelope.destinations.iter().map(|it| it.of(bytes)).collect();
    let addressed = matches!(key.action, Action::Administer | Action::Confirm);
    // CITE: Nlets User and Technical Guide, errors: a member system never originates ER.
    let originates_error =
        |leg: &Leg<'_>| matches!(leg, Leg::Host { spec, .. } if *spec.key == *b"ER");
    if named.is_empty() && for_everyone {
        let legs = everyone(directory).into_iter().map(Leg::Station).collect();
        let (groups, addressing) = (SmallVec::new(), Addressing::Fair);
        return Ok(Plan { legs, scope: Scope::Group, groups, addressing });
    }
    if addressed {
        let plan = addressed_plan(directory, &named, key)?;
        let wrong = plan.legs.iter().any(originates_error);
        return if wrong { Err(PlanError::NoRoute) } else { Ok(plan) };
    }
    let plan = routed_plan(directory, envelope, bytes, &named)?;
    if plan.legs.iter().any(originates_error) {
        return Err(PlanError::NoRoute);
    }
    let limits = directory.settings().limits;
    let hosts = plan.legs.iter().filter(|leg| matches!(leg, Leg::Host { .. })).count();
    // A control field has room for this many legs; only legs to hosts need one.
    if named.len() > usize::from(limits.destinations) || hosts > LEGS_MAX {
        return Err(PlanError::TooManyDestinations);
    }
    if plan.legs.is_empty() {
        return Err(PlanError::DestinationUnknown);
    }
    Ok(plan)
}

/// Unsolicited traffic of a host: to the stations that take it for the ORIs it names.
pub(crate) fn plan_by_ori(
    directory: &Directory,
    envelope: &Envelope,
    bytes: &[u8],
) -> Result<Vec<StationId>, PlanError> {
    let mut stations = Vec::new();
    for destination in &envelope.destinations {
        match directory.addressee(destination.of(bytes)) {
            Some(Addressee::Ori(_, station) | Addressee::Station(station)) => {
                if !stations.contains(&station) {
                    stations.push(station);
                }
            }
            _ => return Err(PlanError::DestinationUnknown),
        }
    }
    if stations.is_empty() { Err(PlanError::DestinationUnknown) } else { Ok(stations) }
}

/// The stations among the destinations, where not all of them are known.
pub(crate) fn known_stations(
    directory: &Directory,
    envelope: &Envelope,
    bytes: &[u8],
) -> Vec<StationId> {
    let known = envelope.destinations.iter().filter_map(|it| directory.addressee(it.of(bytes)));
    let mut stations: Vec<StationId> = known
        .filter_map(|it| match it {
            Addressee::Ori(_, station) | Addressee::Station(station) => Some(station),
            _ => None,
        })
        .collect();
    stations.sort_unstable();
    stations.dedup();
    stations
}

/// Whom a message for everyone reaches: the group that the bundle names, or all fixed stations.
pub(crate) fn everyone(directory: &Directory) -> Vec<StationId> {
    if let Some(group) = directory.group(directory.settings().alert_group.as_bytes()) {
        return directory.expand(group).to_vec();
    }
    let stations = (0..).map(StationId).zip(directory.stations());
    stations.filter(|(_, it)| it.kind == StationKind::Fixed).map(|(id, _)| id).collect()
}

fn routed_plan<'a>(
    directory: &'a Directory,
    envelope: &Envelope,
    bytes: &'a [u8],
    named: &[&'a [u8]],
) -> Result<Plan<'a>, PlanError> {
    let system = part(envelope.system, bytes);
    let key = part(envelope.mke, bytes);
    let condition = |code: &[u8]| envelope.field(bytes, code);
    let route =
        directory.plan(system, envelope.federal_only, key, &condition).ok_or(PlanError::NoRoute)?;
    let value = |code: &[u8]| envelope.field(bytes, code);
    let resolved = directory.resolve(route, named, &value);
    if !resolved.unknown.is_empty() {
        return Err(PlanError::DestinationUnknown);
    }
    let mut legs = Vec::with_capacity(resolved.legs.len());
    let mut scope = Scope::Single;
    for leg in resolved.legs {
        let (host, spec) = (leg.host, leg.spec);
        if leg.destinations.is_empty() {
            legs.push(Leg::Host { host, spec, destinations: SmallVec::new() });
        }
        for destination in leg.destinations {
            // The widest reach counts, wherever it stands in the list.
            scope = match scope {
                Scope::Region => Scope::Region,
                _ if is_region(destination) => Scope::Region,
                _ => Scope::State,
            };
            let region = spec.region.as_deref().filter(|_| is_region(destination));
            let spec = region.unwrap_or(spec);
            let destinations = SmallVec::from_slice(&[destination]);
            legs.push(Leg::Host { host, spec, destinations });
        }
    }
    Ok(Plan { legs, scope, groups: SmallVec::new(), addressing: Addressing::Fair })
}

/// The stations and systems of a list of addressees, which may be of every kind, each once.
pub(crate) fn addressed_plan<'a>(
    directory: &'a Directory,
    named: &[&'a [u8]],
    key: &Key,
) -> Result<Plan<'a>, PlanError> {
    let mut stations: Vec<StationId> = Vec::new();
    let mut elsewhere: Destinations<'a> = SmallVec::new();
    let mut groups = SmallVec::new();
    let administers = key.action == Action::Administer;
    for name in named {
        match directory.addressee(name) {
            Some(Addressee::Group(group)) => {
                add_group(directory, group, &mut groups);
                stations.extend_from_slice(directory.expand(group));
            }
            Some(Addressee::Line(_)) if elsewhere.contains(name) => {}
            Some(Addressee::Line(_)) => elsewhere.push(name),
            Some(Addressee::Ori(_, station) | Addressee::Station(station)) => {
                stations.push(station);
            }
            None if administers && is_canadian(name) => return Err(PlanError::Canadian),
            None => return Err(PlanError::DestinationUnknown),
        }
    }
    let limits = directory.settings().limits;
    let addressing = if administers && elsewhere.iter().any(|name| is_canadian(name)) {
        Addressing::Canadian
    } else if elsewhere.len() > ELSEWHERE_MAX {
        Addressing::ManyStates
    } else if named.len() > usize::from(limits.destinations) {
        Addressing::Many
    } else {
        Addressing::Fair
    };
    if stations.len() > 1 {
        let mut seen = vec![false; directory.stations().len()];
        stations.retain(|station| {
            seen.get_mut(station.index()).is_some_and(|seen| !std::mem::replace(seen, true))
        });
    }
    if stations.len() > limits.group_stations as usize {
        return Err(PlanError::TooManyDestinations);
    }
    let statewide = |group: &GroupId| directory.group_of(*group).scope == routing::Scope::State;
    let regions = elsewhere.iter().filter(|name| is_region(name)).count();
    let members = elsewhere.iter().filter(|name| name.len() == MEMBER_BYTES);
    let (canada, states): (Vec<&[u8]>, Vec<&[u8]>) = members.partition(|name| **name == CANADA);
    let scope = if regions > REGIONS_MAX {
        Scope::AllPoints
    } else if regions > 0 {
        Scope::Region
    } else if groups.iter().any(statewide) {
        Scope::Statewide
    } else if canada.len() == 1 && states.is_empty() && groups.is_empty() {
        Scope::Canada
    } else if !canada.is_empty() || !states.is_empty() {
        // Whoever receives it there passes it on as they see fit.
        Scope::State
    } else if !groups.is_empty() {
        Scope::Group
    } else if stations.len() + elsewhere.len() > 1 {
        Scope::Joint
    } else {
        Scope::Single
    };
    let mut legs: Vec<Leg<'a>> = stations.into_iter().map(Leg::Station).collect();
    if !elsewhere.is_empty() {
        // Addressees outside the state share one leg for each line that leads to them.
        let nothing = |_: &[u8]| None;
        let route = directory
            .plan(b"NLTS", false, key.key.as_bytes(), &nothing)
            .ok_or(PlanError::NoRoute)?;
        let resolved = directory.resolve(route, &elsewhere, &nothing);
        legs.extend(resolved.legs.into_iter().map(|leg| Leg::Host {
            host: leg.host,
            spec: leg.spec,
            destinations: leg.destinations,
        }));
    }
    if legs.is_empty() {
        return Err(PlanError::DestinationUnknown);
    }
    Ok(Plan { legs, scope, groups, addressing })
}

/// A group and all inside it, each once: whoever may not send to a group may not do so by way of
/// another that contains it. A bundle has no circles of groups, and this would end on one.
fn add_group(directory: &Directory, group: GroupId, groups: &mut SmallVec<[GroupId; 2]>) {
    let first = groups.len();
    if !groups.contains(&group) {
        groups.push(group);
    }
    let mut at = first;
    while let Some(outer) = groups.get(at).copied() {
        for member in &directory.group_of(outer).members {
            if let Member::Group(inner) = member
                && !groups.contains(inner)
            {
                groups.push(*inner);
            }
        }
        at += 1;
    }
}

/// A place in Canada by other than `CN`: an ORI of Canada, or the code or ORI of a province.
fn is_canadian(name: &[u8]) -> bool {
    /// Codes that no member of Nlets has; New Brunswick's would be Nebraska's.
    const PROVINCES: [&[u8]; 12] =
        [b"AB", b"BC", b"MB", b"NF", b"NS", b"NT", b"NU", b"ON", b"PE", b"PQ", b"SK", b"YT"];
    match name.get(..MEMBER_BYTES) {
        Some(code) if code == CANADA => name != CANADA,
        Some(code) => matches!(name.len(), MEMBER_BYTES | ORI_BYTES) && PROVINCES.contains(&code),
        None => false,
    }
}

/// An Nlets region code: a letter and a digit, such as `E1`.
pub(crate) fn is_region(name: &[u8]) -> bool {
    matches!(name, [b'A'..=b'H', b'0'..=b'9'])
}

fn part(span: Option<Span>, bytes: &[u8]) -> &[u8] {
    span.map(|span| span.of(bytes)).unwrap_or_default()
}

//! PLAN: every destination of one message.
//!
//! A message either names whom it is for (administrative messages, hit confirmations) or names a
//! file, and then a route says which systems are asked. One inquiry to several states is a leg
//! for each, so that each has exactly one outcome.

use clets_routing::{Addressee, AgencyId, Directory, GroupId, LegSpec, LineId, StationId};
use clets_wire::{Action, Envelope, Key, Span};
use smallvec::SmallVec;

use crate::control::LEGS_MAX;

/// Addressees outside the state in one message (CITE: Nlets, administrative messages: five).
const ELSEWHERE_MAX: usize = 5;

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

/// How far a message reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scope {
    Group,
    Joint,
    Region,
    Single,
    State,
}

/// All legs of a message, each destination once, in the order of the message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Plan<'a> {
    pub(crate) legs: Vec<Leg<'a>>,
    /// The widest reach among its addressees.
    pub(crate) scope: Scope,
    /// The groups among its addressees.
    pub(crate) groups: SmallVec<[GroupId; 2]>,
}

/// Why there is no plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlanError {
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
}

/// The destinations of `envelope`.
pub(crate) fn plan<'a>(
    directory: &'a Directory,
    envelope: &Envelope,
    bytes: &'a [u8],
    key: &Key,
) -> Result<Plan<'a>, PlanError> {
    let named: Destinations<'a> = envelope.destinations.iter().map(|it| it.of(bytes)).collect();
    let addressed = matches!(key.action, Action::Administer | Action::Confirm);
    let plan = if addressed {
        addressed_plan(directory, &named, key)?
    } else {
        routed_plan(directory, envelope, bytes, &named)?
    };
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
    Ok(Plan { legs, scope, groups: SmallVec::new() })
}

fn addressed_plan<'a>(
    directory: &'a Directory,
    named: &[&'a [u8]],
    key: &Key,
) -> Result<Plan<'a>, PlanError> {
    let mut stations: Vec<StationId> = Vec::new();
    let mut elsewhere: Destinations<'a> = SmallVec::new();
    let mut groups = SmallVec::new();
    for name in named {
        match directory.addressee(name).ok_or(PlanError::DestinationUnknown)? {
            Addressee::Group(group) => {
                groups.push(group);
                stations.extend_from_slice(directory.expand(group));
            }
            Addressee::Line(_) => elsewhere.push(name),
            Addressee::Ori(_, station) | Addressee::Station(station) => stations.push(station),
        }
    }
    if elsewhere.len() > ELSEWHERE_MAX {
        return Err(PlanError::TooManyDestinations);
    }
    let mut seen = vec![false; directory.stations().len()];
    stations.retain(|station| {
        seen.get_mut(station.index()).is_some_and(|seen| !std::mem::replace(seen, true))
    });
    let members = elsewhere.iter().filter(|name| name.len() == MEMBER_BYTES).count();
    let scope = if elsewhere.iter().any(|name| is_region(name)) {
        Scope::Region
    } else if members > 0 {
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
    Ok(Plan { legs, scope, groups })
}

/// An Nlets region code: a letter and a digit, such as `E1`.
pub(crate) fn is_region(name: &[u8]) -> bool {
    matches!(name, [b'A'..=b'H', b'0'..=b'9'])
}

fn part(span: Option<Span>, bytes: &[u8]) -> &[u8] {
    span.map(|span| span.of(bytes)).unwrap_or_default()
}

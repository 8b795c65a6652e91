//! From a route to one leg for each destination line.

use smallvec::SmallVec;

use crate::directory::Directory;
use crate::ids::LineId;
use crate::route::{Address, LegSpec, Route};

/// Destination codes of one leg.
pub type Destinations<'a> = SmallVec<[&'a [u8]; 4]>;
/// Legs of one message.
pub type Legs<'a> = SmallVec<[Leg<'a>; 4]>;

/// One message to one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leg<'a> {
    /// The line, which is not `spec.host` when another line lists the destination code.
    pub host: LineId,
    /// System, key and federal-only mark to write.
    pub spec: &'a LegSpec,
    /// Destination codes to write; none for a system that is its own destination.
    pub destinations: Destinations<'a>,
}

/// What a message is to become.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan<'a> {
    /// Messages to send. None, when the route needs destination codes and the message has none.
    pub legs: Legs<'a>,
    /// Destination codes that no line lists.
    pub unknown: Destinations<'a>,
}

impl Directory {
    /// Turns a route's legs into messages to lines.
    ///
    /// A leg without an address stays one leg. Otherwise each destination code goes to the line
    /// that lists it among its members: `NV` to Nevada's own line when that lists it, and every
    /// other state to Nlets. Codes of one line share a leg, each code once. A code of nine
    /// characters is an ORI and belongs to the member of its first two.
    ///
    /// `destinations` are those of the message's header; `field` gives a field's value.
    /// Time is linear in legs times destination codes.
    #[must_use]
    pub fn resolve<'a>(
        &'a self,
        route: &'a Route,
        destinations: &[&'a [u8]],
        field: &dyn Fn(&[u8]) -> Option<&'a [u8]>,
    ) -> Plan<'a> {
        let mut plan = Plan::default();
        for spec in &route.legs {
            let spec = spec.for_fields(field);
            match &spec.address {
                Address::Omit => {
                    plan.legs.push(Leg { host: spec.host, spec, destinations: SmallVec::new() });
                }
                Address::Field(code) => {
                    if let Some(value) = field(code).filter(|value| !value.is_empty()) {
                        self.add(&mut plan, spec, value);
                    }
                }
                Address::Fixed(code) => self.add(&mut plan, spec, code),
                Address::Message => {
                    for code in destinations {
                        self.add(&mut plan, spec, code);
                    }
                }
            }
        }
        plan
    }

    fn add<'a>(&'a self, plan: &mut Plan<'a>, spec: &'a LegSpec, code: &'a [u8]) {
        let Some(host) = self.member_line(code) else {
            if !plan.unknown.contains(&code) {
                plan.unknown.push(code);
            }
            return;
        };
        let same = |leg: &&mut Leg<'a>| leg.host == host && std::ptr::eq(leg.spec, spec);
        match plan.legs.iter_mut().find(same) {
            Some(leg) if leg.destinations.contains(&code) => {}
            Some(leg) => leg.destinations.push(code),
            None => {
                let destinations = SmallVec::from_slice(&[code]);
                plan.legs.push(Leg { host, spec, destinations });
            }
        }
    }
}

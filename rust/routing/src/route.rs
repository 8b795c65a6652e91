//! Routes: which systems a message key asks.

use crate::ids::LineId;
use crate::limits::ROUTE_NAME_BYTES_MAX;
use crate::table::{Named, Table};

/// Where one message key goes when its condition holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    pub(crate) condition: Option<Condition>,
    /// The systems asked, in the order of the bundle.
    pub legs: Vec<LegSpec>,
}

/// One system to ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LegSpec {
    /// The system's line. Another line takes over for the destination codes it lists itself; see
    /// [`crate::Directory::resolve`].
    pub host: LineId,
    /// CLETS destination system to write, empty where the host's dialect has none.
    pub system: Box<[u8]>,
    /// Message key to write.
    pub key: Box<[u8]>,
    /// Whether the state file is to be left out (the `R.` part).
    pub federal_only: bool,
    /// Where the destination codes come from.
    pub address: Address,
    /// Other forms of the leg, by the value of a field; the first that fits is asked instead.
    pub(crate) variants: Vec<Variant>,
    /// The form for the code of a region, such as `RQG` for `RQ`.
    pub region: Option<Box<Self>>,
}

/// A leg's form when a field has a value: the DMV's file code of a plate type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Variant {
    pub(crate) field: Box<[u8]>,
    pub(crate) value: Box<[u8]>,
    pub(crate) spec: LegSpec,
}

impl LegSpec {
    /// The form of the leg for a message with these fields.
    #[must_use]
    pub fn for_fields<'v>(&self, field: &dyn Fn(&[u8]) -> Option<&'v [u8]>) -> &Self {
        let holds = |variant: &&Variant| field(&variant.field) == Some(&*variant.value);
        self.variants.iter().find(holds).map_or(self, |variant| &variant.spec)
    }
}

/// Where a leg's destination codes come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// From the value of this field, such as `LIS`.
    Field(Box<[u8]>),
    /// Always this code.
    Fixed(Box<[u8]>),
    /// From the destinations in the header of the message.
    Message,
    /// None are needed: the system is its own destination.
    Omit,
}

/// Holds when a field's value is, or is not, one of some values; `""` stands for an absent field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Condition {
    pub(crate) field: Box<[u8]>,
    pub(crate) values: Vec<Box<[u8]>>,
    pub(crate) negate: bool,
}

impl Condition {
    fn holds<'v>(&self, field: &dyn Fn(&[u8]) -> Option<&'v [u8]>) -> bool {
        let value = field(&self.field).unwrap_or_default();
        self.values.iter().any(|wanted| &**wanted == value) != self.negate
    }
}

/// System, federal-only mark and key of a message in one array of fixed length, each part padded
/// with zeros (no legal part contains one).
type Name = [u8; 2 * ROUTE_NAME_BYTES_MAX + 1];

/// Packs the parts, or `None` when one is too long to be in any bundle.
pub(crate) fn name(system: &[u8], federal_only: bool, key: &[u8]) -> Option<Name> {
    let mut name = [0; 2 * ROUTE_NAME_BYTES_MAX + 1];
    let (left, right) = name.split_at_mut(ROUTE_NAME_BYTES_MAX);
    let (mark, right) = right.split_first_mut()?;
    left.get_mut(..system.len())?.copy_from_slice(system);
    *mark = u8::from(federal_only);
    right.get_mut(..key.len())?.copy_from_slice(key);
    Some(name)
}

/// The routes of one message key, in the order of the bundle.
#[derive(Debug)]
pub(crate) struct Choice {
    name: Name,
    pub(crate) routes: Vec<Route>,
}

impl Named for Choice {
    fn name(&self) -> &[u8] {
        &self.name
    }
}

/// All routes, by message key.
#[derive(Debug)]
pub(crate) struct Routes(Table<Choice>);

impl Routes {
    pub(crate) fn new(capacity: usize) -> Self {
        let nobody = Choice { name: Name::default(), routes: Vec::new() };
        Self(Table::new(capacity, nobody))
    }

    pub(crate) fn add(&mut self, name: Name, route: Route) {
        match self.0.find(&name) {
            Some(position) => {
                if let Some(choice) = self.0.row_mut(position) {
                    choice.routes.push(route);
                }
            }
            None => {
                self.0.add(Choice { name, routes: vec![route] });
            }
        }
    }

    pub(crate) fn first<'v>(
        &self,
        name: &Name,
        field: &dyn Fn(&[u8]) -> Option<&'v [u8]>,
    ) -> Option<&Route> {
        let choice = self.0.row(self.0.find(name)?);
        choice
            .routes
            .iter()
            .find(|route| route.condition.as_ref().is_none_or(|condition| condition.holds(field)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn route(id: u16, condition: Option<Condition>) -> Route {
        let leg = LegSpec {
            host: LineId(id),
            system: Box::default(),
            key: Box::default(),
            federal_only: false,
            address: Address::Omit,
            variants: Vec::new(),
            region: None,
        };
        Route { condition, legs: vec![leg] }
    }

    fn condition() -> impl Strategy<Value = Option<Condition>> {
        let value = prop::sample::select(vec!["", "CA", "AZ"]);
        prop::option::of((prop::collection::vec(value, 1..3), any::<bool>()).prop_map(
            |(values, negate)| Condition {
                field: b"LIS"[..].into(),
                values: values.into_iter().map(|value| value.as_bytes().into()).collect(),
                negate,
            },
        ))
    }

    proptest! {
        /// The hashed table chooses what walking down the file would choose.
        #[test]
        fn the_first_route_that_holds_is_taken(
            written in prop::collection::vec((0usize..3, any::<bool>(), condition()), 0..20),
            asked in (0usize..3, any::<bool>(), prop::option::of(
                prop::sample::select(vec!["", "CA", "AZ", "OR"]))),
        ) {
            let keys: [(&[u8], &[u8]); 3] = [(b"IV", b"4A"), (b"", b"QV"), (b"I", b"V4A")];
            let mut routes = Routes::new(4);
            for (id, (key, federal, condition)) in (0u16..).zip(&written) {
                let (system, key) = keys[*key];
                routes.add(name(system, *federal, key).unwrap(), route(id, condition.clone()));
            }
            let (key, federal, value) = asked;
            let naive = written.iter().position(|(written_key, written_federal, condition)| {
                let value = value.unwrap_or("").as_bytes();
                *written_key == key && *written_federal == federal
                    && condition.as_ref().is_none_or(|condition| {
                        let listed = condition.values.iter().any(|wanted| **wanted == *value);
                        if condition.negate { !listed } else { listed }
                    })
            });
            let (system, key) = keys[key];
            let field = |code: &[u8]| if code == b"LIS" { value.map(str::as_bytes) } else { None };
            let found = routes.first(&name(system, federal, key).unwrap(), &field);
            prop_assert_eq!(found.map(|route| usize::from(route.legs[0].host.0)), naive);
        }
    }

    #[test]
    fn a_name_of_nine_bytes_is_no_route() {
        assert!(name(b"IV", false, b"123456789").is_none());
        assert!(name(b"123456789", false, b"4A").is_none());
        assert_ne!(name(b"IV", true, b"4A"), name(b"IV", false, b"4A"));
    }
}

//! Broadcast groups and what they expand to.

use hashbrown::HashSet;

use crate::entry::named;
use crate::ids::{AgencyId, GroupId, StationId};
use crate::table::Named;

/// Deepest nesting of groups in groups.
const DEPTH_MAX: usize = 16;

named!(
    /// How wide a group reaches, for the rules on broadcasts.
    Scope {
        /// Some stations.
        Group = "group",
        /// A part of the state.
        Region = "region",
        /// The whole state.
        State = "state",
    }
);

/// A broadcast group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Code, used as a destination.
    pub code: Box<[u8]>,
    /// Title for people.
    pub title: Box<str>,
    /// How wide it reaches.
    pub scope: Scope,
    /// Members as written in the bundle.
    pub members: Box<[Member]>,
    /// Who may send to it.
    pub senders: Senders,
    /// All stations it reaches, each once, in the order of the members.
    pub(crate) stations: Box<[StationId]>,
}

/// A member of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Member {
    /// All stations of another group.
    Group(GroupId),
    /// One station.
    Station(StationId),
}

/// Who may send to a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Senders {
    /// These agencies, sorted.
    Agencies(Box<[AgencyId]>),
    /// Every agency.
    Any,
}

impl Senders {
    /// Whether the agency may send.
    #[must_use]
    pub fn include(&self, agency: AgencyId) -> bool {
        match self {
            Self::Agencies(agencies) => agencies.binary_search(&agency).is_ok(),
            Self::Any => agency != AgencyId::NOBODY,
        }
    }
}

impl Group {
    pub(crate) fn nobody() -> Self {
        Self {
            code: Box::default(),
            title: Box::default(),
            scope: Scope::State,
            members: Box::default(),
            senders: Senders::Agencies(Box::default()),
            stations: Box::default(),
        }
    }
}

impl Named for Group {
    fn name(&self) -> &[u8] {
        &self.code
    }
}

/// The stations of every group, in the order of `groups`. A group inside groups is expanded once.
///
/// # Errors
///
/// A group that contains itself, is nested deeper than 16 or reaches more than `stations_max`.
pub(crate) fn expand_all(
    groups: &[Group],
    stations_max: usize,
) -> Result<Vec<Box<[StationId]>>, String> {
    let mut done: Vec<Option<Box<[StationId]>>> = vec![None; groups.len()];
    for at in 0..groups.len() {
        expand(groups, at, stations_max, 0, &mut done)?;
    }
    Ok(done.into_iter().flatten().collect())
}

fn expand(
    groups: &[Group],
    at: usize,
    stations_max: usize,
    depth: usize,
    done: &mut Vec<Option<Box<[StationId]>>>,
) -> Result<(), String> {
    let Some(group) = groups.get(at) else {
        return Ok(());
    };
    if done.get(at).is_some_and(Option::is_some) {
        return Ok(());
    }
    let code = String::from_utf8_lossy(&group.code);
    if depth >= DEPTH_MAX {
        return Err(format!("group `{code}` contains itself or is nested deeper than {DEPTH_MAX}"));
    }
    let mut stations = Vec::with_capacity(group.members.len());
    let mut seen = HashSet::with_capacity(group.members.len());
    for member in &group.members {
        match *member {
            Member::Station(station) => {
                if seen.insert(station) {
                    stations.push(station);
                }
            }
            Member::Group(inner) => {
                expand(groups, inner.index(), stations_max, depth + 1, done)?;
                let inner = done.get(inner.index()).and_then(Option::as_deref).unwrap_or_default();
                stations.extend(inner.iter().copied().filter(|station| seen.insert(*station)));
            }
        }
        if stations.len() > stations_max {
            return Err(format!("group `{code}` reaches more than {stations_max} stations"));
        }
    }
    if let Some(slot) = done.get_mut(at) {
        *slot = Some(stations.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group(members: Vec<Member>) -> Group {
        Group { members: members.into(), ..Group::nobody() }
    }

    /// The same, slowly: every group walked anew, duplicates found by linear search.
    fn expand_naive(groups: &[Group], at: usize, stations: &mut Vec<StationId>) {
        for member in &groups[at].members {
            match *member {
                Member::Group(inner) => expand_naive(groups, inner.index(), stations),
                Member::Station(station) if !stations.contains(&station) => stations.push(station),
                Member::Station(_) => {}
            }
        }
    }

    proptest! {
        #[test]
        fn groups_of_groups_expand_to_each_station_once(
            written in prop::collection::vec(
                prop::collection::vec((any::<bool>(), 0u16..20), 0..12), 1..8),
        ) {
            // A group names only earlier ones, so that there is no circle.
            let groups: Vec<Group> = written.iter().enumerate().map(|(at, members)| {
                group(members.iter().map(|&(inner, value)| {
                    if inner && at > 0 {
                        Member::Group(GroupId::at(usize::from(value) % at))
                    } else {
                        Member::Station(StationId(u32::from(value)))
                    }
                }).collect())
            }).collect();
            let expanded = expand_all(&groups, 1_000).unwrap();
            for (at, stations) in expanded.iter().enumerate() {
                let mut naive = Vec::new();
                expand_naive(&groups, at, &mut naive);
                prop_assert_eq!(&**stations, naive.as_slice());
            }
        }
    }

    #[test]
    fn a_circle_is_refused() {
        let one = group(vec![Member::Group(GroupId(1))]);
        let two = group(vec![Member::Station(StationId(1)), Member::Group(GroupId(0))]);
        assert!(expand_all(&[one, two], 10).unwrap_err().contains("contains itself"));
    }

    #[test]
    fn too_wide_a_group_is_refused() {
        let wide = group((0..11).map(|id| Member::Station(StationId(id))).collect());
        assert!(expand_all(&[wide], 10).unwrap_err().contains("more than 10 stations"));
    }

    #[test]
    fn nobody_may_send_to_any_group() {
        assert!(!Senders::Any.include(AgencyId::NOBODY));
        assert!(Senders::Any.include(AgencyId(3)));
        let some = Senders::Agencies([AgencyId(1), AgencyId(4)].into());
        assert!(some.include(AgencyId(4)) && !some.include(AgencyId(2)));
    }
}

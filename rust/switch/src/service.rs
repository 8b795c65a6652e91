//! Which message types a destination takes: each file has a state of its own for each family of
//! messages, whatever its line does.
//!
//! CITE: Nlets User and Technical Guide, status messages: `.01.` the destination does not take the
//! type, `.02.` it is out of service and will be forwarded to, `.04.` it was removed and will not.

use std::sync::Arc;

use clets_routing::{LineId, LineKind};
use clets_wire::{Catalogue, Dialect, Key, KeyId};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::engine::Engine;
use crate::entry::Waiting;
use crate::intake::Incoming;
use crate::queue::LineState;
use crate::record::{self, Outcome, ServiceEvent};
use crate::{Bundle, Effects};

/// What happens to messages of one family for one file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Service {
    /// They wait; their senders are told that they will be forwarded.
    Hold,
    /// They are not forwarded; their senders are told to send them again later.
    Remove,
    /// They are sent.
    #[default]
    Up,
}

impl Service {
    /// `held`, `removed`, `up`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Remove => "removed",
            Self::Up => "up",
        }
    }

    /// The state with this [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Hold, Self::Remove, Self::Up].into_iter().find(|state| state.name() == name)
    }
}

/// The states of all files that differ from "up".
#[derive(Debug, Default)]
pub(crate) struct Services(HashMap<LineId, Vec<(Box<str>, Service)>, RandomState>);

impl Services {
    /// Sets the state of a family; the empty family is the whole file, and sets all others back.
    pub(crate) fn set(&mut self, line: LineId, family: &str, state: Service) {
        let states = self.0.entry(line).or_default();
        if family.is_empty() {
            states.clear();
        } else {
            states.retain(|(known, _)| &**known != family);
        }
        let whole = states.iter().find(|(known, _)| known.is_empty()).map(|(_, state)| *state);
        if state != Service::Up || whole.is_some() {
            states.push((family.into(), state));
        }
        if states.is_empty() {
            self.0.remove(&line);
        }
    }

    /// What is set for a line, by name of the family.
    pub(crate) fn of(&self, line: LineId) -> &[(Box<str>, Service)] {
        self.0.get(&line).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The state that holds for a key: its own, its family's, its data class's, the whole file's.
pub(crate) fn state_of(states: &[(Box<str>, Service)], key: Option<&Key>) -> Service {
    if states.is_empty() {
        return Service::Up;
    }
    let names = key.map(|key| [&*key.key, &*key.family, &*key.class]);
    names
        .into_iter()
        .flatten()
        .chain([""])
        .find_map(|name| states.iter().find(|(known, _)| &**known == name))
        .map_or(Service::Up, |(_, state)| *state)
}

/// The same for an entry that a host is asked with.
pub(crate) fn takes(
    bundle: &Bundle,
    states: &[(Box<str>, Service)],
    key: Option<KeyId>,
) -> Service {
    match key {
        Some(key) if !states.is_empty() => state_of(states, bundle.catalogue.key(key)),
        _ => Service::Up,
    }
}

/// Whether a family may be named: the empty one, a family, a data class or a key.
#[must_use]
pub fn is_family(catalogue: &Catalogue, family: &str) -> bool {
    family.is_empty()
        || catalogue
            .iter()
            .any(|(_, key)| [&key.family, &key.class, &key.key].contains(&&family.to_owned()))
}

/// What a status text says: the state, and the keys behind `MKE` or `TYPE`; none for the whole.
pub(crate) fn announced<'t>(
    catalogue: &Catalogue,
    text: &'t str,
) -> Option<(Service, Vec<&'t str>)> {
    let has = |mark: &str| text.contains(mark);
    let state = if has(".01.") || has(".04.") {
        Service::Remove
    } else if has(".02.") || has("OUT OF SERVICE") {
        Service::Hold
    } else if has("IN SERVICE") {
        Service::Up
    } else {
        return None;
    };
    let is_key = |word: &str| catalogue.iter().any(|(_, key)| key.key == word);
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let types = words
        .filter(|word| !word.is_empty())
        .skip_while(|word| !matches!(*word, "MKE" | "TYPE" | "TYPES"))
        .skip(1)
        .take_while(|word| is_key(word));
    Some((state, types.collect()))
}

impl Engine {
    /// Sets the state of a family of messages for a file. Journalled; a return to service sends
    /// what waits, in order; a removal takes back what waits and tells the senders.
    pub(crate) fn set_service(
        &mut self,
        line: LineId,
        family: &str,
        state: Service,
        source: &str,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        if bundle.directory.line(line).kind != LineKind::Host {
            return;
        }
        let body = record::encode(&ServiceEvent {
            line: self.line_name(line).into(),
            family: family.into(),
            state: state.name().into(),
            source: source.into(),
        });
        self.append(record::SERVICE, body, effects);
        self.services.set(line, family, state);
        self.line_state(line).into_iter().for_each(LineState::look_again);
        if state == Service::Remove {
            let states = self.services.of(line);
            let removed = |_, it: &Waiting| takes(&bundle, states, it.key) == Service::Remove;
            let state = self.lines.get_mut(line.index());
            let taken =
                state.map(|line| line.withdraw_waiting(usize::MAX, &removed)).unwrap_or_default();
            for (precedence, waiting) in taken {
                let Some(entry) = self.load((line, precedence), waiting) else {
                    return;
                };
                if self.ended(&entry, Outcome::Cancelled, now_us, effects) {
                    self.tell_not_forwarded(&entry.stored, line, now_us, effects);
                }
            }
        }
        self.pump(line, now_us, effects);
    }

    /// The state of a file for a key.
    pub(crate) fn service(&self, line: LineId, system: &[u8], key: &[u8]) -> Service {
        let states = self.services.of(line);
        let id = self.bundle.catalogue.find(system, key);
        state_of(states, id.and_then(|id| self.bundle.catalogue.key(id)))
    }

    /// Learns from a status message of a file what the file takes. A status text about another
    /// system, or about one message of somebody's, changes nothing here.
    pub(crate) fn heed_status(
        &mut self,
        incoming: &Incoming<'_>,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        let origin = incoming.part(incoming.envelope.origin);
        let own = &bundle.directory.line(incoming.line).ori;
        if incoming.dialect != Dialect::NcicOut && origin != &**own {
            return;
        }
        let text = incoming.text(incoming.envelope.text).to_ascii_uppercase();
        let Some((state, keys)) = announced(&bundle.catalogue, &text) else {
            return;
        };
        if keys.is_empty() {
            self.set_service(incoming.line, "", state, "status message", now_us, effects);
        }
        for key in keys {
            self.set_service(incoming.line, key, state, "status message", now_us, effects);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_state_holds_and_the_whole_sets_it_back() {
        let catalogue = Catalogue::standard().unwrap();
        let row = |key: &str| catalogue.find(b"", key.as_bytes()).and_then(|id| catalogue.key(id));
        let mut services = Services::default();
        let line = LineId(0);
        services.set(line, "vehicle", Service::Hold);
        services.set(line, "RQ", Service::Remove);
        assert_eq!(state_of(services.of(line), row("RQ")), Service::Remove);
        assert_eq!(state_of(services.of(line), row("QV")), Service::Hold);
        assert_eq!(state_of(services.of(line), row("QW")), Service::Up);
        services.set(line, "", Service::Hold);
        assert_eq!(state_of(services.of(line), row("RQ")), Service::Hold);
        services.set(line, "RQ", Service::Up);
        assert_eq!(state_of(services.of(line), row("RQ")), Service::Up);
        services.set(line, "", Service::Up);
        assert!(services.of(line).is_empty());
    }

    #[test]
    fn a_status_text_says_state_and_types() {
        let catalogue = Catalogue::standard().unwrap();
        for (text, state, types) in [
            (".01. DESTINATION DOES NOT TAKE TYPE RQ", Some(Service::Remove), vec!["RQ"]),
            (
                ".02. OUT OF SERVICE, MKE RQ,DQ WILL BE FORWARDED",
                Some(Service::Hold),
                vec!["RQ", "DQ"],
            ),
            (".04. ON REMOVE STATUS", Some(Service::Remove), vec![]),
            ("TEMPORARILY OUT OF SERVICE UNTIL 1400 MST", Some(Service::Hold), vec![]),
            ("IN SERVICE", Some(Service::Up), vec![]),
            ("HELLO", None, vec![]),
        ] {
            let said = announced(&catalogue, text);
            assert_eq!(said, state.map(|state| (state, types)), "{text}");
        }
    }
}

//! Hit confirmation: a request waits for its answer, and someone is told when none comes.
//!
//! CITE: Nlets User and Technical Guide, hit confirmation: an urgent request (`PRI/U`) is answered
//! in ten minutes, a routine one in an hour; without an answer a second and a third request
//! follow (`RNO/2`, `RNO/3`), and then the control center.

use std::sync::Arc;

use clets_routing::Addressee as Address;
use clets_wire::{Action, Envelope, Key};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::Effects;
use crate::engine::Engine;
use crate::entry::Stored;
use crate::notice::Addressee;
use crate::timers::Timer;

/// The last request; when it stays unanswered the control center is told.
const LAST_REQUEST: u8 = 3;
/// Notice: send the next request.
const NOTICE: &str = "HCN";
/// Notice: the third request was not answered.
const ALARM: &str = "ALM";

/// A request from an agency of this switch.
#[derive(Debug)]
struct Open {
    stored: Arc<Stored>,
    names: SmallVec<[Box<[u8]>; 2]>,
}

/// All requests without an answer.
#[derive(Debug, Default)]
pub(crate) struct Confirmations {
    open: HashMap<u64, Open, RandomState>,
    /// The latest request of (NIC or OCA, requester).
    names: HashMap<Box<[u8]>, u64, RandomState>,
    /// Third requests that stayed unanswered, since the start.
    pub(crate) alarms: u64,
}

impl Confirmations {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// The requests that wait, and the alarms so far.
    pub(crate) fn state(&self) -> (Vec<u64>, u64) {
        let mut numbers: Vec<u64> = self.open.keys().copied().collect();
        numbers.sort_unstable();
        (numbers, self.alarms)
    }

    fn begin(&mut self, stored: &Arc<Stored>) {
        let names = names(stored, stored.origin());
        for name in &names {
            // The second request takes the place of the first.
            if let Some(earlier) = self.names.insert(name.clone(), stored.number) {
                self.open.remove(&earlier);
            }
        }
        self.open.insert(stored.number, Open { stored: Arc::clone(stored), names });
    }

    fn end(&mut self, number: u64) -> Option<Arc<Stored>> {
        let open = self.open.remove(&number)?;
        for name in open.names {
            if self.names.get(&name) == Some(&number) {
                self.names.remove(&name);
            }
        }
        Some(open.stored)
    }
}

/// The names under which a request and its answer find each other.
fn names(stored: &Stored, requester: &[u8]) -> SmallVec<[Box<[u8]>; 2]> {
    let mut names = SmallVec::new();
    for code in [&b"NIC"[..], b"OCA"] {
        let value = stored.envelope.field(&stored.body, code).unwrap_or_default();
        // `NIC/NONE` stands for no number (requests to Canada).
        if !value.is_empty() && value != b"NONE" {
            names.push([requester, code, value].join(&b'/').into());
        }
    }
    names
}

/// A hit confirmation request: a confirming key that some other key answers.
pub(crate) fn is_request(key: &Key) -> bool {
    key.action == Action::Confirm && !key.replies.is_empty()
}

impl Engine {
    /// How long an answer to a hit confirmation may take, milliseconds; 0 for an answer itself,
    /// none for other messages.
    pub(crate) fn confirmation_ms(
        &self,
        key: Option<&Key>,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Option<u32> {
        let key = key.filter(|key| key.action == Action::Confirm)?;
        let urgent = envelope.field(bytes, b"PRI") == Some(b"U");
        Some(if is_request(key) { self.allowed_ms(urgent) } else { 0 })
    }

    fn allowed_ms(&self, urgent: bool) -> u32 {
        let times = self.bundle.directory.settings().confirmation_ms;
        if urgent { times.urgent } else { times.routine }
    }

    /// Follows what was just accepted: a request begins to wait, an answer or a notice about it
    /// ends that. Recovery calls it with the same records, and so ends in the same state.
    pub(crate) fn follow(&mut self, stored: &Arc<Stored>, parent: Option<u64>, at_us: i64) {
        let bundle = Arc::clone(&self.bundle);
        let Some(key) = bundle.catalogue.key(stored.key) else {
            return;
        };
        if stored.line.is_none() && matches!(key.key.as_str(), NOTICE | ALARM) {
            parent.and_then(|number| self.confirmations.end(number));
        } else if is_request(key) && self.sender_line(stored).is_some() {
            let urgent = stored.envelope.field(&stored.body, b"PRI") == Some(b"U");
            let allowed_us = i64::from(self.allowed_ms(urgent)) * 1000;
            self.confirmations.begin(stored);
            self.timers.set(at_us + allowed_us, Timer::Confirmation(stored.number));
        } else if key.action == Action::Confirm && !is_request(key) {
            parent.and_then(|number| self.confirmations.end(number));
            for destination in &stored.envelope.destinations {
                let directory = &bundle.directory;
                let requester = match directory.addressee(destination.of(&stored.body)) {
                    Some(Address::Ori(ori, _)) => ori,
                    Some(Address::Station(station)) => directory.station_of(station).ori,
                    _ => continue,
                };
                for name in names(stored, &directory.ori_of(requester).ori) {
                    let number = self.confirmations.names.get(&name).copied();
                    number.and_then(|number| self.confirmations.end(number));
                }
            }
        }
    }

    /// Nobody answered a request in time.
    pub(crate) fn confirmation_overdue(&mut self, number: u64, now_us: i64, effects: &mut Effects) {
        let Some(stored) = self.confirmations.end(number) else {
            return;
        };
        let field = |code: &[u8]| stored.envelope.field(&stored.body, code);
        let request = match field(b"RNO") {
            Some(b"2") => 2,
            Some(b"3") => LAST_REQUEST,
            _ => 1,
        };
        let minutes = self.allowed_ms(field(b"PRI") == Some(b"U")) / 60_000;
        let head = format!(
            "HIT CONFIRMATION REQUEST RNO/{request} WAS NOT ANSWERED IN {minutes} MINUTES."
        );
        if request < LAST_REQUEST {
            let next = next_request(&stored, request + 1);
            let text = format!("{head} SEND RNO/{}:\r\n{next}", request + 1);
            self.tell(&stored, NOTICE, &text, now_us, effects);
            return;
        }
        self.confirmations.alarms += 1;
        let said = next_request(&stored, request);
        let text = format!("{head} THE CONTROL CENTER IS TOLD.\r\n{said}");
        self.tell(&stored, ALARM, &text, now_us, effects);
        if let Some(to) = self.control_station() {
            let text = format!("ALARM. {head} IT MUST BE SETTLED BY TELEPHONE.\r\n{said}");
            self.notice(&to, Some(number), ALARM, &text, now_us, effects);
        }
    }

    /// Where alarms go, if the bundle names a station.
    pub(crate) fn control_station(&self) -> Option<Addressee> {
        let directory = &self.bundle.directory;
        let name = &directory.settings().control_station;
        let station = directory.station_of(directory.station(name.as_bytes())?);
        let ori = directory.ori_of(station.ori).ori;
        Some(Addressee {
            line: station.line,
            station: name.to_string(),
            reference: String::new(),
            user: String::new(),
            ori: String::from_utf8_lossy(&ori).into_owned(),
        })
    }
}

/// The request as it would be sent again under another number.
fn next_request(stored: &Stored, request: u8) -> String {
    let own = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    let body = &stored.body;
    let named: Vec<String> =
        stored.envelope.destinations.iter().map(|it| own(it.of(body))).collect();
    let mut text =
        [own(stored.part(stored.envelope.mke)), own(stored.origin()), named.join(",")].join(".");
    for field in &stored.envelope.fields {
        let value = match field.code_span().of(body) {
            b"RNO" => request.to_string(),
            _ => own(field.value.of(body)),
        };
        text.push_str(&format!(".{}/{value}", own(field.code_span().of(body))));
    }
    text
}

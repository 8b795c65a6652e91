//! What is let in when there is too much: limits on how often one sender may send, and the time
//! that everything waits for the disk.
//!
//! Under overload the switch goes on reading and says no, the lowest precedence first; P0 is never
//! turned away. A message that is turned away is answered at once and was not stored: it may be
//! sent again under the same reference. Such answers are counted in the journal once a second, for
//! a record of each would be one more load.
//!
//! The measure is the time that records take to become durable. It holds the disk's time and one
//! turn of the shell's loop, which grows with what waits in the sockets. As in `CoDel`
//! (CITE: RFC 8289) the least time of an interval counts, so that a burst alone closes nothing;
//! once it is overload the average does.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use clets_routing::{LineId, LineKind, OriId, Rates, UserId};
use clets_wire::{KeyId, Precedence, decode_address};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::Effects;
use crate::codes;
use crate::decision::find_key;
use crate::engine::Engine;
use crate::intake::Incoming;
use crate::plan::{Leg, Plan};
use crate::queue::Given;
use crate::receipt::Receipt;
use crate::record::{self, Shed};
use crate::session::Session;
use crate::valve::{INTERVAL_US, Valve, Waits};

/// How often something may happen: so many a second, and so many at once.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    thousandths: u64,
    at_us: i64,
}

impl Bucket {
    /// Whether one more may happen now.
    fn take(&mut self, per_second: u32, burst: u32, now_us: i64) -> bool {
        let passed_us = u64::try_from(now_us - self.at_us).unwrap_or(0);
        let full = u64::from(burst.max(1)) * 1000;
        let gained = passed_us.saturating_mul(u64::from(per_second)) / 1000;
        if gained > 0 {
            self.thousandths = self.thousandths.saturating_add(gained).min(full);
            self.at_us = now_us;
        }
        let Some(left) = self.thousandths.checked_sub(1000) else {
            return false;
        };
        self.thousandths = left;
        true
    }
}

/// Who is limited.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Sender {
    Line(LineId),
    Ori(OriId),
    /// P0 of an ORI.
    Urgent(OriId),
    User(UserId),
}

/// While more comes than can be carried, none is let in that would wait longer than this for its
/// host, microseconds: what is let in is to be done, not to be kept.
const HOST_WAIT_US: i64 = 250_000;

/// How much is let in.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    /// Keys whose host was found to be behind, while more comes than can be carried.
    behind: BTreeMap<KeyId, LineId>,
    buckets: HashMap<Sender, Bucket, RandomState>,
    /// The last record of each step that is on its way to the disk, and when it was appended.
    under_way: VecDeque<(u64, i64)>,
    /// The least time of this interval, their sum and their number.
    waits: (i64, i64, i64),
    interval_us: i64,
    valve: Valve,
    /// Free space for the journal, thousandths of the whole.
    free_permille: u16,
    known_space: bool,
    /// What was turned away since the last record of it.
    shed: HashMap<(LineId, u16, u8), u64, RandomState>,
    counted_us: i64,
}

impl Admission {
    fn allows(&mut self, sender: Sender, (per_second, burst): (u32, u32), now_us: i64) -> bool {
        if per_second == 0 {
            return true;
        }
        let full = Bucket { thousandths: u64::from(burst.max(1)) * 1000, at_us: now_us };
        self.buckets.entry(sender).or_insert(full).take(per_second, burst, now_us)
    }

    /// A record was appended.
    pub(crate) fn appended(&mut self, number: u64, now_us: i64) {
        self.under_way.push_back((number, now_us));
    }

    /// Records became durable.
    pub(crate) fn durable(&mut self, count: u64, now_us: i64) {
        while let Some((_, at_us)) = self.under_way.pop_front_if(|(number, _)| *number < count) {
            let (took_us, (least_us, sum_us, times)) = (now_us - at_us, self.waits);
            let least_us = if times == 0 { took_us } else { least_us.min(took_us) };
            self.waits = (least_us, sum_us + took_us, times + 1);
        }
    }

    /// How long the oldest record on its way to the disk has waited.
    fn waited_us(&self, now_us: i64) -> i64 {
        self.under_way.front().map_or(0, |(_, at_us)| now_us - at_us)
    }

    /// Opens or closes the valve, once in an interval: `backlog` records are on their way.
    pub(crate) fn adjust(&mut self, backlog: u64, now_us: i64) {
        self.valve.fill(now_us);
        let waited_us = self.waited_us(now_us);
        let flooded = self.valve.is_flooded(backlog, waited_us);
        if now_us - self.interval_us < INTERVAL_US && !flooded {
            return;
        }
        self.interval_us = now_us;
        let waits = match std::mem::take(&mut self.waits) {
            // Nothing became durable: what waits has waited at least so long.
            (.., 0) => Waits { least_us: waited_us, mean_us: waited_us },
            _ if flooded => Waits { least_us: waited_us, mean_us: waited_us },
            (least_us, sum_us, count) => Waits { least_us, mean_us: sum_us / count },
        };
        self.valve.adjust(backlog, waits);
    }

    /// Whether a message of this precedence is turned away for now, and why.
    fn refuses(&mut self, precedence: u8, now_us: i64) -> Option<u16> {
        let low = self.known_space
            && (self.free_permille < 50
                || (self.free_permille < 100 && precedence >= Precedence::P3 as u8));
        if low && precedence != Precedence::P0 as u8 {
            return Some(codes::SPACE_LOW);
        }
        let waited_us = self.waited_us(now_us);
        (!self.valve.passes(precedence, waited_us)).then_some(codes::OVERLOADED)
    }

    /// Whether one of this precedence is turned away for the overload; else it is judged whole.
    fn is_too_much(&mut self, precedence: u8, now_us: i64) -> bool {
        let waited_us = self.waited_us(now_us);
        self.valve.turns_away(precedence, waited_us)
    }

    /// How much of what was offered of late was turned away, percent; without P0.
    pub(crate) fn closed_percent(&self) -> u8 {
        self.valve.closed_percent()
    }
}

impl Engine {
    /// How much of the journal's file system is free, thousandths. Below 100 only P0 to P2 are
    /// taken, below 50 only P0.
    pub fn set_space(&mut self, free_permille: u16) {
        self.admission.free_permille = free_permille;
        self.admission.known_space = true;
    }

    /// Under overload nearly all are turned away: of those whose precedence is that of their key no
    /// more is read than that. Gives the precedence of one that was turned away so.
    pub(crate) fn turns_away_unread(
        &mut self,
        line: LineId,
        bytes: &[u8],
        now_us: i64,
    ) -> Option<u8> {
        if !self.admission.valve.is_partly_shut() {
            return None;
        }
        let known = self.bundle.directory.line(line);
        if known.kind != LineKind::Agency || known.translation.is_some() {
            return None;
        }
        let address = decode_address(bytes, known.dialect_in)?;
        let key_id = find_key(&self.bundle, &address, bytes)?;
        let key = self.bundle.catalogue.key(key_id)?;
        if self.bundle.traits.has(key) {
            return None;
        }
        let precedence = key.precedence as u8;
        let turned_away = self.admission.is_too_much(precedence, now_us)
            || self.would_wait(key_id, precedence, now_us);
        turned_away.then_some(precedence)
    }

    /// Whether one of this key is turned away because the host that was asked last with it does not
    /// keep up with what is let in for it.
    pub(crate) fn would_wait(&mut self, key: KeyId, precedence: u8, now_us: i64) -> bool {
        let Some(host) = self.admission.behind.get(&key).copied() else {
            return false;
        };
        if precedence == Precedence::P0 as u8 || !self.admission.valve.is_partly_shut() {
            return false;
        }
        let waits = self.is_behind(host, precedence, now_us);
        if waits {
            self.admission.valve.turned_away();
        } else {
            self.admission.behind.remove(&key);
        }
        waits
    }

    fn is_behind(&self, host: LineId, precedence: u8, now_us: i64) -> bool {
        let host = self.outlet(host);
        let window = usize::from(self.bundle.directory.line(host).window);
        let state = self.lines.get(host.index());
        let wait_us = state.and_then(|it| it.wait_us(precedence, window, now_us));
        wait_us.is_some_and(|it| it > HOST_WAIT_US)
    }

    /// A message of this key is let in: notes whether the next of it would wait.
    pub(crate) fn note_hosts(&mut self, key: KeyId, plan: &Plan<'_>, precedence: u8, now_us: i64) {
        if !self.admission.valve.is_partly_shut() {
            return;
        }
        let mut hosts = plan.legs.iter().filter_map(Leg::host);
        let behind = hosts.find(|host| self.is_behind(*host, precedence, now_us));
        behind.and_then(|host| self.admission.behind.insert(key, host));
    }

    /// Whether one more message of a sender is taken now, else the code that says why not.
    pub(crate) fn admits(
        &mut self,
        incoming: &Incoming<'_>,
        mut precedence: u8,
        now_us: i64,
    ) -> Result<(), u16> {
        let Self { bundle, admission, .. } = self;
        let rates = &bundle.directory.settings().rates;
        let ori = || bundle.directory.ori(incoming.part(incoming.envelope.origin));
        // What claims to be urgent more often than that is judged by its time like an inquiry.
        if precedence == Precedence::P0 as u8
            && rates.urgent.pair().0 > 0
            && let Some(ori) = ori()
            && !admission.allows(Sender::Urgent(ori), rates.urgent.pair(), now_us)
        {
            precedence = Precedence::P2 as u8;
        }
        // First, for under overload this is the way of nearly all.
        if let Some(code) = admission.refuses(precedence, now_us) {
            return Err(code);
        }
        if precedence != Precedence::P0 as u8 && *rates != Rates::default() {
            let user = bundle.directory.user(incoming.part(incoming.envelope.user));
            let line = Some((Sender::Line(incoming.line), rates.line.pair()));
            let ori = ori().map(|ori| (Sender::Ori(ori), rates.ori.pair()));
            let user = user.map(|user| (Sender::User(user), rates.user.pair()));
            for (sender, rate) in [line, ori, user].into_iter().flatten() {
                if !admission.allows(sender, rate, now_us) {
                    return Err(codes::RATE_EXCEEDED);
                }
            }
        }
        Ok(())
    }

    /// Says no at once, without a record of its own.
    pub(crate) fn turn_away(
        &mut self,
        session: &Session,
        receipt: Receipt,
        precedence: u8,
        code: u16,
        effects: &mut Effects,
    ) {
        *self.admission.shed.entry((session.line, code, precedence)).or_default() += 1;
        if let Some(line) = self.line_state(session.line) {
            line.tally.refused += 1;
            if let Receipt::Native { sequence } = receipt {
                line.note_answer(Given { sequence, number: 0, code });
            }
        }
        receipt.turned_away(code, effects.buffer(session.connection));
    }

    /// Once a second: how many were turned away.
    pub(crate) fn count_shed(&mut self, now_us: i64, effects: &mut Effects) {
        const COUNT_US: i64 = 1_000_000;
        if self.admission.shed.is_empty() || now_us - self.admission.counted_us < COUNT_US {
            return;
        }
        self.admission.counted_us = now_us;
        let shed = std::mem::take(&mut self.admission.shed);
        let mut shed: Vec<_> = shed.into_iter().collect();
        shed.sort_unstable();
        let items = shed
            .into_iter()
            .map(|((line, code, precedence), count)| {
                (Cow::Owned(self.line_name(line)), code, precedence, count)
            })
            .collect();
        self.append(record::SHED, record::encode(&Shed { items }), effects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::valve::BACKLOG_MIN;

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_its_rate_after() {
        let mut bucket = Bucket { thousandths: 5_000, at_us: 0 };
        let taken =
            |bucket: &mut Bucket, now_us| (0..100).filter(|_| bucket.take(10, 5, now_us)).count();
        assert_eq!(taken(&mut bucket, 0), 5);
        assert_eq!(taken(&mut bucket, 1_000_000), 5, "never more than the burst");
        let spread: usize =
            (1..=100).map(|step| taken(&mut bucket, 1_000_000 + step * 10_000)).sum();
        assert_eq!(spread, 10, "ten in a second, however often it is asked");
    }

    #[test]
    fn the_valve_closes_from_the_lowest_precedence_and_never_for_p0() {
        let mut admission = Admission::default();
        let mut now_us = 0;
        let mut refused_first = [i64::MAX; 5];
        for _ in 0..40 {
            admission.appended(1, now_us);
            now_us += INTERVAL_US;
            admission.durable(2, now_us);
            admission.adjust(BACKLOG_MIN + 1, now_us);
            for precedence in 0..5_u8 {
                let refused =
                    (0..64).filter(|_| admission.refuses(precedence, now_us).is_some()).count();
                if refused > 0 {
                    let first = &mut refused_first[usize::from(precedence)];
                    *first = (*first).min(now_us);
                }
            }
        }
        assert_eq!(refused_first[0], i64::MAX);
        assert!(refused_first[1..].is_sorted_by(|left, right| left >= right), "{refused_first:?}");
        assert_eq!(admission.closed_percent(), 100);
        for _ in 0..200 {
            now_us += INTERVAL_US;
            admission.adjust(0, now_us);
        }
        assert!((0..5).all(|precedence| admission.refuses(precedence, now_us).is_none()));
    }

    #[test]
    fn a_slow_disk_alone_turns_nothing_away() {
        let mut admission = Admission::default();
        for step in 1..100 {
            admission.appended(step, (step as i64 - 1) * INTERVAL_US);
            admission.durable(step + 1, step as i64 * INTERVAL_US);
            admission.adjust(20, step as i64 * INTERVAL_US);
        }
        admission.appended(100, 99 * INTERVAL_US);
        assert_eq!(admission.refuses(4, 100 * INTERVAL_US), None);
    }

    #[test]
    fn a_flood_is_seen_within_its_interval() {
        let mut admission = Admission::default();
        admission.adjust(0, INTERVAL_US);
        admission.appended(1, INTERVAL_US);
        let now_us = 2 * INTERVAL_US - 1;
        admission.adjust(1_400, now_us);
        assert_eq!(admission.refuses(4, now_us), None, "slow, and no flood");
        admission.adjust(1_500, now_us);
        assert_eq!(admission.refuses(4, now_us), Some(codes::OVERLOADED));
        assert_eq!(admission.refuses(0, now_us), None);
    }

    #[test]
    fn little_space_leaves_room_for_the_urgent() {
        let mut admission = Admission::default();
        assert_eq!(admission.refuses(4, 0), None, "as long as it is not known");
        admission.known_space = true;
        for (free_permille, refused) in [(200, 5), (99, 3), (49, 1), (0, 1)] {
            admission.free_permille = free_permille;
            let first = (0..5).find(|it| admission.refuses(*it, 0).is_some()).unwrap_or(5);
            assert_eq!(first, refused, "{free_permille}");
        }
    }
}

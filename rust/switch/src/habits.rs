//! What one message alone does not show: the same user at two stations at once, and inquiries for
//! one number after the other (rules A-17 and D-18).
//!
//! Kept in memory only, and only for users who sent lately: a restart begins anew.

use clets_policy::Identifier;
use clets_routing::{StationId, UserId};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Two stations within this time are in use at once: a minute, microseconds.
const AT_ONCE_US: i64 = 60_000_000;
/// A pause after which inquiries are no longer one row: a minute, microseconds.
const PAUSE_US: i64 = 60_000_000;
/// Numbers in a row beyond which somebody is working through them: twenty in a minute.
const ROW_MAX: u32 = 20;
/// The time that as many numbers in a row must not go below, microseconds.
const ROW_US: i64 = 60_000_000;
/// How far the next number of a row may be.
const STEP_MAX: u64 = 10;
/// Users remembered at least before those who are silent are forgotten.
const USERS_MIN: usize = 65_536;

/// What a user's last messages show.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Habit {
    pub(crate) shared_id: bool,
    pub(crate) enumerating: bool,
}

#[derive(Clone, Copy, Debug)]
struct Trail {
    station: StationId,
    heard_us: i64,
    /// Where the other station was heard last; long ago when there was none.
    elsewhere_us: i64,
    row: Row,
}

/// Numbers of the same form, each near the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    form: u64,
    number: u64,
    length: u32,
    began_us: i64,
    last_us: i64,
}

/// The last messages of each user.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    trails: HashMap<UserId, Trail, RandomState>,
    /// Users who were not silent when those who were had last been forgotten.
    active: usize,
}

impl Habits {
    /// Takes notice of a message of `user` at `station`, which names `identifiers`.
    pub(crate) fn observe(
        &mut self,
        user: UserId,
        station: StationId,
        identifiers: &[Identifier<'_>],
        now_us: i64,
    ) -> Habit {
        // All are looked at for this: once for as many who came since.
        if self.trails.len() >= USERS_MIN.max(2 * self.active) {
            self.trails.retain(|_, trail| now_us - trail.heard_us < PAUSE_US.max(AT_ONCE_US));
            self.active = self.trails.len();
        }
        let trail = self.trails.entry(user).or_insert(Trail {
            station,
            heard_us: now_us,
            elsewhere_us: i64::MIN,
            row: Row::default(),
        });
        if trail.station != station {
            trail.elsewhere_us = trail.heard_us;
            trail.station = station;
        }
        trail.heard_us = now_us;
        let numbers = identifiers.iter().filter_map(|identifier| match identifier {
            Identifier::Number { value, .. } => Some(*value),
            Identifier::Person { .. } => None,
        });
        numbers.take(1).for_each(|value| trail.row.follow(value, now_us));
        Habit {
            shared_id: now_us.saturating_sub(trail.elsewhere_us) < AT_ONCE_US,
            enumerating: trail.row.is_worked_through(now_us),
        }
    }
}

impl Row {
    fn follow(&mut self, value: &[u8], now_us: i64) {
        let (form, number) = form_and_number(value);
        let near = number.abs_diff(self.number) <= STEP_MAX && number != self.number;
        let goes_on = form == self.form && near && now_us - self.last_us < PAUSE_US;
        // Who asks for the same again goes on with nothing.
        if form == self.form && number == self.number {
            return;
        }
        let (length, began_us) =
            if goes_on { (self.length + 1, self.began_us) } else { (1, now_us) };
        *self = Self { form, number, length, began_us, last_us: now_us };
    }

    fn is_worked_through(&self, now_us: i64) -> bool {
        let least_us = ROW_US / i64::from(ROW_MAX) * i64::from(self.length);
        self.length > ROW_MAX && now_us - self.began_us < least_us
    }
}

/// The letters of an identifier with the places of its digits, and the digits as a number.
fn form_and_number(value: &[u8]) -> (u64, u64) {
    value.iter().fold((0, 0), |(form, number), byte| {
        let shape = if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_uppercase() };
        let form = (form ^ u64::from(shape)).wrapping_mul(0x0100_0000_01b3);
        let number: u64 = number;
        match byte {
            b'0'..=b'9' => (form, number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'))),
            _ => (form, number),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn plate(value: &[u8]) -> [Identifier<'_>; 1] {
        [Identifier::Number { kind: b"LIC", state: b"CA", value }]
    }

    /// How many of these plates, one each `pause_us`, were asked for too fast in a row.
    fn stopped(plates: impl Iterator<Item = String>, pause_us: i64) -> usize {
        let mut habits = Habits::default();
        (1_i64..)
            .zip(plates)
            .filter(|(at, it)| {
                let identifiers = plate(it.as_bytes());
                habits.observe(UserId(1), StationId(1), &identifiers, at * pause_us).enumerating
            })
            .count()
    }

    #[test]
    fn a_row_is_stopped_after_twenty_and_only_when_it_is_fast() {
        let row = || (100..150).map(|number| format!("7ABC{number}"));
        assert_eq!(stopped(row(), SECOND_US), 30);
        assert_eq!(stopped(row().rev(), SECOND_US), 30);
        assert_eq!(stopped(row(), 4 * SECOND_US), 0, "fifteen in a minute");
        assert_eq!(stopped((0..50).map(|it| format!("7ABC{:03}", it * 97 % 1000)), SECOND_US), 0);
        assert_eq!(stopped(std::iter::repeat_n("7ABC123".to_owned(), 50), SECOND_US), 0);
        let letters =
            (0..50_u8).map(|it| format!("7A{}C12{}", char::from(b'A' + it % 26), it % 10));
        assert_eq!(stopped(letters, SECOND_US), 0);
    }

    #[test]
    fn a_pause_ends_a_row() {
        let mut habits = Habits::default();
        let mut ask = |number: u32, at_us: i64| {
            let text = format!("7ABC{number}");
            habits.observe(UserId(1), StationId(1), &plate(text.as_bytes()), at_us).enumerating
        };
        assert!((100..125).any(|number| ask(number, i64::from(number) * SECOND_US)));
        assert!(!ask(125, 200 * SECOND_US));
    }

    #[test]
    fn the_silent_are_forgotten_and_no_message_pays_for_all_who_are_not() {
        let mut habits = Habits::default();
        let users = 3 * USERS_MIN as u32;
        for user in 0..users {
            habits.observe(UserId(user), StationId(1), &[], 0);
        }
        assert_eq!(habits.active, 2 * USERS_MIN, "looked through twice");
        for user in users..2 * users {
            habits.observe(UserId(user), StationId(1), &[], PAUSE_US);
        }
        assert!(habits.trails.len() < users as usize + USERS_MIN, "{}", habits.trails.len());
    }

    #[test]
    fn two_stations_at_once_are_noticed_for_a_minute() {
        let mut habits = Habits::default();
        let mut heard = |user, station, second: i64| {
            let habit = habits.observe(UserId(user), StationId(station), &[], second * SECOND_US);
            habit.shared_id
        };
        assert!(!heard(1, 1, 0));
        assert!(!heard(2, 2, 1), "another user");
        assert!(heard(1, 2, 30));
        assert!(heard(1, 1, 59), "back again");
        assert!(!heard(1, 1, 130));
    }
}

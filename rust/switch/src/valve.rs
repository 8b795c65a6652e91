//! How much is let in while more comes than can be carried: so many messages in an interval, and of
//! these the lowest precedence gets the least. P0 always passes, at the cost of the others.
//!
//! The limit falls while records wait too long for the disk and rises while they do not, so that it
//! stays near what can be carried; a limit on the number, unlike one on the part let in, does not
//! swing with what is offered. It is found over many turns of the shell's loop; that no single turn
//! grows long is seen to in that turn: while a record waits too long, nothing but P0 passes.

use clets_wire::Precedence;

/// How long an interval is, microseconds.
pub(crate) const INTERVAL_US: i64 = 50_000;
/// Overload begins when records wait this long, microseconds.
const BEGIN_US: i64 = 30_000;
/// While it lasts they are to wait no longer than this on average, or twice what is usual.
const KEEP_US: i64 = 7_500;
/// While it lasts and a record has waited this long already, or twice what is usual, only P0 and P1
/// pass.
const STALL_US: i64 = 7_500;
/// So few records on their way are no backlog, however slow the disk.
pub(crate) const BACKLOG_MIN: u64 = 256;
/// The same while the overload lasts. Fewer, and where saying no alone makes a turn long, nothing
/// but a short queue would be carried.
const BACKLOG_KEEP: u64 = 160;
/// So many times what is carried in an interval is more than a moment's delay leaves behind.
const FLOOD: i64 = 3;
/// Nobody knows what can be carried before anything was: at least this, in an interval.
const CARRIED_MIN: i64 = 500;
/// After so many intervals without too long a wait the limit rises fastest, 1/64 in each.
const CALM_MAX: i64 = 32;
/// So many records on their way leave room for P0 alone.
const BACKLOG_MAX: u64 = 100_000;

/// What was offered in an interval.
#[derive(Clone, Copy, Debug, Default)]
struct Offered {
    let_in: i64,
    turned_away: i64,
    urgent: i64,
}

/// How long the records of an interval waited for the disk, microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub(crate) least_us: i64,
    pub(crate) mean_us: i64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Valve {
    /// Messages let in during an interval; none while there is no overload.
    limit: Option<i64>,
    /// How many may pass now; a message is [`INTERVAL_US`] of it.
    level: i64,
    filled_us: i64,
    offered: Offered,
    /// The most that was let in of late during an interval without too long a wait.
    carried: i64,
    /// So many intervals ago waits were too long.
    calm: i64,
    /// How long records wait without overload, microseconds.
    usual_us: i64,
    closed_percent: u8,
}

impl Valve {
    /// Time passed.
    pub(crate) fn fill(&mut self, now_us: i64) {
        let passed_us = (now_us - self.filled_us).clamp(0, INTERVAL_US);
        self.filled_us = now_us;
        if let Some(limit) = self.limit {
            self.level = (self.level + limit * passed_us).min(limit * INTERVAL_US);
        }
    }

    /// An interval ended, whose records waited at least and on average so long for the disk.
    pub(crate) fn adjust(&mut self, backlog: u64, Waits { least_us, mean_us }: Waits) {
        let Offered { let_in, turned_away, urgent } = std::mem::take(&mut self.offered);
        let closed = 100 * turned_away / (turned_away + let_in).max(1);
        self.closed_percent = u8::try_from(closed).unwrap_or(100);
        let taken = let_in + urgent;
        // A burst has some who waited little: it begins nothing. Once it is overload, all count.
        let (backlog_min, most_us, waited_us) = match self.limit {
            None => (BACKLOG_MIN, BEGIN_US, least_us),
            Some(_) => (BACKLOG_KEEP, KEEP_US.max(2 * self.usual_us).min(BEGIN_US), mean_us),
        };
        let late = backlog > backlog_min && waited_us > most_us;
        self.carried = match self.limit {
            _ if !late => taken.max(self.carried - self.carried / 256),
            None => self.carried,
            Some(_) => self.carried - self.carried / 32,
        };
        let (carried, flood) = (self.carried, self.flood());
        // What was carried is carried again: where it waits for a disk that others keep busy, to
        // turn some of it away helps nobody. Not so when more and more of it waits.
        let too_much = taken + turned_away > carried + carried / 8 || backlog >= flood;
        let was_late = self.calm == 0;
        self.calm = if late { 0 } else { self.calm + 1 };

        self.limit = match self.limit {
            _ if backlog > BACKLOG_MAX => Some(0),
            // One interval may be a burst, or a moment when the machine did something else.
            None if late && !(too_much && was_late) && backlog < flood => None,
            Some(_) if !too_much => None,
            // Nothing new was let in: what is late was there before.
            limit if late && taken == 0 => limit,
            limit if late => {
                let eighths = (8 * most_us / waited_us).clamp(5, 7);
                let base = limit.map_or(taken, |limit| limit.min(taken));
                // What waits is of before; a limit far below what was carried only wastes time.
                Some((base * eighths / 8).max(carried - carried / 4))
            }
            None => {
                self.usual_us += (least_us - self.usual_us) / 8;
                None
            }
            // Soon to what was carried, and beyond the slower the nearer the last time it was too
            // much: so it stays under that for long, and finds soon that more can be carried.
            Some(limit) => {
                let beyond = limit * self.calm.min(CALM_MAX) / 2048 + 1;
                Some(limit + (carried - limit).max(0) / 4 + beyond)
            }
        };
        let most = self.limit.unwrap_or(0) * INTERVAL_US;
        self.level = self.level.clamp(-most, most);
    }

    fn flood(&self) -> u64 {
        u64::try_from(FLOOD * self.carried.max(CARRIED_MIN)).unwrap_or(u64::MAX)
    }

    /// An overload begins that is so great that the end of the interval need not be awaited.
    pub(crate) fn is_flooded(&self, backlog: u64, waited_us: i64) -> bool {
        self.limit.is_none() && waited_us > BEGIN_US && backlog >= self.flood()
    }

    /// More comes than can be carried.
    pub(crate) fn is_partly_shut(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether a message of this precedence is turned away now, while the oldest record on its way
    /// has waited so long. One that is not has not passed yet.
    pub(crate) fn turns_away(&mut self, precedence: u8, waited_us: i64) -> bool {
        let Some(limit) = self.limit.filter(|_| precedence != Precedence::P0 as u8) else {
            return false;
        };
        // What the higher ones may need stays: a quarter for each.
        let kept = limit * INTERVAL_US / 4 * (i64::from(precedence) - 1);
        let stalls =
            precedence > Precedence::P1 as u8 && waited_us > STALL_US.max(2 * self.usual_us);
        let turned_away = self.level <= kept || stalls;
        self.offered.turned_away += i64::from(turned_away);
        turned_away
    }

    /// A message was turned away for another reason than the limit, as none would be without
    /// overload.
    pub(crate) fn turned_away(&mut self) {
        self.offered.turned_away += 1;
    }

    /// Whether a message of this precedence passes now, while the oldest record on its way has
    /// waited so long.
    pub(crate) fn passes(&mut self, precedence: u8, waited_us: i64) -> bool {
        if self.turns_away(precedence, waited_us) {
            return false;
        }
        let urgent = precedence == Precedence::P0 as u8;
        let offered = if urgent { &mut self.offered.urgent } else { &mut self.offered.let_in };
        *offered += 1;
        let most = self.limit.unwrap_or(0) * INTERVAL_US;
        self.level = (self.level - INTERVAL_US).max(-most);
        true
    }

    /// How much of what was offered in the last interval was turned away, percent; without P0.
    pub(crate) fn closed_percent(&self) -> u8 {
        self.closed_percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A switch that takes what came to it in turns: a message let in costs it so much time, and
    /// one turned away a fiftieth.
    struct Load {
        valve: Valve,
        now_us: i64,
        cost_ns: i64,
        turn_us: i64,
        interval_us: i64,
        waits_us: Vec<i64>,
    }

    /// Of one stretch, by precedence: passed and turned away; and the turns, the longest first.
    #[derive(Default)]
    struct Played {
        passed: [i64; 5],
        refused: [i64; 5],
        turns_us: Vec<i64>,
    }

    impl Played {
        /// Only one in so many turns was longer than this.
        fn turn_us(&self, one_in: usize) -> i64 {
            self.turns_us[self.turns_us.len() / one_in]
        }
    }

    impl Load {
        fn new(cost_ns: i64) -> Self {
            let valve = Valve::default();
            Self { valve, now_us: 0, cost_ns, turn_us: 1_000, interval_us: 0, waits_us: Vec::new() }
        }

        /// Offers so many a second for so many seconds.
        fn play(&mut self, seconds: i64, rate: i64) -> Played {
            let mut played = Played::default();
            let until_us = self.now_us + seconds * 1_000_000;
            let (mut owed, mut deck) = (0, 0);
            while self.now_us < until_us {
                let begun_us = self.now_us;
                owed += rate * self.turn_us;
                let (mut spent_ns, mut taken) = (1_000_000, 0);
                for _ in 0..owed / 1_000_000 {
                    deck = (deck + 37) % 100;
                    let precedence = [1, 5, 65, 90].iter().filter(|it| **it <= deck).count();
                    let waited_us = if taken > 0 { self.now_us - begun_us } else { 0 };
                    if self.valve.passes(precedence as u8, waited_us) {
                        played.passed[precedence] += 1;
                        spent_ns += self.cost_ns;
                        taken += 1;
                    } else {
                        played.refused[precedence] += 1;
                        spent_ns += self.cost_ns / 50;
                    }
                    self.now_us = begun_us + spent_ns / 1_000;
                    self.pass_time(taken, begun_us);
                }
                owed %= 1_000_000;
                self.now_us = begun_us + spent_ns / 1_000;
                self.turn_us = self.now_us - begun_us;
                self.waits_us.push(self.turn_us);
                self.pass_time(taken, begun_us);
                played.turns_us.push(self.turn_us);
            }
            played.turns_us.sort_unstable_by(|left, right| right.cmp(left));
            played
        }

        fn pass_time(&mut self, taken: u64, begun_us: i64) {
            self.valve.fill(self.now_us);
            if self.now_us - self.interval_us >= INTERVAL_US {
                self.interval_us = self.now_us;
                let mut waits_us = std::mem::take(&mut self.waits_us);
                if waits_us.is_empty() {
                    waits_us.push(self.now_us - begun_us);
                }
                let least_us = waits_us.iter().copied().min().unwrap_or(0);
                let mean_us = waits_us.iter().sum::<i64>() / waits_us.len() as i64;
                self.valve.adjust(2 * taken, Waits { least_us, mean_us });
            }
        }
    }

    #[test]
    fn overload_costs_the_lowest_and_neither_speed_nor_time() {
        let mut load = Load::new(50_000);
        let quiet = load.play(5, 10_000);
        assert_eq!(quiet.refused, [0; 5]);
        let over = load.play(30, 200_000);
        assert_eq!(over.refused[0], 0);
        let shares: Vec<i64> = over
            .passed
            .iter()
            .zip(over.refused)
            .map(|(passed, refused)| 100 * passed / (passed + refused))
            .collect();
        assert!(shares.is_sorted_by(|higher, lower| higher >= lower), "{shares:?}");
        assert!(shares[1] > 90 && shares[4] < 5, "{shares:?}");
        // To turn away the rest takes a fifth of the time.
        let passed: i64 = over.passed.iter().sum();
        assert!(passed > 30 * 16_000 * 8 / 10, "{passed}");
        assert!(over.turn_us(50) < 30_000, "{} us", over.turn_us(50));
        let after = load.play(1, 10_000);
        assert!(after.refused.iter().sum::<i64>() < 2_000, "{:?}", after.refused);
        assert_eq!(load.play(5, 10_000).refused, [0; 5], "open after a second");
    }

    #[test]
    fn another_speed_than_before_is_found() {
        let mut load = Load::new(50_000);
        load.play(5, 100_000);
        load.cost_ns = 100_000;
        load.play(5, 100_000);
        let slow = load.play(5, 100_000);
        assert!(slow.turn_us(50) < 50_000, "{} us", slow.turn_us(50));
        load.cost_ns = 25_000;
        load.play(5, 100_000);
        let fast: i64 = load.play(5, 100_000).passed.iter().sum();
        assert!(fast > 5 * 38_000 * 8 / 10, "{fast}");
    }

    #[test]
    fn one_long_wait_closes_nothing() {
        let mut valve = Valve::default();
        let mut refused = 0;
        for step in 1..=100 {
            valve.fill(step * INTERVAL_US);
            refused += (0..500).filter(|_| !valve.passes(4, 0)).count();
            let us = if step % 2 == 0 { 90_000 } else { 5_000 };
            valve.adjust(2 * BACKLOG_MIN, Waits { least_us: us, mean_us: us });
        }
        assert_eq!(refused, 0);
    }

    /// Intervals in which so many of P4 are offered; gives how many passed in the last.
    fn offer(
        valve: &mut Valve,
        steps: &mut i64,
        times: i64,
        offered: i64,
        seen: (u64, Waits),
    ) -> i64 {
        let mut passed = 0;
        for _ in 0..times {
            *steps += 1;
            valve.fill(*steps * INTERVAL_US);
            passed = (0..offered).filter(|_| valve.passes(4, 0)).count() as i64;
            valve.adjust(seen.0, seen.1);
        }
        passed
    }

    fn waits(least_us: i64, mean_us: i64) -> Waits {
        Waits { least_us, mean_us }
    }

    #[test]
    fn a_flood_closes_it_at_once_and_the_same_wait_without_one_does_not() {
        for (backlog, closes) in [(1_000, false), (5_000, true)] {
            let (mut valve, mut steps) = (Valve::default(), 0);
            offer(&mut valve, &mut steps, 50, 500, (50, waits(2_000, 2_000)));
            offer(&mut valve, &mut steps, 1, 5_000, (backlog, waits(45_000, 45_000)));
            let passed = offer(&mut valve, &mut steps, 1, 5_000, (50, waits(2_000, 2_000)));
            assert_eq!(passed < 5_000, closes, "{passed} behind {backlog}");
        }
    }

    #[test]
    fn in_a_long_turn_of_an_overload_only_the_urgent_pass() {
        let (mut valve, mut steps) = (Valve::default(), 0);
        let passing = |valve: &mut Valve, waited_us| {
            (0..5).filter(|precedence| valve.passes(*precedence, waited_us)).collect::<Vec<_>>()
        };
        assert_eq!(passing(&mut valve, 10 * STALL_US), [0, 1, 2, 3, 4], "without one all do");
        offer(&mut valve, &mut steps, 50, 2_000, (50, waits(2_000, 2_000)));
        offer(&mut valve, &mut steps, 3, 20_000, (9_000, waits(60_000, 60_000)));
        steps += 1;
        valve.fill(steps * INTERVAL_US);
        assert_eq!(passing(&mut valve, STALL_US), [0, 1, 2, 3, 4]);
        assert_eq!(passing(&mut valve, STALL_US + 1), [0, 1]);
    }

    #[test]
    fn once_it_is_overload_the_average_wait_counts() {
        let after = |mean_us| {
            let (mut valve, mut steps) = (Valve::default(), 0);
            offer(&mut valve, &mut steps, 50, 2_000, (50, waits(2_000, 2_000)));
            offer(&mut valve, &mut steps, 3, 20_000, (9_000, waits(60_000, 60_000)));
            offer(&mut valve, &mut steps, 40, 20_000, (2_000, waits(1_000, mean_us)))
        };
        let (late, in_time) = (after(40_000), after(5_000));
        assert!(late < in_time / 2, "{late}, {in_time}");
    }

    #[test]
    fn a_disk_that_becomes_slow_closes_nothing_while_no_more_comes_than_before() {
        let (mut valve, mut steps) = (Valve::default(), 0);
        offer(&mut valve, &mut steps, 50, 500, (50, waits(2_000, 2_000)));
        for backlog in [400, 900, 1_200, 600] {
            let passed = offer(&mut valve, &mut steps, 20, 500, (backlog, waits(40_000, 60_000)));
            assert_eq!(passed, 500, "behind {backlog}");
        }
        let passed = offer(&mut valve, &mut steps, 3, 500, (5_000, waits(40_000, 60_000)));
        assert!(passed < 500, "more and more of it waits: {passed}");
        let passed = offer(&mut valve, &mut steps, 3, 500, (50, waits(40_000, 60_000)));
        assert_eq!(passed, 500, "no more");
    }

    #[test]
    fn a_disk_that_is_always_slow_does_not_keep_it_closed() {
        let mut valve = Valve::default();
        let mut refused = 0;
        for step in 1..=100 {
            valve.fill(step * INTERVAL_US);
            refused += (0..500).filter(|_| !valve.passes(2, 0)).count();
            let wait_us = if matches!(step, 50 | 51) { 90_000 } else { 14_000 };
            valve.adjust(BACKLOG_MIN + 1, Waits { least_us: wait_us, mean_us: wait_us });
        }
        assert!(refused < 1_000, "{refused}");
        assert_eq!(valve.closed_percent(), 0);
    }
}

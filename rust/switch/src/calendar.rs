//! Days as the law of a place counts them: from midnight to midnight there, whatever the season.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
const SECOND_US: i64 = 1_000_000;
/// Changes of the clock that are known ahead: two a year into the next century.
const CHANGES_MAX: usize = 400;

/// The clock of a place, as far as its days go.
#[derive(Debug)]
pub(crate) struct Calendar {
    /// From when on (microseconds since 1970, UTC), and by how much the clock is ahead of UTC.
    offsets: Vec<(i64, i64)>,
}

impl Calendar {
    /// The clock of a zone such as `America/Los_Angeles`; none when there is no such zone.
    #[must_use]
    pub(crate) fn of(zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).ok()?;
        let begin = Timestamp::UNIX_EPOCH;
        let offset_us = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * SECOND_US;
        let changes = zone.following(begin).take(CHANGES_MAX);
        let changes = changes.map(|it| (it.timestamp().as_microsecond(), offset_us(it.offset())));
        let first = (i64::MIN, offset_us(zone.to_offset(begin)));
        Some(Self { offsets: std::iter::once(first).chain(changes).collect() })
    }

    /// The day of a time in microseconds since 1970, UTC; days count from 1970-01-01.
    #[must_use]
    pub(crate) fn day(&self, now_us: i64) -> i32 {
        let place = self.offsets.partition_point(|(from, _)| *from <= now_us);
        let offset = place.checked_sub(1).and_then(|at| self.offsets.get(at));
        let local_us = now_us.saturating_add(offset.map_or(0, |(_, offset)| *offset));
        i32::try_from(local_us.div_euclid(DAY_US)).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, time: &str) -> i32 {
        let time: Timestamp = time.parse().unwrap();
        Calendar::of(zone).unwrap().day(time.as_microsecond())
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_place_in_every_season() {
        let pacific = |time| day("America/Los_Angeles", time);
        for (before, after) in [
            ("2021-07-01T06:59:59Z", "2021-07-01T07:00:00Z"),
            ("2026-01-01T07:59:59Z", "2026-01-01T08:00:00Z"),
            ("2026-03-09T06:59:59Z", "2026-03-09T07:00:00Z"),
            ("2050-12-31T07:59:59Z", "2050-12-31T08:00:00Z"),
        ] {
            assert_eq!(pacific(before) + 1, pacific(after), "{before}");
        }
        assert_eq!(pacific("1970-01-01T08:00:00Z"), 0);
        assert_eq!(day("UTC", "1970-01-01T23:59:59Z"), 0);
        assert_eq!(day("UTC", "1969-12-31T23:59:59Z"), -1);
    }

    /// The naive twin: the library itself, asked anew for each time.
    #[test]
    fn it_is_the_date_that_the_library_gives() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        let calendar = Calendar::of("America/Los_Angeles").unwrap();
        let mut at = 7_i64;
        for _ in 0..20_000 {
            at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let second = (at >> 33).rem_euclid(4_000_000_000);
            let date = zone.to_datetime(Timestamp::from_second(second).unwrap()).date();
            let days = date.since(jiff::civil::Date::constant(1970, 1, 1)).unwrap().get_days();
            assert_eq!(calendar.day(second * SECOND_US), days, "{second}");
        }
    }

    #[test]
    fn a_zone_must_exist() {
        assert!(Calendar::of("America/Nowhere").is_none());
    }
}

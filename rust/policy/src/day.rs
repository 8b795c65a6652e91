//! Days as rules write them, `2021-07-01`, and as the engine counts them.

use jiff::civil::Date;

/// Days since 1970-01-01 of a date written `YYYY-MM-DD`; `None` when it is not one.
#[must_use]
pub fn day_of(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date: Date = text.parse().ok()?;
    date.since(epoch()).ok().map(|span| span.get_days())
}

/// The date of a day as `YYYY-MM-DD`; the bare number when no calendar holds it.
#[must_use]
pub fn day_text(day: i32) -> String {
    let date = jiff::Span::new().try_days(day).and_then(|span| epoch().checked_add(span));
    date.map_or_else(|_| day.to_string(), |date| date.to_string())
}

const fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (text, day) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11_017), ("2021-07-01", 18_809)]
        {
            assert_eq!(day_of(text), Some(day), "{text}");
            assert_eq!(day_text(day), text);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "2021-7-1", "2021-02-30", "20210701", "2021-07-01T00", "tomorrow00"] {
            assert_eq!(day_of(text), None, "{text}");
        }
    }
}

//! The numbered codes of the switch: one table for every language.
//!
//! A number never changes its meaning. `docs/reference/errors.md` is made from this table.

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// The number; shown as `E101`.
    pub number: u16,
    /// A short name, stable.
    pub name: &'static str,
    /// What was expected, as one sentence.
    pub expected: &'static str,
}

macro_rules! codes {
    ($($constant:ident $number:literal $name:literal $expected:literal;)*) => {
        $(#[doc = $expected] pub const $constant: u16 = $number;)*
        /// Every code, in order of number.
        pub const ALL: &[Code] =
            &[$(Code { number: $number, name: $name, expected: $expected }),*];
    };
}

codes! {
    GARBAGE 101 "garbage" "The bytes must begin with a frame of the line's protocol.";
    FRAME_TOO_LONG 102 "frame too long" "A frame must not be longer than the limit of the line.";
    FRAME_TRUNCATED 103 "truncated frame"
        "The connection must not end inside a frame; the sender keeps what was not acknowledged.";
    FRAME_CHECK 104 "frame check" "A frame must end as its header says and match its checksum.";
    FRAME_HEADER 105 "frame header" "A frame's header must hold known values only.";
    NOT_A_MESSAGE 201 "not a message" "The text must have the structure of the line's dialect.";
    FIELD_MALFORMED 202 "field malformed" "A field must be a code, a slash and a value.";
    HEADER_PART 203 "header part" "Each part of the header must be present and of legal width.";
    TOO_MANY_PARTS 204 "too many parts" "A message must stay within the limits on its parts.";
    UNKNOWN_KEY 210 "unknown key" "The message key must be one of the catalogue.";
    REFERENCE_REUSED 211 "reference reused"
        "A reference must not be used again with another text within 24 hours.";
    FIELD_MISSING 220 "field missing" "A message must carry the fields that its key requires.";
    FIELD_WIDTH 221 "field width" "A value must be as long as its field allows.";
    FIELD_VALUE 222 "value not listed" "A value must be one of those listed for its field.";
    DATE_INVALID 223 "date not valid" "A date must be a day of the calendar, as ccyymmdd.";
    FIELD_NOT_ALLOWED 224 "field not allowed"
        "A message must not carry a field that its key refuses.";
    FIELD_CHARACTERS 225 "field characters"
        "A value must have only characters that its field takes.";
    ORI_UNKNOWN 301 "unknown ORI" "The ORI must be in the directory.";
    ORI_FOREIGN 302 "foreign ORI" "The ORI must be one of the station's own agency.";
    STATION_ELSEWHERE 303 "station not on this line"
        "The station must be assigned to the line that the message came on.";
    USER_UNKNOWN 304 "unknown user" "The user must be in the directory.";
    USER_FOREIGN 305 "user of another agency" "The user must belong to the agency of the ORI.";
    USER_ABSENT 306 "user missing" "The header must name the user.";
    STATION_UNKNOWN 307 "unknown station" "The header must name a station of the directory.";
    STATION_RECEIVES 308 "station only receives"
        "The station must be one that sends.";
    NO_PERMIT 401 "no rule permits" "Some rule must permit the message; none does.";
    POLICY_ERROR 402 "policy error" "Policies must evaluate without an error; one did not.";
    PURPOSE_ABSENT 410 "purpose missing" "A criminal history request must carry a purpose code.";
    PURPOSE_INVALID 411 "purpose not valid"
        "The purpose code must be one that this key and this agency may use.";
    ATTENTION_ABSENT 412 "attention missing"
        "A criminal history request must name the person who asks.";
    REASON_ABSENT 413 "reason missing"
        "A request for other than criminal history must say its reason.";
    PURPOSE_RETIRED 414 "purpose retired" "Purpose code U was withdrawn and must not be used.";
    TEXT_ABSENT 415 "text missing" "An administrative message must say something in words.";
    CASE_ABSENT 416 "case missing"
        "A criminal history request must carry a case number or say its reason.";
    USER_NOT_CLEARED 420 "user not cleared" "The user's background check must be complete.";
    NO_STATEMENT 421 "no statement" "The user's statement must be signed and on file.";
    TRAINING_LAPSED 422 "training lapsed" "The user's training must be current.";
    LEVEL_TOO_LOW 423 "level does not allow" "The user's level must allow the transaction.";
    NOT_ACTIVE 424 "not active" "The account and the agency must be active.";
    NOT_AGREED 425 "not agreed"
        "An agreement of the agency must allow the access; none on file does.";
    NOT_AVAILABLE 430 "not available"
        "What was asked for must be available to whoever asks; it is not.";
    NO_ROUTE 501 "no route" "A route must lead from the message key to a destination.";
    DESTINATION_UNKNOWN 502 "unknown destination"
        "A destination must be a station, an ORI, a group or a state that the switch knows.";
    NOT_IN_SERVICE 503 "not in service"
        "The destination must be in service; the message will not be forwarded.";
    NO_REPLY 504 "no reply" "The destination must reply by the deadline; it did not.";
    EXPIRED 505 "expired" "A message must be delivered before its deadline; this one was not.";
    QUEUE_FULL 506 "queue full" "The destination's queue must have room.";
    DESTINATION_REFUSED 507 "destination refused" "The destination must take the message.";
    TOO_MANY_DESTINATIONS 508 "too many destinations"
        "A message must not have more destinations than the limit.";
    NOT_A_SENDER 509 "not a sender"
        "The agency must be one of those that may send to the group.";
    IN_DOUBT 510 "in doubt"
        "An update must have a known outcome; whether this one was taken must be asked.";
    OVERLOADED 511 "overloaded"
        "The switch must have room for the message; send it again in some seconds.";
    RATE_EXCEEDED 512 "rate exceeded"
        "A line, an ORI and a user must send no more than their rates allow.";
    SPACE_LOW 513 "space low"
        "There must be room on the journal's disk; only what is urgent is taken.";
    SERVICE_UNKNOWN 519 "unknown service"
        "A state of service must name a host, a family, data class or key, and a known state.";
    CANADA_BY_CN 530 "Canada by another address"
        "An administrative message to Canada must be addressed to CN.";
    RETURNED 531 "returned" "A broadcast must be approved; an operator returned this one.";
    NOT_INTERCEPTED 532 "not intercepted" "The message must stand in the intercept queue.";
    LOCKED 533 "locked" "A message that another operator has locked must be left to them.";
    OPERATOR_UNNAMED 534 "operator or reason missing"
        "An operator's action must name the operator and the reason, in legal length.";
    TEXT_UNFIT 535 "text unfit" "A text must be one that the dialect of the message can carry.";
    BROADCAST_BARRED 536 "broadcast barred"
        "A broadcast must be on a matter that may be broadcast that far.";
    LINES_CHANGED 541 "lines changed"
        "A bundle for a running switch must have its lines; others need a restart.";
    ORDER_UNFIT 542 "order unfit"
        "An order must name a line of the bundle, and one that can stand in for it.";
    NOT_DEAD 543 "not a dead letter" "The message and entry must stand in the dead letters.";
    SECOND_PERSON 544 "second person"
        "A dead letter is given up by two persons: the second must be another.";
    ORDER_RANGE 545 "order out of range"
        "A minimize must have a precedence of 0 to 3 and 1 to 1440 minutes.";
    JOURNAL_WRITE 601 "journal write" "The journal must take every write and every sync.";
    JOURNAL_DAMAGED 602 "journal damaged" "Every record before the last must be whole.";
    CHECKPOINT_BAD 603 "checkpoint bad" "A checkpoint must be signed and match the records.";
    JOURNAL_UNREADABLE 604 "journal unreadable"
        "The journal must be readable and in use by one switch only.";
    LOGON_REFUSED 801 "logon refused" "LOGON must name the line that the connection belongs to.";
    LINE_UNKNOWN 802 "line unknown" "The peer must be the computer of a line in the bundle.";
    SUPERSEDED 803 "superseded" "A line has one session; a newer one replaced this.";
    PEER_SILENT 804 "peer silent" "A line must be heard from within its protocol's limit.";
    ORDER_VIOLATED 805 "order violated" "Frames must come in the order of the protocol.";
    UNACKNOWLEDGED 806 "unacknowledged"
        "A line must acknowledge what it is sent within 30 seconds; it is sent again later.";
    RESUME_BEYOND 807 "resume point beyond"
        "A line must not have counted more than the switch has sent it.";
}

/// The row of a number.
#[must_use]
pub fn find(number: u16) -> Option<&'static Code> {
    let place = ALL.binary_search_by_key(&number, |code| code.number).ok()?;
    ALL.get(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_so_that_they_can_be_found() {
        assert!(ALL.windows(2).all(|pair| pair[0].number < pair[1].number));
        assert!(ALL.iter().all(|code| find(code.number).is_some()));
        assert!(ALL.iter().all(|code| code.expected.ends_with('.')));
    }
}

use std::sync::Arc;
use std::sync::atomic::AtomicU8;

use clets_wire::{Dialect, KeyId};

use super::*;
use crate::entry::Stored;
use crate::record::Target;

fn entry(line: &mut LineState, precedence: u8) -> Box<Entry> {
    let stored = Arc::new(Stored {
        number: 0,
        line: None,
        key: KeyId(0),
        dialect: Dialect::Clets,
        envelope: clets_wire::decode(b"A.R.U.AM.CA0000000.B.TXT\r\nX", Dialect::Clets).unwrap(),
        labels: Vec::new(),
        late: false,
        responder: Box::default(),
        requester: Box::default(),
        entered: Box::default(),
        follow_ups: AtomicU8::new(0),
        body: Box::default(),
    });
    let target = Target::Station { mnemonic: "A".into(), reference: "".into(), user: "".into() };
    Box::new(Entry {
        stored,
        home: None,
        notice_s: 0,
        key: None,
        index: 0,
        line: LineId(0),
        precedence,
        sequence: line.assign(precedence),
        deadline_us: 0,
        refusals: 0,
        possible_duplicate: false,
        target,
    })
}

fn next(line: &mut LineState, window: usize) -> Option<Box<Entry>> {
    line.next(window, false, &|_, _| true).and_then(|(_, waiting)| waiting.ready)
}

fn filled() -> LineState {
    let mut line = LineState::default();
    for precedence in [4, 4, 2, 4, 0] {
        let entry = entry(&mut line, precedence);
        line.push(precedence, Waiting::of(entry, true));
        line.was_reserved(precedence, 99);
    }
    line
}

#[test]
fn the_higher_precedence_overtakes_and_order_holds_inside_one() {
    let mut line = filled();
    let mut order = Vec::new();
    while let Some(entry) = next(&mut line, 99) {
        order.push((entry.precedence, entry.sequence));
    }
    assert_eq!(order, [(0, 1), (2, 1), (4, 1), (4, 2), (4, 3)]);
}

#[test]
fn the_window_bounds_what_is_on_the_wire() {
    let mut line = filled();
    let first = next(&mut line, 1).unwrap();
    line.sent(first, 7, 0);
    assert!(next(&mut line, 1).is_none());
    assert!(line.acknowledged(8).is_none());
    assert!(line.acknowledged(7).is_some());
    assert!(next(&mut line, 1).is_some());
}

#[test]
fn a_lost_connection_puts_everything_back_in_order_and_marked() {
    let mut line = filled();
    for validation in 0..4 {
        let entry = next(&mut line, 99).unwrap();
        line.sent(entry, validation, 0);
    }
    assert!(line.disconnect(&|_| false).is_empty());
    let mut order = Vec::new();
    while let Some(entry) = next(&mut line, 99) {
        order.push((entry.precedence, entry.sequence, entry.possible_duplicate));
    }
    let marked = [(0, 1, true), (2, 1, true), (4, 1, true), (4, 2, true), (4, 3, false)];
    assert_eq!(order, marked);
}

#[test]
fn a_cumulative_acknowledgement_covers_its_precedence_only() {
    let mut line = filled();
    while let Some(entry) = next(&mut line, 99) {
        line.sent(entry, 0, 0);
    }
    let (done, waited) = line.acknowledged_to(4, 2);
    assert!(waited.is_empty());
    assert_eq!(done.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((line.in_flight(), line.delivered(4), line.delivered(2)), (3, 2, 0));
}

#[test]
fn withdraws_from_the_queue_and_from_the_wire() {
    let mut line = filled();
    assert!(line.withdraw(4, 2).is_some());
    assert!(line.withdraw(4, 2).is_none());
    let first = next(&mut line, 9).unwrap();
    line.sent(first, 1, 0);
    assert!(line.withdraw(0, 1).is_some());
    assert_eq!(line.len(), 3);
}

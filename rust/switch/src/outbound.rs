//! ENCODE and send: from an entry in a queue to bytes of its destination's line.

use clets_defect::{self as defect, Defect};
use clets_routing::{Framing, Line, LineId};
use clets_wire::framing::dmpp::{self, function, status};
use clets_wire::framing::native;
use clets_wire::{Dialect, Key, Outbound, encode};
use smallvec::SmallVec;

use crate::archive;
use crate::engine::Engine;
use crate::entry::{Entry, Stored, Waiting};
use crate::queue::Passage;
use crate::record::Target;
use crate::service::{self, Service};
use crate::session::{Phase, Session};
use crate::{Bundle, Control, Effects};

/// The largest DMPP block, frame included (DMPP-2020: 32 KB); longer messages go in several.
const DMPP_BLOCK_BYTES: usize = 32 * 1024;

impl Engine {
    /// Sends what waits for a line, as far as its window allows.
    pub(crate) fn pump(&mut self, line: LineId, now_us: i64, effects: &mut Effects) {
        let Some(state) = self.lines.get_mut(line.index()) else {
            return;
        };
        let Some(connection) = state.session else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&connection) else {
            return;
        };
        if session.phase != Phase::Up || session.closing || state.passage == Passage::Held {
            return;
        }
        let known = self.bundle.directory.line(line);
        let states = self.services.of(line);
        let lowest = self.minimize.map_or(u8::MAX, |(precedence, _)| precedence);
        let may_go = |precedence, waiting: &Waiting| {
            precedence <= lowest && service::takes(&self.bundle, states, waiting.key) == Service::Up
        };
        // A native line numbers what it is sent, so nothing overtakes inside a precedence there.
        let in_order = known.framing == Framing::Native;
        let asked_max = usize::try_from(known.outstanding).unwrap_or(usize::MAX);
        // A number is skipped once it is durable why: a peer that was told so asks for it no more.
        let skippable = self.durable >= self.next_number && self.outcomes.items.is_empty();
        let mut sent: SmallVec<[(u8, u64); 8]> = SmallVec::new();
        while asked_max == 0 || state.unanswered() < asked_max {
            let (closed, expected) = (state.closed(), session.expected);
            let reaches = |precedence: u8, waiting: &Waiting| {
                let of = |counts: &[u64]| counts.get(usize::from(precedence)).copied().unwrap_or(0);
                !in_order || skippable || waiting.sequence <= of(&expected).max(of(&closed) + 1)
            };
            let may_go = |precedence, waiting: &Waiting| {
                reaches(precedence, waiting) && may_go(precedence, waiting)
            };
            let next = state.next(usize::from(known.window), in_order, &may_go);
            let Some((precedence, mut waiting)) = next else {
                break;
            };
            let place = (line, precedence);
            let archive = &mut *self.archive;
            let loaded = archive::load(archive, &self.bundle, &self.released, place, &mut waiting);
            let entry = match loaded {
                Ok(entry) => entry,
                Err(unreadable) => {
                    state.put_in_place(precedence, waiting);
                    self.unreadable = Some(unreadable);
                    return;
                }
            };
            let control = Control::of(entry.stored.number, entry.index);
            if asked_max > 0 && self.pending.get(control).is_some() {
                state.asked(control);
            }
            let payload = render(&self.bundle, known, &entry);
            let out = effects.buffer(connection);
            let validation = send(session, &entry, &payload, out);
            session.sent_us = now_us;
            sent.push((precedence, entry.sequence));
            state.sent(entry, validation, now_us);
        }
        if in_order && !skippable {
            let unclosed = state.unclosed(session.expected).into_iter();
            self.closings.extend(unclosed.map(|(precedence, last)| (connection, precedence, last)));
        }
        sent.extend(state.unreserved());
        for (precedence, sequence) in sent {
            self.reserve(line, precedence, sequence);
        }
    }
}

/// Frames a payload; gives the validation that its acknowledgement will carry.
fn send(session: &mut Session, entry: &Entry, payload: &[u8], out: &mut Vec<u8>) -> u32 {
    match session.framing {
        Framing::Dmpp => {
            session.validation = session.validation.wrapping_add(1);
            let validation = session.validation.to_be_bytes();
            let mut rest = payload;
            while let Some((block, more)) = rest.split_at_checked(DMPP_BLOCK_BYTES - dmpp::OVERHEAD)
                && !more.is_empty()
            {
                dmpp::encode(out, function::DATA_MORE, validation, status::OK, 1, block);
                rest = more;
            }
            dmpp::encode(out, function::DATA_ACK, validation, status::OK, 1, rest);
            session.validation
        }
        Framing::Native => {
            let (precedence, sequence) = (entry.precedence, entry.sequence);
            if let Some(expected) = session.expected.get_mut(usize::from(precedence)) {
                if sequence > *expected && !defect::has(Defect::SkipNotSent) {
                    // Numbers of entries that ended otherwise are closed, so that the peer
                    // can tell a hole from a loss.
                    let skip = native::Frame::bare(native::Kind::Skip);
                    let sequence = sequence - 1;
                    native::encode(out, &native::Frame { precedence, sequence, ..skip });
                }
                *expected = sequence + 1;
            }
            let flags = if entry.possible_duplicate { native::POSSIBLE_DUPLICATE } else { 0 };
            let data = native::Frame::bare(native::Kind::Data);
            let frame = native::Frame { precedence, flags, sequence, body: payload, ..data };
            native::encode(out, &frame);
            0
        }
    }
}

/// The payload of an entry in the form of its destination.
fn render(bundle: &Bundle, line: &Line, entry: &Entry) -> Vec<u8> {
    let mut out = Vec::with_capacity(entry.stored.body.len() + 128);
    match &entry.target {
        Target::Host { system, key, federal_only, destinations, .. } => {
            let row = entry.key.and_then(|id| bundle.catalogue.key(id));
            let named: Vec<&[u8]> = destinations.iter().map(|name| name.as_bytes()).collect();
            let form = HostForm { system, key, federal_only: *federal_only, named: &named, row };
            render_for_host(&mut out, line, entry, &form);
        }
        Target::Station { mnemonic, reference, user } => {
            let ori = bundle.directory.settings().ori.as_bytes();
            let to = [mnemonic, reference, user].map(|part| part.as_bytes());
            render_for_station(&mut out, bundle, line, entry, to, ori);
        }
    }
    out
}

/// How a host wants to be asked.
struct HostForm<'a> {
    system: &'a str,
    key: &'a str,
    federal_only: bool,
    named: &'a [&'a [u8]],
    row: Option<&'a Key>,
}

/// An inquiry under the switch's own control field, with the fields that the host's key takes.
fn render_for_host(out: &mut Vec<u8>, line: &Line, entry: &Entry, form: &HostForm<'_>) {
    let stored = &entry.stored;
    let control = Control::of(stored.number, entry.index).to_string();
    let fields: Vec<(&[u8], &[u8])> = stored
        .envelope
        .fields
        .iter()
        .map(|field| (field.code_span().of(&stored.body), field.value.of(&stored.body)))
        .filter(|(code, _)| form.row.is_none_or(|row| row.fields.iter().any(|it| **it == **code)))
        .collect();
    let labelled = stored.envelope.text.map(|_| labelled(stored, false));
    let text = labelled.as_deref();
    let common = Outbound {
        mke: form.key.as_bytes(),
        origin: stored.origin(),
        destinations: form.named,
        fields: &fields,
        text,
        ..Outbound::default()
    };
    let message = match line.dialect_out {
        Dialect::Clets => Outbound {
            system: (!form.system.is_empty()).then_some(form.system.as_bytes()),
            federal_only: form.federal_only,
            reference: control.as_bytes(),
            user: stored.user(),
            station: &line.station,
            ..common
        },
        _ => Outbound { control: Some(control.as_bytes()), ..common },
    };
    encode(out, line.dialect_out, &message);
}

/// A message for a station: labels around the text, and the text untouched.
fn render_for_station(
    out: &mut Vec<u8>,
    bundle: &Bundle,
    line: &Line,
    entry: &Entry,
    [station, reference, user]: [&[u8]; 3],
    own_ori: &[u8],
) {
    let stored = &entry.stored;
    let key = bundle.catalogue.key(stored.key).map(|key| key.key.as_bytes());
    let mke = match stored.envelope.mke {
        // A reply comes back under the key that its requester entered.
        _ if !stored.requester.is_empty() && !stored.entered.is_empty() => &*stored.entered,
        Some(span) => span.of(&stored.body),
        None => key.unwrap_or_default(),
    };
    let origin = [stored.origin(), &stored.responder, own_ori]
        .into_iter()
        .find(|ori| !ori.is_empty())
        .unwrap_or_default();
    let named: Vec<&[u8]> = if stored.requester.is_empty() {
        stored.envelope.destinations.iter().map(|it| it.of(&stored.body)).collect()
    } else {
        vec![&stored.requester]
    };
    let text = labelled(stored, entry.possible_duplicate && line.framing == Framing::Dmpp);
    encode(
        out,
        line.dialect_out,
        &Outbound {
            mke,
            origin,
            destinations: &named,
            reference,
            user,
            station,
            text: Some(&text),
            ..Outbound::default()
        },
    );
}

/// DMPP has no mark for a possible duplicate, so the text gets a line of its own before it.
pub(crate) fn labelled(stored: &Stored, mark_duplicate: bool) -> Vec<u8> {
    let body = stored.content();
    let mut text = Vec::with_capacity(body.len() + 64);
    if mark_duplicate {
        text.extend_from_slice(b"POSSIBLE DUPLICATE MESSAGE\r\n");
    }
    if stored.late {
        text.extend_from_slice(b"LATE REPLY\r\n");
    }
    for label in &stored.labels {
        text.extend_from_slice(label.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(body);
    text
}

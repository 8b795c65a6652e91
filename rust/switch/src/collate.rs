//! COLLATE: the replies to one inquiry in one message, for requesters who want it so.
//!
//! Each reply is judged and taken into custody when it comes, as a record of its own that has no
//! entries. When every file has answered, or will not, one message goes to the requester: what
//! was asked and what came of it, then each file's text untouched behind a line that names it.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use clets_routing::LineId;
use clets_wire::{Action, Answer, KeyId};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::entry::{Entry, Stored};
use crate::intake::Incoming;
use crate::notice::Addressee;
use crate::outbound::labelled;
use crate::plan::{Leg, Plan};
use crate::record::Target;
use crate::timers::Timer;
use crate::{Control, Effects};

/// The texts of one collated message together, in bytes; a reply beyond is passed on by itself.
const COLLATED_BYTES_MAX: usize = 256 * 1024;

/// What has come of one leg.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Answered,
    /// Down when the inquiry came, or it could not be delivered.
    NotAsked,
    Silent,
    Waiting,
}

/// One file asked.
#[derive(Debug)]
struct Part {
    /// Place of the entry; none for a line that was down.
    index: Option<u16>,
    line: LineId,
    /// Destination codes inside the system, such as `AZ`.
    codes: String,
    state: State,
    replies: Vec<Arc<Stored>>,
    /// Replies that were passed on by themselves.
    apart: usize,
}

/// An inquiry whose replies are gathered.
#[derive(Debug)]
pub(crate) struct Collation {
    asked: Arc<Stored>,
    parts: Vec<Part>,
    bytes: usize,
}

/// What a snapshot says of a collation: bytes so far, and its parts.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct CollationState {
    bytes: usize,
    parts: Vec<PartState>,
}

#[derive(Debug, Deserialize, Serialize)]
struct PartState {
    index: Option<u16>,
    line: u16,
    codes: String,
    state: u8,
    replies: Vec<u64>,
    apart: usize,
}

impl CollationState {
    /// The numbers of the replies that wait, part by part.
    pub(crate) fn replies(&self) -> Vec<u64> {
        self.parts.iter().flat_map(|part| part.replies.iter().copied()).collect()
    }
}

impl State {
    fn of(number: u8) -> Self {
        let known = [Self::Answered, Self::NotAsked, Self::Silent];
        known.into_iter().find(|it| *it as u8 == number).unwrap_or(Self::Waiting)
    }
}

impl Collation {
    fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| part.state != State::Waiting)
    }

    fn part(&mut self, leg: u16) -> Option<&mut Part> {
        self.parts.iter_mut().find(|part| part.index == Some(leg))
    }
}

impl Engine {
    /// For a snapshot.
    pub(crate) fn collation_states(&self) -> Vec<(u64, CollationState)> {
        let part = |it: &Part| PartState {
            index: it.index,
            line: it.line.0,
            codes: it.codes.clone(),
            state: it.state as u8,
            replies: it.replies.iter().map(|reply| reply.number).collect(),
            apart: it.apart,
        };
        let mut states: Vec<(u64, CollationState)> = self
            .collations
            .iter()
            .map(|(number, it)| {
                let parts = it.parts.iter().map(part).collect();
                (*number, CollationState { bytes: it.bytes, parts })
            })
            .collect();
        states.sort_by_key(|(number, _)| *number);
        states
    }

    /// Gathers on as a snapshot says; `replies` are those that it names, in order.
    pub(crate) fn resume_collation(
        &mut self,
        asked: Arc<Stored>,
        state: &CollationState,
        replies: &[Arc<Stored>],
        line: &dyn Fn(u16) -> Option<LineId>,
    ) {
        let mut replies = replies.iter();
        let parts = state.parts.iter().map(|it| Part {
            index: it.index,
            line: line(it.line).unwrap_or(LineId::NOBODY),
            codes: it.codes.clone(),
            state: State::of(it.state),
            replies: replies.by_ref().take(it.replies.len()).map(Arc::clone).collect(),
            apart: it.apart,
        });
        let parts = parts.collect();
        let number = asked.number;
        self.collations.insert(number, Collation { asked, parts, bytes: state.bytes });
    }

    /// Messages that gathered replies and hit confirmations still need.
    pub(crate) fn needed_messages(&self) -> impl Iterator<Item = u64> {
        let replies = self.collations.values().flat_map(|it| {
            it.parts.iter().flat_map(|part| part.replies.iter().map(|reply| reply.number))
        });
        let asked = self.collations.keys().copied();
        asked.chain(replies).chain(self.confirmations.state().0)
    }

    /// Whether the replies to a message are to come in one: as its line has it, unless the
    /// message itself says `Y` or `N`.
    pub(crate) fn collates(&self, incoming: &Incoming<'_>, key: KeyId, plan: &Plan<'_>) -> bool {
        let line = self.bundle.directory.line(incoming.line);
        let inquires =
            self.bundle.catalogue.key(key).is_some_and(|key| key.action == Action::Inquire);
        let hosts = plan.legs.iter().any(|leg| matches!(leg, Leg::Host { .. }));
        let said = match incoming.envelope.field(incoming.bytes, &line.collate_field) {
            Some(b"Y") => true,
            Some(b"N") => false,
            _ => line.collate,
        };
        said && inquires && hosts
    }

    pub(crate) fn names_of(&self, lines: &[LineId]) -> Vec<Cow<'static, str>> {
        lines.iter().map(|line| Cow::Owned(self.line_name(*line))).collect()
    }

    /// Begins to gather: `legs` are asked, `down` are not.
    pub(crate) fn begin_collation<'a>(
        &mut self,
        asked: &Arc<Stored>,
        legs: impl Iterator<Item = (u16, LineId, &'a Target<'a>)>,
        down: &[LineId],
    ) {
        let part = |index, line, codes, state| Part {
            index,
            line,
            codes,
            state,
            replies: Vec::new(),
            apart: 0,
        };
        let legs = legs.filter_map(|(index, line, target)| match target {
            Target::Host { destinations, .. } => {
                Some(part(Some(index), line, destinations.join(" "), State::Waiting))
            }
            Target::Station { .. } => None,
        });
        let down = down.iter().map(|line| part(None, *line, String::new(), State::NotAsked));
        let parts = legs.chain(down).collect();
        let collation = Collation { asked: Arc::clone(asked), parts, bytes: 0 };
        self.collations.insert(asked.number, collation);
    }

    /// Whether a reply of `bytes` waits for the others; without room left it goes by itself.
    pub(crate) fn holds_back(&mut self, control: Control, bytes: usize) -> bool {
        /// Room for labels and for the line that names the source.
        const AROUND_BYTES: usize = 512;
        let Some(collation) = self.collations.get_mut(&control.number()) else {
            return false;
        };
        let total = collation.bytes.saturating_add(bytes).saturating_add(AROUND_BYTES);
        let fits = total <= COLLATED_BYTES_MAX;
        let Some(part) = collation.part(control.leg()) else {
            return false;
        };
        if fits {
            collation.bytes = total;
        } else {
            part.apart += 1;
            part.state = State::Answered;
        }
        fits
    }

    /// Adds a reply that waits for the others.
    pub(crate) fn collate_reply(&mut self, control: Control, reply: Arc<Stored>) {
        let collation = self.collations.get_mut(&control.number());
        if let Some(part) = collation.and_then(|collation| collation.part(control.leg())) {
            part.state = State::Answered;
            part.replies.push(reply);
        }
    }

    /// Notes that no reply of a leg is waited for any more; false when nothing is gathered.
    pub(crate) fn note_leg(&mut self, control: Control, silent: bool) -> bool {
        let collation = self.collations.get_mut(&control.number());
        let Some(part) = collation.and_then(|collation| collation.part(control.leg())) else {
            return false;
        };
        if part.state != State::Answered {
            part.state = if silent { State::Silent } else { State::NotAsked };
        }
        true
    }

    /// An entry was never delivered: its sender reads so in the summary, if one is to come.
    pub(crate) fn leg_ended(&mut self, entry: &Entry, now_us: i64, effects: &mut Effects) -> bool {
        let noted = self.note_leg(Control::of(entry.stored.number, entry.index), false);
        self.finish_collation(entry.stored.number, now_us, effects);
        noted
    }

    /// A reply did not come in time.
    pub(crate) fn leg_silent(
        &mut self,
        control: Control,
        now_us: i64,
        effects: &mut Effects,
    ) -> bool {
        let noted = self.note_leg(control, true);
        self.finish_collation(control.number(), now_us, effects);
        noted
    }

    /// What was complete when the process died is sent at the first tick.
    pub(crate) fn resume_collations(&mut self, now_us: i64) {
        for number in self.collations.keys() {
            self.timers.set(now_us, Timer::Collate(*number));
        }
    }

    /// Sends the one message, once every leg has ended.
    pub(crate) fn finish_collation(&mut self, number: u64, now_us: i64, effects: &mut Effects) {
        if !self.collations.get(&number).is_some_and(Collation::is_complete) {
            return;
        }
        let Some(collation) = self.collations.remove(&number) else {
            return;
        };
        let asked = &collation.asked;
        let Some(line) = asked.line else {
            return;
        };
        let text = self.collated_text(&collation);
        let own = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let to = Addressee {
            line,
            station: own(asked.station()),
            reference: own(asked.reference()),
            user: own(asked.user()),
            ori: own(asked.origin()),
        };
        let entered = match &*asked.entered {
            [] => asked.part(asked.envelope.mke),
            entered => entered,
        };
        let (key, parent) = (own(entered), Some(number));
        self.say(&to, parent, asked.key, &key, &text, true, now_us, effects);
    }

    fn collated_text(&self, collation: &Collation) -> Vec<u8> {
        const WORDS: [(Option<Answer>, &str); 4] = [
            (Some(Answer::Hit), "HIT"),
            (Some(Answer::NoHit), "NO HIT"),
            (Some(Answer::Reject), "REJECTED"),
            (Some(Answer::Other), "ANSWERED"),
        ];
        let mut text = String::from("COLLATED REPLY\r\n");
        let mut list = |word: &str, names: Vec<String>| {
            if !names.is_empty() {
                // Writing to a string cannot fail.
                let _ = write!(text, "{word}: {}\r\n", names.join(", "));
            }
        };
        let named = |wanted: &dyn Fn(&Part) -> bool| {
            let parts = collation.parts.iter().filter(|part| wanted(part));
            parts.map(|part| self.name_of(part)).collect::<Vec<_>>()
        };
        list("ASKED", named(&|_| true));
        for (class, word) in WORDS {
            let is = |part: &Part| part.state == State::Answered && self.class_of(part) == class;
            list(word, named(&is));
        }
        let apart = |part: &Part| part.apart > 0;
        list("SENT BY ITSELF", named(&apart));
        list("NO REPLY", named(&|part| part.state == State::Silent));
        list("OUT OF SERVICE, NOT ASKED", named(&|part| part.state == State::NotAsked));
        let count = collation.parts.iter().map(|part| part.replies.len()).sum::<usize>();
        let mut out = text.into_bytes();
        let mut place = 0;
        for part in &collation.parts {
            for reply in &part.replies {
                place += 1;
                let body = labelled(reply, false);
                let name = self.name_of(part);
                // The length tells where a text ends, whatever it says itself.
                let head = format!("----- {place} OF {count}: {name}, {} BYTES\r\n", body.len());
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(&body);
                out.extend_from_slice(b"\r\n");
            }
        }
        out
    }

    /// What a part's replies say together; none when they all went by themselves.
    fn class_of(&self, part: &Part) -> Option<Answer> {
        let system = &self.bundle.directory.line(part.line).system;
        let said: Vec<Answer> = part
            .replies
            .iter()
            .map(|reply| self.bundle.answers.classify(system, reply.content()))
            .collect();
        let order = [Answer::Hit, Answer::Reject, Answer::Other, Answer::NoHit];
        order.into_iter().find(|class| said.contains(class))
    }

    fn name_of(&self, part: &Part) -> String {
        let title = self.title(part.line);
        if part.codes.is_empty() { title } else { format!("{title} {}", part.codes) }
    }
}

//! What the switch itself says to a sender: refused, not forwarded, delayed, expired, no reply.

use std::sync::Arc;

use clets_policy::Effect;
use clets_routing::LineId;
use clets_wire::{Dialect, KeyId, Outbound, decode, encode};

use crate::decision::find_key;
use crate::engine::Engine;
use crate::entry::{Entry, Stored};
use crate::intake::{Incoming, lifetime_us, precedence};
use crate::plan::Scope;
use crate::receipt::Receipt;
use crate::record::{Accepted, Target};
use crate::{Decision, Effects, codes};

/// How much of a refused message is repeated to its sender, characters (as Nlets' ER does).
const ECHO_BYTES: usize = 100;

/// Whom a notice is for: the header of their message.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    pub(crate) line: LineId,
    pub(crate) station: String,
    pub(crate) reference: String,
    pub(crate) user: String,
    pub(crate) ori: String,
}

impl Engine {
    /// A notice: a message of the switch's own, in custody like any other.
    pub(crate) fn notice(
        &mut self,
        to: &Addressee,
        parent: Option<u64>,
        key: &str,
        text: &str,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        if let Some(key_id) = bundle.catalogue.find(b"", key.as_bytes()) {
            self.say(to, parent, key_id, key, text.as_bytes(), false, now_us, effects);
        }
    }

    /// A message of the switch's own under any key; `collated` marks the one that holds replies.
    #[expect(clippy::too_many_arguments, reason = "private; the common end of two ways")]
    pub(crate) fn say(
        &mut self,
        to: &Addressee,
        parent: Option<u64>,
        key_id: KeyId,
        key: &str,
        text: &[u8],
        collated: bool,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let bundle = Arc::clone(&self.bundle);
        let ori = bundle.directory.settings().ori.clone();
        let mut body = Vec::new();
        encode(
            &mut body,
            Dialect::Clets,
            &Outbound {
                mke: key.as_bytes(),
                origin: ori.as_bytes(),
                destinations: &[to.ori.as_bytes()],
                reference: to.reference.as_bytes(),
                user: to.user.as_bytes(),
                station: to.station.as_bytes(),
                text: Some(text),
                ..Outbound::default()
            },
        );
        let Ok(envelope) = decode(&body, Dialect::Clets) else {
            return;
        };
        let precedence = precedence(&bundle, key_id, Scope::Single);
        let deadline_us = now_us + lifetime_us(&bundle, precedence, false);
        let target = Target::Station {
            mnemonic: to.station.clone().into(),
            reference: to.reference.clone().into(),
            user: to.user.clone().into(),
        };
        let entry = self.entry_record(to.line, precedence, deadline_us, target);
        let receipt = Receipt::Dmpp { validation: [0; 4], wanted: false };
        let incoming = Incoming {
            line: LineId::NOBODY,
            receipt,
            bytes: &body,
            original: &body,
            entered: &[],
            follow_up: None,
            envelope: &envelope,
            dialect: Dialect::Clets,
        };
        let accepted = Accepted {
            effect: Effect::Allow.name().into(),
            parent,
            collated,
            requester: to.ori.as_str().into(),
            entries: vec![entry.1.clone()],
            ..Accepted::default()
        };
        let stored = Arc::new(self.record_accepted(&incoming, key_id, &accepted, effects));
        self.follow(&stored, parent, now_us);
        self.enqueue(&stored, vec![entry], now_us);
    }

    /// The words of a refusal: number, sentence, rules with their law, and the message's head.
    ///
    /// A refusal that a misuse rule caused (`block`) says nothing of the rule to the sender; the
    /// journal has the truth.
    pub(crate) fn refusal_text(&self, decision: &Decision, incoming: &Incoming<'_>) -> String {
        let bytes = incoming.bytes;
        let expected = codes::find(decision.code).map_or("", |code| code.expected);
        let mut text = format!("REJECTED E{} {expected}\r\n", decision.code);
        // Of a field that is wrong the sender is told which, where, and what it must be.
        if let Some(error) = find_key(&self.bundle, incoming.envelope, bytes)
            .and_then(|key| self.bundle.catalogue.check(key, incoming.envelope, bytes).err())
            && error.code == decision.code
        {
            text.push_str(&format!("{error}\r\n"));
        }
        if decision.effect != Effect::Block {
            let rules = decision.rules.iter();
            for rule in rules.filter_map(|id| self.bundle.policies.rule(*id)) {
                text.push_str(&format!("RULE {} {}\r\n", rule.id, one_line(&rule.text)));
                text.push_str(&format!("AUTHORITY {}\r\n", one_line(&rule.cite)));
            }
        }
        let head = incoming.original.get(..ECHO_BYTES).unwrap_or(incoming.original);
        text.push_str("ORIGINAL MESSAGE\r\n");
        text.push_str(&one_line(&String::from_utf8_lossy(head)));
        text.to_ascii_uppercase()
    }

    /// The destination is out of service and the message will not wait for it.
    pub(crate) fn tell_not_forwarded(
        &mut self,
        stored: &Arc<Stored>,
        line: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(line);
        let text = format!(
            "E{} {title} IS OUT OF SERVICE. YOUR MESSAGE WILL NOT BE FORWARDED. SEND IT AGAIN \
             LATER.",
            codes::NOT_IN_SERVICE
        );
        self.tell(stored, "UND", &text, now_us, effects);
    }

    /// The destination is out of service, and the message waits for it.
    pub(crate) fn tell_held(
        &mut self,
        stored: &Arc<Stored>,
        line: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(line);
        let text = format!("{title} IS OUT OF SERVICE. YOUR MESSAGE WILL BE FORWARDED.");
        self.tell(stored, "DLY", &text, now_us, effects);
    }

    /// An entry still waits.
    pub(crate) fn tell_delayed(
        &mut self,
        stored: &Arc<Stored>,
        line: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(line);
        let text = format!("DELAYED. {title} IS NOT TAKING MESSAGES. YOURS WILL BE FORWARDED.");
        self.tell(stored, "DLY", &text, now_us, effects);
    }

    /// An entry's life ended in the queue.
    pub(crate) fn tell_expired(&mut self, entry: &Entry, now_us: i64, effects: &mut Effects) {
        let title = self.title(entry.line);
        let code = codes::EXPIRED;
        let text = format!("E{code} NOT DELIVERED TO {title} BEFORE ITS DEADLINE.");
        self.tell(&entry.stored, "UND", &text, now_us, effects);
    }

    /// Whether an update was taken is not known.
    pub(crate) fn tell_in_doubt(
        &mut self,
        stored: &Arc<Stored>,
        line: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(line);
        let code = codes::IN_DOUBT;
        let text = format!(
            "E{code} IN DOUBT. {title} MAY HAVE TAKEN YOUR MESSAGE OR NOT. IT IS NOT SENT AGAIN. \
             VERIFY BY INQUIRY."
        );
        self.tell(stored, "UND", &text, now_us, effects);
    }

    /// The destination refused an entry too often.
    pub(crate) fn tell_refused_by_destination(
        &mut self,
        entry: &Entry,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(entry.line);
        let code = codes::DESTINATION_REFUSED;
        let text = format!("E{code} NOT DELIVERED. {title} REFUSED THE MESSAGE.");
        self.tell(&entry.stored, "UND", &text, now_us, effects);
    }

    /// No reply came.
    pub(crate) fn tell_no_reply(
        &mut self,
        stored: &Arc<Stored>,
        line: LineId,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let title = self.title(line);
        let text = format!(
            "E{} NO REPLY FROM {title}. A LATER ANSWER WILL BE PASSED ON MARKED LATE.",
            codes::NO_REPLY
        );
        self.tell(stored, "NRP", &text, now_us, effects);
    }

    /// Tells the sender of a message, if it was an agency's. Notices are about messages of
    /// people: nobody is told what became of a notice or of a host's reply.
    pub(crate) fn tell(
        &mut self,
        stored: &Arc<Stored>,
        key: &str,
        text: &str,
        now_us: i64,
        effects: &mut Effects,
    ) {
        let Some(line) = self.sender_line(stored) else {
            return;
        };
        let own = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let to = Addressee {
            line,
            station: own(stored.station()),
            reference: own(stored.reference()),
            user: own(stored.user()),
            ori: own(stored.origin()),
        };
        self.notice(&to, Some(stored.number), key, text, now_us, effects);
    }

    pub(crate) fn title(&self, line: LineId) -> String {
        self.bundle.directory.line(line).title.to_uppercase()
    }
}

/// Text without line ends, so that it cannot pass for another line of the notice.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

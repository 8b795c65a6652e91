//! What happens in a run, step by step.

use clets_switch::{Action, Effects, Event, Order};

use super::{BUNDLE, SECOND_US, Submitted, World};
use crate::disk::Fault;

impl World {
    pub(super) fn disorder(&mut self) {
        let peer = self.chance.below(5) as usize;
        match self.chance.below(100) {
            0..26 => self.submit_some(1),
            26..28 => {
                let many = self.chance.of(&[12, 24, 45]);
                self.submit_some(many);
            }
            28..44 => self.carry_some(),
            44..58 => self.sync(),
            58..61 => self.commit(),
            61..63 => self.tell(),
            63..70 => {
                for peer in &mut self.peers {
                    if self.chance.often(50) {
                        peer.acknowledge(self.chance.often(70));
                    }
                }
            }
            70..75 => self.break_line(peer),
            75..83 if self.peers[peer].link.is_none() => self.connect(peer),
            83..86 => self.fail_soon(),
            86..88 => self.die("killed"),
            88..93 => {
                let seconds = self.chance.of(&[1, 1, 2, 3, 12, 40]);
                self.pass(seconds);
            }
            93..95 => self.operate(),
            95 => self.refuse(peer),
            96 => self.snapshot(),
            97 => {
                // The switch itself does not run for a while.
                self.now_us += self.chance.below(90) as i64 * SECOND_US;
                self.step(Event::Tick);
            }
            98 => self.fence(peer),
            _ => self.answer_again(),
        }
    }

    fn carry_some(&mut self) {
        let connections: Vec<u32> = self.wires.keys().copied().collect();
        for connection in connections {
            if self.chance.often(50) {
                let most = self.chance.of(&[usize::MAX, usize::MAX, 40, 300]);
                self.carry_to_switch(connection, most);
            }
            if self.chance.often(50) {
                let most = self.chance.of(&[usize::MAX, usize::MAX, 40, 300]);
                self.carry_to_peer(connection, most);
            }
        }
    }

    fn break_line(&mut self, peer: usize) {
        let Some(connection) = self.peers[peer].link else { return };
        let most = self.chance.of(&[0, 17, 200, usize::MAX]);
        self.carry_to_switch(connection, most);
        self.lose(connection);
        if self.chance.often(60) {
            self.end(connection);
        } else {
            self.reach("half-open connection");
        }
    }

    /// A second connection of a line that has one.
    fn fence(&mut self, peer: usize) {
        if self.peers[peer].link.is_some() {
            let older = self.peers[peer].link.take();
            if let Some(wire) = older.and_then(|it| self.wires.get_mut(&it)) {
                wire.peer_gone = true;
            }
            self.peers[peer].lose();
            self.connect(peer);
            self.reach("second connection");
        }
    }

    /// A peer takes nothing, until it is asked again.
    fn refuse(&mut self, peer: usize) {
        if self.refusing.remove(&peer) {
            return;
        }
        self.refusing.insert(peer);
        for _ in 0..self.chance.below(8) {
            self.carry_all();
            self.peers[peer].acknowledge(true);
            self.sync();
        }
    }

    /// Something goes wrong with one of the next calls to the disk.
    fn fail_soon(&mut self) {
        let call = 1 + self.chance.below(12);
        let fault = self.chance.of(&[
            Fault::PowerCut,
            Fault::PowerCut,
            Fault::Once,
            Fault::Persist,
            Fault::Short,
            Fault::Interrupt,
        ]);
        self.say(|| format!("call {call} to the disk: {fault:?}"));
        self.disk.fail_at(call, fault);
        self.reach(match fault {
            Fault::PowerCut => "power cut at a call",
            Fault::Once | Fault::Persist => "failing call",
            Fault::Interrupt | Fault::Misdirect | Fault::Short => "partial call",
        });
        self.submit_some(1);
        self.carry_some();
        self.sync();
    }

    fn snapshot(&mut self) {
        let Some(switch) = &self.switch else { return };
        let made = switch.snapshot(&BUNDLE);
        self.say(|| format!("snapshot: {made:?}"));
        if self.disk.is_dead() {
            self.die("the disk failed at a snapshot");
        } else if made.is_ok() {
            self.reach("snapshot");
        } else {
            // The switch goes on without it.
            self.disk.heal();
        }
    }

    fn operate(&mut self) {
        let line = self.chance.of(&["beta", "gamma", "alpha"]);
        let letters = match &self.switch {
            Some(switch) => switch.engine.dead_letters(),
            None => return,
        };
        let letter = letters.first();
        let (message, entry) = letter.map_or((0, 0), |it| (it.message, it.entry));
        let action = match self.chance.below(10) {
            0..2 => Action::Hold,
            2..5 => Action::Release,
            5 => Action::Drain,
            6 => Action::Minimize,
            7 => Action::Normal,
            8 if letter.is_some() => Action::Replay,
            9 if letter.is_some() => Action::Cancel,
            _ => return,
        };
        let operator = self.chance.of(&["SAMPLE ONE", "SAMPLE TWO"]);
        self.order(action, line, (message, entry), operator);
    }

    pub(super) fn order(
        &mut self,
        action: Action,
        line: &str,
        (message, entry): (u64, u16),
        operator: &str,
    ) {
        let order = Order {
            action,
            line: line.to_owned(),
            to: String::new(),
            precedence: 2,
            minutes: 1,
            message,
            entry,
            operator: operator.to_owned(),
            account: "clets".to_owned(),
            reason: "DISORDER".to_owned(),
        };
        let now_us = self.now_us;
        let Some(switch) = &mut self.switch else { return };
        let mut effects = Effects::default();
        let done = switch.engine.order(&order, now_us, &mut effects);
        self.say(|| format!("order {action:?} {line} {message}.{entry}: {done:?}"));
        if done.is_ok() {
            self.reach(match action {
                Action::Cancel => "dead letter given up",
                Action::Replay => "dead letter sent again",
                Action::Minimize => "minimized",
                _ => "line ordered",
            });
        }
        self.take(effects);
    }

    /// A host gives an answer that it gave before.
    fn answer_again(&mut self) {
        if let Some((_, host, payload)) = self.answering.first().cloned() {
            let reference = format!("A{}", self.chance.below(u64::MAX));
            self.peers[host].submit(&reference, &payload);
            self.reach("answer given twice");
        }
    }

    fn submit_some(&mut self, count: u64) {
        let peer = self.chance.below(3) as usize;
        let kind = self.chance.below(100);
        for _ in 0..count {
            let kind = if count > 1 && self.chance.often(80) { 0 } else { kind };
            self.submit_one(peer, kind);
        }
    }

    fn submit_one(&mut self, peer: usize, kind: u64) {
        let number = self.submitted.len() as u64;
        let (station, ori, user) = [
            ("ALPHA1", "CA0010100", "U1"),
            ("BETA1", "CA0020000", "U2"),
            ("GAMMA1", "CA0030000", "U3"),
        ][peer];
        let reference = format!("C{number}");
        let to = self.chance.of(&["ALPHA1", "BETA1", "BETA2", "GAMMA1"]);
        let words = format!("MEET AT NOON K{number:06}.");
        let plate = format!("K{number:06}");
        let mut made = Submitted {
            peer,
            reference: reference.clone(),
            payload: String::new(),
            text: words.clone(),
            forbidden: false,
            urgent: false,
            update: false,
            repeats: None,
        };
        let head = format!("{station}.{reference}.{user}");
        match kind {
            0..40 => made.payload = format!("{head}.AM.{ori}.{to}.TXT\r\n{words}"),
            40..48 => made.payload = format!("{head}.AM.{ori}.BAYAREA.TXT\r\n{words}"),
            48..56 => {
                made.urgent = true;
                made.payload = format!("{head}.AA.{ori}.{to}.TXT\r\n{words}");
            }
            56..76 => {
                made.text = plate.clone();
                made.payload = format!(
                    "{head}.IV.4A.{ori}.LIC/{plate}.LIS/CA.CAP/C.RSN/TRAFFIC STOP.OCA/26-1"
                );
            }
            76..88 => {
                made.update = true;
                made.text = plate.clone();
                made.payload = format!(
                    "{head}.IA.EV.{ori}.LIC/{plate}.LIS/CA.LIY/2026.LIT/PC.VMA/FORD.VYR/2020\
                     .DOT/20260101.OCA/26-1.CAP/C.RSN/STOLEN VEHICLE"
                );
            }
            88..94 => {
                made.forbidden = true;
                let bad = self.chance.below(3);
                made.payload = match bad {
                    // Without a reason; by a user without clearance; in another's name.
                    0 => format!("{head}.IV.4A.{ori}.LIC/{plate}.LIS/CA.CAP/C.OCA/26-1"),
                    1 => format!("{station}.{reference}.U9.AM.{ori}.{to}.TXT\r\n{words}"),
                    _ => format!("DELTA1.{reference}.{user}.AM.{ori}.{to}.TXT\r\n{words}"),
                };
            }
            _ => {
                // One of its own before: the same again, or another text under its reference.
                let own = |it: &(&u64, &Submitted)| {
                    it.1.peer == peer && !it.1.forbidden && it.1.repeats.is_none()
                };
                let before = self.submitted.iter().rfind(own);
                let Some((first, before)) = before.map(|(at, it)| (*at, it.clone())) else {
                    return;
                };
                let same = self.chance.often(60);
                made = Submitted { repeats: Some(first), ..before };
                if !same {
                    made.forbidden = true;
                    let other = |text: &str| text.replace(&format!("K{first:06}"), &plate);
                    (made.payload, made.text) = (other(&made.payload), other(&made.text));
                    made.reference.push('!');
                }
            }
        }
        let (payload, reference) = (made.payload.clone(), made.reference.clone());
        self.say(|| format!("{station} means to send {payload:?}"));
        self.submitted.insert(number, made);
        self.peers[peer].submit(&reference, &payload);
    }
}

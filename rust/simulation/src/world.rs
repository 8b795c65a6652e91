//! One run: a switch, its lines, their peers, and what goes wrong between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, LazyLock};

use clets_routing::Framing;
use clets_switch::record::{self, Accepted, Outcomes};
use clets_switch::{Action, Bundle, ConnectionId, Effects, Event};
use clets_wire::framing::{dmpp, native};

use crate::chance::Chance;
use crate::disk::{Fault, MemoryDisk};
use crate::oracle;
use crate::peer::Peer;
use crate::policies;
use crate::switch::{Record, Started, Switch};

mod disorder;

/// 2026-01-05 12:00 UTC, microseconds.
const NOON_US: i64 = 1_767_614_400_000_000;
const STEPS: u64 = 260;
const SECOND_US: i64 = 1_000_000;

static BUNDLE: LazyLock<Arc<Bundle>> =
    LazyLock::new(|| policies::compile(include_bytes!("state.json"), &[]));

/// What a peer meant to send.
#[derive(Clone, Debug)]
pub(crate) struct Submitted {
    /// Index of the peer.
    pub(crate) peer: usize,
    pub(crate) reference: String,
    pub(crate) payload: String,
    /// What its receivers must get, byte for byte.
    pub(crate) text: String,
    /// Policy or the directory forbids it.
    pub(crate) forbidden: bool,
    pub(crate) urgent: bool,
    pub(crate) update: bool,
    /// The same message again, or another under its reference.
    pub(crate) repeats: Option<u64>,
}

/// An answer of a host.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) text: String,
    /// The number of the message that it answers.
    pub(crate) to: u64,
    /// Under another host's control field: nobody may get it.
    pub(crate) astray: bool,
}

struct Wire {
    peer: usize,
    to_switch: Vec<u8>,
    unread: Vec<u8>,
    to_peer: Vec<u8>,
    peer_gone: bool,
}

/// Urgent entries that wait for a line, each with the others that were sent before it.
type Urgent = BTreeMap<usize, VecDeque<((u64, u16), u32)>>;

pub(crate) struct World {
    pub(crate) chance: Chance,
    disk: MemoryDisk,
    switch: Option<Switch>,
    pub(crate) now_us: i64,
    /// What the computer's clock says beside the switch's own.
    wall_us: i64,
    pub(crate) peers: Vec<Peer>,
    wires: BTreeMap<u32, Wire>,
    next_connection: u32,
    pub(crate) submitted: BTreeMap<u64, Submitted>,
    pub(crate) replies: BTreeMap<u64, Reply>,
    /// Answers that hosts will give: when, who, which.
    answering: Vec<(i64, usize, String)>,
    /// Every record there is, as it was appended.
    pub(crate) records: Vec<Record>,
    /// Records that the engine was told are durable.
    told: u64,
    /// How often it has died.
    life: u64,
    urgent: Urgent,
    /// Peers that take nothing for now.
    refusing: BTreeSet<usize>,
    /// How much of what each peer was sent has been looked at.
    seen: Vec<usize>,
    /// Nothing goes wrong any more.
    calm: bool,
    /// When the switch looked at the time.
    pub(crate) ticks: Vec<i64>,
    pub(crate) reached: BTreeMap<&'static str, u64>,
    pub(crate) violations: Vec<String>,
    hash: DefaultHasher,
    pub(crate) trace: Option<Vec<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let directory = &BUNDLE.directory;
        let peer = |name| {
            let line = directory.find_line(name).unwrap();
            Peer::new(name, line, directory.line(line).framing)
        };
        let mut world = Self {
            chance: Chance::new(seed),
            disk: MemoryDisk::new(seed),
            switch: None,
            now_us: NOON_US,
            wall_us: NOON_US,
            peers: ["alpha", "beta", "gamma", "svs", "ncic"].map(peer).into(),
            wires: BTreeMap::new(),
            next_connection: 1,
            submitted: BTreeMap::new(),
            replies: BTreeMap::new(),
            answering: Vec::new(),
            records: Vec::new(),
            told: 0,
            life: 0,
            urgent: Urgent::new(),
            refusing: BTreeSet::new(),
            seen: vec![0; 5],
            calm: false,
            ticks: Vec::new(),
            reached: BTreeMap::new(),
            violations: Vec::new(),
            hash: DefaultHasher::new(),
            trace: traced.then(Vec::new),
        };
        if let Some(effects) = world.start() {
            world.take(effects);
        }
        world
    }

    /// The whole run: disorder, then calm until nothing is left to do.
    pub(crate) fn run(&mut self) {
        let mut steps = 0..STEPS;
        while self.violations.is_empty() && steps.next().is_some() {
            self.disorder();
        }
        if self.violations.is_empty() {
            self.settle();
        }
        if let Some(switch) = self.switch.take() {
            switch.die(&self.disk);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn disk(&self) -> &MemoryDisk {
        &self.disk
    }

    pub(crate) fn reach(&mut self, what: &'static str) {
        *self.reached.entry(what).or_default() += 1;
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.say(|| format!("VIOLATION {what}"));
        self.violations.push(what);
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let seconds = (self.now_us - NOON_US) as f64 / 1e6;
            trace.push(format!("{seconds:9.3} {}", what()));
        }
    }

    // The switch

    fn step(&mut self, event: Event<'_>) -> usize {
        let now_us = self.now_us;
        let Some(switch) = &mut self.switch else { return 0 };
        if matches!(event, Event::Tick) {
            self.ticks.push(now_us);
        }
        let mut effects = Effects::default();
        switch.engine.step(event, now_us, &mut effects);
        let consumed = effects.consumed;
        self.take(effects);
        consumed
    }

    fn take(&mut self, effects: Effects) {
        if let Some(unreadable) = effects.unreadable {
            if self.disk.was_hit() {
                return self.die("a record could not be read");
            }
            return self.violate(format!("I1: {unreadable}"));
        }
        for entry in effects.records {
            self.hash.write_u8(entry.kind);
            self.hash.write(&entry.body);
            self.forget_urgent(entry.kind, &entry.body);
            let Some(switch) = &mut self.switch else { return };
            if switch.open_bytes() + entry.body.len() > 24 << 10 {
                let life = self.life;
                self.commit();
                if self.life != life {
                    return;
                }
            }
            let now_us = self.now_us;
            let Some(switch) = &mut self.switch else { return };
            if switch.append(now_us, entry.kind, &entry.body).is_err() {
                return self.die("the journal took nothing more");
            }
            self.say_record(entry.kind, &entry.body);
            self.records.push((entry.kind, now_us, entry.body));
        }
        for (ConnectionId(connection), bytes) in effects.writes {
            self.hash.write_u32(connection);
            self.hash.write(&bytes);
            let Some(wire) = self.wires.get_mut(&connection) else { continue };
            wire.to_peer.extend_from_slice(&bytes);
            let peer = wire.peer;
            self.watch_precedence(peer, &bytes);
        }
        for (ConnectionId(connection), code) in effects.closes {
            self.say(|| format!("switch closes {connection}: E{code}"));
            self.carry_to_peer(connection, usize::MAX);
            self.end(connection);
        }
    }

    fn say_record(&mut self, kind: u8, body: &[u8]) {
        if self.trace.is_some() {
            let number = self.records.len();
            let text = String::from_utf8_lossy(body).into_owned();
            let text: String = text.chars().filter(|it| !it.is_control()).take(300).collect();
            self.say(|| format!("record {number} {} {text}", record::kind_name(kind)));
        }
    }

    /// Puts the open batch on the disk.
    fn commit(&mut self) {
        let Some(switch) = &mut self.switch else { return };
        if !matches!(switch.commit(&self.disk), Ok(true)) {
            self.die("the disk failed at a commit");
        }
    }

    /// Tells the engine what is durable.
    fn tell(&mut self) {
        let Some(switch) = &self.switch else { return };
        let durable = switch.durable();
        let fresh = self.told..durable;
        self.told = durable;
        self.say(|| format!("durable {durable}"));
        for number in fresh {
            self.expect_urgent(number);
        }
        self.step(Event::Durable(durable));
    }

    fn sync(&mut self) {
        self.commit();
        self.tell();
    }

    /// The process ends without a word, and starts again.
    fn die(&mut self, why: &'static str) {
        let Some(switch) = self.switch.take() else { return };
        self.life += 1;
        self.say(|| format!("the switch dies: {why}"));
        let (durable, appended) = (self.told.max(switch.durable()), switch.next_number());
        let ends = switch.ends.clone();
        switch.die(&self.disk);
        let power = self.chance.often(60) || self.disk.was_power_cut();
        if power {
            self.disk = self.disk.after_power_cut();
        } else {
            self.disk.heal();
        }
        self.reach(if power { "power cut" } else { "process killed" });
        let wires: Vec<u32> = self.wires.keys().copied().collect();
        for connection in wires {
            // What was sent before may arrive yet.
            let share = self.chance.below(101) as usize;
            let bytes = self.wires[&connection].to_peer.len() * share / 100;
            self.carry_to_peer(connection, bytes);
            self.lose(connection);
        }
        self.wires.clear();
        self.urgent.clear();
        if appended > durable {
            self.reach("died with records not durable");
        }
        let step = self.chance.of(&[0, 0, 0, 1, -1, 3_600, -3_600, -31_536_000]);
        if step < 0 {
            self.reach("clock stepped back");
        }
        self.wall_us = self.now_us + (step + self.chance.below(20) as i64) * SECOND_US;
        self.restart(durable, &ends);
    }

    fn restart(&mut self, durable: u64, ends: &[u64]) {
        oracle::try_damage(self, ends);
        if self.chance.often(15) {
            // It may die in the middle of its start, too.
            let call = 1 + self.chance.below(60);
            let fault = self.chance.of(&[Fault::PowerCut, Fault::Once, Fault::Short]);
            self.disk.fail_at(call, fault);
            let begun = Switch::start(&self.disk, &BUNDLE, self.wall_us);
            self.reach("died while starting");
            if let Ok(Started { switch, .. }) = begun {
                switch.die(&self.disk);
            }
            if self.disk.was_power_cut() {
                self.disk = self.disk.after_power_cut();
            } else {
                self.disk.heal();
            }
        }
        self.disk.heal();
        let Some(effects) = self.start() else { return };
        let Some(switch) = &self.switch else { return };
        let found = switch.ends[0];
        let appended = self.records.len() as u64;
        if found < durable {
            return self.violate(format!("I1: {durable} records were durable, {found} are left"));
        }
        if found > appended {
            return self.violate(format!("I4: {found} records, of which {appended} were written"));
        }
        if !ends.contains(&found) {
            return self.violate(format!("I1: {found} is in the middle of a batch"));
        }
        if found < appended {
            self.reach("records torn off");
        }
        self.records.truncate(found as usize);
        self.told = found;
        if let Err(what) = oracle::same_records(self.disk(), &self.records) {
            return self.violate(what);
        }
        if self.chance.often(20)
            && let Some(switch) = &self.switch
            && !switch.snapshot_is_what_everything_gives(&BUNDLE)
        {
            return self.violate("I5: a snapshot says otherwise than the records".to_owned());
        }
        self.take(effects);
    }

    /// Opens the journal; gives what the start itself does.
    fn start(&mut self) -> Option<Effects> {
        match Switch::start(&self.disk, &BUNDLE, self.wall_us) {
            Ok(Started { switch, effects, now_us, from_snapshot }) => {
                self.now_us = now_us;
                self.ticks.retain(|tick| *tick < now_us);
                self.say(|| format!("the switch starts with {} records", switch.next_number()));
                if from_snapshot {
                    self.reach("started from a snapshot");
                }
                self.switch = Some(switch);
                Some(effects)
            }
            Err(error) => {
                self.violate(format!("I1: the start was refused: {error}"));
                None
            }
        }
    }

    // Precedence

    /// Takes note of urgent entries that may go from now on.
    fn expect_urgent(&mut self, number: u64) {
        let Some((record::ACCEPTED, _, body)) = self.records.get(number as usize) else { return };
        let accepted: Accepted<'_> = record::decode(body).unwrap();
        for (index, entry) in (0..).zip(&accepted.entries) {
            let peer = self.peers.iter().position(|peer| peer.name == entry.line);
            if let Some(peer) = peer.filter(|_| entry.precedence == 0) {
                self.urgent.entry(peer).or_default().push_back(((number, index), 0));
            }
        }
    }

    fn forget_urgent(&mut self, kind: u8, body: &[u8]) {
        if kind == record::OUTCOMES {
            let outcomes: Outcomes = record::decode(body).unwrap();
            let ended = |name: &(u64, u16)| outcomes.items.iter().any(|it| (it.0, it.1) == *name);
            self.urgent.values_mut().for_each(|queue| queue.retain(|(name, _)| !ended(name)));
        } else if kind == record::ORDER {
            self.urgent.clear();
        }
    }

    /// I10: what goes to a line while something urgent waits for it.
    fn watch_precedence(&mut self, peer: usize, bytes: &[u8]) {
        let Some(queue) = self.urgent.get_mut(&peer) else { return };
        let mut at = 0;
        let mut most = 0;
        while at < bytes.len() {
            let (urgent, size) = if self.peers[peer].framing == Framing::Native {
                let (frame, size) = native::next(&bytes[at..], 1 << 20).unwrap().unwrap();
                let data = frame.kind == native::Kind::Data;
                (data.then_some(frame.precedence == 0), size)
            } else {
                let (frame, size) = dmpp::next(&bytes[at..], 1 << 20).unwrap().unwrap();
                let data = frame.function == dmpp::function::DATA_ACK;
                let text = String::from_utf8_lossy(frame.data);
                let known = find(&text, 'K').and_then(|number| self.submitted.get(&number));
                (data.then_some(known.is_some_and(|it| it.urgent)), size)
            };
            at += size;
            match urgent {
                Some(true) => drop(queue.pop_front()),
                Some(false) => queue.iter_mut().for_each(|(_, passed)| *passed += 1),
                None => {}
            }
            most = most.max(queue.front().map_or(0, |(_, passed)| *passed));
        }
        let window = BUNDLE.directory.line(self.peers[peer].line).window;
        // One batch, and another for the fsync without which an urgent entry may not go.
        if most > 2 * u32::from(window) {
            let name = self.peers[peer].name;
            self.violate(format!("I10: {most} others went to {name} before one of P0"));
        }
    }

    // Wires

    fn connect(&mut self, peer: usize) {
        let connection = self.next_connection;
        self.next_connection += 1;
        let line = self.peers[peer].line;
        let (to_switch, unread, to_peer) = (Vec::new(), Vec::new(), Vec::new());
        let wire = Wire { peer, to_switch, unread, to_peer, peer_gone: false };
        self.wires.insert(connection, wire);
        self.urgent.remove(&peer);
        self.say(|| format!("peer {peer} connects: {connection}"));
        self.step(Event::Open { connection: ConnectionId(connection), line });
        if self.wires.contains_key(&connection) {
            self.peers[peer].connect(connection, &mut self.chance);
            // What is sent again on a line goes in the order of its numbers, urgent or not.
            self.urgent.remove(&peer);
        }
    }

    /// The peer's end of a connection breaks. The switch may notice much later.
    fn lose(&mut self, connection: u32) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        if !wire.peer_gone {
            wire.peer_gone = true;
            let peer = &mut self.peers[wire.peer];
            if peer.link == Some(connection) {
                wire.to_switch.extend_from_slice(&peer.out);
                peer.lose();
            }
        }
    }

    /// The switch's end of a connection breaks too.
    fn end(&mut self, connection: u32) {
        self.lose(connection);
        if let Some(wire) = self.wires.remove(&connection) {
            self.urgent.remove(&wire.peer);
            let unread = wire.unread.len();
            self.step(Event::Close { connection: ConnectionId(connection), unread });
        }
    }

    /// So many bytes, at most, come to the switch.
    fn carry_to_switch(&mut self, connection: u32, most: usize) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        let peer = &mut self.peers[wire.peer];
        if peer.link == Some(connection) {
            wire.to_switch.append(&mut peer.out);
        }
        let count = wire.to_switch.len().min(most);
        wire.unread.extend(wire.to_switch.drain(..count));
        let bytes = std::mem::take(&mut wire.unread);
        if bytes.is_empty() {
            return;
        }
        let consumed =
            self.step(Event::Receive { connection: ConnectionId(connection), bytes: &bytes });
        if let Some(wire) = self.wires.get_mut(&connection) {
            wire.unread = bytes[consumed.min(bytes.len())..].to_vec();
        }
    }

    fn carry_to_peer(&mut self, connection: u32, most: usize) {
        let Some(wire) = self.wires.get_mut(&connection) else { return };
        let count = wire.to_peer.len().min(most);
        let bytes: Vec<u8> = wire.to_peer.drain(..count).collect();
        let peer = wire.peer;
        if wire.peer_gone || bytes.is_empty() {
            return;
        }
        let refuses = self.refusing.contains(&peer);
        self.peers[peer].receive(&bytes, refuses);
        self.look(peer);
    }

    /// Everything on every wire arrives.
    fn carry_all(&mut self) {
        let connections: Vec<u32> = self.wires.keys().copied().collect();
        for connection in connections {
            self.carry_to_switch(connection, usize::MAX);
            self.carry_to_peer(connection, usize::MAX);
        }
    }

    /// A peer looks at what came: hosts answer, and what is wrong is told.
    fn look(&mut self, peer: usize) {
        let from = std::mem::replace(&mut self.seen[peer], self.peers[peer].taken.len());
        let fresh = self.peers[peer].taken[from..].to_vec();
        for taken in fresh {
            let name = self.peers[peer].name;
            let marked = if taken.marked { " PD" } else { "" };
            self.say(|| format!("{name} has{marked} {:?}", taken.payload));
            self.hash.write(taken.payload.as_bytes());
            if taken.marked {
                self.reach("marked as possible duplicate");
            }
            if peer >= 3 && !taken.refused {
                self.think_of_answer(peer, &taken.payload);
            }
        }
        let wrong: Vec<String> = self.peers[peer].wrong.drain(..).collect();
        wrong.into_iter().for_each(|what| self.violate(format!("I3: {what}")));
        let reached = std::mem::take(&mut self.peers[peer].reached);
        reached.into_iter().for_each(|what| self.reach(what));
    }

    fn think_of_answer(&mut self, host: usize, asked: &str) {
        let Some(to) = find(asked, 'K') else { return };
        let Some(control) = control_of(asked) else { return };
        let times = if self.calm { 1 } else { self.chance.of(&[0, 1, 1, 1, 1, 2]) };
        for _ in 0..times {
            let number = self.replies.len() as u64;
            let astray = host == 3 && !self.calm && self.chance.often(5);
            let ori = ["CA0010100", "CA0020000", "CA0030000"][self.submitted[&to].peer];
            let text = format!("NO RECORD R{number:06}");
            let control = if astray { "0000000000".to_owned() } else { control.clone() };
            let payload = if self.peers[host].name == "svs" {
                format!("SWITCH.{control}.U1.QV.CASVS0000.{ori}.TXT\r\n{text}")
            } else {
                format!("1L01{control}\r\n{ori}\r\n\r\n{text}")
            };
            self.replies.insert(number, Reply { text, to, astray });
            let late = if self.calm { 0 } else { self.chance.of(&[0, 0, 0, 1, 5, 33, 50]) };
            self.answering.push((self.now_us + late * SECOND_US, host, payload));
        }
    }

    /// Time passes, in steps as the shell looks, with everything that is on its way.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            self.now_us += SECOND_US / 2;
            self.step(Event::Tick);
            let due = |it: &mut (i64, usize, String)| it.0 <= self.now_us;
            let due: Vec<_> = self.answering.extract_if(.., due).collect();
            for (_, host, payload) in due {
                let reference = format!("A{}", self.chance.below(u64::MAX));
                self.peers[host].submit(&reference, &payload);
            }
            if self.calm || self.chance.often(50) {
                self.peers.iter_mut().filter(|it| it.link.is_some()).for_each(Peer::greet);
                self.carry_all();
            }
            if self.calm || self.chance.often(50) {
                self.sync();
            }
        }
    }

    // The end

    /// All is well from now on, and must come to its end.
    fn settle(&mut self) {
        self.calm = true;
        self.disk.heal();
        self.refusing.clear();
        // The clock may have gone back since a host set itself a time.
        self.answering.iter_mut().for_each(|it| it.0 = it.0.min(self.now_us));
        let stale: Vec<u32> = self.wires.keys().copied().collect();
        stale.into_iter().for_each(|connection| self.end(connection));
        for line in ["alpha", "beta", "gamma"] {
            self.order(Action::Release, line, (0, 0), "SAMPLE ONE");
        }
        self.order(Action::Normal, "", (0, 0), "SAMPLE ONE");
        let mut quiet = 0;
        for _ in 0..600 {
            for peer in 0..self.peers.len() {
                if self.peers[peer].link.is_none() {
                    self.connect(peer);
                }
            }
            self.pass(1);
            self.peers.iter_mut().for_each(|peer| peer.acknowledge(true));
            self.carry_all();
            self.sync();
            if !self.violations.is_empty() {
                return;
            }
            // Longer than a host may think, so that everything asked has ended.
            quiet = if self.restless().is_empty() { quiet + 1 } else { 0 };
            if quiet > 35 {
                return self.close();
            }
        }
        let left = self.restless();
        self.violate(format!("I9: nothing is wrong, and it does not come to rest: {left:?}"));
    }

    /// What is not at rest yet.
    fn restless(&self) -> Vec<String> {
        let Some(switch) = &self.switch else { return vec!["the switch is down".to_owned()] };
        let mut found = Vec::new();
        for peer in &self.peers {
            let waiting = switch.engine.queue(peer.name, 1).unwrap();
            if !peer.is_quiet() || !waiting.is_empty() {
                found.push(format!("{}: {}; waiting {waiting:?}", peer.name, peer.state()));
            }
        }
        found.extend(self.answering.iter().map(|(.., payload)| format!("to come {payload}")));
        found
    }

    fn close(&mut self) {
        let Some(switch) = self.switch.take() else { return };
        match switch.stop(&self.disk, self.now_us) {
            Ok(last) => self.records.extend(last),
            Err(error) => return self.violate(format!("I9: the end failed: {error}")),
        }
        oracle::judge(self);
    }
}

/// The number behind a letter in a text: `K000012`.
pub(crate) fn find(text: &str, letter: char) -> Option<u64> {
    text.match_indices(letter).find_map(|(at, _)| {
        let digits = text.get(at + 1..at + 7)?;
        digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse().ok())?
    })
}

/// The control field under which a host was asked.
pub(crate) fn control_of(asked: &str) -> Option<String> {
    let parts = asked.split(['.', '\r']);
    let mut fields = parts.filter(|part| part.len() == 10 || part.len() == 14);
    Some(fields.next()?.trim_start_matches("1N01").to_owned())
}

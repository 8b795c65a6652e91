//! Judges a run: what the peers know, held against what the journal says.

use std::collections::{BTreeMap, BTreeSet};

use clets_journal::{Error, Journal, OwnedRecord, read_on, verify_on};
use clets_switch::Control;
use clets_switch::record::{self, Accepted, OrderEvent, Outcome, Outcomes, Refused, Target};

use crate::disk::{Fault, MemoryDisk};
use crate::peer::Answer;
use crate::switch::{Record, dir, options};
use crate::world::{World, control_of, find};

/// Refusals any message may meet: too many alike (D-18), service, queue, overload, rate, space.
const NO_ROOM: [u16; 6] = [430, 503, 506, 511, 512, 513];
const SECOND_US: i64 = 1_000_000;

/// What stands in the journal is what was appended.
pub(crate) fn same_records(disk: &MemoryDisk, records: &[Record]) -> Result<(), String> {
    let mut count = 0;
    for read in read_on(disk.storage(), dir()).map_err(|error| format!("I6: {error}"))? {
        let OwnedRecord { number, kind, time_us, body } =
            read.map_err(|error| format!("I6: {error}"))?;
        if records.get(number as usize).is_none_or(|it| *it != (kind, time_us, body)) {
            return Err(format!("I4: record {number} is another than was written"));
        }
        count += 1;
    }
    if count == records.len() {
        return Ok(());
    }
    Err(format!("I6: {} records were written, {count} are read", records.len()))
}

/// Opens a journal and reads it to its end.
fn read_all(disk: &MemoryDisk) -> Result<Vec<Record>, Error> {
    let (journal, recovery) = Journal::open_on(disk.storage(), dir(), options(), Box::new(|| {}))?;
    let records: Result<Vec<Record>, Error> =
        recovery.map(|it| it.map(|it| (it.kind, it.time_us, it.body))).collect();
    disk.cut_off();
    drop(journal);
    records
}

/// On a copy of the disk: one bit has changed, or one read gives what stands elsewhere. It is
/// found, or looks like a torn tail and costs the last batch at most; nothing else is ever read.
pub(crate) fn try_damage(world: &mut World, ends: &[u64]) {
    if !world.chance.often(25) {
        return;
    }
    let files = world.disk().files();
    let Ok(sound) = read_all(&MemoryDisk::with_files(&files)) else { return };
    let segments: Vec<_> =
        files.keys().filter(|it| it.extension().is_some_and(|it| it == "segment")).collect();
    if segments.is_empty() {
        return;
    }
    let copy = MemoryDisk::with_files(&files);
    let flipped = world.chance.often(70);
    if flipped {
        let path = segments[world.chance.below(segments.len() as u64) as usize];
        let used = files[path].iter().rposition(|it| *it != 0).unwrap_or(0) + 1;
        let bit = world.chance.below(used as u64 * 8);
        copy.damage(path, |bytes| bytes[(bit / 8) as usize] ^= 1 << (bit % 8));
    } else {
        copy.fail_at(1 + world.chance.below(30), Fault::Misdirect);
    }
    let Ok(found) = read_all(&copy) else {
        return world.reach(if flipped { "flip detected" } else { "misdirected read detected" });
    };
    if !sound.starts_with(&found) {
        return world.violate("I4: a damaged journal gives what was never written".to_owned());
    }
    let before = ends.iter().rfind(|end| **end < sound.len() as u64).copied().unwrap_or(0);
    if flipped && (found.len() as u64) < before {
        let (left, all) = (found.len(), sound.len());
        return world.violate(format!("I1: one bit, and of {all} records {left} are left"));
    }
    if found.len() < sound.len() {
        world.reach("damage like a torn tail");
    }
}

/// What became of an entry so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Life {
    Waiting,
    Delivered,
    Dead,
    Ended,
}

/// One entry, from the record of its message to its end.
#[derive(Debug)]
struct Entry {
    line: String,
    precedence: u8,
    station: String,
    deadline_us: i64,
    reply_within_us: i64,
    life: Life,
    ends: Vec<(Outcome, i64)>,
    replayed: bool,
}

/// The journal as the judge reads it.
struct Story<'a> {
    accepted: BTreeMap<u64, (i64, Accepted<'a>)>,
    refused: Vec<Refused<'a>>,
    entries: BTreeMap<(u64, u16), Entry>,
    /// By line and reference.
    numbers: BTreeMap<(String, String), Vec<u64>>,
    /// When the switch started.
    starts: Vec<i64>,
    wrong: Vec<String>,
}

impl<'a> Story<'a> {
    fn read(records: &'a [Record]) -> Self {
        let mut story = Self {
            accepted: BTreeMap::new(),
            refused: Vec::new(),
            entries: BTreeMap::new(),
            numbers: BTreeMap::new(),
            starts: Vec::new(),
            wrong: Vec::new(),
        };
        for (number, (kind, time_us, body)) in (0..).zip(records) {
            match *kind {
                record::ACCEPTED => {
                    story.accept(number, *time_us, record::decode(body).unwrap());
                }
                record::STARTED => story.starts.push(*time_us),
                record::REFUSED => story.refused.push(record::decode(body).unwrap()),
                record::OUTCOMES => {
                    for (message, index, outcome) in record::decode::<Outcomes>(body).unwrap().items
                    {
                        story.outcome((message, index), outcome, *time_us);
                    }
                }
                record::ORDER => {
                    let event: OrderEvent<'_> = record::decode(body).unwrap();
                    for moved in event.moved {
                        story.moved((moved.message, moved.entry), &event.action);
                    }
                }
                _ => {}
            }
        }
        story
    }

    fn accept(&mut self, number: u64, time_us: i64, accepted: Accepted<'a>) {
        for (index, entry) in (0..).zip(&accepted.entries) {
            let (station, reply_within_us) = match &entry.target {
                Target::Station { mnemonic, .. } => (mnemonic.to_string(), 0),
                Target::Host { reply_within_ms, after_delivery, .. } => {
                    let counted = if *after_delivery { 0 } else { *reply_within_ms };
                    (String::new(), i64::from(counted) * 1000)
                }
            };
            let made = Entry {
                line: entry.line.to_string(),
                precedence: entry.precedence,
                station,
                deadline_us: entry.deadline_us,
                reply_within_us,
                life: Life::Waiting,
                ends: Vec::new(),
                replayed: false,
            };
            self.entries.insert((number, index), made);
        }
        let name = (accepted.line.to_string(), accepted.reference.to_string());
        self.numbers.entry(name).or_default().push(number);
        self.accepted.insert(number, (time_us, accepted));
    }

    fn outcome(&mut self, name: (u64, u16), outcome: Outcome, time_us: i64) {
        let Some(entry) = self.entries.get_mut(&name) else {
            return self.wrong.push(format!("I5: an outcome of {name:?}, which nobody accepted"));
        };
        let next = match (entry.life, outcome) {
            (Life::Waiting, Outcome::Delayed) => Some(Life::Waiting),
            (Life::Waiting, Outcome::Delivered) => Some(Life::Delivered),
            (Life::Waiting | Life::Delivered, Outcome::NoReply)
            | (Life::Waiting, Outcome::Expired)
            | (Life::Waiting | Life::Dead, Outcome::Cancelled) => Some(Life::Ended),
            (Life::Waiting, it) if it.is_dead_letter() => Some(Life::Dead),
            _ => None,
        };
        entry.ends.push((outcome, time_us));
        let ends = &entry.ends;
        match next {
            Some(life) => entry.life = life,
            None => self.wrong.push(format!("I5: entry {name:?} ended {ends:?}")),
        }
        // An inquiry that is not answered in time need not live longer.
        let asked_us = self.accepted[&name.0].0 + entry.reply_within_us;
        let counted = entry.reply_within_us > 0;
        let due_us = if counted { asked_us.min(entry.deadline_us) } else { entry.deadline_us };
        let early = match outcome {
            Outcome::Expired | Outcome::Overdue => time_us < due_us,
            Outcome::NoReply => counted && time_us < due_us,
            _ => false,
        };
        if early {
            self.wrong.push(format!("I8: entry {name:?} ended {outcome:?} before its time"));
        }
    }

    fn moved(&mut self, name: (u64, u16), action: &str) {
        let Some(entry) = self.entries.get_mut(&name) else { return };
        if action == "replay" {
            if entry.life != Life::Dead {
                self.wrong.push(format!("I5: {name:?} was sent again and is no dead letter"));
            }
            entry.life = Life::Waiting;
            entry.replayed = true;
        }
    }
}

/// Who got what: the line, the first four parts of the payload, and what identifies the text.
type Copy = (usize, String, char, u64);

fn copy_of(peer: usize, payload: &str) -> Option<Copy> {
    let letter = if find(payload, 'R').is_some() { 'R' } else { 'K' };
    let number = find(payload, letter)?;
    let head: Vec<&str> = payload.split('.').take(4).collect();
    // Refusals and notices quote what they are about; each is a message of its own.
    let quotes = ["DLY", "NRP", "REJ", "UND"].contains(head.get(3)?);
    if quotes {
        return None;
    }
    Some((peer, head.join("."), letter, number))
}

/// Holds every promise against a run that has come to rest.
pub(crate) fn judge(world: &mut World) {
    let records = std::mem::take(&mut world.records);
    let mut wrong = Vec::new();
    if let Err(what) = same_records(world.disk(), &records) {
        wrong.push(what);
    }
    if let Err(error) = verify_on(world.disk().storage(), dir(), None) {
        wrong.push(format!("I6: {error}"));
    }
    let mut story = Story::read(&records);
    wrong.append(&mut story.wrong);
    senders(world, &story, &mut wrong);
    receivers(world, &story, &mut wrong);
    files(world, &story, &mut wrong);
    ends(world, &story, &mut wrong);
    count(world, &story);
    wrong.into_iter().for_each(|what| world.violate(what));
}

/// I1, I6, I7: who was answered has a record, once, and nothing forbidden was accepted.
fn senders(world: &mut World, story: &Story<'_>, wrong: &mut Vec<String>) {
    let mut again = 0;
    for (number, it) in &world.submitted {
        let peer = &world.peers[it.peer];
        let reference = it.reference.trim_end_matches('!');
        let Some(answers) = peer.answers.get(&it.reference) else {
            wrong.push(format!("I9: {reference} of {} was never answered", peer.name));
            continue;
        };
        let name = (peer.name.to_owned(), reference.to_owned());
        let accepted = story.numbers.get(&name).map(Vec::as_slice).unwrap_or_default();
        let refusals = story.refused.iter().filter(|it| it.reference == reference);
        let codes: Vec<u16> = refusals.map(|it| it.code).collect();
        if accepted.len() > 1 {
            wrong.push(format!("I2: {reference} of {} was accepted as {accepted:?}", peer.name));
        }
        if it.repeats.is_some() {
            again += 1;
        }
        if it.forbidden {
            let id = format!("K{number:06}");
            let has = |accepted: &Accepted<'_>| {
                String::from_utf8_lossy(&accepted.body).contains(&id) && accepted.line == peer.name
            };
            let taken = story.accepted.values().any(|(_, it)| has(it));
            // Its reference was free if the first under it was not taken.
            if taken && it.repeats.is_none() {
                wrong.push(format!("I7: {reference} of {} was accepted", peer.name));
            }
            if codes.is_empty() && !taken {
                wrong.push(format!("I6: {reference} was refused without a record"));
            }
        } else if accepted.is_empty() && !codes.iter().any(|code| NO_ROOM.contains(code)) {
            wrong.push(format!(
                "I1: {reference} of {} was answered {answers:?}, {codes:?}, \
                                and is not in the journal",
                peer.name
            ));
        }
        for answer in answers {
            if let Answer::Taken(Some(smn)) = answer
                && *smn > 0
                && !accepted.contains(smn)
            {
                wrong.push(format!("I1: {reference} was accepted as {smn}, not {accepted:?}"));
            }
        }
    }
    if again > 0 {
        world.reach("reference used again");
    }
}

/// I2, I3, I4 and I7 at the agencies.
fn receivers(world: &World, story: &Story<'_>, wrong: &mut Vec<String>) {
    for (index, peer) in world.peers.iter().enumerate().take(3) {
        let mut had: BTreeSet<Copy> = BTreeSet::new();
        let mut newest: BTreeMap<(usize, u8), u64> = BTreeMap::new();
        let mut put_back = BTreeSet::new();
        for taken in &peer.taken {
            let payload = &taken.payload;
            let Some(copy) = copy_of(index, payload) else { continue };
            let parts: Vec<&str> = payload.split('.').take(4).collect();
            let (letter, number) = (copy.2, copy.3);
            let repeated = taken.again || had.contains(&copy);
            if repeated && !taken.marked {
                wrong.push(format!("I2: {} has this again without a mark: {payload}", peer.name));
            }
            if taken.refused {
                put_back.insert(copy);
                continue;
            }
            if !had.insert(copy.clone()) {
                continue;
            }
            if letter == 'R' {
                let Some(reply) = world.replies.get(&number) else {
                    wrong.push(format!("I4: nobody gave the answer {payload}"));
                    continue;
                };
                let asked = &world.submitted[&reply.to];
                let reference = parts.get(1).copied().unwrap_or_default();
                // One under a used reference was taken if the first was not.
                let own = asked.reference.trim_end_matches('!');
                let home = asked.peer == index && own == reference;
                if !payload.ends_with(&reply.text) || !home || reply.astray {
                    wrong.push(format!("I4: {} has {payload} for {asked:?}", peer.name));
                }
                continue;
            }
            let Some(sent) = world.submitted.get(&number) else {
                wrong.push(format!("I4: nobody sent {payload}"));
                continue;
            };
            if !matches!(parts.get(3), Some(&"AM" | &"AA")) {
                continue;
            }
            let reference = sent.reference.trim_end_matches('!').to_owned();
            let name = (world.peers[sent.peer].name.to_owned(), reference);
            let smn = story.numbers.get(&name).and_then(|it| it.first()).copied();
            let entry = smn.and_then(|smn| {
                let mut own = story.entries.range((smn, 0)..=(smn, u16::MAX));
                own.find(|(_, entry)| entry.station == parts[0] && entry.line == peer.name)
            });
            let Some(((smn, _), entry)) = entry.filter(|_| payload.ends_with(&sent.text)) else {
                wrong.push(format!("I4: {} has {payload}, not {}", peer.name, sent.text));
                continue;
            };
            if sent.forbidden && sent.repeats.is_none() {
                wrong.push(format!("I7: {} has {payload}", peer.name));
            }
            // What was refused, given up or sent again by hand has lost its place.
            if put_back.contains(&copy) || entry.replayed {
                continue;
            }
            let before = newest.entry((sent.peer, entry.precedence)).or_default();
            if *smn < *before {
                wrong.push(format!("I3: {} has {smn} behind {before}", peer.name));
            }
            *before = (*before).max(*smn);
        }
    }
}

/// I2, I4 and I7 at the files: an update of unknown outcome is never asked twice.
fn files(world: &World, story: &Story<'_>, wrong: &mut Vec<String>) {
    for peer in world.peers.iter().skip(3) {
        let mut had = BTreeSet::new();
        for taken in &peer.taken {
            let payload = &taken.payload;
            let (Some(number), Some(control)) = (find(payload, 'K'), control_of(payload)) else {
                wrong.push(format!("I4: {} was asked {payload}", peer.name));
                continue;
            };
            let name = Control::parse(control.as_bytes());
            let entry =
                story.entries.iter().find(|(name_, _)| Some(Control::of(name_.0, name_.1)) == name);
            let sent = &world.submitted[&number];
            let Some((_, entry)) = entry.filter(|(it, entry)| {
                let accepted = &story.accepted[&it.0].1;
                entry.line == peer.name
                    && accepted.reference == *sent.reference.trim_end_matches('!')
            }) else {
                wrong.push(format!("I4: {} was asked {payload} for no entry", peer.name));
                continue;
            };
            if sent.forbidden && sent.repeats.is_none() {
                wrong.push(format!("I7: {} was asked {payload}", peer.name));
            }
            let once = sent.update && peer.name == "svs" && !entry.replayed;
            if !taken.refused && !had.insert(control) && once {
                wrong.push(format!("I2: {} was asked {payload} again", peer.name));
            }
        }
    }
}

/// I1, I5 and I8: every entry has come to one end, in time, and its sender knows.
fn ends(world: &World, story: &Story<'_>, wrong: &mut Vec<String>) {
    let copies: BTreeSet<(usize, String, char, u64)> = world
        .peers
        .iter()
        .enumerate()
        .flat_map(|(peer, it)| it.taken.iter().map(move |taken| (peer, taken)))
        .filter(|(_, taken)| !taken.refused)
        .filter_map(|(peer, taken)| {
            let (_, head, letter, number) = copy_of(peer, &taken.payload)?;
            let station = head.split('.').next().unwrap_or_default().to_owned();
            Some((peer, station, letter, number))
        })
        .collect();
    let asked: BTreeSet<(usize, Option<Control>)> = world
        .peers
        .iter()
        .enumerate()
        .skip(3)
        .flat_map(|(peer, it)| it.taken.iter().map(move |taken| (peer, taken)))
        .filter(|(_, taken)| !taken.refused)
        .map(|(peer, taken)| {
            let control = control_of(&taken.payload);
            (peer, control.and_then(|it| Control::parse(it.as_bytes())))
        })
        .collect();
    for ((smn, index), entry) in &story.entries {
        let (time_us, accepted) = &story.accepted[smn];
        let what = || format!("{smn}.{index} ({}) {:?}", accepted.key, entry.ends);
        if entry.life == Life::Waiting {
            wrong.push(format!("I1: entry {} has come to no end", what()));
        }
        let peer = world.peers.iter().position(|it| it.name == entry.line).unwrap();
        let delivered = entry.ends.iter().any(|(it, _)| *it == Outcome::Delivered);
        if delivered && !entry.station.is_empty() {
            let text = String::from_utf8_lossy(&accepted.body);
            let letter = if find(&text, 'R').is_some() { 'R' } else { 'K' };
            // Notices of the switch itself carry no number of ours.
            if let Some(number) = find(&text, letter).filter(|_| !accepted.line.is_empty()) {
                let copy = (peer, entry.station.clone(), letter, number);
                if !copies.contains(&copy) {
                    wrong.push(format!("I1: entry {} was delivered to nobody", what()));
                }
            }
        } else if delivered && !asked.contains(&(peer, Some(Control::of(*smn, *index)))) {
            wrong.push(format!("I1: entry {} was delivered to no file", what()));
        }
        let failed = entry.ends.iter().find(|(it, _)| {
            !matches!(it, Outcome::Delivered | Outcome::Delayed | Outcome::Cancelled)
        });
        let from_agency = world.peers.iter().take(3).any(|it| it.name == accepted.line);
        let answers = |it: &&(i64, Accepted<'_>)| it.1.parent == Some(*smn);
        let told = story.accepted.values().filter(answers).any(|it| it.1.line.is_empty());
        if failed.is_some() && from_agency && !told {
            wrong.push(format!("I8: nobody was told of entry {}", what()));
        }
        // Of one that was sent again by hand the sender was told before, and hears more later.
        if entry.station.is_empty() && entry.reply_within_us > 0 && !entry.replayed {
            let own = |it: &&(i64, Accepted<'_>)| {
                it.1.parent == Some(*smn)
                    && it.1.leg == Some(*index)
                    && !it.1.late
                    && !it.1.line.is_empty()
            };
            let replies = story.accepted.values().filter(own).count();
            let cancelled = entry.ends.iter().any(|(it, _)| *it == Outcome::Cancelled);
            if (replies > 0) == (failed.is_some() || cancelled) {
                wrong.push(format!("I8: {replies} answers, and entry {}", what()));
            }
            // The reply to an update is expected from its delivery on.
            let delivered = entry.ends.iter().find(|(it, _)| *it == Outcome::Delivered);
            let from_us = delivered.filter(|_| accepted.key == "IA.EV").map_or(*time_us, |it| it.1);
            let due_us = from_us + entry.reply_within_us;
            if let Some((Outcome::NoReply, at_us)) = failed {
                // The first look after its deadline, in the life whose records are left.
                let start = story.starts.partition_point(|start| start <= at_us);
                let start_us = story.starts.get(start.wrapping_sub(1)).copied().unwrap_or(0);
                let look = world.ticks.partition_point(|tick| *tick < due_us.max(start_us));
                let look_us = world.ticks.get(look).copied().unwrap_or(i64::MAX);
                if *at_us > look_us.saturating_add(SECOND_US) {
                    wrong.push(format!("I8: entry {} ended late", what()));
                }
            }
        }
    }
}

/// Rare states that the journal shows.
fn count(world: &mut World, story: &Story<'_>) {
    for entry in story.entries.values() {
        for (outcome, _) in &entry.ends {
            world.reach(match outcome {
                Outcome::Cancelled => "cancelled",
                Outcome::Delayed => "delay told",
                Outcome::DeadLettered => "refused by its destination",
                Outcome::Delivered => "delivered",
                Outcome::Expired => "expired",
                Outcome::InDoubt => "in doubt",
                Outcome::NoReply => "no reply",
                Outcome::Overdue => "overdue",
            });
        }
    }
    if story.accepted.values().any(|(_, it)| it.late) {
        world.reach("late reply");
    }
    for refused in &story.refused {
        match refused.code {
            211 => world.reach("reference reused"),
            code if NO_ROOM.contains(&code) => world.reach("no room"),
            _ => world.reach("refused by rule"),
        }
    }
}

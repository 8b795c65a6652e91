//! All lines together: what is sent when, and what came of it.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::line::{Host, Native, News, Place, Sent};
use crate::net::{Connection, Poll, answer_one};
use crate::span::{Span, Told};

/// Messages are made this often; where there are few, at once when they are due, or their waiting
/// here would be counted as the switch's.
const TICK_US: u64 = 1_000;
const FEW_A_SECOND: f64 = 20_000.0;
const HEARTBEAT_US: u64 = 5_000_000;
const CONNECT: Duration = Duration::from_secs(60);

/// Who takes part.
#[derive(Deserialize)]
pub(crate) struct Scene {
    /// Where the switch takes native lines.
    port: u16,
    /// Where it finds the host; none when nobody asks one.
    host_port: Option<u16>,
    lines: Vec<Place>,
    /// The precedence of each message in turn, over and over.
    mix: Vec<u8>,
    /// How many stations a message of each precedence is for.
    copies: [u64; 5],
}

/// What is wanted next.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// So many messages a second for so many seconds, whatever is answered.
    Offer { name: String, rate: f64, seconds: f64 },
    /// So many messages of each line without an answer, and so many in all not yet delivered.
    Keep { name: String, window: u64, seconds: f64 },
    /// Waits until all that was accepted is delivered or has a notice.
    Drain { seconds: f64 },
    /// The first so many lines, which only take, read nothing any more, but go on with heartbeats.
    Deafen { lines: usize },
    /// The first so many lines, which only take, end their connections.
    HangUp { lines: usize },
    /// Those that hung up come back.
    Redial {},
}

/// What happened so far.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    spans: Vec<Told<'a>>,
    unanswered: u64,
    /// Accepted, and neither delivered nor told of; of a broadcast, each copy.
    missing: i64,
    /// Told of, and not delivered.
    notices: u64,
    /// Of confirmations that nobody gave.
    reminders: u64,
    /// Lines that the switch ended, by its reason.
    cut: &'a BTreeMap<u16, u64>,
}

/// The load.
pub(crate) struct Load {
    started: Instant,
    poll: Poll,
    port: u16,
    lines: Vec<Native>,
    senders: Vec<usize>,
    host: Option<Host>,
    mix: Vec<u8>,
    copies: [u64; 5],
    spans: Vec<Span>,
    told: Counts,
    turn: usize,
    drawn: usize,
    beaten_us: u64,
}

#[derive(Default)]
struct Counts {
    came: u64,
    notices: u64,
    reminders: u64,
    cut: BTreeMap<u16, u64>,
}

impl Load {
    /// Connects all; gives up after a minute.
    pub(crate) fn connect(scene: Scene) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut lines = Vec::new();
        for place in &scene.lines {
            let line = Native::dial(place, scene.port)?;
            poll.watch(&line.connection, lines.len())?;
            lines.push(line);
        }
        let host = scene.host_port.map(|port| answer_one(port, CONNECT)).transpose()?;
        let host = host.map(Host::new);
        if let Some(host) = &host {
            poll.watch(&host.connection, lines.len())?;
        }
        let senders = (0..lines.len()).filter(|it| lines.get(*it).is_some_and(Native::sends));
        let senders = senders.collect();
        let mut load = Self {
            started: Instant::now(),
            poll,
            port: scene.port,
            lines,
            senders,
            host,
            mix: scene.mix,
            copies: scene.copies,
            spans: Vec::new(),
            told: Counts::default(),
            turn: 0,
            drawn: 0,
            beaten_us: 0,
        };
        load.come_up()?;
        Ok(load)
    }

    fn come_up(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        while !self.lines.iter().all(|line| line.up) {
            self.listen(1_000)?;
            if begun.elapsed() > CONNECT || !self.lines.iter().all(|it| it.connection.open) {
                return Err(io::Error::other("a line did not come up"));
            }
        }
        Ok(())
    }

    fn deafen(&mut self, lines: usize) -> io::Result<()> {
        for (token, line) in self.lines.iter_mut().enumerate().take(lines) {
            line.deaf = true;
            line.connection.narrow()?;
            self.poll.watch_end(&line.connection, token)?;
        }
        Ok(())
    }

    fn hang_up(&mut self, lines: usize) -> io::Result<()> {
        for line in self.lines.iter_mut().take(lines) {
            self.poll.forget(&line.connection)?;
            line.connection.hang_up();
        }
        Ok(())
    }

    fn redial(&mut self) -> io::Result<()> {
        let gone = |(_, line): &(usize, &mut Native)| !line.connection.open;
        for (token, line) in self.lines.iter_mut().enumerate().filter(gone) {
            line.redial(self.port)?;
            self.poll.watch(&line.connection, token)?;
        }
        self.come_up()
    }

    pub(crate) fn carry_out(&mut self, order: Order) -> io::Result<Report<'_>> {
        match order {
            Order::Offer { name, rate, seconds } => self.offer(name, rate, seconds)?,
            Order::Keep { name, window, seconds } => self.keep(name, window, seconds)?,
            Order::Drain { seconds } => self.drain(seconds)?,
            Order::Deafen { lines } => self.deafen(lines)?,
            Order::HangUp { lines } => self.hang_up(lines)?,
            Order::Redial {} => self.redial()?,
        }
        let now_us = self.now_us();
        Ok(Report {
            unanswered: self.unanswered(),
            missing: self.missing(),
            notices: self.told.notices,
            reminders: self.told.reminders,
            spans: self.spans.iter().map(|span| span.told(now_us)).collect(),
            cut: &self.told.cut,
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "half a million years")]
    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn begin(&mut self, name: String) -> u64 {
        let now_us = self.now_us();
        self.spans.push(Span::new(name, now_us));
        now_us
    }

    fn end(&mut self) {
        let now_us = self.now_us();
        if let Some(span) = self.spans.last_mut() {
            span.ended_us = now_us;
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "counts and times of a measurement"
    )]
    fn offer(&mut self, name: String, rate: f64, seconds: f64) -> io::Result<()> {
        let begun_us = self.begin(name);
        let total = (rate * seconds) as u64;
        let due_us = |number: u64| begun_us + (number as f64 / rate * 1e6) as u64;
        let tick_us = if rate < FEW_A_SECOND { 0 } else { TICK_US };
        let mut offered = 0;
        while offered < total {
            let now_us = self.now_us();
            let due_now = (((now_us - begun_us) as f64 / 1e6 * rate) as u64 + 1).min(total);
            // A few of a line at a time, so that each write is worth its while.
            let step = ((due_now - offered) / self.senders.len() as u64).max(1);
            while offered < due_now {
                let upto = (offered + step).min(due_now);
                self.send((offered..upto).map(due_us));
                offered = upto;
            }
            self.listen_until((now_us + tick_us).max(due_us(offered)))?;
        }
        self.end();
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
    fn keep(&mut self, name: String, window: u64, seconds: f64) -> io::Result<()> {
        let begun_us = self.begin(name);
        let until_us = begun_us + (seconds * 1e6) as u64;
        let under_way_max = (window * self.senders.len() as u64).cast_signed();
        while self.now_us() < until_us {
            let mut left = under_way_max - self.unanswered().cast_signed() - self.missing();
            for _ in 0..self.senders.len() {
                let next = self.senders.get((self.turn + 1) % self.senders.len());
                let line = next.and_then(|at| self.lines.get(*at));
                let room = line.map_or(0, |line| window.saturating_sub(line.unanswered()));
                let room = room.min(u64::try_from(left).unwrap_or_default());
                left -= room.cast_signed();
                let now_us = self.now_us();
                self.send((0..room).map(|_| now_us));
            }
            self.listen(TICK_US)?;
        }
        self.end();
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
    fn drain(&mut self, seconds: f64) -> io::Result<()> {
        let until_us = self.now_us() + (seconds * 1e6) as u64;
        while (self.unanswered() > 0 || self.missing() > 0) && self.now_us() < until_us {
            self.listen(TICK_US)?;
        }
        Ok(())
    }

    /// The next sender's messages, one for each intended time.
    fn send(&mut self, due: impl Iterator<Item = u64>) {
        self.turn = (self.turn + 1) % self.senders.len();
        let at = self.senders.get(self.turn);
        let Some(line) = at.and_then(|at| self.lines.get_mut(*at)) else { return };
        let number = self.spans.len() - 1;
        let Some(span) = self.spans.last_mut() else { return };
        let has_room = line.has_room();
        for due_us in due {
            let precedence = self.mix.get(self.drawn).copied().unwrap_or_default();
            self.drawn = (self.drawn + 1) % self.mix.len();
            if has_room {
                let span = u8::try_from(number).unwrap_or(u8::MAX);
                line.send(Sent { precedence, span, due_us });
            }
            span.note_sent(precedence, has_room);
        }
        line.connection.flush();
    }

    fn unanswered(&self) -> u64 {
        self.lines.iter().map(Native::unanswered).sum()
    }

    fn missing(&self) -> i64 {
        let expected: u64 = self.spans.iter().map(|it| it.count_expected(&self.copies)).sum();
        expected.cast_signed() - self.told.came.cast_signed()
    }

    fn listen_until(&mut self, until_us: u64) -> io::Result<()> {
        while let Some(left_us) = until_us.checked_sub(self.now_us()).filter(|it| *it > 0) {
            self.listen(left_us)?;
        }
        // Once also when there was no time left.
        self.listen(0)
    }

    /// Takes what came, waiting for it at most so long, and writes what could not be written.
    fn listen(&mut self, most_us: u64) -> io::Result<()> {
        for token in self.poll.wait(Duration::from_micros(most_us))? {
            let now_us = self.now_us();
            if let Some(line) = self.lines.get_mut(token) {
                if line.deaf {
                    line.connection.open = false;
                } else if line.connection.receive() {
                    let (spans, told) = (&mut self.spans, &mut self.told);
                    line.take(|news| note(spans, told, &news, now_us));
                }
                if !line.connection.open {
                    self.poll.forget(&line.connection)?;
                    *self.told.cut.entry(0).or_default() += 1;
                }
            } else if let Some(host) = &mut self.host {
                if host.connection.receive() {
                    host.take();
                } else if !host.connection.open {
                    return Err(io::Error::other("the host's line ended"));
                }
            }
        }
        let now_us = self.now_us();
        let beat = now_us - self.beaten_us > HEARTBEAT_US;
        if beat {
            self.beaten_us = now_us;
            self.lines.iter_mut().for_each(Native::beat);
        }
        let waits = |it: &&mut Connection| it.unsent() > 0;
        self.lines
            .iter_mut()
            .map(|it| &mut it.connection)
            .filter(waits)
            .for_each(Connection::flush);
        self.host.iter_mut().map(|it| &mut it.connection).filter(waits).for_each(Connection::flush);
        Ok(())
    }
}

fn note(spans: &mut [Span], told: &mut Counts, news: &News, now_us: u64) {
    match *news {
        News::Answered { sent: Sent { precedence, span, due_us }, code } => {
            let Some(span) = spans.get_mut(usize::from(span)) else { return };
            if code == 0 {
                span.note_accepted(precedence, due_us, now_us - due_us);
            } else {
                span.note_refused(precedence, code);
            }
        }
        News::Came { precedence, due_us } => {
            told.came += 1;
            // An answer of the host has the precedence of what was asked.
            if let Some(span) = spans.iter_mut().rev().find(|span| span.has(due_us)) {
                span.note_delivered(precedence, now_us - due_us);
            }
            if let Some(span) = spans.last_mut().filter(|span| span.has(now_us)) {
                span.note_done();
            }
        }
        News::Notice => {
            told.came += 1;
            told.notices += 1;
        }
        News::Reminder => told.reminders += 1,
        News::Cut(code) => *told.cut.entry(code).or_default() += 1,
    }
}

//! The engine and its journal, driven by the shell's event loop.

use std::os::fd::{AsRawFd, OwnedFd};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clets_journal::{Journal, Options};
use clets_routing::LineKind;
use clets_switch::{
    Archive, Archived, Bundle, Command, ConnectionId, Effects, Engine, Event, Judge, Order, Replay,
    ReplayError, Service, codes, is_family,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rustix::event::{EventfdFlags, eventfd};
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use crate::buffer::Intake;
use crate::bundle::Snapshot;
use crate::clock::Clock;
use crate::convert::{journal_error, raise};

/// What the shell must do now: bytes to write, and connections to close with the code that says
/// why (0: nothing is wrong).
type Orders<'py> = (Vec<(u32, Bound<'py, PyBytes>)>, Vec<(u32, u16)>);

/// The number of a request on the control socket that cannot be read; one of `ClientCode`.
const CONTROL_REQUEST: u16 = 941;

/// So many records go to the journal at once, and what is less at the end of a turn.
const RECORDS_MAX: usize = 256;

/// A snapshot has what the traffic leaves of the processor: the lowest priority of `nice`.
const SNAPSHOT_NICE: i32 = 19;

#[derive(Debug)]
struct State {
    engine: Engine,
    /// `None` once the switch was stopped.
    journal: Option<JournalHolder>,
    effects: Effects,
    next_connection: u32,
}

struct JournalHolder(Journal);

impl std::fmt::Debug for JournalHolder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Journal")
    }
}

/// The journal as the engine reads it again.
struct Shelf(clets_journal::Archive);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Shelf")
    }
}

impl Archive for Shelf {
    fn read(&mut self, number: u64) -> Result<Archived, String> {
        let record = self.0.read(number).map_err(|error| error.to_string())?;
        Ok(Archived { kind: record.kind, time_us: record.time_us, body: record.body })
    }
}

/// Why the journal does not become a state.
enum Fault {
    Journal(clets_journal::Error),
    Meaning(String),
}

impl From<clets_journal::Error> for Fault {
    fn from(error: clets_journal::Error) -> Self {
        Self::Journal(error)
    }
}

impl From<ReplayError> for Fault {
    fn from(error: ReplayError) -> Self {
        Self::Meaning(error.to_string())
    }
}

/// A replay from a snapshot, or from the beginning; and the record that it needs next.
fn begin(
    bundle: &Arc<Bundle>,
    archive: &clets_journal::Archive,
    snapshot: Option<clets_journal::Snapshot>,
) -> Result<(Replay, u64), ReplayError> {
    let (bundle, shelf) = (Arc::clone(bundle), Box::new(Shelf(archive.clone())));
    Ok(match snapshot {
        Some(it) => (Replay::resume(bundle, shelf, &mut it.state())?, it.number),
        None => (Replay::new(bundle, shelf), 0),
    })
}

/// Opens the journal and reads what is behind its newest snapshot; gives how many records that
/// were. A snapshot that does not fit the bundle is passed over while the first record is there.
fn recover(
    bundle: Arc<Bundle>,
    path: &Path,
    options: &Options,
    on_durable: &(impl Fn() + Clone + Send + 'static),
) -> Result<(Journal, Replay, u64), Fault> {
    let wake = || Box::new(on_durable.clone());
    let (journal, snapshot, recovery) = Journal::resume(path, options.clone(), wake())?;
    let (journal, (mut replay, from), recovery) = match begin(&bundle, &journal.archive(), snapshot)
    {
        Ok(begun) => (journal, begun, recovery),
        Err(_) if journal.archive().first() == 0 => {
            drop((journal, recovery));
            let (journal, recovery) = Journal::open(path, options.clone(), wake())?;
            let begun = begin(&bundle, &journal.archive(), None)?;
            (journal, begun, recovery)
        }
        Err(error) => return Err(error.into()),
    };
    let mut next = from;
    for record in recovery {
        let record = record?;
        replay.record(record.number, record.kind, record.time_us, &record.body)?;
        next = record.number + 1;
    }
    Ok((journal, replay, next - from))
}

/// The switch as the shell drives it. One event loop thread calls it; nothing here blocks but
/// `stop`, and the start, which reads the journal.
#[pyclass(frozen, module = "clets_core._core")]
#[derive(Debug)]
pub(crate) struct Center {
    state: Mutex<State>,
    clock: Clock,
    durable: Arc<OwnedFd>,
    intake_bytes: usize,
    recovered: u64,
    orphans: u64,
}

#[pymethods]
impl Center {
    /// Opens the journal in `path`, rebuilds the engine from it and records the start.
    ///
    /// It begins with the newest snapshot, if there is one. `reserve_bytes` is the length of a file
    /// that is given up when the disk is full; 0 for none.
    ///
    /// Raises `JournalError`: 602 when the journal is damaged (it is left as it is), 604 when it
    /// cannot be read or another switch has it.
    #[new]
    #[pyo3(signature = (snapshot, path, segment_bytes = 67_108_864, reserve_bytes = 0))]
    fn new(
        py: Python<'_>,
        snapshot: &Snapshot,
        path: PathBuf,
        segment_bytes: u64,
        reserve_bytes: u64,
    ) -> PyResult<Self> {
        let bundle = Arc::clone(snapshot.bundle());
        let settings = bundle.directory.settings();
        // Room for one whole frame behind another that is still being taken.
        let intake_bytes = 2 * settings.limits.frame_bytes as usize;
        let origin = settings.origin.to_string();
        let durable = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
            .map(Arc::new)
            .map_err(|error| raise(py, "JournalError", 604, &error.to_string()))?;
        let wake = Arc::clone(&durable);
        let on_durable = move || {
            // A full counter means that the shell was told already.
            let _ = rustix::io::write(&wake, &1_u64.to_ne_bytes());
        };
        let options = Options { origin, segment_bytes, reserve_bytes, ..Options::default() };
        let (journal, replay, recovered) = py
            .detach(|| recover(bundle, &path, &options, &on_durable))
            .map_err(|fault| match fault {
                Fault::Journal(error) => journal_error(py, &error),
                Fault::Meaning(text) => raise(py, "JournalError", codes::JOURNAL_DAMAGED, &text),
            })?;
        let orphans = replay.orphans();
        let clock = Clock::start(replay.newest_us());
        let engine = replay.finish(clock.now_us());
        let mut effects = Effects::default();
        let mut state = State {
            engine,
            journal: Some(JournalHolder(journal)),
            effects: Effects::default(),
            next_connection: 1,
        };
        state.engine.start(clock.now_us(), clock.behind_us(), &mut effects);
        state.effects = effects;
        let center =
            Self { state: Mutex::new(state), clock, durable, intake_bytes, recovered, orphans };
        center.record(py, &mut center.lock())?;
        Ok(center)
    }

    /// Records that were read at the start.
    #[getter]
    fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Entries in custody whose line the bundle no longer has: they wait in the journal.
    #[getter]
    fn orphans(&self) -> u64 {
        self.orphans
    }

    /// Writes down what the journal means so far, so that a start need not read it all, and lets
    /// old segments go: those older than `keep_days` that nothing needs. Reads the journal from the
    /// last snapshot on, and touches no traffic: for another thread. Gives how many records the
    /// snapshot covers; 0 when none was made, because nothing is durable yet or entries wait for
    /// lines not in this bundle.
    ///
    /// Raises `JournalError` when the journal cannot be read or the snapshot not be written.
    fn snapshot(&self, py: Python<'_>, keep_days: u32) -> PyResult<u64> {
        let begun = py.detach(|| {
            let state = self.lock();
            let JournalHolder(journal) = state.journal.as_ref()?;
            let bundle = Arc::clone(state.engine.bundle());
            let end = journal.durable();
            (end > 0).then(|| (bundle, journal.archive(), journal.snapshots(), end))
        });
        let Some((bundle, archive, snapshots, end)) = begun else {
            return Ok(0);
        };
        let now_us = self.clock.now_us();
        let make = move || -> Result<Option<u64>, Fault> {
            // Where that is not allowed it is made all the same.
            let _ = setpriority_process(Some(gettid()), SNAPSHOT_NICE);
            let (mut replay, from) = begin(&bundle, &archive, snapshots.newest()?)?;
            for number in from..end {
                let record = archive.read(number)?;
                replay.record(number, record.kind, record.time_us, &record.body)?;
            }
            if replay.orphans() > 0 {
                return Ok(None);
            }
            snapshots.write(end, &|out| replay.snapshot(out))?;
            Ok(Some(replay.prunable(keep_days, now_us)))
        };
        // A thread of its own, for a priority that is given away does not come back.
        let made = py.detach(|| {
            let made = std::thread::Builder::new().name("snapshot".to_owned()).spawn(make);
            made.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })?;
        let before = made.map_err(|fault| match fault {
            Fault::Journal(error) => journal_error(py, &error),
            Fault::Meaning(text) => raise(py, "JournalError", codes::JOURNAL_DAMAGED, &text),
        })?;
        let Some(before) = before else {
            return Ok(0);
        };
        py.detach(|| {
            if let Some(JournalHolder(journal)) = &self.lock().journal {
                journal.prune(before);
            }
        });
        Ok(end)
    }

    /// How far the computer's clock was behind the journal's newest time at the start, seconds. The
    /// switch's time then goes on from there.
    #[getter]
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn clock_behind(&self) -> f64 {
        self.clock.behind_us() as f64 / 1e6
    }

    /// Descriptor that becomes readable after each group commit; then call `commit`.
    fn fileno(&self) -> i32 {
        self.durable.as_raw_fd()
    }

    /// A connection was made whose line is known. Gives its receive buffer.
    fn open(&self, py: Python<'_>, line: &str) -> PyResult<Intake> {
        let mut state = self.lock();
        let Some(id) = state.engine.bundle().directory.find_line(line) else {
            let text = format!("line `{line}`: expected the name of a line of the bundle");
            return Err(raise(py, "CletsError", codes::LINE_UNKNOWN, &text));
        };
        let connection = state.next_connection;
        state.next_connection += 1;
        let event = Event::Open { connection: ConnectionId(connection), line: id };
        self.step(&mut state, event);
        Ok(Intake::new(connection, self.intake_bytes))
    }

    /// `count` bytes were read into the buffer of a connection.
    ///
    /// Raises `JournalError` when the journal failed; the switch must stop then.
    fn advance(&self, py: Python<'_>, intake: &Intake, count: usize) -> PyResult<()> {
        let mut state = self.lock();
        intake.with(|buffer| {
            buffer.advance(count);
            let connection = ConnectionId(intake.number());
            self.step(&mut state, Event::Receive { connection, bytes: buffer.pending() });
            buffer.consume(state.effects.consumed);
        });
        // The disk need not wait for the end of a long turn.
        if state.effects.records.len() >= RECORDS_MAX {
            self.record(py, &mut state)?;
        }
        Ok(())
    }

    /// A connection ended.
    fn close(&self, intake: &Intake) {
        let mut state = self.lock();
        let unread = intake.with(|buffer| buffer.pending().len());
        let connection = ConnectionId(intake.number());
        self.step(&mut state, Event::Close { connection, unread });
    }

    /// Somebody called whom no line matches.
    fn stranger(&self, peer: &str) {
        let mut state = self.lock();
        self.step(&mut state, Event::Stranger { peer });
    }

    /// A group commit ended: acknowledges and forwards what is durable now.
    ///
    /// Raises `JournalError` when the journal failed; the switch must stop then.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let mut count = [0; 8];
        // The count does not matter, only that the descriptor is quiet again.
        let _ = rustix::io::read(&self.durable, &mut count);
        let mut state = self.lock();
        if let Some(error) = state.journal.as_ref().and_then(|it| it.0.failure()) {
            return Err(journal_error(py, &error));
        }
        self.release(&mut state);
        Ok(())
    }

    /// Time passed; call at least once a second.
    fn tick(&self) {
        let mut state = self.lock();
        self.step(&mut state, Event::Tick);
    }

    /// Journals what the calls since the last one asked for, and gives what else they did: what to
    /// write and what to close. Due once in each turn of the loop in which anything was called.
    ///
    /// Raises `JournalError` when the journal failed; the switch must stop then.
    fn flush<'py>(&self, py: Python<'py>) -> PyResult<Orders<'py>> {
        let mut state = self.lock();
        self.release(&mut state);
        self.record(py, &mut state)?;
        let effects = &mut state.effects;
        if let Some(unreadable) = &effects.unreadable {
            let text = unreadable.to_string();
            return Err(raise(py, "JournalError", codes::JOURNAL_UNREADABLE, &text));
        }
        let writes = effects
            .writes
            .iter()
            .map(|(connection, bytes)| (connection.0, PyBytes::new(py, bytes)))
            .collect();
        let closes = effects.closes.iter().map(|(connection, code)| (connection.0, *code));
        let orders = (writes, closes.collect());
        effects.clear();
        Ok(orders)
    }

    /// How much of the journal's file system is free, thousandths: below 100 only P0 to P2 are
    /// taken, below 50 only P0.
    fn space(&self, free_permille: u16) {
        self.lock().engine.set_space(free_permille);
    }

    /// An operator's order for a line or dead letter: a JSON object (`docs/reference/control.md`).
    ///
    /// Gives a JSON object that is true once `durable` is above its `record`. Raises
    /// `RefusedError` with the code that says why nothing was done.
    fn order<'py>(&self, py: Python<'py>, order: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let order: Order = serde_json::from_slice(order).map_err(|error| {
            raise(py, "ClientError", CONTROL_REQUEST, &format!("the request: {error}"))
        })?;
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        let done = engine
            .order(&order, self.clock.now_us(), effects)
            .map_err(|error| raise(py, "RefusedError", error.code, &error.text))?;
        Ok(PyBytes::new(py, &serde_json::to_vec(&done).unwrap_or_default()))
    }

    /// The dead letters, JSON: a list, the oldest message first, without texts.
    fn dead_letters<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let letters = self.lock().engine.dead_letters();
        PyBytes::new(py, &serde_json::to_vec(&letters).unwrap_or_default())
    }

    /// What waits for a line, JSON: a list, at most `most` of each precedence, without texts.
    ///
    /// Raises `RefusedError` 542 when the bundle has no such line.
    fn queue<'py>(
        &self,
        py: Python<'py>,
        line: &str,
        most: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let waiting = self
            .lock()
            .engine
            .queue(line, most)
            .map_err(|error| raise(py, "RefusedError", error.code, &error.text))?;
        Ok(PyBytes::new(py, &serde_json::to_vec(&waiting).unwrap_or_default()))
    }

    /// An operator says what a host takes: `family` is a family, a data class or a key of
    /// messages, empty for all; `state` is `held`, `removed` or `up`. Journalled.
    ///
    /// Raises `CletsError` 519 when the bundle has no such host, or there is no such family or
    /// state.
    #[pyo3(signature = (line, family, state, source = "operator"))]
    fn service(
        &self,
        py: Python<'_>,
        line: &str,
        family: &str,
        state: &str,
        source: &str,
    ) -> PyResult<()> {
        let mut center = self.lock();
        let bundle = Arc::clone(center.engine.bundle());
        let host = bundle
            .directory
            .find_line(line)
            .filter(|id| bundle.directory.line(*id).kind == LineKind::Host);
        let refuse = |what: &str| Err(raise(py, "CletsError", codes::SERVICE_UNKNOWN, what));
        let Some(host) = host else {
            return refuse(&format!("`{line}`: expected the name of a host of the bundle"));
        };
        if !is_family(&bundle.catalogue, family) {
            return refuse(&format!("`{family}`: expected a family, a data class or a key"));
        }
        let Some(known) = Service::parse(state) else {
            return refuse(&format!("`{state}`: expected `held`, `removed` or `up`"));
        };
        self.step(&mut center, Event::SetService { line: host, family, state: known, source });
        Ok(())
    }

    /// Lets a bundle judge what was judged of late, so that its first messages are judged as fast
    /// as later ones. Takes time and no lock: for another thread, before `reload` or `shadow`.
    fn prepare(&self, py: Python<'_>, snapshot: &Snapshot) {
        /// Cedar is asked once for each: less than a second.
        const SITUATIONS_MAX: usize = 2_000;
        let situations = py.detach(|| self.lock().engine.remembered(SITUATIONS_MAX));
        let (bundle, now_us) = (snapshot.bundle(), self.clock.now_us());
        let judge = py.detach(|| Judge::prepared(bundle, &situations, now_us));
        *snapshot.judge_mut() = judge;
    }

    /// Puts a bundle in force from the next message on. Gives the number of the record.
    ///
    /// Raises `RefusedError` 541 when its lines are not those that run.
    fn reload(&self, py: Python<'_>, snapshot: &Snapshot, source: &str) -> PyResult<u64> {
        let judge = std::mem::take(&mut *snapshot.judge_mut());
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        let old = Arc::clone(engine.bundle());
        let record = engine
            .reload(Arc::clone(snapshot.bundle()), judge, source, effects)
            .map_err(|error| raise(py, "RefusedError", error.code, &error.text))?;
        // To let go of thousands of users takes time that no message should wait.
        std::thread::spawn(move || drop(old));
        Ok(record)
    }

    /// Records that a bundle was refused. Gives the number of the record.
    fn refuse_bundle(&self, source: &str, why: &str) -> u64 {
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        engine.refuse_bundle(source, why, effects)
    }

    /// Suspends a user from the next message on, or lifts that. Gives the number of the record.
    ///
    /// Raises `RefusedError` 304 when there is no such user, or the user is not suspended.
    fn suspend(&self, py: Python<'_>, user: &str, suspended: bool, source: &str) -> PyResult<u64> {
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        let record = engine
            .suspend(user, suspended, source, effects)
            .map_err(|error| raise(py, "RefusedError", error.code, &error.text))?;
        Ok(record)
    }

    /// Lets a bundle judge beside the one in force; `None` ends it.
    #[pyo3(signature = (snapshot))]
    fn shadow(&self, snapshot: Option<&Snapshot>) {
        let candidate =
            snapshot.map(|it| (Arc::clone(it.bundle()), std::mem::take(&mut *it.judge_mut())));
        self.lock().engine.set_shadow(candidate);
    }

    /// What the bundle beside would have done otherwise, JSON; `null` without one.
    fn shadow_report<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let report = self.lock().engine.shadow_report();
        PyBytes::new(py, &serde_json::to_vec(&report).unwrap_or_default())
    }

    /// The state of all lines and queues, JSON.
    fn status<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let status = self.lock().engine.status();
        PyBytes::new(py, &serde_json::to_vec(&status).unwrap_or_default())
    }

    /// The intercept queue, JSON: a list, the oldest message first, without texts.
    fn intercepts<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let waiting = self.lock().engine.intercepts(self.clock.now_us());
        PyBytes::new(py, &serde_json::to_vec(&waiting).unwrap_or_default())
    }

    /// One step of an operator in the intercept queue: a JSON object of action, message, operator,
    /// account, reason, and text and to where the action takes them.
    ///
    /// Gives a JSON object that is true once `durable` is above its `record`. Raises
    /// `RefusedError` with the code that says why nothing was done.
    fn operate<'py>(&self, py: Python<'py>, command: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let command: Command = serde_json::from_slice(command).map_err(|error| {
            raise(py, "ClientError", CONTROL_REQUEST, &format!("the request: {error}"))
        })?;
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        let done = engine
            .operate(&command, self.clock.now_us(), effects)
            .map_err(|error| raise(py, "RefusedError", error.code, &error.text))?;
        Ok(PyBytes::new(py, &serde_json::to_vec(&done).unwrap_or_default()))
    }

    /// How many records are on stable storage, as far as `commit` was called.
    #[getter]
    fn durable(&self) -> u64 {
        self.lock().engine.durable()
    }

    /// Records the stop, makes everything durable and lets go of the journal.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.lock();
        let State { engine, effects, .. } = &mut *state;
        engine.stop(effects);
        self.record(py, &mut state)?;
        state.effects.clear();
        let journal = state.journal.take();
        drop(state);
        match journal {
            Some(JournalHolder(journal)) => {
                py.detach(|| journal.close()).map_err(|error| journal_error(py, &error))
            }
            None => Ok(()),
        }
    }
}

impl Center {
    /// The loop's thread holds Python's own lock when it takes this one, so that whoever has this
    /// one must never wait for that: another thread takes it detached from Python, and nobody
    /// detaches while holding it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, state: &mut State, event: Event<'_>) {
        let State { engine, effects, .. } = state;
        engine.step(event, self.clock.now_us(), effects);
    }

    /// Acknowledges and forwards what has become durable. Also at the end of each turn of the loop:
    /// what a commit made durable in a long one need not wait for the next. Not within: the valve
    /// measures by the wait for this how long the turns are.
    fn release(&self, state: &mut State) {
        let durable = state.journal.as_ref().map_or(0, |JournalHolder(it)| it.durable());
        if durable > state.engine.durable() {
            self.step(state, Event::Durable(durable));
        }
    }

    /// Hands the records to the journal.
    fn record(&self, py: Python<'_>, state: &mut State) -> PyResult<()> {
        if state.effects.records.is_empty() {
            return Ok(());
        }
        let Some(JournalHolder(journal)) = &mut state.journal else {
            let text = "the journal is closed";
            return Err(raise(py, "JournalError", codes::JOURNAL_WRITE, text));
        };
        let now_us = self.clock.now_us();
        let mut write = || -> Result<(), clets_journal::Error> {
            for entry in state.effects.records.drain(..) {
                match journal.append(entry.kind, now_us, &entry.body) {
                    Err(clets_journal::Error::BatchFull) => {
                        journal.submit()?;
                        journal.append(entry.kind, now_us, &entry.body)?;
                    }
                    outcome => drop(outcome?),
                }
            }
            journal.submit()
        };
        write().map_err(|error| journal_error(py, &error))
    }
}

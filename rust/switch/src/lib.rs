//! The engine of the central switching center.
//!
//! A single-threaded state machine without sockets, files or clocks: [`Engine::step`] takes one
//! [`Event`] and the time, and gives [`Effects`]: records for the journal, bytes for connections,
//! connections to close. The same events give the same effects, so that recovery is the start-up
//! path and a simulator can run the real engine.
//!
//! Nothing is acknowledged and nothing is queued before [`Event::Durable`] says that the record
//! which carries it has been synced.
#![forbid(unsafe_code)]

mod admission;
mod archive;
mod bundle;
mod calendar;
mod case;
pub mod codes;
mod collate;
mod confirm;
mod control;
mod controls;
mod dead;
mod decision;
mod engine;
mod entry;
mod event;
mod expiry;
mod facts;
mod fifo;
mod follow;
mod habits;
mod intake;
mod intercept;
mod notice;
mod orders;
mod outbound;
mod pace;
mod parts;
mod plan;
mod queue;
mod receipt;
pub mod record;
mod recovery;
mod references;
mod reload;
mod reply;
mod rows;
mod service;
mod session;
mod settled;
mod shadow;
mod snapshot;
mod status;
mod timers;
mod traits;
mod valve;

pub use archive::{Archive, Archived, Unreadable};
pub use bundle::{Bundle, BundleError};
pub use control::Control;
pub use decision::{Decision, Judge};
pub use engine::Engine;
pub use event::{ConnectionId, Effects, Event, JournalEntry};
pub use intercept::{Command, CommandError, InterceptStatus, Performed, Step};
pub use orders::{Action, DeadLetterStatus, Order, Ordered, WaitingStatus};
pub use recovery::{Replay, ReplayError};
pub use service::{Service, is_family};
pub use shadow::{ShadowCount, ShadowReport};
pub use status::{LineStatus, Status};

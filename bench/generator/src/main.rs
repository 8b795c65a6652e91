//! Load from intended times, and all whom it is for: the lines that send, the stations that take,
//! and the one host that answers, on one thread and the loopback only.
//!
//! The first line of its input says who they are ([`load::Scene`]); it is answered by `{}` once all
//! are connected. Each further line is a stretch of load or a wait ([`load::Order`]), answered by
//! what happened so far ([`load::Report`]). JSON throughout, times in microseconds. It ends with
//! its input.

mod line;
mod load;
mod net;
mod span;

use std::error::Error;
use std::io::{self, BufRead, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = io::stdin().lock().lines();
    let mut out = io::stdout().lock();
    let Some(scene) = lines.next() else { return Ok(()) };
    let mut load = load::Load::connect(serde_json::from_str(&scene?)?)?;
    writeln!(out, "{{}}")?;
    out.flush()?;
    for order in lines {
        let report = load.carry_out(serde_json::from_str(&order?)?)?;
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
        out.flush()?;
    }
    Ok(())
}

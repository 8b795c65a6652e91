//! The small state with more of the nation around it: Nlets, the criminal history index, a control
//! center, and a limit on what NCIC is asked at once.

use std::sync::{Arc, LazyLock};

use clets_switch::{Bundle, Event, Service};
use clets_wire::framing::native::Kind;
use serde_json::{Value, json};

use crate::world::{DOCUMENT, World, bundle};

pub(crate) const ALPHA: u32 = 1;
pub(crate) const BETA: u32 = 2;
pub(crate) const SVS: u32 = 3;
pub(crate) const NCIC: u32 = 4;
pub(crate) const NLETS: u32 = 5;
pub(crate) const III: u32 = 6;

static NATION: LazyLock<Arc<Bundle>> = LazyLock::new(|| bundle(&document(false).to_string()));
static ALERTING: LazyLock<Arc<Bundle>> = LazyLock::new(|| bundle(&document(true).to_string()));

fn host(name: &str, system: &str, dialect: &str, ori: &str, members: Value) -> Value {
    json!({"name": name, "title": name.to_uppercase(), "system": system, "framing": "dmpp",
        "dialect": dialect, "ori": ori, "station": "SWITCH", "window": 8, "dedupes": false,
        "reply_deadline_ms": 30_000, "members": members})
}

fn leg(host: &str, key: &str, addressed: bool) -> Value {
    json!({"host": host, "key": key, "destination_field": null, "destination": null,
        "addressed": addressed})
}

fn route(keys: Value, legs: Value) -> Value {
    json!({"keys": keys, "condition": null, "legs": legs})
}

pub(crate) fn document(alert_group: bool) -> Value {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["settings"]["control_station"] = json!("BETA1");
    if alert_group {
        document["settings"]["alert_group"] = json!("BAYAREA");
    }
    let hosts = document["hosts"].as_array_mut().unwrap();
    hosts[1]["outstanding"] = json!(2);
    hosts.push(host("iii", "iii", "ncic", "DCIII0000", json!([])));
    let routes = document["routes"].as_array_mut().unwrap();
    routes.push(route(json!(["NLTS.YQ"]), json!([leg("nlets", "YQ", true)])));
    routes.push(route(json!(["NLTS.YR"]), json!([leg("nlets", "YR", true)])));
    routes.push(route(json!(["NLTS.AM"]), json!([leg("nlets", "AM", true)])));
    routes.push(route(json!(["NLTS.ER", "ER"]), json!([leg("nlets", "ER", true)])));
    routes.push(route(json!(["NLTS.RQ"]), json!([leg("nlets", "RQ", true)])));
    routes.push(route(json!(["IW.QW"]), json!([leg("ncic", "QW", false)])));
    routes.push(route(json!(["IH.R.QH"]), json!([leg("iii", "QH", false)])));
    document
}

/// The world with everybody connected and heard.
pub(crate) fn nation() -> World {
    joined(World::of(Arc::clone(&NATION)))
}

/// The same, with a group for alerts.
pub(crate) fn alerting() -> World {
    joined(World::of(Arc::clone(&ALERTING)))
}

pub(crate) fn joined(mut world: World) -> World {
    connect(&mut world);
    world
}

pub(crate) fn connect(world: &mut World) {
    let lines = [
        (ALPHA, "alpha"),
        (BETA, "beta"),
        (SVS, "svs"),
        (NCIC, "ncic"),
        (NLETS, "nlets"),
        (III, "iii"),
    ];
    for (connection, line) in lines {
        world.connect(connection, line);
    }
    world.sync();
    for (connection, _) in lines {
        world.seen(connection);
    }
}

/// An operator's word.
pub(crate) fn set(world: &mut World, line: &str, family: &str, state: Service) {
    let line = world.bundle.directory.find_line(line).unwrap();
    world.step(Event::SetService { line, family, state, source: "operator" });
    world.sync();
}

/// Everything that reaches ALPHA, whose window is one.
pub(crate) fn told(world: &mut World) -> Vec<String> {
    let mut texts = Vec::new();
    world.sync();
    // BETA has what it was sent.
    for precedence in 0..5 {
        world.native(BETA, Kind::Delivered, precedence, 1_000, b"");
    }
    loop {
        let more = world.data(ALPHA);
        if more.is_empty() {
            return texts;
        }
        texts.extend(more);
        world.acknowledge(ALPHA);
        world.sync();
    }
}

/// The control field under which Nlets or NCIC was asked.
pub(crate) fn control(asked: &str) -> String {
    let star = asked.split_once('*').map(|(_, rest)| rest);
    let rest = star.or(asked.strip_prefix("1N01")).unwrap();
    rest.split('.').next().unwrap().to_owned()
}

/// A message as Nlets delivers it.
pub(crate) fn from_nlets(key: &str, from: &str, to: &str, control: &str, body: &str) -> String {
    let star = if control.is_empty() { String::new() } else { format!("*{control}\r\n") };
    let first = format!("{key}.{from}\r\n05:35 01/08/2026 03911\r\n");
    format!("{first}05:35 01/08/2026 01326 {to}\r\n{star}TXT\r\n{body}")
}

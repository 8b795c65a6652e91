//! A small bundle's directory, looked at from all sides.

use std::time::{Duration, Instant};

use clets_wire::{Dialect, Precedence};
use serde_json::{Value, json};

use super::{Directory, Origin};
use crate::{
    Address, Addressee, GroupId, Level, LineId, LineKind, OriId, Plan, Standing, StationId,
    StationKind, UserId,
};

fn document() -> Value {
    let host = |name: &str, system: &str, dialect: &str, members: &[&str]| {
        json!({
            "name": name, "title": name.to_uppercase(), "system": system, "framing": "dmpp",
            "dialect": dialect, "ori": "CA0349400", "station": "SWITCH", "window": 1,
            "dedupes": false, "reply_deadline_ms": 30_000, "members": members,
        })
    };
    let line = |name: &str, framing: &str, county: u16, agencies: &[&str]| {
        json!({
            "name": name, "title": name, "framing": framing, "window": 8, "dedupes": true,
            "county": county, "agencies": agencies,
        })
    };
    let leg = |host: &str, key: Option<&str>, field: Option<&str>, addressed: bool| {
        json!({
            "host": host, "key": key, "destination_field": field, "destination": null,
            "addressed": addressed,
        })
    };
    let lis = |negate: bool| json!({"field": "LIS", "values": ["", "CA"], "negate": negate});
    let times = json!({"p0": 1, "p1": 2, "p2": 3, "p2_update": 4, "p3": 5, "p4": 6});
    json!({
        "settings": {
            "name": "center", "ori": "CA0000000", "origin": "clets.example/switch",
            "limits": {
                "frame_bytes": 65_536, "queue_entries": 1000, "destinations": 32,
                "group_stations": 100, "inquiries": 1000, "duplicate_window_ms": 86_400_000,
            },
            "deadline_ms": times, "delay_notice_ms": times, "reply_deadline_ms": 30_000,
            "fields": {
                "purpose": "PUR", "california_purpose": "CAP", "reason": "RSN",
                "attention": "ATN", "case": "OCA",
            },
        },
        "agencies": [
            ["so", "Sheriff", "ca_lea", "active", 19],
            ["pd", "Police \"Alder\"", "ca_lea", "no_chi", 19],
        ],
        "lines": [
            line("county-019", "dmpp", 19, &["so", "pd"]), line("cad-01", "native", 0, &["pd"]),
        ],
        "hosts": [
            host("svs", "state", "clets", &[]), host("dmv", "dmv", "clets", &[]),
            host("ncic", "ncic", "ncic", &[]), host("nlets", "nlets", "nlets", &["AZ", "OR"]),
            host("nevada", "nevada", "nlets", &["NV"]),
        ],
        "oris": [
            ["CA0190000", "so", true, true, "A0190001"], ["CA0190100", "pd", true, false, null],
            ["CA01901L0", "pd", false, false, "A0190003"],
        ],
        "stations": [
            ["A0190001", "county-019", "CA0190000", "fixed"],
            ["A0190002", "county-019", "CA0190100", "mobile"],
            ["A0190003", "cad-01", "CA01901L0", "interface"],
        ],
        "users": [
            ["U000001", "so", "full", "active", true, true, 10_000, 10_100, 40_000],
            ["U000002", "pd", "less_than_full", "suspended", false, true, 10_000, null, null],
        ],
        "groups": [
            {"code": "GALL", "title": "all", "scope": "state", "members": ["GONE", "A0190003"],
             "senders": ["so"]},
            {"code": "GONE", "title": "one", "scope": "group",
             "members": ["A0190001", "CA0190000", "A0190002"], "senders": null},
        ],
        "routes": [
            {"keys": ["IV.4A", "IV.4V"], "condition": lis(false), "legs": [
                leg("dmv", None, None, false), leg("svs", Some("IA.QV"), None, false),
                leg("ncic", Some("QV"), None, false)]},
            {"keys": ["IV.4A", "IV.4V"], "condition": lis(true), "legs": [
                leg("svs", Some("IA.QV"), None, false),
                leg("nlets", Some("RQ"), Some("LIS"), false)]},
            {"keys": ["NLTS.RQ", "NLTS.DQ"], "condition": null, "legs": [
                leg("nlets", None, None, true)]},
            {"keys": ["IW.R.QW"], "condition": null, "legs": [leg("ncic", None, None, false)]},
        ],
    })
}

fn directory() -> Directory {
    Directory::compile(document().to_string().as_bytes()).unwrap()
}

/// The refusal of the document in which the value at `pointer` is another.
fn refusal(pointer: &str, value: Value) -> String {
    let mut document = document();
    *document.pointer_mut(pointer).unwrap() = value;
    Directory::compile(document.to_string().as_bytes()).unwrap_err()
}

fn no_field<'v>(_: &[u8]) -> Option<&'v [u8]> {
    None
}

#[test]
fn entries_are_found_by_name() {
    let directory = directory();
    assert_eq!((directory.lines().len(), directory.stations().len()), (7, 3));

    let station = directory.station_of(directory.station(b"A0190002").unwrap());
    assert_eq!(station.kind, StationKind::Mobile);
    assert_eq!(&*directory.line(station.line).name, "county-019");
    let ori = directory.ori_of(station.ori);
    assert_eq!(&ori.ori, b"CA0190100");
    assert!(ori.full_access && !ori.criminal_history && ori.station.is_none());
    let agency = directory.agency_of(ori.agency);
    assert_eq!(
        (&*agency.name, &*agency.standing, agency.county),
        ("Police \"Alder\"", "no_chi", 19)
    );

    let user = directory.user_of(directory.user(b"U000002").unwrap());
    assert_eq!((user.level, user.standing), (Level::LessThanFull, Standing::Suspended));
    assert_eq!((user.cleared, user.statement, user.trained_day), (false, true, None));
    assert_eq!(user.agency, ori.agency);

    for name in [&b""[..], b"A019000", b"A01900022", b"a0190002", b"\xff"] {
        assert_eq!(directory.station(name), None);
        assert_eq!(directory.ori(name), None);
        assert_eq!(directory.user(name), None);
        assert_eq!(directory.group(name), None);
    }
}

#[test]
fn lines_know_how_they_speak() {
    let directory = directory();
    let line = |name| directory.line(directory.find_line(name).unwrap());
    assert_eq!((line("cad-01").kind, &*line("cad-01").system), (LineKind::Agency, "agency"));
    assert_eq!(line("ncic").dialect_in, Dialect::NcicOut);
    assert_eq!(line("ncic").dialect_out, Dialect::NcicIn);
    assert_eq!(line("nlets").dialect_out, Dialect::NletsIn);
    assert_eq!((line("dmv").window, line("county-019").window), (1, 8));
    assert!(line("county-019").serves(directory.agency("so").unwrap()));
    assert!(!line("cad-01").serves(directory.agency("so").unwrap()));
}

#[test]
fn an_unknown_id_has_no_rights() {
    let directory = directory();
    assert_eq!(directory.user_of(UserId(99)).level, Level::None);
    assert!(!directory.user_of(UserId::NOBODY).cleared);
    assert_eq!(directory.line(LineId(99)).window, 1);
    assert!(directory.expand(GroupId(99)).is_empty());
    assert_ne!(directory.origin(StationId(99), OriId(0)), Origin::Served);
    assert_eq!(directory.origin(StationId(99), OriId::NOBODY), Origin::Foreign);
    assert_eq!(directory.origin(StationId(0), OriId::NOBODY), Origin::Foreign);
}

#[test]
fn an_ori_matches_its_own_station_and_agency() {
    let directory = directory();
    let origin = |station: &[u8], ori: &[u8]| {
        directory.origin(directory.station(station).unwrap(), directory.ori(ori).unwrap())
    };
    assert_eq!(origin(b"A0190001", b"CA0190000"), Origin::Served);
    assert_eq!(origin(b"A0190001", b"CA0190100"), Origin::Foreign, "of another agency");
    assert_eq!(origin(b"A0190002", b"CA01901L0"), Origin::Served, "another ORI of its agency");
    assert_eq!(origin(b"A0190003", b"CA0190100"), Origin::Borrowed, "limited borrows no full ORI");
}

#[test]
fn a_group_reaches_each_station_once() {
    let directory = directory();
    let all = directory.group(b"GALL").unwrap();
    assert_eq!(directory.expand(all), [StationId(0), StationId(1), StationId(2)]);
    let group = directory.group_of(all);
    assert!(group.senders.include(directory.agency("so").unwrap()));
    assert!(!group.senders.include(directory.agency("pd").unwrap()));
}

#[test]
fn the_state_of_the_plate_chooses_the_route() {
    let directory = directory();
    let hosts = |value: Option<&'static [u8]>| {
        let field = move |code: &[u8]| if code == b"LIS" { value } else { None };
        let route = directory.plan(b"IV", false, b"4A", &field).unwrap();
        let plan = directory.resolve(route, &[], &field);
        assert!(plan.unknown.is_empty());
        let name = |leg: &crate::Leg<'_>| {
            let [system, key] = [&leg.spec.system, &leg.spec.key]
                .map(|part| String::from_utf8_lossy(part).into_owned());
            let destinations = leg.destinations.iter().map(|code| String::from_utf8_lossy(code));
            let host = &directory.line(leg.host).name;
            format!("{host}:{system}:{key}:{}", destinations.collect::<Vec<_>>().join(","))
        };
        plan.legs.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(hosts(None), ["dmv:IV:4A:", "svs:IA:QV:", "ncic::QV:"]);
    assert_eq!(hosts(Some(b"CA")), ["dmv:IV:4A:", "svs:IA:QV:", "ncic::QV:"]);
    assert_eq!(hosts(Some(b"AZ")), ["svs:IA:QV:", "nlets::RQ:AZ"]);
    assert_eq!(hosts(Some(b"NV")), ["svs:IA:QV:", "nevada::RQ:NV"]);
    assert!(directory.plan(b"IV", true, b"4A", &no_field).is_none());
    assert!(directory.plan(b"IV", false, b"4AAAAAAAA", &no_field).is_none());
}

#[test]
fn destinations_go_to_the_line_that_lists_them() {
    let directory = directory();
    let route = directory.plan(b"NLTS", false, b"DQ", &no_field).unwrap();
    assert_eq!(route.legs[0].address, Address::Message);
    let named: [&[u8]; 6] = [b"AZ", b"NV", b"OR", b"AZ", b"ZZ", b"NV0130000"];
    let plan = directory.resolve(route, &named, &no_field);
    let found: Vec<_> = plan
        .legs
        .iter()
        .map(|leg| (&*directory.line(leg.host).name, leg.destinations.to_vec()))
        .collect();
    let expected: [(&str, Vec<&[u8]>); 2] =
        [("nlets", vec![b"AZ", b"OR"]), ("nevada", vec![b"NV", b"NV0130000"])];
    assert_eq!(found, expected);
    assert_eq!(plan.unknown.to_vec(), [b"ZZ"]);
    assert_eq!(&*plan.legs[0].spec.key, b"DQ", "the message's own key");
    assert_eq!(directory.resolve(route, &[], &no_field), Plan::default());
}

#[test]
fn the_federal_mark_is_part_of_the_name_but_not_written_to_ncic() {
    let directory = directory();
    assert!(directory.plan(b"IW", false, b"QW", &no_field).is_none());
    let leg = &directory.plan(b"IW", true, b"QW", &no_field).unwrap().legs[0];
    assert_eq!((&*leg.system, &*leg.key, leg.federal_only), (&b""[..], &b"QW"[..], false));
}

#[test]
fn an_address_has_one_meaning() {
    let directory = directory();
    assert_eq!(directory.addressee(b"A0190002"), Some(Addressee::Station(StationId(1))));
    assert_eq!(directory.addressee(b"GONE"), Some(Addressee::Group(GroupId(1))));
    assert_eq!(directory.addressee(b"CA0190000"), Some(Addressee::Ori(OriId(0), StationId(0))));
    assert_eq!(directory.addressee(b"CA0190100"), None, "an ORI without a station");
    assert_eq!(directory.addressee(b"NV"), Some(Addressee::Line(LineId(6))));
    assert_eq!(directory.addressee(b"AZ0070000"), Some(Addressee::Line(LineId(5))));
    assert_eq!(directory.addressee(b"ZZ"), None);
    assert_eq!(directory.addressee(b"AZ00700"), None, "neither a code nor an ORI");
}

#[test]
fn settings_are_kept() {
    let directory = directory();
    let settings = directory.settings();
    assert_eq!(&*settings.fields.california_purpose, "CAP");
    assert_eq!(settings.deadline_ms.of(Precedence::P2, true), 4);
    assert_eq!(settings.deadline_ms.of(Precedence::P2, false), 3);
    assert_eq!(settings.deadline_ms.of(Precedence::P4, true), 6);
}

#[test]
fn what_does_not_fit_together_is_refused_with_its_name() {
    let twice = json!(["A0190001", "county-019", "CA0190000", "fixed"]);
    let cases = [
        ("/stations/1", twice, "the station `A0190001` is there twice"),
        ("/stations/1/1", json!("county-099"), "there is no line `county-099`"),
        ("/stations/1/2", json!("CA0990000"), "there is no ORI `CA0990000`"),
        ("/stations/1/3", json!("pager"), "`pager` is not a word known here"),
        ("/oris/0/0", json!("CA019"), "ORI `CA019` is not nine characters long"),
        ("/oris/0/4", json!("A0190009"), "there is no station `A0190009`"),
        ("/users/0/1", json!("fd"), "there is no agency `fd`"),
        ("/users/0/2", json!("chief"), "`chief` is not a word known here"),
        ("/hosts/4/members", json!(["AZ"]), "the destination code `AZ` is there twice"),
        ("/hosts/0/dialect", json!("morse"), "`morse` is not a word known here"),
        ("/groups/1/members", json!(["GALL"]), "contains itself"),
        ("/groups/1/members", json!(["CA0190100"]), "ORI with a station `CA0190100`"),
        ("/groups/0/senders", json!(["fd"]), "there is no agency `fd`"),
        ("/routes/0/legs/0/host", json!("dvm"), "there is no host `dvm`"),
        ("/routes/0/legs/0/host", json!("cad-01"), "is a line of agencies and cannot be asked"),
        ("/routes/1/legs/1/destination", json!("AZ"), "more than one kind of destination"),
        (
            "/routes/0/keys",
            json!(["IV.123456789"]),
            "the key `IV.123456789` of a route is too long",
        ),
        ("/settings/limits/group_stations", json!(2), "reaches more than 2 stations"),
        ("/lines", json!(null), "not a bundle document"),
    ];
    for (pointer, value, expected) in cases {
        let refused = refusal(pointer, value);
        assert!(refused.contains(expected), "{pointer}: {refused}");
    }
    assert!(Directory::compile(b"{").is_err());
}

/// A state's directory: time is linear in its size, so that a reload does not hold up a line.
#[test]
fn twenty_thousand_users_compile_quickly() {
    let mut document = document();
    let users = (0..20_000).map(|number| {
        json!([format!("W{number:06}"), "so", "full", "active", true, true, 10_000, 10_100, 40_000])
    });
    document["users"] = users.collect();
    let json = document.to_string();
    // The best of three: the machine may be busy with something else.
    let fastest = (0..3).map(|_| {
        let start = Instant::now();
        let directory = Directory::compile(json.as_bytes()).unwrap();
        assert_eq!(directory.user(b"W019999"), Some(UserId(19_999)));
        start.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest < Duration::from_millis(300), "took {fastest:?}");
    println!("20,000 users compiled in {fastest:?}");
}

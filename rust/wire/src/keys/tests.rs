use std::collections::HashSet;

use super::*;
use crate::dialect::{Dialect, decode};

const CLASSES: [&str; 17] = [
    "admin",
    "admin_limited",
    "chi_iii",
    "chi_local",
    "chi_nlets",
    "chi_state",
    "control",
    "dmv_dl",
    "dmv_veh",
    "firearm_restr",
    "hitconf",
    "hot_person",
    "hot_prop",
    "immig_status",
    "ncic_restricted",
    "nlets_dmv",
    "supervision",
];

const HEADER: &str =
    "system,key,family,action,class,precedence,update,fields,required,replies,text,title,source";

fn row(catalogue: &Catalogue, system: &str, key: &str) -> Key {
    let id = catalogue.find(system.as_bytes(), key.as_bytes());
    catalogue.key(id.unwrap_or_else(|| panic!("no {system}.{key}"))).unwrap().clone()
}

#[test]
fn every_key_is_found_as_a_scan_finds_it() {
    let catalogue = Catalogue::standard().unwrap();
    assert!(catalogue.iter().len() > 250);
    let systems: HashSet<&str> = catalogue.iter().map(|(_, key)| key.system.as_str()).collect();
    let names: HashSet<&str> = catalogue.iter().map(|(_, key)| key.key.as_str()).collect();
    for system in systems.iter().chain(&["ZZ"]) {
        for name in names.iter().chain(&["", "NONE", "QVX"]) {
            let naive = catalogue.iter().find(|(_, k)| k.system == *system && k.key == *name);
            let found = catalogue.find(system.as_bytes(), name.as_bytes());
            assert_eq!(found, naive.map(|(id, _)| id), "{system}.{name}");
        }
    }
}

#[test]
fn the_table_is_consistent() {
    let catalogue = Catalogue::standard().unwrap();
    for (_, key) in catalogue.iter() {
        let name = format!("{}.{}", key.system, key.key);
        assert!(CLASSES.contains(&key.class.as_str()), "{name}: class {}", key.class);
        let is_update = matches!(
            key.action,
            Action::Cancel | Action::Clear | Action::Enter | Action::Locate | Action::Modify
        );
        assert_eq!(key.update, is_update, "{name}: update");
        assert!(!key.text || key.required.is_empty(), "{name}: required fields of a text");
        if key.action == Action::Inquire {
            assert!(!key.replies.is_empty(), "{name}: an inquiry without a reply");
        }
        for reply in &key.replies {
            let is_known = *reply == key.key || catalogue.find(b"", reply.as_bytes()).is_some();
            assert!(is_known, "{name}: unknown reply {reply}");
        }
    }
}

#[test]
fn keys_of_every_system_are_there() {
    let catalogue = Catalogue::standard().unwrap();
    for (system, keys) in [
        ("IA", "QV QVK QB EV MV LV CV XV"),
        ("IB", "QRR QPO"),
        ("ID", "L1"),
        ("IE", "WRM"),
        ("IG", "QG QGB QGH"),
        ("IH", "QHA QH QHC QHN QR"),
        ("IJ", "QS QGG QGM"),
        ("IL", "A1"),
        ("IM", "QM"),
        ("IN", "L1"),
        ("IO", "RQ DQ BQ"),
        ("IP", "QA"),
        ("IR", "QVC"),
        ("IV", "4A 4B 4C 4E 4F 4H 4I 4K 4L 4M 4P 4S 4T 4V"),
        ("IW", "QW EW MW LW CW XW"),
        ("IX", "QSA"),
        ("IY", "QYP"),
        ("NLTS", "RQ DQ KQ BQ SQ IQ FQ AQ AM YQ YR CAQ CBQ CGQ CSQ UQ VQ WQ XQ"),
        ("", "QV QW QA QB QG QM QPO QGG QXS EV MV LV CV XV EW XW QH QR"),
        ("", "RQ RR DQ DR KQ KR BQ BR IQ IR FQ FR AQ AR CR YQ YR AM AML SM ER LQ LR"),
        ("", "CAQ CBQ CGQ CSQ UQ VQ WQ XQ REJ UND NRP DLY"),
    ] {
        for key in keys.split(' ') {
            row(&catalogue, system, key);
        }
    }
}

#[test]
fn classes_and_precedences_of_the_usual_keys() {
    let catalogue = Catalogue::standard().unwrap();
    for (system, key, class, action, precedence) in [
        ("IV", "4A", "dmv_veh", Action::Inquire, Precedence::P2),
        ("IH", "QHA", "chi_state", Action::Inquire, Precedence::P2),
        ("", "QH", "chi_iii", Action::Inquire, Precedence::P2),
        ("NLTS", "FQ", "chi_nlets", Action::Inquire, Precedence::P2),
        ("NLTS", "YQ", "hitconf", Action::Confirm, Precedence::P1),
        ("", "AM", "admin", Action::Administer, Precedence::P3),
        ("", "SM", "control", Action::Status, Precedence::P0),
        ("", "RQG", "nlets_dmv", Action::Inquire, Precedence::P4),
        ("", "RR", "nlets_dmv", Action::Reply, Precedence::P2),
        ("", "XV", "hot_prop", Action::Cancel, Precedence::P2),
    ] {
        let found = row(&catalogue, system, key);
        assert_eq!(
            (found.class.as_str(), found.action, found.precedence),
            (class, action, precedence),
            "{system}.{key}"
        );
    }
}

#[test]
fn required_alternatives() {
    let catalogue = Catalogue::standard().unwrap();
    let driver = row(&catalogue, "", "DQ");
    let complete = |codes: &[&[u8]]| driver.is_complete(|code| codes.contains(&code));
    assert!(complete(&[b"OLN"]) && complete(&[b"NAM", b"DOB"]));
    assert!(!complete(&[b"NAM"]) && !complete(&[]));
    assert!(row(&catalogue, "", "AM").is_complete(|_| false));
}

#[test]
fn what_only_california_may_read_stays_in_california() {
    let catalogue = Catalogue::standard().unwrap();
    // FQA is a key of the state that has no system in front.
    let outside = |key: &Key| key.system.is_empty() && key.key != "FQA";
    for (_, key) in catalogue.iter().filter(|(_, key)| outside(key)) {
        assert!(!key.allows(b"CAP"), "{}", key.key);
    }
    assert!(row(&catalogue, "IV", "4A").allows(b"CAP"));
}

#[test]
fn the_federal_mark_means_the_federal_key() {
    let catalogue = Catalogue::standard().unwrap();
    for (bytes, system) in [
        (b"S.R.U.IH.R.QH.CA0190100.NAM/DOE,JOHN".as_slice(), ""),
        (b"S.R.U.IH.QH.CA0190100.NAM/DOE,JOHN", "IH"),
        (b"S.R.U.QH.CA0190100.NAM/DOE,JOHN", ""),
    ] {
        let envelope = decode(bytes, Dialect::Clets).unwrap();
        let id = catalogue.find_message(bytes, &envelope).unwrap();
        assert_eq!(catalogue.key(id).unwrap().system, system);
    }
}

#[test]
fn a_bad_table_is_refused_with_its_line() {
    let problem = |rows: &str| Catalogue::parse(&format!("{HEADER}\n{rows}")).unwrap_err();
    let good = ",QV,vehicle,inquire,hot_prop,P2,false,LIC,LIC,QV,false,t,s\n";
    assert!(Catalogue::parse(&format!("{HEADER}\n{good}")).is_ok());
    assert_eq!(problem(&good.repeat(2)), "line 3: key `QV` of system `` stands twice");
    assert_eq!(problem(&good.replace("inquire", "ask")), "line 2: `ask` is no action");
    assert_eq!(problem(&good.replace("P2", "P9")), "line 2: `P9` is no precedence");
    assert_eq!(problem(&good.replace("LIC,LIC", "lic,")), "line 2: `lic` is no field code");
    assert_eq!(
        problem(&good.replace("LIC,LIC", "LIC,VIN")),
        "line 2: required `VIN` is not among the fields"
    );
    assert_eq!(
        problem(&good.replace(",QV,vehicle", ",Q-V,vehicle")),
        "line 2: `` `Q-V` is no system and key"
    );
    assert_eq!(problem(&good.replace("hot_prop", "")), "line 2: column `class` is empty");
    assert!(problem(&good.replace("false", "maybe")).contains("line 2"));
    assert!(Catalogue::parse("system,key\n,QV\n").is_err());
}

#[test]
fn names_go_both_ways() {
    for action in Action::ALL {
        assert_eq!(Action::parse(action.name()), Some(action));
    }
    for precedence in Precedence::ALL {
        assert_eq!(Precedence::parse(precedence.name()), Some(precedence));
        assert_eq!(Precedence::from_byte(precedence as u8), Some(precedence));
    }
    assert_eq!(Precedence::from_byte(5), None);
}

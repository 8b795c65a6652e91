//! Another bundle while traffic runs, users who are suspended at once, and a candidate beside.

use std::sync::Arc;

use clets_switch::record::{self, BundleEvent};
use clets_switch::{Bundle, Effects, Judge};
use serde_json::{Value, json};

use crate::nation::{ALPHA, NCIC, SVS, document};
use crate::world::{World, bundle, bundle_with};
use crate::{connected, refusal_codes};

fn plate(reference: &str) -> String {
    format!("ALPHA1.{reference}.U1.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP")
}

/// The small state, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Arc<Bundle> {
    let mut document: Value = serde_json::from_str(crate::world::DOCUMENT).unwrap();
    change(&mut document);
    bundle(&document.to_string())
}

fn reload(world: &mut World, bundle: &Arc<Bundle>) -> Result<u64, u16> {
    let mut effects = Effects::default();
    let judge = Judge::prepared(bundle, &world.engine.remembered(100), world.now_us);
    let done = world.engine.reload(Arc::clone(bundle), judge, "operator SAMPLE", &mut effects);
    world.take(effects);
    done.map_err(|error| error.code)
}

#[test]
fn the_next_message_is_judged_by_the_new_bundle_and_what_is_in_custody_goes_on() {
    let mut world = connected();
    world.dmpp(ALPHA, &plate("R1"));
    let suspended = changed(|it| it["agencies"][0][3] = json!("suspended"));
    let number = reload(&mut world, &suspended).unwrap();
    world.sync();
    assert_eq!((world.data(SVS).len(), world.data(NCIC).len()), (1, 1), "R1 was in custody");
    world.dmpp(ALPHA, &plate("R2"));
    world.sync();
    assert_eq!(refusal_codes(&world), [424]);
    let (kind, _, body) = &world.journal[usize::try_from(number).unwrap()];
    let event: BundleEvent<'_> = record::decode(body).unwrap();
    assert_eq!((*kind, &*event.source, &*event.refused), (record::BUNDLE, "operator SAMPLE", ""));
    // Back again: the same message passes.
    let before = Arc::clone(&world.bundle);
    reload(&mut world, &before).unwrap();
    world.dmpp(ALPHA, &plate("R3"));
    world.acknowledge(SVS);
    world.acknowledge(NCIC);
    world.sync();
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn other_lines_need_a_restart_and_nothing_changes() {
    for other in [
        bundle(&document(false).to_string()),
        changed(|it| it["hosts"][0]["dialect"] = json!("nlets")),
        changed(|it| it["lines"][0]["framing"] = json!("native")),
        changed(|it| it["settings"]["limits"]["frame_bytes"] = json!(1000)),
    ] {
        let mut world = connected();
        let records = world.journal.len();
        let hash = world.engine.bundle().hash.clone();
        assert_eq!(reload(&mut world, &other), Err(541));
        assert_eq!((world.journal.len(), &world.engine.bundle().hash), (records, &hash));
    }
}

fn suspend(world: &mut World, user: &str, suspended: bool) -> Result<u64, u16> {
    let mut effects = Effects::default();
    let done = world.engine.suspend(user, suspended, "operator SAMPLE", &mut effects);
    world.take(effects);
    world.sync();
    done.map_err(|error| error.code)
}

#[test]
fn a_suspended_user_reaches_nothing_over_reloads_and_restarts_until_that_is_lifted() {
    let mut world = connected();
    assert_eq!(suspend(&mut world, "NOBODY", true), Err(304));
    assert_eq!(suspend(&mut world, "U1", false), Err(304), "is not suspended");
    suspend(&mut world, "U1", true).unwrap();
    let same = changed(|_| ());
    for turn in 0..3 {
        world.dmpp(ALPHA, &plate(&format!("R{turn}")));
        world.sync();
        assert_eq!(refusal_codes(&world).len(), turn + 1);
        assert_eq!(refusal_codes(&world)[turn], 424);
        match turn {
            0 => drop(reload(&mut world, &same).unwrap()),
            _ => {
                world.sync();
                world.restart();
                world.connect(ALPHA, "alpha");
                world.connect(SVS, "svs");
                world.connect(NCIC, "ncic");
                world.sync();
            }
        }
    }
    assert_eq!(world.engine.status().suspended, 1);
    suspend(&mut world, "U1", false).unwrap();
    world.dmpp(ALPHA, &plate("R9"));
    world.sync();
    assert_eq!(refusal_codes(&world).len(), 3);
    assert_eq!(world.data(SVS).len(), 1);
}

#[test]
fn a_candidate_judges_beside_and_changes_nothing() {
    let mut world = connected();
    let rule = "@id(\"X-99\") @effect(\"reject\") @code(\"424\") @cite(\"Draft of a rule\")
        @text(\"No plates.\") @from(\"2020-01-01\")
        forbid (principal, action == Action::\"inquire\", resource)
        when { resource.data_class == DataClass::\"hot_prop\" };";
    let candidate = bundle_with(crate::world::DOCUMENT, &[("99-draft.cedar", rule)]);
    world.engine.set_shadow(Some((candidate, Judge::new())));
    for turn in 0..3 {
        world.dmpp(ALPHA, &plate(&format!("R{turn}")));
    }
    world.dmpp(ALPHA, &plate("R9").replace("RSN/TRAFFIC STOP", "OCA/26-1"));
    world.sync();
    assert_eq!(refusal_codes(&world), [413], "as without a candidate");
    assert_eq!(world.data(SVS).len(), 3);
    let report = world.engine.shadow_report().unwrap();
    assert_eq!((report.judged, report.differs), (4, 3));
    let [only] = &report.counts[..] else { panic!("{report:?}") };
    assert_eq!((only.now, only.then, only.count), ("pass", "refuse", 3));
    assert_eq!((&*only.rules, &*only.agency), ("X-99", "alpha-pd"));
    // The other way round the rules in force are named, which refuse.
    let mild: Vec<(&str, &str)> = vec![("40-purpose.cedar", "")];
    world.engine.set_shadow(Some((bundle_with(crate::world::DOCUMENT, &mild), Judge::new())));
    world.dmpp(ALPHA, &plate("R10").replace("RSN/TRAFFIC STOP", "OCA/26-1"));
    let report = world.engine.shadow_report().unwrap();
    assert_eq!((report.counts[0].now, report.counts[0].then), ("refuse", "pass"));
    assert_eq!(report.counts[0].rules, "I-10");
    world.engine.set_shadow(None);
    assert!(world.engine.shadow_report().is_none());
}

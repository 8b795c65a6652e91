//! Each family of rules by table: what it must refuse, and what it must let through.

use crate::bundle::{answer, california, day, history, plate, today, with};
use clets_policy::{Effect, RuleId, Situation};

/// A row: facts changed from the base, and the expected answer as `allow A-12.1`,
/// `reject 413 I-10`, `flag C-01.4`. Rules named must be exactly those that decided.
type Row = (&'static str, &'static str);

fn check(base: &Situation, rows: &[Row]) {
    check_on(today(), base, rows);
}

fn check_on(day: i32, base: &Situation, rows: &[Row]) {
    for (changes, expected) in rows {
        let verdict = california().judge(&with(base, changes), day);
        let mut words = vec![verdict.effect.name().to_owned()];
        if verdict.code != 0 {
            words.push(verdict.code.to_string());
        }
        words.extend(verdict.rules.iter().map(|id| california().rule(*id).unwrap().id.clone()));
        assert_eq!(words.join(" "), *expected, "after `{changes}`");
        assert_eq!(verdict.code != 0, verdict.effect.refuses());
    }
}

#[test]
fn a_01_agency_standing() {
    check(
        &plate(),
        &[
            ("", "allow A-12.1"),
            ("agency_standing=active", "allow A-12.1"),
            ("agency_standing=no_chi", "allow A-12.1"),
            ("agency_standing=suspended", "reject 424 A-01"),
            ("agency_standing=unknown", "reject 424 A-01"),
            ("agency_standing=suspended action=administer", "reject 424 A-01"),
        ],
    );
    check(&answer(), &[("agency_standing=unknown", "allow S-01")]);
}

#[test]
fn a_05_station_and_ori_belong_together() {
    check(
        &plate(),
        &[
            ("station=bound", "allow A-12.1"),
            ("station=absent", "reject 307 A-05.1"),
            ("station=unknown", "reject 307 A-05.1"),
            ("station=other_line", "reject 303 A-05.2 A-05.4"),
            ("ori=foreign", "reject 302 A-05.3 A-05.4"),
            ("station=other_line ori=foreign", "reject 303 A-05.2 A-05.3 A-05.4"),
            ("station_kind=mobile", "allow A-12.1"),
        ],
    );
    check(&answer(), &[("station=unknown ori=unknown", "allow S-01")]);
}

#[test]
fn a_06_ori_user_and_device_are_named() {
    check(
        &plate(),
        &[
            ("ori=matches user=known", "allow A-12.1"),
            ("ori=absent", "reject 301 A-06.1"),
            ("ori=unknown", "reject 301 A-06.1"),
            ("user=absent", "reject 306 A-06.2"),
            ("user=unknown", "reject 304 A-06.3"),
            ("user=other_agency", "reject 305 A-06.4"),
            ("ori=absent user=absent", "reject 301 A-06.1 A-06.2"),
        ],
    );
}

#[test]
fn a_08_background_check() {
    check(
        &plate(),
        &[
            ("cleared=true", "allow A-12.1"),
            ("cleared=false", "reject 420 A-08"),
            ("cleared=false level=less_than_full", "reject 420 A-08"),
            ("cleared=false action=enter data_class=hot_prop", "reject 420 A-08"),
            ("cleared=false action=administer data_class=admin scope=single", "reject 420 A-08"),
            ("cleared=false inherited=true", "reject 420 A-08"),
        ],
    );
    check(&answer(), &[("cleared=false", "allow S-01")]);
}

#[test]
fn a_09_statement() {
    check(
        &plate(),
        &[
            ("statement=true", "allow A-12.1"),
            ("statement=false", "reject 421 A-09"),
            ("statement=false cleared=false", "reject 420 A-08 A-09"),
            ("statement=false level=less_than_full", "reject 421 A-09"),
            ("statement=false action=confirm data_class=hitconf", "reject 421 A-09"),
        ],
    );
    check(&answer(), &[("statement=false", "allow S-01")]);
}

#[test]
fn a_10_and_a_11_training() {
    check(
        &plate(),
        &[
            ("training=valid", "allow A-12.1"),
            ("training=grace", "allow A-12.1"),
            ("training=never", "reject 422 A-10"),
            ("training=lapsed", "reject 422 A-11"),
            ("training=lapsed level=less_than_full", "reject 422 A-11"),
            ("training=never action=enter data_class=hot_prop", "reject 422 A-10"),
        ],
    );
    check(
        &history(),
        &[("training=lapsed", "reject 422 A-11"), ("training=grace", "allow C-01.5")],
    );
}

#[test]
fn a_11_is_cited_by_the_version_of_the_day() {
    let lapsed = with(&plate(), "training=lapsed");
    for (date, word) in [("2019-05-01", "two years"), ("2024-05-31", "two years")]
        .into_iter()
        .chain([("2024-06-01", "every year"), ("2026-03-02", "every year")])
    {
        let verdict = california().judge(&lapsed, day(date));
        let [only] = *verdict.rules else { panic!("one rule on {date}: {verdict:?}") };
        let rule = california().rule(only).unwrap();
        assert_eq!(rule.id, "A-11");
        assert!(rule.text.contains(word), "{date}: {}", rule.text);
    }
}

#[test]
fn a_18_account_standing() {
    check(
        &plate(),
        &[
            ("standing=active", "allow A-12.1"),
            ("standing=suspended", "reject 424 A-18.1"),
            ("standing=unknown", "reject 424 A-18.1"),
            ("standing=separated", "reject 424 A-18.1 A-18.2"),
            ("standing=separated action=administer", "reject 424 A-18.1 A-18.2"),
        ],
    );
    check(&answer(), &[("standing=separated", "allow S-01")]);
}

#[test]
fn a_12_full_access_operator() {
    for class in ["dmv_dl", "dmv_veh", "nlets_dmv", "hot_prop", "hot_person", "supervision"] {
        check(&with(&plate(), &format!("data_class={class}")), &[("", "allow A-12.1")]);
    }
    for action in ["enter", "modify", "cancel", "locate", "clear"] {
        let base = with(&plate(), &format!("action={action}"));
        check(
            &base,
            &[
                ("data_class=hot_prop destination=state", "allow A-12.2"),
                ("data_class=hot_person destination=ncic", "allow A-12.2"),
                ("data_class=hitconf destination=ncic", "allow A-12.2"),
                ("data_class=hot_prop reason=absent", "allow A-12.2"),
                ("data_class=dmv_veh", "reject 401"),
                ("data_class=chi_state", "reject 401"),
                ("data_class=hot_prop agency_class=ca_dmv", "reject 401"),
            ],
        );
    }
    check(
        &plate(),
        &[
            ("data_class=control reason=absent destination=ncic", "allow A-12.1"),
            ("data_class=firearm_restr", "allow A-12.1"),
            ("data_class=ncic_restricted", "allow A-12.1"),
            ("data_class=immig_status", "block 430 I-12.1 I-12.3"),
            ("data_class=unknown", "reject 401"),
            ("action=reply", "reject 401"),
            ("action=status data_class=control", "reject 401"),
            ("peer=host", "reject 401"),
        ],
    );
}

#[test]
fn a_13_less_than_full_access_operator() {
    let base = with(&plate(), "level=less_than_full");
    check(
        &base,
        &[
            ("", "allow A-13.1"),
            ("data_class=hot_person destination=ncic", "allow A-13.1"),
            ("data_class=nlets_dmv destination=nlets", "allow A-13.1"),
            ("data_class=immig_status", "block 430 I-12.1 I-12.3"),
        ],
    );
    for action in ["enter", "modify", "cancel", "locate", "clear"] {
        let changes = format!("action={action}");
        check(
            &with(&base, &changes),
            &[("data_class=hot_prop", "reject 423 A-13"), ("", "reject 423 A-13")],
        );
    }
    check(&history(), &[("level=less_than_full", "allow C-01.5")]);
}

#[test]
fn a_14_and_a_15_levels_that_do_not_inquire() {
    for level in ["practitioner", "administrator"] {
        check(
            &with(&plate(), &format!("level={level}")),
            &[
                ("", "reject 423 A-14"),
                ("action=enter data_class=hot_prop", "reject 423 A-14"),
                ("data_class=chi_iii purpose=c attention=present", "reject 423 A-14"),
                ("action=administer data_class=admin scope=single", "reject 401"),
            ],
        );
    }
    check(
        &plate(),
        &[
            ("level=full", "allow A-12.1"),
            ("level=none", "reject 401"),
            ("level=security_awareness", "reject 423 A-15"),
            ("level=security_awareness action=enter", "reject 423 A-15"),
            ("level=security_awareness action=administer data_class=admin", "reject 423 A-15"),
            ("level=security_awareness action=confirm data_class=hitconf", "reject 423 A-15"),
            ("level=security_awareness action=status", "reject 423 A-15"),
        ],
    );
    check(&answer(), &[("level=security_awareness", "allow S-01")]);
}

#[test]
fn c_01_purpose_and_attention() {
    check(
        &history(),
        &[
            ("", "allow C-01.5"),
            ("purpose=absent", "reject 410 C-01.1"),
            ("purpose=other", "reject 411 C-01.2"),
            ("attention=absent", "reject 412 C-01.3"),
            ("attention=junk", "reject 412 C-01.3"),
            ("purpose=absent attention=absent", "reject 410 C-01.1 C-01.3"),
            ("purpose=absent inherited=true", "reject 410 C-01.1"),
            ("reason=absent", "allow C-01.5"),
            ("data_class=chi_state destination=state", "allow C-01.5"),
            ("data_class=chi_local destination=agency", "allow C-01.5"),
            ("data_class=chi_nlets destination=nlets", "allow C-01.5"),
            ("chi_authority=false", "reject 401"),
            ("agency_standing=no_chi", "reject 424 C-12"),
            ("agency_class=ca_dmv", "reject 411 C-01.2"),
            ("purpose=x", "flag C-01.4"),
        ],
    );
    check(&plate(), &[("purpose=absent attention=absent", "allow A-12.1")]);
}

#[test]
fn c_01_purposes_by_kind_of_agency() {
    let criminal_justice = [
        "ca_cdcr",
        "ca_court",
        "ca_da",
        "ca_doj",
        "ca_lea",
        "ca_prob",
        "ca_tribal",
        "fed_crim",
        "fed_taskforce",
    ];
    for field in Situation::FIELDS.iter().filter(|field| field.name == "agency_class") {
        for class in field.values {
            for purpose in ["a", "c", "d", "e", "f", "h", "i", "j", "other", "s", "v", "x"] {
                // C of Homeland Security is rule I-05's; removal officers are blocked (I-02).
                let homeland = class.starts_with("fed_")
                    && !["fed_crim", "fed_taskforce", "fed_ice_ero"].contains(class);
                let valid = match purpose {
                    "c" if homeland => true,
                    "c" | "j" => criminal_justice.contains(class),
                    "f" => ["ca_doj", "ca_lea", "fed_crim"].contains(class),
                    "d" => *class == "ca_court",
                    "a" => *class == "ca_doj",
                    "x" => *class == "ca_lea",
                    _ => false,
                };
                let situation =
                    with(&history(), &format!("agency_class={class} purpose={purpose}"));
                let verdict = california().judge(&situation, today());
                let expected = match *class {
                    // No history for them, whatever the purpose: I-02, A-02 and C-02.
                    "fed_ice_ero" | "ncja" | "private" => 430,
                    _ if valid => 0,
                    _ => 411,
                };
                assert_eq!(verdict.code, expected, "{class} with {purpose}");
            }
        }
    }
}

#[test]
fn i_06_retired_purpose_code() {
    check(
        &history(),
        &[
            ("purpose=c", "allow C-01.5"),
            ("purpose=u", "reject 414 I-06 C-01.2"),
            ("california_purpose=u", "reject 414 I-06"),
            ("california_purpose=i", "allow C-01.5"),
        ],
    );
    check(
        &plate(),
        &[
            ("california_purpose=u", "reject 414 I-06"),
            ("purpose=u", "reject 414 I-06"),
            ("action=administer data_class=admin purpose=u scope=single", "reject 414 I-06"),
        ],
    );
    check_on(day("2025-03-31"), &plate(), &[("california_purpose=u", "allow A-12.1")]);
    check_on(day("2025-04-01"), &plate(), &[("california_purpose=u", "reject 414 I-06")]);
}

#[test]
fn i_10_reason_for_the_inquiry() {
    let without = with(&plate(), "reason=absent");
    check(
        &without,
        &[
            ("", "reject 413 I-10"),
            ("reason=junk", "reject 413 I-10"),
            ("reason=present", "allow A-12.1"),
            ("level=less_than_full", "reject 413 I-10"),
            ("case_number=true", "reject 413 I-10"),
            ("inherited=true", "allow A-12.1"),
            ("inherited=true data_class=hot_prop destination=ncic", "allow A-12.1"),
            ("action=enter data_class=hot_prop", "allow A-12.2"),
            ("action=confirm data_class=hitconf", "allow S-05"),
            ("data_class=control", "allow A-12.1"),
            ("data_class=admin", "allow A-12.1"),
            ("data_class=chi_iii purpose=c attention=present", "allow C-01.5"),
        ],
    );
    for class in [
        "dmv_dl",
        "dmv_veh",
        "nlets_dmv",
        "hot_prop",
        "hot_person",
        "supervision",
        "firearm_restr",
        "ncic_restricted",
    ] {
        check(&with(&without, &format!("data_class={class}")), &[("", "reject 413 I-10")]);
    }
    check_on(day("2021-06-30"), &without, &[("", "allow A-12.1"), ("reason=junk", "allow A-12.1")]);
    check_on(day("2021-07-01"), &without, &[("", "reject 413 I-10")]);
}

#[test]
fn b_01_to_b_07_administrative_messages() {
    let message = message();
    check(
        &message,
        &[
            ("", "allow B-02"),
            ("level=less_than_full", "allow B-02"),
            ("destination=nlets", "allow B-02"),
            ("destination=oregon", "allow B-02"),
            ("data_class=admin_limited", "label B-07"),
            ("scope=joint", "allow B-03.1"),
            ("scope=joint level=less_than_full", "allow B-03.1"),
            ("scope=state destination=nlets", "allow B-05.1"),
            ("scope=state destination=group", "allow B-05.1"),
            ("scope=canada destination=nlets", "allow B-06.1"),
            ("scope=group destination=group", "allow B-04.1"),
            ("scope=group destination=agency", "allow B-04.1"),
            ("scope=group destination=nlets", "allow B-04.1"),
            ("scope=group destination=dmv", "reject 401"),
            ("scope=none", "reject 401"),
            ("level=practitioner", "reject 401"),
            ("data_class=hot_person", "reject 401"),
            ("agency_class=private", "block 430 A-02"),
        ],
    );
}

#[test]
fn b_01_a_message_says_something() {
    check(&message(), &[("text=true", "allow B-02"), ("text=false", "reject 415 B-01")]);
    check(&plate(), &[("text=false", "allow A-12.1")]);
    check(&answer(), &[("action=administer data_class=admin text=false", "allow S-04")]);
}

#[test]
fn b_03_to_b_06_lists_of_addressees() {
    check(
        &message(),
        &[
            ("addressing=fair", "allow B-02"),
            ("scope=joint addressing=many", "reject 508 B-03.2"),
            ("scope=state destination=nlets addressing=many_states", "reject 508 B-05.2"),
            ("scope=region destination=nlets addressing=many_states", "reject 508 B-05.2 B-11"),
            ("scope=canada destination=nlets addressing=canadian", "reject 530 B-06.2"),
        ],
    );
    let from_host = with(&answer(), "action=administer data_class=admin");
    check(&from_host, &[("addressing=many_states", "allow S-04")]);
}

#[test]
fn b_04_b_05_and_b_11_broadcasts_wait_for_approval() {
    check(
        &message(),
        &[
            ("scope=region destination=nlets", "hold B-11"),
            ("scope=region destination=group data_class=admin_limited", "hold B-11 B-07"),
            ("scope=all_points destination=nlets", "hold B-05.3"),
            ("scope=statewide destination=agency", "hold B-04.2"),
            ("scope=statewide agency_class=private", "block 430 A-02 B-04.2"),
            ("scope=region level=none", "reject 401 B-11"),
        ],
    );
    let from_host = with(&answer(), "action=administer data_class=admin");
    check(&from_host, &[("scope=region", "allow S-04"), ("scope=statewide", "allow S-04")]);
}

/// A full access operator writes to one addressee.
fn message() -> Situation {
    with(
        &plate(),
        "action=administer data_class=admin destination=agency scope=single reason=absent",
    )
}

#[test]
fn s_rules_hosts_and_hit_confirmation() {
    check(
        &answer(),
        &[
            ("", "allow S-01"),
            ("data_class=chi_iii", "allow S-01"),
            ("data_class=control", "allow S-01"),
            ("data_class=unknown", "reject 401"),
            ("data_class=immig_status", "label I-13.2"),
            ("action=status data_class=control", "allow S-02"),
            ("action=status data_class=admin", "reject 401"),
            ("action=confirm data_class=hitconf", "allow S-03"),
            ("action=administer data_class=admin scope=single", "allow S-04"),
            ("action=administer data_class=admin_limited scope=single", "label B-07"),
            ("action=administer data_class=admin scope=state destination=group", "allow S-04"),
            ("action=inquire", "reject 401"),
            ("action=enter", "reject 401"),
            ("purpose=u", "allow S-01"),
        ],
    );
    check(
        &plate(),
        &[
            ("action=confirm data_class=hitconf destination=nlets", "allow S-05"),
            ("action=confirm data_class=hitconf level=less_than_full", "allow S-05"),
            ("action=confirm data_class=hitconf agency_class=ca_dmv", "reject 401"),
            ("action=confirm data_class=hitconf level=practitioner", "reject 401"),
        ],
    );
}

#[test]
fn private_unknown_and_unlisted_agencies_are_permitted_nothing() {
    for class in [
        "private",
        "unknown",
        "ncja",
        "fed_ice_ero",
        "fed_ice_hsi",
        "fed_cbp",
        "fed_usbp",
        "fed_uscis",
        "fed_dhs_other",
        "nlets_state",
    ] {
        for base in [plate(), history()] {
            for action in ["administer", "confirm", "enter", "inquire", "reply", "status"] {
                for data in ["admin", "hitconf", "hot_prop", "dmv_veh", "chi_state", "control"] {
                    for scope in ["none", "single", "group"] {
                        let changes = format!(
                            "agency_class={class} action={action} data_class={data} scope={scope}"
                        );
                        let verdict = california().judge(&with(&base, &changes), today());
                        assert!(verdict.refuses(), "{changes}");
                    }
                }
            }
        }
    }
}

#[test]
fn before_the_first_rule_nothing_is_permitted() {
    check_on(day("1969-12-31"), &plate(), &[("", "reject 401")]);
    check_on(i32::MIN, &answer(), &[("", "reject 401")]);
    check_on(i32::MAX, &answer(), &[("", "allow S-01")]);
}

#[test]
fn every_rule_is_complete_and_reachable() {
    let policies = california();
    for (number, rule) in policies.rules().iter().enumerate() {
        assert!(rule.text.len() > 30 && rule.text.ends_with('.'), "{}", rule.id);
        assert!(rule.cite.len() > 10, "{}", rule.id);
        assert_eq!(rule.code != 0, rule.effect.refuses(), "{}", rule.id);
        assert!(rule.from_day.is_some() && rule.line > 0, "{}", rule.id);
        let day = rule.to_day.unwrap_or_else(today);
        let reached = reach(number, day);
        assert!(reached, "no situation was found to which rule {} applies", rule.id);
    }
}

/// Some good message, or one with one fact changed, meets the rule.
fn reach(number: usize, day: i32) -> bool {
    let permits = california().rules()[number].effect == Effect::Allow;
    let bases = [
        plate(),
        history(),
        with(&plate(), "action=enter data_class=hot_prop"),
        with(&plate(), "action=administer data_class=admin scope=single"),
        with(&plate(), "action=administer data_class=admin scope=state destination=nlets"),
        message(),
        with(&message(), "data_class=admin_limited"),
        with(&plate(), "action=administer data_class=admin scope=group"),
        with(&plate(), "action=confirm data_class=hitconf"),
        with(&history(), "carry_license=true"),
        with(&history(), "case_number=false reason=absent"),
        with(&history(), "station_kind=mobile"),
        with(&plate(), "agency_class=ncja agreement=true"),
        with(&plate(), "station_kind=training"),
        with(&plate(), "data_class=dmv_dl wildcard=true"),
        with(&history(), "agency_class=fed_ice_hsi wildcard=true"),
        with(&plate(), "action=modify data_class=hot_prop subject=own"),
        with(&answer(), "agency_class=fed_ice_hsi data_class=chi_iii text_illegal_entry=true"),
        with(&answer(), "agency_class=fed_ice_hsi data_class=dmv_dl"),
        with(&plate(), "agency_class=fed_ice_hsi attested=true topic=offense"),
        with(&history(), "agency_class=fed_ice_hsi"),
        with(&history(), "data_class=immig_status topic=status_exception destination=nlets"),
        with(&message(), "to_homeland=true text_release=true"),
        with(&message(), "scope=region text_missing=true destination=nlets"),
        with(&message(), "scope=group text_missing=true"),
        with(&message(), "scope=all_points text_locate=true destination=nlets"),
        with(&answer(), "action=inquire data_class=dmv_dl agency_class=fed_ice_hsi"),
        answer(),
        with(&answer(), "data_class=immig_status"),
        with(&answer(), "action=status data_class=control"),
        with(&answer(), "action=confirm data_class=hitconf"),
        with(&answer(), "action=administer data_class=admin"),
    ];
    bases.iter().flat_map(neighbours).any(|situation| {
        // What permits stands behind what an obligation says of the same message.
        let is_it = |id: &RuleId| usize::from(id.0) == number;
        california().judge(&situation, day).rules.iter().any(is_it)
            || (permits && california().granting(&situation, day).iter().any(is_it))
    })
}

fn neighbours(base: &Situation) -> impl Iterator<Item = Situation> + use<> {
    let base = *base;
    Situation::FIELDS.iter().enumerate().flat_map(move |(field, described)| {
        (0..described.values.len()).map(move |value| base.with(field, u8::try_from(value).unwrap()))
    })
}

#[test]
fn effects_are_ordered_from_allow_to_block() {
    let mut effects = Effect::ALL;
    effects.sort_by_key(|effect| effect.severity());
    let names: Vec<&str> = effects.iter().map(|effect| effect.name()).collect();
    assert_eq!(names, ["allow", "label", "flag", "redact", "hold", "reject", "block"]);
    for effect in Effect::ALL {
        assert_eq!(Effect::parse(effect.name()), Some(effect));
    }
}

//! The words of the sample bundle: what must be understood, and what must not be misunderstood.

use clets_policy::{Policies, Stated, TextTopic, TextTopics, Topic};

use crate::bundle::{Generator, california, schema};

fn stated(text: &str) -> Stated {
    california().words().reason([text.as_bytes()])
}

fn reason(text: &str) -> Topic {
    stated(text).topic
}

/// Everything that a text is about.
fn about(topics: TextTopics) -> Vec<TextTopic> {
    use TextTopic as T;
    let all = [
        T::Barred,
        T::CivilImmigration,
        T::DeportedFelon,
        T::History,
        T::IllegalEntry,
        T::Locate,
        T::Missing,
        T::Release,
    ];
    all.into_iter().filter(|topic| topics.has(*topic)).collect()
}

fn check(topic: Topic, texts: &[&str]) {
    for text in texts {
        assert_eq!(reason(text), topic, "{text}");
    }
}

#[test]
fn immigration_enforcement_is_understood() {
    check(
        Topic::Immigration,
        &[
            "ICE DETAINER REMOVAL",
            "ice detainer - i-247a served",
            "8 USC 1227",
            "8 U.S.C. 1229a",
            "8 USC 1326",
            "I-200 ADMIN WARRANT",
            "Deportation, alien status check",
            "287(g) REMOVAL PROCEEDINGS",
            "DETAINER FOR ICE",
            "ASSIST ICE ERO",
            "IMMIGRATION STATUS CHECK FOR HSI",
            "REMOVAL ORDER / ICE",
            "UNDOCUMENTED, CALLED BORDER PATROL",
            "IMMIGRATION HOLD",
        ],
    );
}

#[test]
fn one_word_alone_is_looked_into_and_not_refused() {
    check(
        Topic::ImmigrationHint,
        &[
            "CHECK DETAINER",
            "SUBJ SAYS HE IS UNDOCUMENTED",
            "DEPORTED 2019, DUI",
            "8 USC 1325 AND BURGLARY",
            "VICTIM FEARS DEPORTATION",
        ],
    );
}

#[test]
fn innocent_words_do_not_fire() {
    for text in [
        "POSS ICE / METH SALES",
        "TRAFFIC STOP, BLACK ICE COLLISION",
        "ICE, JOHN - WARRANT CHECK",
        "ICE IN CASE OF EMERGENCY CONTACT",
        "EVIDENCE HOLD",
        "VEHICLE REMOVAL 22651 VC",
        "REMOVAL OF VEHICLE, STATUS OF LICENSE",
        "LICENSE STATUS",
        "PAROLE HOLD",
        "STOLEN ICE CHEST",
        "TREE REMOVAL DISPUTE",
        "HERO AWARD CHECK",
        "DELIVERY SERVICE, NICE AREA",
        "INSURANCE STATUS",
        "DISABLED PERSON PLACARD",
        "SUBJ ON HOLD AT CBP BRIDGE",
        "WATCH FOR ICE ON ROADWAY",
        "415 LANDLORD TENANT DISPUTE",
        "SUBJ AT GIRLFRIEND RESIDENCE",
        "DV, DIVORCE IN PROGRESS",
        "ILLEGAL ENTRY INTO GARAGE",
        "A NUMBER OF VEHICLES, STATUS UNKNOWN",
        "STOLEN REPO",
        "DHS WELFARE CHECK",
        "TRAFFIC STOP",
        "",
    ] {
        let topic = reason(text);
        assert!(matches!(topic, Topic::None | Topic::Offense), "{text}: {topic:?}");
    }
}

#[test]
fn other_topics() {
    for text in [
        "8 USC 1325",
        "8USC1325",
        "8 USC1325(A)",
        "TITLE 8, SECTION 1325",
        "ILLEGAL ENTRY INTO U.S. 8 USC 1325",
        "WARRANT FOR 8 USC 1325",
        "8 USC 1325, ICE DETAINER",
    ] {
        assert!(stated(text).illegal_entry, "{text}");
    }
    for text in ["1325 A STREET", "8 USC 1325 AND BURGLARY", "ALIEN SMUGGLING, 8 USC 1325"] {
        assert!(!stated(text).illegal_entry, "{text}");
    }
    check(
        Topic::Reentry,
        &["8 USC 1326(b)(2)", "8 USC 1326 AGGRAVATED FELONY", "AGG FELON, 8 U.S.C. 1326"],
    );
    // What excuses a reentry does not excuse a removal.
    check(Topic::Immigration, &["8 USC 1326 AGG FELON, DETAINER AND REMOVAL ORDER"]);
    check(Topic::StatusException, &["18 USC 922(d)(5)", "U-VISA CERTIFICATION", "I-918B"]);
    for text in ["CCW APPLICANT", "CONCEALED WEAPONS PERMIT", "CCW, ICE DETAINER"] {
        assert!(stated(text).carry_license, "{text}");
    }
    assert!(!stated("ARREST 25400 PC CONCEALED WEAPON").carry_license);
    for text in ["TENANT SCREENING", "CIVIL SUIT", "curious", "DOING A FAVOR", "CURIOUS, DETAINER"]
    {
        assert!(stated(text).private_matter, "{text}");
    }
    for text in ["HIT AND RUN, PRIVATE PARKING LOT", "ASSAULT ON PROCESS SERVER", "CURIOUS SMELL"] {
        assert!(!stated(text).private_matter, "{text}");
    }
    check(
        Topic::Offense,
        &["459 BURGLARY", "DUI", "ILLEGAL ENTRY BURGLARY", "ALIEN SMUGGLING INVESTIGATION"],
    );
    check(Topic::None, &["ASSIST MOTORIST", "DV GIRLFRIEND STRUCK"]);
}

/// Case, punctuation and where the words stand make no difference; a word within a word is none.
#[test]
fn writing_it_otherwise_changes_nothing() {
    let words =
        ["ICE", "DETAINER", "REMOVAL", "ORDER", "TRAFFIC", "STOP", "BLACK", "8", "USC", "1227"];
    let mut generator = Generator(11);
    for _ in 0..3_000 {
        let chosen: Vec<&str> =
            (0..generator.below(6)).map(|_| words[generator.below(words.len())]).collect();
        let plain = chosen.join(" ");
        let other = chosen.join([" - ", "/", ".", ",  "][generator.below(4)]).to_lowercase();
        assert_eq!(stated(&plain), stated(&other), "{plain}");
        let padded = format!("({plain})");
        assert_eq!(stated(&plain), stated(&padded), "{plain}");
        let glued = chosen.iter().map(|word| format!("X{word}X")).collect::<Vec<_>>().join(" ");
        assert_eq!(stated(&glued), Stated::default(), "{glued}");
    }
}

#[test]
fn what_stands_in_several_fields_counts_together() {
    let words = california().words();
    assert_eq!(words.reason([&b"DETAINER"[..], b"ERO OFFICER SAMPLE"]).topic, Topic::Immigration);
    // Words of two fields are no phrase.
    assert_eq!(words.reason([&b"STOP BLACK"[..], b"ICE DETAINER"]).topic, Topic::Immigration);
}

#[test]
fn said_twice_is_said_once() {
    for text in ["ALIEN STATUS", "POSS ICE / METH SALES", "DETAINER", "EVIDENCE HOLD, BLACK ICE"] {
        let again = [text; 3].join(". ");
        assert_eq!(stated(&again), stated(text), "{again}");
    }
    // However long what stands before it.
    let behind = format!("{} DEPORTED FELON", "NO RECORD ".repeat(20_000));
    assert_eq!(about(california().words().reply(behind.as_bytes())), [TextTopic::DeportedFelon]);
}

#[test]
fn bulletins_and_replies() {
    use TextTopic as T;
    let words = california().words();
    for (text, topics) in [
        ("RETIREMENT PARTY FOR SGT SAMPLE", vec![T::Barred]),
        ("FIRE AT RETIREMENT HOME", vec![]),
        ("SUSPECT WEARS A BLACK BASEBALL CAP", vec![]),
        ("ALL WEATHER JACKET", vec![]),
        ("MISSING PERSON JANE SAMPLE", vec![T::Missing]),
        ("RIFLES REPORTED MISSING", vec![]),
        ("AT RISK MISSING PERSON, DEMENTIA", vec![]),
        ("ATTEMPT TO LOCATE BLUE SEDAN", vec![T::Locate]),
        ("RELEASE DATE 05/01 HOME ADDRESS 1 MAIN", vec![T::Release]),
        ("SUBJECT WILL BE RELEASED 0800", vec![T::Release]),
        ("SEMINAR NOTES. SUBJECT WILL BE RELEASED 0800", vec![T::Barred, T::Release]),
        ("SEE CII A12345678 ARR/DET/CITE: NAM:01", vec![T::History]),
        ("BOLO STOLEN TOYOTA", vec![]),
    ] {
        assert_eq!(about(words.bulletin(text.as_bytes())), topics, "{text}");
    }
    let civil = "OUTSTANDING ADMINISTRATIVE WARRANT OF REMOVAL FROM THE US";
    let both = format!("MKE/DEPORTED FELON\r\n{civil}");
    for (text, topics) in [
        (civil, vec![T::CivilImmigration]),
        ("MKE/DEPORTED FELON", vec![T::DeportedFelon]),
        (&both, vec![T::CivilImmigration, T::DeportedFelon]),
        ("NO RECORD NAM/SAMPLE", vec![]),
        ("CHARGE 8 USC 1325\r\nCHARGE: 8 U.S.C. 1325", vec![T::IllegalEntry]),
        ("CHARGE 8 USC 1325\r\nCHARGE 459 PC", vec![]),
        ("8 USC 1325", vec![]),
    ] {
        assert_eq!(about(words.reply(text.as_bytes())), topics, "{text}");
    }
}

#[test]
fn a_table_that_is_wrong_is_refused_with_its_lines() {
    let head = "list,topic,kind,words,cite\n";
    let load = |rows: &str| {
        Policies::load(&[("policy/words.csv".to_owned(), format!("{head}{rows}"))], &schema())
    };
    assert!(load("reason,immigration,token,DEPORT*,law\n").is_ok());
    for (row, expected) in [
        ("reason,weather,token,RAIN,law\n", "`weather` is no topic of this list"),
        ("bulletin,immigration,token,RAIN,law\n", "`immigration` is no topic of this list"),
        ("reason,immigration,innocent,RAIN,law\n", "`immigration` is no topic of this list"),
        ("reason,immigration,token,RAIN,\n", "a row must say what it rests on"),
        ("reason,immigration,token,A-B,law\n", "`A-B` must be letters and digits"),
        ("reason,immigration,token,DEP* ORDER,law\n", "`DEP* ORDER` must be letters and digits"),
        ("reason,immigration,often,RAIN,law\n", "unknown variant"),
    ] {
        let problems = load(&format!("reason,immigration,token,DEPORT*,law\n{row}")).unwrap_err();
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(found[0].contains(expected), "{found:?}");
        assert!(found[0].starts_with("policy/words.csv:3: "), "{found:?}");
    }
}

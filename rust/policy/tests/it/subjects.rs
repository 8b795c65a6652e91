//! Lists of identifiers, and what a rule withholds.

use crate::bundle::{files, schema};
use clets_policy::{Identifier, Policies, Subject, SubjectKey};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

fn plate(value: &str) -> Identifier<'_> {
    Identifier::Number { kind: b"LIC", state: b"CA", value: value.as_bytes() }
}

fn load(table: &str, key: &str) -> Result<Policies, String> {
    let files = [("subjects.csv", table), ("subjects.key", key)];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Policies::load(&files, &schema()).map_err(|problems| problems[0].to_string())
}

fn row(list: &str, user: &str, identifier: &Identifier<'_>) -> String {
    let key = SubjectKey::parse(KEY).unwrap();
    format!("{list},{:032x},synthetic\n", key.digest(user.as_bytes(), identifier))
}

#[test]
fn a_table_that_is_wrong_is_refused_with_its_lines() {
    let good = row("own", "U1", &plate("1ABC234"));
    for (rows, key, said) in [
        (good.as_str(), "", "subjects.csv:1: `subjects.key` must stand beside it"),
        (good.as_str(), "00", "subjects.csv:1: `subjects.key` must stand beside it"),
        ("own,12,synthetic\n", KEY, "subjects.csv:2: `12` must be 32 hexadecimal digits"),
        ("mine,12,synthetic\n", KEY, "subjects.csv:2: CSV deserialize error"),
        (&format!("{good}{}", good.replace("synthetic", " ")), KEY, "subjects.csv:3: a row must"),
    ] {
        let found = load(&format!("list,digest,cite\n{rows}"), key).unwrap_err();
        assert!(found.starts_with(said), "{found}");
    }
    assert!(load(&format!("list,digest,cite\n{good}"), &format!("{KEY}\n")).is_ok());
}

#[test]
fn the_gravest_list_decides_and_own_is_own_to_one_user_alone() {
    let person = Identifier::Person { name: b"DOE,JANE", birth: b"19800101" };
    let rows = [
        row("own", "U1", &plate("1OWN")),
        row("watched", "", &person),
        row("confidential", "", &plate("1SAFE")),
        row("test", "", &plate("1TEST")),
        row("watched", "", &plate("1OWN")),
    ];
    let policies = load(&format!("list,digest,cite\n{}", rows.concat()), KEY).unwrap();
    let find =
        |user: &str, given: &[Identifier<'_>]| policies.subjects().find(user.as_bytes(), given);
    assert_eq!(find("U1", &[]), Subject::None);
    assert_eq!(find("U1", &[plate("1own")]), Subject::Own);
    assert_eq!(find("U2", &[plate("1OWN")]), Subject::Watched);
    assert_eq!(find("", &[plate("1OWN")]), Subject::Watched);
    assert_eq!(find("U1", &[plate("1TEST")]), Subject::Test);
    assert_eq!(find("U1", &[plate("1TEST"), plate("9LIVE")]), Subject::Live);
    assert_eq!(find("U1", &[plate("9LIVE"), person]), Subject::Watched);
    assert_eq!(find("U1", &[person, plate("1SAFE")]), Subject::Confidential);
    let middle = Identifier::Person { name: b"doe, jane q", birth: b"19800101" };
    let other = Identifier::Person { name: b"DOE,JANET", birth: b"19800101" };
    assert_eq!([find("U1", &[middle]), find("U1", &[other])], [Subject::Watched, Subject::Live]);
    let elsewhere = Identifier::Number { kind: b"LIC", state: b"AZ", value: b"1TEST" };
    assert_eq!(find("U1", &[elsewhere]), Subject::Live);
    assert!(plate("1AB*").is_wild() && !plate("1AB").is_wild());
}

#[test]
fn whoever_asks_takes_no_room_of_what_is_asked_for() {
    let (user, long) = ("U".repeat(200), "9".repeat(200));
    let rows = [row("watched", "", &plate(&long)), row("own", &user, &plate("1OWN"))];
    let policies = load(&format!("list,digest,cite\n{}", rows.concat()), KEY).unwrap();
    let find = |user: &str, given: &str| policies.subjects().find(user.as_bytes(), &[plate(given)]);
    for user in ["", "U1", &user] {
        assert_eq!(find(user, &long), Subject::Watched);
    }
    assert_eq!([find(&user, "1OWN"), find(&user, "1OTHER")], [Subject::Own, Subject::Live]);
}

#[test]
fn a_rule_withholds_lines_or_all_and_only_what_can_be_found() {
    let policies = Policies::load(&files(), &schema()).unwrap();
    let words = policies.words();
    let text = b"NAME SAMPLE\r\nFEDERAL LIMITS APPLY.\r\nCLASS C";
    let without =
        |segment, text| String::from_utf8(words.without(segment, text, "[X]").into_owned());
    assert_eq!(without("federal_limits", text).unwrap(), "NAME SAMPLE\r\n[X]\r\nCLASS C");
    assert_eq!(without("text", text).unwrap(), "[X]");
    assert_eq!(without("federal_limits", b"LIMITS").unwrap(), "LIMITS");
    let mut changed = files();
    for (_, text) in &mut changed {
        *text = text.replace("@segment(\"federal_limits\")", "@segment(\"federal\")");
    }
    let problems = Policies::load(&changed, &schema()).unwrap_err();
    assert!(problems[0].text.contains("`federal` is neither"), "{}", problems[0]);
}

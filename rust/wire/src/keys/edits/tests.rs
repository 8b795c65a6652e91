use proptest::prelude::*;

use crate::dialect::{Dialect, decode};
use crate::keys::Catalogue;

const EDITS: &str = include_str!("../../../data/edits.csv");

fn refusal(text: &str) -> Option<(u16, String, usize)> {
    let catalogue = Catalogue::standard().unwrap();
    let envelope = decode(text.as_bytes(), Dialect::Clets).unwrap();
    let id = catalogue.find_message(text.as_bytes(), &envelope).unwrap();
    let error = catalogue.check(id, &envelope, text.as_bytes()).err()?;
    Some((error.code, error.field, error.offset))
}

#[test]
fn each_rule_refuses_and_names_field_and_place() {
    let at = "S.R.U.IV.4A.CA0190100.".len();
    for (body, code, field, offset) in [
        ("LIS/CA", 220, "LIC, or VIN", at + 6),
        ("LIC/12345678901", 221, "LIC", at + 4),
        ("LIC/1.LIS/CALI", 221, "LIS", at + 10),
        ("LIC/1.LIS/C4", 225, "LIS", at + 10),
        ("LIC/1.VYR/19A9", 225, "VYR", at + 10),
    ] {
        let found = refusal(&format!("S.R.U.IV.4A.CA0190100.{body}"));
        assert_eq!(found, Some((code, field.to_owned(), offset)), "{body}");
    }
    let person = |body: &str| refusal(&format!("S.R.U.IW.QW.CA0190100.NAM/DOE,JOHN.{body}"));
    assert_eq!(person("SEX/Q").unwrap().0, 222);
    assert_eq!(person("DOB/19800230").unwrap().0, 223);
    assert_eq!(person("DOB/198002").unwrap().0, 221);
    for good in ["SEX/X", "DOB/20000229", "ZZZ/ANYTHING", "PUR/C.ATN/SAMPLE"] {
        assert_eq!(person(good), None, "{good}");
    }
}

#[test]
fn a_hit_confirmation_takes_no_field_of_another_kind() {
    let head = "S.R.U.NLTS.YQ.CA0190100.AZ0000000.RTY/SV.RNO/1.PRI/U.OCA/1.NIC/V123456789";
    assert_eq!(refusal(head), None);
    assert_eq!(refusal(&format!("{head}.RSN/STOP")), None);
    assert_eq!(refusal(&format!("{head}.DOW/20260101")).unwrap().0, 224);
    assert_eq!(refusal(&head.replace("OCA/1.", "")).unwrap().0, 220);
    assert_eq!(refusal(&head.replace("RNO/1", "RNO/4")).unwrap().0, 222);
    assert_eq!(refusal("S.R.U.NLTS.DQG.CA0190100.H1.OLN/1.IMQ/Y").unwrap().0, 224);
}

/// CITE: Nlets public guide, immigration alien query: all of these, purpose C or F.
#[test]
fn an_immigration_status_inquiry_is_whole() {
    let head = "S.R.U.NLTS.IAQ.CA0190100.VT.";
    let fields = [
        "NAM/DOE,JOHN",
        "DOB/19800101",
        "SEX/M",
        "POB/MM",
        "PUR/F",
        "ATN/DET SAMPLE",
        "PHN/5555550100",
        "OFF/5212",
        "CUS/N",
    ];
    assert_eq!(refusal(&format!("{head}{}", fields.join("."))), None);
    for absent in 0..fields.len() {
        let mut fewer = fields.to_vec();
        let (code, _) = fewer.remove(absent).split_once('/').unwrap();
        let found = refusal(&format!("{head}{}", fewer.join("."))).unwrap();
        assert_eq!((found.0, found.1.as_str()), (220, code));
    }
    let wrong = fields.join(".").replace("PUR/F", "PUR/J");
    assert_eq!(refusal(&format!("{head}{wrong}")).unwrap().0, 222);
}

#[test]
fn a_listed_value_passes_beside_its_kind_and_a_key_goes_before_all() {
    let order = "S.R.U.IB.EPO.CA0190100.NAM/DOE,JOHN.EXP/";
    assert_eq!(refusal(&format!("{order}NONEXP")), None);
    assert_eq!(refusal(&format!("{order}20261231")), None);
    assert_eq!(refusal(&format!("{order}NEVER1")).unwrap().0, 223);
    let long = "X".repeat(30);
    assert_eq!(refusal(&format!("S.R.U.IV.4V.CA0190100.VIN/{long}")), None);
    assert_eq!(refusal(&format!("S.R.U.IV.4A.CA0190100.VIN/{long}")).unwrap().0, 221);
}

#[test]
fn texts_and_answers_are_not_edited() {
    for text in [
        "S.R.U.AM.CA0190100.GBAY.TXT\r\nSEX/Q",
        "S.R.U.RR.CA0190100.CA0380100.TXT\r\nX",
        "S.R.U.YR.CA0190100.CA0380100.TXT\r\nYES, WE HOLD IT",
    ] {
        assert_eq!(refusal(text), None, "{text}");
    }
}

#[test]
fn a_bad_table_is_refused_with_its_line() {
    let problem = |row: &str| {
        let (head, _) = EDITS.split_once('\n').unwrap();
        let keys: Vec<_> =
            Catalogue::standard().unwrap().iter().map(|(_, key)| key.clone()).collect();
        super::compile(&format!("{head}\n{row}\n"), &keys).unwrap_err()
    };
    assert_eq!(problem("nobody,LIC,optional,1,2,text,,s"), "line 2: scope `nobody` means no key");
    assert_eq!(problem("*,LIC,optional,,2,text,,s"), "line 2: field `LIC` needs a kind and widths");
    assert_eq!(
        problem("*,LIC,optional,3,2,text,,s"),
        "line 2: field `LIC` needs a kind and widths"
    );
    assert_eq!(problem("*,LIC,optional,1,2,text,,"), "line 2: column `source` is empty");
    assert!(problem("*,LIC,maybe,1,2,text,,s").starts_with("line 2"));
}

/// The same check, by reading the table anew and without an index.
fn naive(catalogue: &Catalogue, text: &str) -> Option<u16> {
    let mut parts = text.split('.').skip(3);
    let system = parts.next().unwrap();
    let name = parts.next().unwrap();
    let id = catalogue.find(system.as_bytes(), name.as_bytes()).unwrap();
    let key = catalogue.key(id).unwrap();
    let rows: Vec<Vec<&str>> =
        EDITS.lines().skip(1).map(|line| line.splitn(8, ',').collect()).collect();
    let full = format!("{system}.{name}");
    let fields: Vec<(&str, &str)> =
        parts.skip(1).map(|part| part.split_once('/').unwrap()).collect();
    let row = |code: &str| {
        [full.as_str(), key.family.as_str(), "*"]
            .iter()
            .find_map(|scope| rows.iter().find(|row| row[0] == *scope && row[1] == code))
    };
    for (code, value) in &fields {
        let found = row(code);
        let rule = found.map_or("", |row| row[2]);
        let is_listed = rule == "common" || key.allows(code.as_bytes());
        if rule == "forbidden" || (row("*").is_some() && !is_listed) {
            return Some(224);
        }
        let Some(found) = found else { continue };
        if found[6].split(' ').any(|listed| listed == *value) {
            continue;
        }
        let (min, max): (usize, usize) = (found[3].parse().unwrap(), found[4].parse().unwrap());
        if value.len() < min || value.len() > max {
            return Some(221);
        }
        let days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        match found[5] {
            "list" => return Some(222),
            "letters" if !value.chars().all(|c| c.is_ascii_uppercase()) => return Some(225),
            "number" if !value.chars().all(|c| c.is_ascii_digit()) => return Some(225),
            "ori" if !value.chars().all(|c| c.is_ascii_alphanumeric()) => return Some(225),
            "date" => {
                if value.len() != 8 || !value.chars().all(|c| c.is_ascii_digit()) {
                    return Some(223);
                }
                let number: usize = value.parse().unwrap();
                let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
                let is_29th = month == 2 && day == 29;
                let is_leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
                let in_month = (1..=12).contains(&month) && day >= 1 && day <= days[month - 1];
                if year < 1800 || !in_month || (is_29th && !is_leap) {
                    return Some(223);
                }
            }
            _ => (),
        }
    }
    let has = |code: &[u8]| fields.iter().any(|(known, _)| known.as_bytes() == code);
    let required = rows.iter().filter(|row| row[0] == full && row[2] == "required");
    let is_complete = required.into_iter().all(|row| has(row[1].as_bytes()));
    (!is_complete || !key.is_complete(has)).then_some(220)
}

fn message() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "IV.4A", "IV.4V", "IW.QW", "IW.EW", "IB.EPO", "NLTS.YQ", "NLTS.DQG", "NLTS.MQ", "IX.QSA",
    ]);
    let codes: Vec<String> = EDITS
        .lines()
        .filter_map(|line| line.split(',').nth(1).map(str::to_owned))
        .filter(|code| code != "*" && code != "field")
        .chain(["ZZZ".to_owned(), "LIC".to_owned(), "NAM".to_owned(), "DOB".to_owned()])
        .collect();
    let value = prop_oneof![
        "[A-Z]{1,4}",
        "[0-9]{1,9}",
        "(18|19|20)[0-9]{2}[01][0-9][0-3][0-9]",
        "[A-Z0-9,/ -]{1,32}",
        prop::sample::select(vec!["M", "Y", "U", "SV", "NONEXP", "1"]).prop_map(str::to_owned),
    ];
    let field = (prop::sample::select(codes), value).prop_map(|(c, v)| format!("{c}/{v}"));
    (keys, prop::collection::vec(field, 1..7))
        .prop_map(|(key, fields)| format!("S.R.U.{key}.CA0190100.{}", fields.join(".")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::dialect::cases(2048)))]

    #[test]
    fn the_index_decides_as_the_table_does(text in message()) {
        thread_local!(static CATALOGUE: Catalogue = Catalogue::standard().unwrap());
        CATALOGUE.with(|catalogue| {
            let envelope = decode(text.as_bytes(), Dialect::Clets).unwrap();
            let id = catalogue.find_message(text.as_bytes(), &envelope).unwrap();
            let found = catalogue.check(id, &envelope, text.as_bytes()).err().map(|e| e.code);
            prop_assert_eq!(found, naive(catalogue, &text), "{}", text);
            Ok(())
        })?;
    }
}

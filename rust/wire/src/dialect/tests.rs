//! Vectors, and the properties that hold for all dialects.

use proptest::prelude::*;

use super::naive::{self, Plain};
use super::*;
use crate::limits::{DESTINATIONS_MAX, FIELDS_MAX};

/// A message as it is read: from its text form, which is always readable.
fn understood(bytes: &[u8], dialect: Dialect) -> Result<Plain, DecodeError> {
    let text = text_form(bytes, dialect)?;
    let envelope = decode(&text, dialect);
    assert!(envelope.is_ok() || matches!(text, Cow::Borrowed(_)), "{text:?}");
    envelope.map(|envelope| Plain::of(&envelope, &text))
}

pub(super) fn read(bytes: &[u8], dialect: Dialect) -> Plain {
    understood(bytes, dialect).unwrap()
}

pub(super) fn refused(bytes: &[u8], dialect: Dialect) -> (u16, usize) {
    let error = understood(bytes, dialect).unwrap_err();
    (error.code, error.offset)
}

pub(super) fn own(text: &str) -> Option<Vec<u8>> {
    Some(text.as_bytes().to_vec())
}

pub(super) fn pairs(fields: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields
        .iter()
        .map(|(code, value)| (code.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

fn list(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

mod mutations;
mod vectors;

#[test]
fn names_go_both_ways() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::parse(dialect.name()), Some(dialect));
    }
    assert_eq!(Dialect::parse("niem"), None);
}

#[test]
fn usual_messages_need_no_allocation() {
    let bytes = b"A0190001.REF1.U000123.IV.4A.CA0190100.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP";
    let envelope = decode(bytes, Dialect::Clets).unwrap();
    assert!(!envelope.fields.spilled() && !envelope.destinations.spilled());
}

/// Parts of a message that own their bytes, legal for one dialect.
#[derive(Clone, Debug)]
struct Parts {
    plain: (Option<String>, bool, String, String, Vec<String>, Option<String>),
    identity: (String, String, String),
    body: Body,
    stamps: [(String, u32); 2],
}

#[derive(Clone, Debug)]
enum Body {
    Fields(Vec<(String, Vec<u8>)>),
    Text(Vec<u8>),
}

/// A value that no reader can take for something else.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[A-Z0-9,/ -]{1,20}",
        "[A-Z0-9 ]{1,8}\\.[A-Z0-9 ]{1,8}",
        "[A-Z]{0,6}\\.\\.[0-9]{1,4}",
        "\\.[A-Z]{1,6}"
    ]
    .prop_map(String::into_bytes)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 0..80),
        "(\\x7F|\r\n|\\.|TXT|[A-Z ]){0,12}".prop_map(String::into_bytes),
    ]
}

fn destinations(dialect: Dialect) -> BoxedStrategy<Vec<String>> {
    match dialect {
        Dialect::Clets => {
            let word = "[A-Z0-9]{1,16}".prop_filter("the word before a text", |w| w != "TXT");
            prop::collection::vec(word, 0..=6).boxed()
        }
        Dialect::NcicIn => Just(Vec::new()).boxed(),
        Dialect::NletsIn | Dialect::NiemIn => {
            prop::collection::vec("[A-Z0-9]{2}|[A-Z0-9]{9}", 1..=DESTINATIONS_MAX).boxed()
        }
        Dialect::NcicOut | Dialect::NletsOut | Dialect::NiemOut => {
            prop::collection::vec("[A-Z0-9]{9}", 1).boxed()
        }
    }
}

fn body(dialect: Dialect) -> BoxedStrategy<Body> {
    let fields = prop::collection::vec(("[A-Z]{2,4}", value()), 1..20).prop_map(Body::Fields);
    match dialect {
        Dialect::Clets => {
            let none = Just(Body::Fields(Vec::new()));
            prop_oneof![fields, none, text().prop_map(Body::Text)].boxed()
        }
        Dialect::NcicIn => fields.boxed(),
        Dialect::NcicOut => text().prop_map(Body::Text).boxed(),
        Dialect::NletsIn | Dialect::NletsOut => {
            let plain = ("[A-Z]{2,4}", "[A-Z0-9,/ -]{1,20}".prop_map(String::into_bytes));
            let fields = prop::collection::vec(plain, 1..20).prop_map(Body::Fields);
            // The blank keeps a text from being a list of fields.
            let text = text().prop_map(|text| Body::Text([b" ", text.as_slice()].concat()));
            prop_oneof![fields, text].boxed()
        }
        Dialect::NiemIn | Dialect::NiemOut => {
            let text = "(\\x7F|\r\n|\r|\\.|[A-Z ]|[&<>\"'é\t]|]]>|&amp;|IMR/){0,12}";
            let text = text.prop_map(|text| Body::Text(format!(" {text}").into_bytes()));
            prop_oneof![elements(), text].boxed()
        }
    }
}

/// Fields that XML has elements for, in the order of the table.
fn elements() -> impl Strategy<Value = Body> {
    let codes = niem::table::TABLE.words();
    let count = codes.len();
    let chosen = prop::sample::subsequence(codes, 1..=count);
    let value = "[A-Z0-9,/-]([A-Z0-9,/ &<-]{0,18}[A-Z0-9,/-])?";
    let values = prop::collection::vec((value, "[0-9]{8}"), count);
    (chosen, values).prop_map(|(chosen, values)| {
        let fields = chosen.into_iter().zip(values).map(|((code, is_date), (value, date))| {
            (code.to_owned(), if is_date { date } else { value }.into_bytes())
        });
        Body::Fields(fields.collect())
    })
}

fn parts(dialect: Dialect) -> impl Strategy<Value = Parts> {
    let is_clets = dialect == Dialect::Clets;
    let system =
        if is_clets { prop::option::of("I[A-Z]|UM|NLTS").boxed() } else { Just(None).boxed() };
    let control = match dialect {
        Dialect::Clets => Just(None).boxed(),
        Dialect::NcicIn => prop::option::of("[A-Z0-9]{1,15}").boxed(),
        Dialect::NcicOut => "[A-Z0-9]{1,15}".prop_map(Some).boxed(),
        _ => prop::option::of("[A-Z0-9/]{1,20}").boxed(),
    };
    let key = "[A-HJ-Z0-9][A-Z0-9]{0,5}|I[A-Z]|R".prop_filter("keys of text", move |key| {
        let texts = ["AM", "AML", "AQ", "ER", "LQ", "SM"];
        is_clets || !texts.contains(&key.as_str()) && !niem::table::TABLE.has_scope(key)
    });
    let plain = (system, any::<bool>(), key, "[A-Z]{2}[A-Z0-9]{7}", destinations(dialect), control);
    let identity = ("[A-Z0-9]{1,11}", "[A-Z0-9]{0,20}", "[A-Z0-9]{0,30}");
    let stamp = ("[0-2][0-9]:[0-5][0-9] [01][0-9]/[0-3][0-9]/20[0-9]{2}", 0u32..100_000);
    (plain, identity, body(dialect), [stamp.clone(), stamp]).prop_map(
        move |(mut plain, identity, body, stamps)| {
            plain.1 &= plain.0.is_some();
            Parts { plain, identity, body, stamps }
        },
    )
}

/// Writes the parts, and says what a reader must find.
fn written(dialect: Dialect, parts: &Parts) -> (Vec<u8>, Plain) {
    let (system, federal_only, mke, origin, destinations, control) = &parts.plain;
    let (station, reference, user) = &parts.identity;
    let destinations: Vec<&[u8]> = destinations.iter().map(String::as_bytes).collect();
    let (fields, text) = match &parts.body {
        Body::Fields(fields) => (fields.as_slice(), None),
        Body::Text(text) => (&[][..], Some(text.as_slice())),
    };
    let fields: Vec<(&[u8], &[u8])> =
        fields.iter().map(|(code, value)| (code.as_bytes(), value.as_slice())).collect();
    let [received, sent] = &parts.stamps;
    let message = Outbound {
        mke: mke.as_bytes(),
        system: system.as_deref().map(str::as_bytes),
        federal_only: *federal_only,
        origin: origin.as_bytes(),
        destinations: &destinations,
        control: control.as_deref().map(str::as_bytes),
        reference: reference.as_bytes(),
        user: user.as_bytes(),
        station: station.as_bytes(),
        fields: &fields,
        text,
        received: Some((received.0.as_bytes(), received.1)),
        sent: Some((sent.0.as_bytes(), sent.1)),
    };
    let mut bytes = Vec::new();
    encode(&mut bytes, dialect, &message);
    (bytes, expected(dialect, &message))
}

fn expected(dialect: Dialect, message: &Outbound<'_>) -> Plain {
    let filled = |part: &[u8]| (!part.is_empty()).then(|| part.to_vec());
    let stamp = |stamp: Option<(&[u8], u32)>| {
        stamp.map(|(at, count)| (at.to_vec(), format!("{count:05}").into_bytes()))
    };
    let is_clets = dialect == Dialect::Clets;
    let has_key = dialect != Dialect::NcicOut;
    let has_stamps = matches!(dialect, Dialect::NletsOut | Dialect::NiemOut);
    Plain {
        system: message.system.map(<[u8]>::to_vec),
        federal_only: message.federal_only,
        mke: has_key.then(|| message.mke.to_vec()),
        origin: has_key.then(|| message.origin.to_vec()),
        destinations: message.destinations.iter().map(|d| d.to_vec()).collect(),
        control: message.control.map(<[u8]>::to_vec),
        reference: is_clets.then(|| filled(message.reference)).flatten(),
        user: is_clets.then(|| filled(message.user)).flatten(),
        station: is_clets.then(|| filled(message.station)).flatten(),
        fields: message.fields.iter().map(|(c, v)| (c.to_vec(), v.to_vec())).collect(),
        text: message.text.map(<[u8]>::to_vec),
        received: has_stamps.then(|| stamp(message.received)).flatten(),
        sent: has_stamps.then(|| stamp(message.sent)).flatten(),
    }
}

fn any_parts() -> impl Strategy<Value = (Dialect, Parts)> {
    prop::sample::select(Dialect::ALL.to_vec())
        .prop_flat_map(|dialect| (Just(dialect), parts(dialect)))
}

const NLETS_OUT_HEAD: &[u8] = b"RR.AZ0000000\r\n05:35 01/08/2004 03911\r\n05:35 01/08/2004 01326 ";

const NIEM_HEAD: &[u8] = b"<n2:NLETS xmlns:n2='http://www.nlets.org/niem/1.0'>";

/// Bytes that look like messages at every place, and are wrong at some.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b".",
        b".",
        b".",
        b".",
        b"/",
        b",",
        b"\r\n",
        b"\r",
        b"\n",
        b"\x03",
        b"\x7F",
        b"*",
        b" ",
        b"R",
        b"IV",
        b"NLTS",
        b"UM",
        b"4A",
        b"AM",
        b"YQ",
        b"RTY/SV",
        b"RQ",
        b"CA0190100",
        b"AZ",
        b"TXT",
        b"LIC/",
        b"LIC/1",
        b"lis/CA",
        b"MIS/A",
        b"ABCDE/",
        b"1N01",
        b"1L01",
        b"CONTROL",
        b"U000123",
        b"05:35 01/08/2004 03911",
        b"TOOLONGFORANYHEADERPARTOFTHEM",
    ];
    prop::collection::vec(prop::sample::select(words), 0..24).prop_map(|words| words.concat())
}

/// A legal message with a few bytes changed, put in or taken out.
fn damaged() -> impl Strategy<Value = (Dialect, Vec<u8>)> {
    let bytes: Vec<u8> = b"./,\r\n\x03\x7F*RTX0aI \xFF".to_vec();
    let change = (any::<prop::sample::Index>(), prop::sample::select(bytes), 0u8..3);
    (any_parts(), prop::collection::vec(change, 1..4)).prop_map(|((dialect, parts), changes)| {
        let (mut bytes, _) = written(dialect, &parts);
        for (at, byte, how) in changes {
            let at = at.index(bytes.len().max(1));
            match how {
                0 => bytes.insert(at, byte),
                _ if bytes.is_empty() => (),
                1 => bytes[at] = byte,
                _ => {
                    bytes.remove(at);
                }
            }
        }
        (dialect, bytes)
    })
}

fn agree(bytes: &[u8], dialect: Dialect) -> Result<(), TestCaseError> {
    let found = understood(bytes, dialect);
    if let Err(error) = &found {
        prop_assert!(error.offset <= bytes.len(), "offset {} of {}", error.offset, bytes.len());
    }
    let found = found.map_err(|error| error.code);
    match naive::decode(bytes, dialect) {
        Some(wanted) => prop_assert_eq!(found, wanted, "{:?} {}", dialect, bytes.escape_ascii()),
        None => prop_assert!(matches!(found, Ok(_) | Err(201..=204)), "{:?}", found),
    }
    Ok(())
}

/// How many inputs a comparison with a naive twin gets: `CLETS_CASES` when it is set.
pub(crate) fn cases(usual: u32) -> u32 {
    std::env::var("CLETS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(20_000)))]

    #[test]
    fn what_is_written_is_read((dialect, parts) in any_parts()) {
        let (bytes, wanted) = written(dialect, &parts);
        prop_assert_eq!(read(&bytes, dialect), wanted);
        agree(&bytes, dialect)?;
    }

    #[test]
    fn damaged_messages_read_like_the_naive_way((dialect, bytes) in damaged()) {
        agree(&bytes, dialect)?;
    }

    #[test]
    fn soup_reads_like_the_naive_way(words in soup()) {
        for dialect in Dialect::ALL {
            agree(&words, dialect)?;
            let head: &[u8] = match dialect {
                Dialect::Clets => b"A0190001.REF1..IV.4A.CA0190100",
                Dialect::NcicIn => b"QW.CA0190100.",
                Dialect::NcicOut => b"1L01CONTROL\r\nCA0190100\r\n",
                Dialect::NletsIn => b"RQ.CA0190100.AZ.",
                Dialect::NletsOut => NLETS_OUT_HEAD,
                Dialect::NiemIn | Dialect::NiemOut => NIEM_HEAD,
            };
            agree(&[head, &words].concat(), dialect)?;
            let confirmation: &[u8] = b"YQ.CA0190100.AZ.TXT\r\nRTY/SV";
            agree(&[confirmation, &words].concat(), Dialect::NletsIn)?;
        }
    }

    #[test]
    fn random_bytes_read_like_the_naive_way(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for dialect in Dialect::ALL {
            agree(&bytes, dialect)?;
        }
    }
}

#[test]
fn limits_hold_exactly() {
    let fields = |count| vec!["LIC/1"; count].join(".");
    let clets = |count| format!("S.R.U.4A.CA0190100.{}", fields(count));
    let ncic = |count| format!("QV.CA0190100.{}", fields(count));
    let nlets = |count| format!("RQ.CA0190100.AZ.TXT\r\n{}", fields(count));
    for (text, dialect) in
        [(clets(FIELDS_MAX), Dialect::Clets), (ncic(FIELDS_MAX), Dialect::NcicIn)]
    {
        assert_eq!(read(text.as_bytes(), dialect).fields.len(), FIELDS_MAX);
    }
    assert_eq!(refused(clets(FIELDS_MAX + 1).as_bytes(), Dialect::Clets).0, 204);
    assert_eq!(refused(ncic(FIELDS_MAX + 1).as_bytes(), Dialect::NcicIn).0, 204);
    assert_eq!(read(nlets(FIELDS_MAX).as_bytes(), Dialect::NletsIn).fields.len(), FIELDS_MAX);
    let over = nlets(FIELDS_MAX + 1);
    let over = read(over.as_bytes(), Dialect::NletsIn);
    assert!(over.fields.is_empty() && over.text.is_some());

    let clets = |count| format!("S.R.U.AM.CA0190100.{}.TXT\r\n", vec!["GBAY"; count].join(","));
    let nlets = |count| format!("AM.CA0190100.{}.TXT\r\n", vec!["AZ"; count].join(","));
    for (text, dialect) in [
        (clets as fn(usize) -> String, Dialect::Clets),
        (nlets as fn(usize) -> String, Dialect::NletsIn),
    ] {
        let found = read(text(DESTINATIONS_MAX).as_bytes(), dialect);
        assert_eq!(found.destinations.len(), DESTINATIONS_MAX);
        assert_eq!(refused(text(DESTINATIONS_MAX + 1).as_bytes(), dialect).0, 204);
    }
    let long = vec![b'x'; PAYLOAD_BYTES_MAX + 1];
    for dialect in Dialect::ALL {
        assert_eq!(refused(&long, dialect).0, 102);
    }
}

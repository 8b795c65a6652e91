//! A line to Nlets that speaks NIEM XML: agencies and the journal notice, nobody else does.

use std::sync::{Arc, LazyLock};

use clets_switch::Bundle;
use clets_switch::record::{self, Accepted};
use serde_json::{Value, json};

use crate::nation::{ALPHA, NLETS};
use crate::world::{DOCUMENT, Seen, World, bundle};

static XML: LazyLock<Arc<Bundle>> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    document["hosts"][2]["dialect"] = json!("niem");
    let leg = json!({"host": "nlets", "key": "DQ", "destination_field": null,
        "destination": null, "addressed": true});
    let routes = document["routes"].as_array_mut().unwrap();
    routes.push(json!({"keys": ["NLTS.DQ"], "condition": null, "legs": [leg]}));
    bundle(&document.to_string())
});

const ASK: &str =
    "ALPHA1.REF1.U1.NLTS.DQ.CA0010100.AZ.NAM/DOE,JOHN.DOB/19700101.SEX/M.CAP/C.RSN/STOP";

fn connected() -> World {
    let mut world = World::of(Arc::clone(&XML));
    join(&mut world);
    world
}

fn join(world: &mut World) {
    for (connection, line) in [(ALPHA, "alpha"), (NLETS, "nlets")] {
        world.connect(connection, line);
    }
    world.sync();
    for connection in [ALPHA, NLETS] {
        world.seen(connection);
    }
}

fn from_nlets(key: &str, control: &str, body: &str) -> String {
    let control = match control {
        "" => String::new(),
        _ => format!("<h:DocumentControlFieldText>{control}</h:DocumentControlFieldText>"),
    };
    format!(
        "<NLETS xmlns=\"http://www.nlets.org/niem/1.0\" \
         xmlns:h=\"http://www.nlets.org/niem/nlets-hdr/1.0\"><NLETSMessageHeader>\
         <h:MessageKeyCodeText>{key}</h:MessageKeyCodeText>\
         <h:OriginatingORIID>AZ0000000</h:OriginatingORIID>\
         <h:DestinationORIID>CA0010100</h:DestinationORIID>{control}</NLETSMessageHeader>\
         {body}</NLETS>"
    )
}

fn accepted(world: &World) -> Vec<Accepted<'_>> {
    let records = world.journal.iter().filter(|(kind, ..)| *kind == record::ACCEPTED);
    records.map(|(.., body)| record::decode(body).unwrap()).collect()
}

#[test]
fn an_inquiry_and_its_answer_cross_in_xml() {
    let mut world = connected();
    world.dmpp(ALPHA, ASK);
    world.sync();
    world.seen(ALPHA);
    let asked = world.data(NLETS).remove(0);
    world.acknowledge(NLETS);
    for part in [
        "<nh2:MessageKeyCodeText>DQ</nh2:MessageKeyCodeText>",
        "<nh2:OriginatingORIID>CA0010100</nh2:OriginatingORIID>",
        "<nh2:DestinationORIID>AZ</nh2:DestinationORIID>",
        "<n2:NLETSInquiryData n2:key=\"DQ\">",
        "<nc:Date>1970-01-01</nc:Date>",
        "<nc:PersonFullName>DOE,JOHN</nc:PersonFullName>",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    let field = asked.split("DocumentControlFieldText>").nth(1).unwrap();
    let control = field.split("</").next().unwrap();
    let text = "LICENSE <VALID> & CURRENT.\nEND";
    let inside = format!("<ResponseText><![CDATA[{text}]]></ResponseText>");
    let body = format!("<NLETSResponseData>{inside}</NLETSResponseData>");
    let answer = from_nlets("DR", control, &body);
    world.dmpp(NLETS, &answer);
    world.sync();
    let told = world.data(ALPHA);
    assert!(told[0].contains(".REF1.") && told[0].contains(".DR."), "{told:?}");
    assert!(told[0].ends_with("LICENSE <VALID> & CURRENT.\r\nEND"), "{told:?}");

    // The journal has the bytes as they came, and what was made of them.
    let records = accepted(&world);
    assert_eq!(records[1].dialect, "niem-out");
    assert_eq!(&*records[1].body, answer.as_bytes());
    assert!(records[1].meaning.starts_with(b"DR.AZ0000000\r\n"));

    // Nlets did not hear that it was taken, and says it again after both have been down.
    world.acknowledge(ALPHA);
    world.sync();
    world.restart();
    join(&mut world);
    world.dmpp(NLETS, &answer);
    world.sync();
    assert_eq!(world.seen(NLETS), [Seen::Ack]);
    assert_eq!(world.data(ALPHA), [""; 0]);
    assert_eq!(accepted(&world).len(), 2);
}

#[test]
fn a_message_with_a_picture_reaches_its_station() {
    let mut world = connected();
    let inside = "<MailMessageText>LOOK FOR HIM</MailMessageText>\
        <c:Image xmlns:c=\"http://niem.gov/niem/niem-core/2.0\">\
        <c:BinaryBase64Object>QUJD\nREVG</c:BinaryBase64Object></c:Image>";
    let body = format!("<NLETSMailData key=\"AM\">{inside}</NLETSMailData>");
    world.dmpp(NLETS, &from_nlets("AM", "", &body));
    world.sync();
    let told = world.data(ALPHA);
    assert!(told[0].ends_with("LOOK FOR HIM\r\nIMR/QUJDREVG"), "{told:?}");
}

#[test]
fn what_is_no_message_is_recorded_and_refused() {
    let mut world = connected();
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>";
    let whole = from_nlets("AM", "", "<NLETSMailData key=\"AM\"/>");
    for xml in [&format!("{bomb}{whole}"), whole.strip_suffix("TS>").unwrap(), "AM.AZ0000000"] {
        world.dmpp(NLETS, xml);
        world.sync();
        assert!(matches!(world.seen(NLETS)[..], [Seen::Nak(_)]), "{xml}");
    }
    let refused = world.journal.iter().filter(|(kind, ..)| *kind == record::REFUSED);
    let codes: Vec<u16> = refused
        .map(|(.., body)| record::decode::<record::Refused<'_>>(body).unwrap().code)
        .collect();
    assert_eq!(codes, [201, 201, 201]);
}

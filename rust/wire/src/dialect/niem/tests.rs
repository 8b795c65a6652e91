//! Vectors of Nlets NIEM XML, and what its table must hold.

use super::super::tests::{own, pairs, read, refused};
use super::table::{Kind, TABLE};
use crate::dialect::{Dialect, encode};
use crate::keys::Catalogue;
use crate::limits::{XML_ATTRIBUTES_MAX, XML_DEPTH_MAX, XML_ELEMENTS_MAX, XML_NAME_BYTES_MAX};
use crate::outbound::Outbound;

const HEAD: &str = "<n2:NLETS xmlns:n2=\"http://www.nlets.org/niem/1.0\" \
    xmlns:nh2=\"http://www.nlets.org/niem/nlets-hdr/1.0\" \
    xmlns:nc=\"http://niem.gov/niem/niem-core/2.0\" n2:version=\"4.00\">";

/// A message of Nlets to an agency: `KEY`, and the inside of its body.
fn from_nlets(key: &str, body: &str) -> String {
    format!(
        "{HEAD}<n2:NLETSMessageHeader><nh2:MessageKeyCodeText>{key}</nh2:MessageKeyCodeText>\
         <nh2:OriginatingORIID>AZNLETS20</nh2:OriginatingORIID>\
         <nh2:DestinationORIID>CA0190100</nh2:DestinationORIID>\
         <nh2:DocumentControlFieldText><![CDATA[TSTMESSAGE]]></nh2:DocumentControlFieldText>\
         <nh2:MessageReceiveDate>11/27/2019</nh2:MessageReceiveDate>\
         <nh2:MessageReceiveTime>05:36</nh2:MessageReceiveTime>\
         <nh2:MessageSendDate>11/27/2019</nh2:MessageSendDate>\
         <nh2:MessageSendTime>05:37</nh2:MessageSendTime>\
         <nh2:ReceiveMessageNumeric>00000</nh2:ReceiveMessageNumeric>\
         <nh2:SendMessageNumeric>00006</nh2:SendMessageNumeric>\
         </n2:NLETSMessageHeader>{body}</n2:NLETS>"
    )
}

fn inquiry(inside: &str) -> String {
    from_nlets("DQ", &format!("<n2:NLETSInquiryData n2:key=\"DQ\">{inside}</n2:NLETSInquiryData>"))
}

fn response(inside: &str) -> Vec<u8> {
    let body = format!("<n2:NLETSResponseData>{inside}</n2:NLETSResponseData>");
    let plain = read(from_nlets("DR", &body).as_bytes(), Dialect::NiemOut);
    plain.text.unwrap_or_default()
}

fn code_of(xml: &str) -> (u16, usize) {
    refused(xml.as_bytes(), Dialect::NiemOut)
}

#[test]
fn a_message_of_the_public_guide() {
    let xml = from_nlets(
        "AM",
        "\r\n\t<n2:NLETSMailData n2:key=\"AM\">\r\n\t\t<n2:MailMessageText>STATEWIDE\n\
         TEST &amp; MORE</n2:MailMessageText>\r\n\t</n2:NLETSMailData>\r\n",
    );
    let plain = read(xml.as_bytes(), Dialect::NiemOut);
    assert_eq!(plain.mke, own("AM"));
    assert_eq!(plain.origin, own("AZNLETS20"));
    assert_eq!(plain.destinations, [b"CA0190100".to_vec()]);
    assert_eq!(plain.control, own("TSTMESSAGE"));
    assert_eq!(plain.text, own("STATEWIDE\r\nTEST & MORE"));
    let stamp = |at: &str, count: &str| own(at).zip(own(count));
    assert_eq!(plain.received, stamp("05:36 11/27/2019", "00000"));
    assert_eq!(plain.sent, stamp("05:37 11/27/2019", "00006"));
}

#[test]
fn an_inquiry_of_another_state_in_its_own_prefixes() {
    let xml = inquiry(
        "<!-- asked at night --><n2:ReasonCode>T</n2:ReasonCode>\
         <x:Person xmlns:x=\"http://www.nlets.org/niem/1.0\" \
         xmlns:core=\"http://niem.gov/niem/niem-core/2.0\">\
         <core:PersonBirthDate><core:Date> 1990-01-31 </core:Date></core:PersonBirthDate>\
         <core:PersonName><core:PersonFullName>O&#39;NEIL, ST. <![CDATA[J<]]></core:PersonFullName>\
         <core:PersonGivenName>J</core:PersonGivenName></core:PersonName></x:Person>",
    );
    let plain = read(xml.as_bytes(), Dialect::NiemOut);
    let wanted = pairs(&[("RSN", "T"), ("DOB", "19900131"), ("NAM", "O'NEIL, ST  J<")]);
    assert_eq!(plain.fields, wanted);
    assert_eq!(plain.text, None);
}

#[test]
fn what_encloses_a_value_may_differ() {
    let xml = inquiry(
        "<n2:Elsewhere><nc:VehicleIdentification><nc:IdentificationID>SYN123</nc:IdentificationID>\
         </nc:VehicleIdentification></n2:Elsewhere>",
    );
    let plain = read(xml.as_bytes(), Dialect::NiemOut);
    assert_eq!(plain.fields, pairs(&[("VIN", "SYN123")]));
}

#[test]
fn no_value_becomes_another_field() {
    let xml = inquiry("<n2:ReasonCode>T.PUR/C\r\n.ATN/X</n2:ReasonCode>");
    let plain = read(xml.as_bytes(), Dialect::NiemOut);
    assert_eq!(plain.fields, pairs(&[("RSN", "T PUR/C   ATN/X")]));
}

#[test]
fn of_a_response_nothing_is_lost() {
    let text = response(
        "<n2:ReasonCode>T</n2:ReasonCode><nc:PersonEyeColorText>BLUE</nc:PersonEyeColorText>\
         <n2:ResponseText><![CDATA[LICENSE VALID. <>\nEND]]></n2:ResponseText>\
         <nc:Image><nc:BinaryBase64Object>\n QUJD\n REVG </nc:BinaryBase64Object></nc:Image>",
    );
    let wanted = "RSN/T\r\nPersonEyeColorText: BLUE\r\nLICENSE VALID. <>\r\nEND\r\nIMR/QUJDREVG";
    assert_eq!(String::from_utf8_lossy(&text), wanted);
}

#[test]
fn words_that_only_look_like_a_picture_are_kept() {
    for text in ["IMR/", "IMR/NOT BASE64", "IMR/ \r\nIMR/QUJD", "IMR/QUJD", "X\r\n\r\nIMR/QUJD"] {
        let message = Outbound {
            mke: b"AM",
            origin: b"AZ0000000",
            destinations: &[b"CA0190100"],
            text: Some(text.as_bytes()),
            ..Outbound::default()
        };
        let mut xml = Vec::new();
        encode(&mut xml, Dialect::NiemOut, &message);
        assert_eq!(read(&xml, Dialect::NiemOut).text, own(text), "{text}");
    }
}

#[test]
fn what_is_no_message_is_refused_where_it_goes_wrong() {
    let whole = inquiry("<n2:ReasonCode>T</n2:ReasonCode>");
    let without = |part: &str| whole.replacen(part, "", 1);
    let header = whole.find("<n2:NLETSMessageHeader>").unwrap();
    for (xml, code) in [
        ("", 201),
        ("no XML", 201),
        ("<n2:NLETS/>", 201),
        ("<NLETS/>", 201),
        (whole.strip_suffix('>').unwrap(), 201),
        (&format!("{whole}{whole}"), 201),
        (&format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{whole}"), 201),
        (&format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{whole}"), 201),
        (&whole.replace(">T<", ">&a;<"), 201),
        (&whole.replace(">T<", ">&#1;<"), 201),
        (&whole.replace(">T<", ">\u{1}<"), 201),
        (&whole.replace("n2:key=\"DQ\"", "n2:key=\"QH\""), 203),
        (&whole.replace(">DQ<", "><"), 203),
        (&whole.replace(">DQ<", ">D.Q<"), 203),
        (&whole.replace(">AZNLETS20<", ">AZ<"), 203),
        (&whole.replace(">CA0190100<", ">CA<"), 203),
        (&whole.replace(">05:36<", ">5:36<"), 203),
        (&without("<![CDATA[TSTMESSAGE]]>").replace("FieldText></", "FieldText>A.B</"), 203),
        (&without("<nh2:OriginatingORIID>AZNLETS20</nh2:OriginatingORIID>"), 203),
        (&without("<nh2:DestinationORIID>CA0190100</nh2:DestinationORIID>"), 203),
    ] {
        assert_eq!(code_of(xml).0, code, "{xml}");
    }
    let (code, offset) = code_of(&whole.replace("<n2:NLETSMessageHeader>", "<b:Header>"));
    assert_eq!((code, offset), (201, header), "an undeclared prefix");
    let latin = [whole.as_bytes(), b"\xE9"].concat();
    assert_eq!(refused(&latin, Dialect::NiemOut), (201, whole.len()));
}

#[test]
fn limits_hold_exactly() {
    let deep = |levels: usize| {
        // The body stands on the second level.
        let inside = levels - 2;
        inquiry(&format!("{}{}", "<n2:A>".repeat(inside), "</n2:A>".repeat(inside)))
    };
    let many = |count: usize| {
        let others = whole_elements(&inquiry(""));
        inquiry(&"<n2:A/>".repeat(count - others))
    };
    let wide = |count: usize| {
        let attributes: String = (0..count).map(|at| format!(" a{at}=\"\"")).collect();
        inquiry(&format!("<n2:A{attributes}/>"))
    };
    let long = |length: usize| inquiry(&format!("<n2:{}/>", "A".repeat(length)));
    for (make, limit) in [
        (&deep as &dyn Fn(usize) -> String, XML_DEPTH_MAX),
        (&many, XML_ELEMENTS_MAX),
        (&wide, XML_ATTRIBUTES_MAX),
        (&long, XML_NAME_BYTES_MAX),
    ] {
        read(make(limit).as_bytes(), Dialect::NiemOut);
        assert_eq!(code_of(&make(limit + 1)).0, 204, "{limit}");
    }
    let fields = |count| inquiry(&"<n2:ReasonCode>T</n2:ReasonCode>".repeat(count));
    assert_eq!(read(fields(128).as_bytes(), Dialect::NiemOut).fields.len(), 128);
    assert_eq!(code_of(&fields(129)).0, 204);
}

fn whole_elements(xml: &str) -> usize {
    xml.matches('<').count() - xml.matches("</").count() - xml.matches("<!").count()
}

#[test]
fn every_field_that_nlets_takes_has_an_element() {
    let catalogue = Catalogue::standard().unwrap();
    let mut keys = 0;
    for named in catalogue.iter().map(|(_, key)| key).filter(|key| &*key.system == "NLTS") {
        let bare = catalogue.find(b"", named.key.as_bytes()).and_then(|id| catalogue.key(id));
        let bare = bare.unwrap_or_else(|| panic!("{} has no form for Nlets", named.key));
        let texts: &[&[u8]] = if bare.text { &[b"TXT"] } else { &[] };
        for code in bare.fields.iter().map(AsRef::as_ref).chain(texts.iter().copied()) {
            let place = TABLE.place(bare.key.as_bytes(), code);
            assert!(place.is_some(), "{}.{}", bare.key, String::from_utf8_lossy(code));
        }
        keys += 1;
    }
    assert!(keys > 40);
}

#[test]
fn the_table_is_read_and_written_alike() {
    let rows = TABLE.rows();
    assert!(rows.len() > 80);
    for row in rows {
        let key = if row.scope == "*" { "RQ" } else { &row.scope };
        assert!(row.path.starts_with('/') && !row._source.is_empty(), "{row:?}");
        if row.kind == Kind::Body {
            assert!(row.path.starts_with("/n2:NLETS") && row.path.ends_with("Data"), "{row:?}");
            continue;
        }
        let found = TABLE.find(key, &row.path).unwrap();
        assert_eq!(found.field, row.field, "{row:?}");
    }
}

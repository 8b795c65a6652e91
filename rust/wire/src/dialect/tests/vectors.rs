//! Messages of the published documents, with synthetic people.

use super::*;

#[test]
fn clets_vehicle_inquiry() {
    let bytes =
        b"A0190001.REF0000001.U000123.IV.4A.CA0190100.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP";
    let fields = pairs(&[("LIC", "1ABC234"), ("LIS", "CA"), ("CAP", "C"), ("RSN", "TRAFFIC STOP")]);
    let wanted = Plain {
        system: own("IV"),
        mke: own("4A"),
        origin: own("CA0190100"),
        reference: own("REF0000001"),
        user: own("U000123"),
        station: own("A0190001"),
        fields,
        ..Plain::default()
    };
    assert_eq!(read(bytes, Dialect::Clets), wanted);
    let envelope = decode(bytes, Dialect::Clets).unwrap();
    assert_eq!(envelope.field(bytes, b"LIS"), Some(b"CA".as_slice()));
    assert_eq!(envelope.field(bytes, b"VIN"), None);
    assert!(!envelope.is_repeated(bytes, b"CAP"));
}

#[test]
fn clets_out_of_state() {
    let found =
        read(b"A0190001.REF1.U000123.NLTS.RQ.CA0190100.AZ.LIC/ABC123.LIS/AZ", Dialect::Clets);
    assert_eq!((found.system, found.mke), (own("NLTS"), own("RQ")));
    assert_eq!(found.destinations, list(&["AZ"]));
    assert_eq!(found.fields, pairs(&[("LIC", "ABC123"), ("LIS", "AZ")]));
}

#[test]
fn clets_administrative_message() {
    let bytes =
        b"A0190001.REF1.U000123.AM.CA0190100.B0380001,GBAY.TXT\r\nfree text. LIC/NOT A FIELD\r\n";
    let found = read(bytes, Dialect::Clets);
    assert_eq!((found.system, found.mke), (None, own("AM")));
    assert_eq!(found.destinations, list(&["B0380001", "GBAY"]));
    assert_eq!(found.text, own("free text. LIC/NOT A FIELD\r\n"));
    assert!(found.fields.is_empty());
}

#[test]
fn clets_federal_only() {
    let found = read(b"A0190001.REF1.U1.IH.R.QH.CA0190100.NAM/DOE,JOHN.PUR/C", Dialect::Clets);
    assert_eq!((found.system, found.mke), (own("IH"), own("QH")));
    assert!(found.federal_only);
}

#[test]
fn clets_sample_of_dmpp() {
    let bytes = b"XX048063Y.KAVA85880.1234567.QW.TX0100000.NAM/RECORD,TEST.DOB/19430504";
    let found = read(bytes, Dialect::Clets);
    assert_eq!((found.station, found.reference), (own("XX048063Y"), own("KAVA85880")));
    assert_eq!((found.user, found.mke), (own("1234567"), own("QW")));
    assert_eq!(found.fields, pairs(&[("NAM", "RECORD,TEST"), ("DOB", "19430504")]));
}

#[test]
fn clets_reply_and_unsolicited() {
    let bytes = b"A0190001...IR.AZ0000000.CA0190100.TXT\r\nNO RECORD\r\n\x03";
    let found = read(bytes, Dialect::Clets);
    assert_eq!((found.system, found.mke), (None, own("IR")));
    assert_eq!((found.reference, found.user), (None, None));
    assert_eq!(found.destinations, list(&["CA0190100"]));
    assert_eq!(found.text, own("NO RECORD\r\n\x03"));
}

#[test]
fn clets_key_that_looks_like_a_system() {
    let found = read(b"S.R.U.IV.R.CA0190100.LIC/1", Dialect::Clets);
    assert_eq!((found.system, found.mke, found.federal_only), (own("IV"), own("R"), false));
    let found = read(b"S.R.U.IV.CA0190100.LIC/1", Dialect::Clets);
    assert_eq!((found.system, found.mke), (None, own("IV")));
}

#[test]
fn clets_endings() {
    let found = read(b"S.R.U.AM.CA0190100.TXT", Dialect::Clets);
    assert_eq!(found.text, own(""));
    let found = read(b"S.R.U.AM.CA0190100.TXT\r\n", Dialect::Clets);
    assert_eq!(found.text, own(""));
    let found = read(b"S.R.U.4A.CA0190100.LIC/1\r\n\x03", Dialect::Clets);
    assert_eq!(found.fields, pairs(&[("LIC", "1")]));
    let found = read(b"S.R.U.4A.CA0190100\r\n", Dialect::Clets);
    assert_eq!((found.origin, found.text), (own("CA0190100"), None));
    let found = read(b"S.R.U.AM.CA0190100.TXT,AZ.MIS/1", Dialect::Clets);
    assert_eq!(found.destinations, list(&["TXT", "AZ"]));
}

#[test]
fn periods_within_free_text() {
    let found = read(b"S.R.U.4A.CA0190100.RSN/ST. JAMES V. DOE.LIC/1", Dialect::Clets);
    assert_eq!(found.fields, pairs(&[("RSN", "ST. JAMES V. DOE"), ("LIC", "1")]));
    let found = read(b"QW.CA0190100.NAM/DOE,J.MIS/A..B. C", Dialect::NcicIn);
    assert_eq!(found.fields, pairs(&[("NAM", "DOE,J"), ("MIS", "A..B. C")]));
    let found = read(b"QW.CA0190100.NAM/DOE.pur/c", Dialect::NcicIn);
    assert_eq!(found.fields, pairs(&[("NAM", "DOE"), ("pur", "c")]));
}

#[test]
fn repeated_fields_are_told() {
    let bytes = b"S.R.U.4A.CA0190100.CAP/C.LIC/1.CAP/I";
    let envelope = decode(bytes, Dialect::Clets).unwrap();
    assert!(envelope.is_repeated(bytes, b"CAP") && !envelope.is_repeated(bytes, b"LIC"));
    assert_eq!(envelope.field(bytes, b"CAP"), Some(b"C".as_slice()));
}

#[test]
fn clets_refusals() {
    for (text, code, offset) in [
        ("", 203, 0),
        ("S", 201, 1),
        ("S.R", 201, 3),
        ("S.R.U", 201, 5),
        ("S.R.U.4A", 201, 8),
        ("S.R.U.IV.4A", 201, 11),
        ("S.R.U.IH.R.QH", 201, 13),
        (".R.U.4A.CA0190100", 203, 0),
        ("TOOLONGSTATION.R.U.4A.CA0190100", 203, 0),
        ("S T.R.U.4A.CA0190100", 203, 0),
        ("S.REFERENCEOFTWENTYONECH.U.4A.CA0190100", 203, 2),
        ("S.R.U.4A.CA01901", 203, 9),
        ("S.R.U.4A.CA019010-", 203, 9),
        ("S.R.U.TOOLONG.CA0190100", 203, 6),
        ("S.R.U..CA0190100", 203, 6),
        ("S.R.U.4A.CA0190100.", 202, 19),
        ("S.R.U.4A.CA0190100.AZ.", 202, 22),
        ("S.R.U.4A.CA0190100.AZ,,NV", 202, 22),
        ("S.R.U.4A.CA0190100.AZ.NV", 202, 22),
        ("S.R.U.4A.CA0190100.LICENSE/1", 202, 19),
        ("S.R.U.4A.CA0190100.LIC/.LIS/CA", 202, 23),
        ("S.R.U.4A.CA0190100.LIC/1.LIS/", 202, 29),
        ("S.R.U.4A.CA0190100.LIC/1.", 202, 24),
        ("S.R.U.4A.CA0190100.TXT\ntext", 201, 22),
        ("S.R.U.4A.CA0190100.TXT.LIC/1", 201, 22),
        ("S.R.U.4A.CA0190100.AZ.TXT text", 201, 25),
    ] {
        assert_eq!(refused(text.as_bytes(), Dialect::Clets), (code, offset), "`{text}`");
    }
    let error = decode(b"S.R", Dialect::Clets).unwrap_err();
    let wanted = "E201 at offset 3: expected a user id of at most 30 visible characters";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn ncic_inquiry() {
    let found = read(b"QW.TX0100000.NAM/RECORD,TEST.DOB/19430504", Dialect::NcicIn);
    assert_eq!((found.control, found.mke), (None, own("QW")));
    let found =
        read(b"1N01GACCMSUSAABCDEF.QV.CA0190100.LIC/1TEST11.LIS/CA\r\n\x03", Dialect::NcicIn);
    assert_eq!((found.control, found.mke), (own("GACCMSUSAABCDEF"), own("QV")));
    assert_eq!(found.origin, own("CA0190100"));
    assert_eq!(found.fields, pairs(&[("LIC", "1TEST11"), ("LIS", "CA")]));
}

#[test]
fn ncic_inquiry_refusals() {
    for (text, code, offset) in [
        ("1N01.QV.CA0190100.LIC/1", 203, 4),
        ("1N01SIXTEENCHARSLONG.QV.CA0190100.LIC/1", 203, 4),
        ("1N01X", 201, 5),
        ("QV", 201, 2),
        ("QV.CA0190100", 201, 12),
        ("QV.CA0190100.", 202, 13),
        ("QV.CA0190100.LIC/1.", 202, 18),
        ("QV.CA0190100.1IC/1", 202, 13),
        ("QV.CA0190100.L/1", 202, 13),
    ] {
        assert_eq!(refused(text.as_bytes(), Dialect::NcicIn), (code, offset), "`{text}`");
    }
}

#[test]
fn ncic_reply() {
    let bytes = b"1L01GACCMSUSAABCDEF\r\nCA0190000\r\n\r\nNO RECORD LIC/1TEST11\r\n LIS/CA\r\n";
    let found = read(bytes, Dialect::NcicOut);
    assert_eq!((found.control, found.mke), (own("GACCMSUSAABCDEF"), None));
    assert_eq!(found.destinations, list(&["CA0190000"]));
    assert_eq!(found.text, own("NO RECORD LIC/1TEST11\r\n LIS/CA\r\n"));
    let found = read(b"1L01X\r\nCA0190000\r\nTEXT", Dialect::NcicOut);
    assert_eq!(found.text, own("TEXT"));
    for (text, code, offset) in [
        ("1N01X\r\nCA0190000\r\n", 201, 0),
        ("1L01\r\nCA0190000\r\n", 203, 4),
        ("1L01X\nCA0190000\r\n", 203, 4),
        ("1L01X\rCA0190000\r\n", 201, 5),
        ("1L01X\r\nCA01900\r\n", 203, 7),
        ("1L01X\r\nCA0190000", 201, 16),
    ] {
        assert_eq!(refused(text.as_bytes(), Dialect::NcicOut), (code, offset), "`{text:?}`");
    }
}

#[test]
fn nlets_inquiry() {
    let found = read(b"RQ.AZNLETS20.AZ.TXT\r\nLIC/123456.LIT/PC", Dialect::NletsIn);
    assert_eq!((found.mke, found.origin), (own("RQ"), own("AZNLETS20")));
    assert_eq!(found.destinations, list(&["AZ"]));
    assert_eq!(found.fields, pairs(&[("LIC", "123456"), ("LIT", "PC")]));
    let found = read(b"KQ.AZNLETS20.AZ.TXT\r\nOLN/D11111111", Dialect::NletsIn);
    assert_eq!(found.fields, pairs(&[("OLN", "D11111111")]));
    let found = read(b"AM.AZNLETS20.NLNLEUPDT.TXT\r\nNEW HELP MESSAGE", Dialect::NletsIn);
    assert_eq!(found.text, own("NEW HELP MESSAGE"));
    let found = read(b"DQ.CA0190100.AZ,NV,OR0260200.*MRI3718976.TXTOLN/1", Dialect::NletsIn);
    assert_eq!(found.control, own("MRI3718976"));
    assert_eq!(found.destinations, list(&["AZ", "NV", "OR0260200"]));
    assert_eq!(found.fields, pairs(&[("OLN", "1")]));
}

#[test]
fn nlets_bodies() {
    for (body, fields, text) in [
        ("\r\n\x7FLIC/1", &[("LIC", "1")][..], None),
        ("LIC/1\r\n", &[("LIC", "1")], None),
        ("\r\nLIC/1.", &[], Some("LIC/1.")),
        ("\r\nLIC/1.PLEASE", &[], Some("LIC/1.PLEASE")),
        ("\r\nLIC/.LIS/AZ", &[], Some("LIC/.LIS/AZ")),
        ("\r\n", &[], Some("")),
        ("", &[], Some("")),
        ("\r\n\r\n", &[], Some("\r\n")),
    ] {
        let bytes = format!("RQ.CA0190100.AZ.TXT{body}");
        let found = read(bytes.as_bytes(), Dialect::NletsIn);
        assert_eq!(found.fields, pairs(fields), "{body:?}");
        assert_eq!(found.text, text.and_then(own), "{body:?}");
    }
    for key in ["AM", "AML", "AQ", "ER", "LQ", "SM"] {
        let bytes = format!("{key}.CA0190100.AZ.TXT\r\nNAM/DOE");
        assert_eq!(read(bytes.as_bytes(), Dialect::NletsIn).text, own("NAM/DOE"));
    }
}

#[test]
fn nlets_inquiry_refusals() {
    for (text, code, offset) in [
        ("", 203, 0),
        ("RQ", 201, 2),
        ("RQ.CA0190100", 201, 12),
        ("RQ.CA0190100.AZ", 201, 15),
        ("RQ.CA0190100.AZ.LIC/1", 201, 16),
        ("RQ.CA0190100..TXT", 202, 13),
        ("RQ.CA0190100.AZ,N.TXT", 202, 16),
        ("RQ.CA0190100.AZ.*.TXT", 203, 17),
        ("RQ.CA0190100.AZ.*CONTROLOFTWENTYONECHA.TXT", 203, 17),
        ("RQ.CA0190100.AZ.*C", 201, 18),
    ] {
        assert_eq!(refused(text.as_bytes(), Dialect::NletsIn), (code, offset), "`{text}`");
    }
}

const REPLY: &str = "RR.ILLIC0000\r\n05:35 01/08/2004 03911\r\n05:35 01/08/2004 01326 TX0000000\r\n\
    *MRI3718976\r\nTXT\r\nREGISTERED OWNER. NONE\r\n";

#[test]
fn nlets_reply() {
    let found = read(REPLY.as_bytes(), Dialect::NletsOut);
    let stamp = |at: &str, count: &str| Some((at.as_bytes().to_vec(), count.as_bytes().to_vec()));
    let wanted = Plain {
        mke: own("RR"),
        origin: own("ILLIC0000"),
        destinations: list(&["TX0000000"]),
        control: own("MRI3718976"),
        text: own("REGISTERED OWNER. NONE\r\n"),
        received: stamp("05:35 01/08/2004", "03911"),
        sent: stamp("05:35 01/08/2004", "01326"),
        ..Plain::default()
    };
    assert_eq!(found, wanted);
    let plain = REPLY.replace("*MRI3718976\r\n", "");
    assert_eq!(read(plain.as_bytes(), Dialect::NletsOut).control, None);
    // CITE: the fixed part behind `RR.` has 69 bytes.
    let fixed = plain.find("TXT").unwrap() - "RR.".len();
    assert_eq!(fixed, 69);
}

#[test]
fn nlets_reply_refusals() {
    for (from, to, code, offset) in [
        ("ILLIC0000\r\n", "ILLIC0000", 203, 3),
        ("ILLIC0000", "ILLIC0000.AZ", 201, 12),
        ("05:35 01/08/2004 03911", "05:35 01/08/2004 3911", 203, 14),
        ("05:35 01/08/2004 03911", "5:35  01/08/2004 03911", 203, 14),
        ("01326 TX0000000", "01326TX0000000", 201, 60),
        ("TX0000000", "TX000000", 203, 61),
        ("*MRI3718976", "*", 203, 73),
        ("\r\nTXT\r\n", "\r\nTXT ", 201, 85),
        ("\r\nTXT\r\n", "\r\n", 201, 85),
    ] {
        let bytes = REPLY.replacen(from, to, 1);
        assert_eq!(refused(bytes.as_bytes(), Dialect::NletsOut), (code, offset), "{to:?}");
    }
}

#[test]
fn counts_wrap_at_five_digits() {
    let mut out = Vec::new();
    let stamp = Some((b"23:59 12/31/2026".as_slice(), 1_200_034));
    let message = Outbound {
        mke: b"RR",
        origin: b"AZ0000000",
        destinations: &[b"CA0190100"],
        text: Some(b"X"),
        received: stamp,
        ..Outbound::default()
    };
    encode(&mut out, Dialect::NletsOut, &message);
    let found = read(&out, Dialect::NletsOut);
    assert_eq!(found.received.unwrap().1, b"00034");
    assert_eq!(found.sent.unwrap().1, b"00000");
}

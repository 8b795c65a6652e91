"""What the conformance corpus is made of: field values, and which keys carry which fields.

Every person, plate, number and agency here is invented. A row of a table is
``family  [SYSTEM.]KEY  fields`` with several sets of fields divided by ``;``; ``-`` is none, and
``"…"`` at the end a free text.
"""

from __future__ import annotations

from typing import Final

# Legal values by field code; the generator takes them in turn.
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "AGE": ("34", "61"),
    "ATN": ("DET SAMPLE 0042", "OFC TEST/PATROL"),
    "BHN": ("TESTHULL00001", "XYZ12345A606"),
    "BMA": ("BAYLINER", "SEARAY"),
    "BRA": ("SONY", "TREK"),
    "BRD": ("N", "Y"),
    "BYR": ("2004", "2018"),
    "CAG": ("SAMPLE PD",),
    "CAL": ("9", "45", "38"),
    "CAP": ("C", "C", "I"),
    "CDC": ("T00001", "T99999"),
    "CII": ("A00000001", "A99999999"),
    "CMC": ("00", "05"),
    "CNA": ("CLERK TEST",),
    "CON": ("Y", "N", "I", "E"),
    "CYA": ("Y00001",),
    "DCL": ("20261015",),
    "DEN": ("100", "5000"),
    "DLC": ("20260921",),
    "DOB": ("19800229", "19430504", "20011231"),
    "DOC": ("20261016",),
    "DOR": ("20261014",),
    "DOT": ("20260930",),
    "DOW": ("20250611",),
    "ENS": ("Y",),
    "EXL": ("1", "4"),
    "EXP": ("20291231", "NONEXP"),
    "EYE": ("BRO", "BLU"),
    "FBI": ("000000AA0", "1234567"),
    "FCN": ("1902600000001", "3412699999999"),
    "GNG": ("SAMPLE SET",),
    "HAI": ("BLK", "GRY"),
    "HGT": ("510", "602"),
    "HIT": ("10",),
    "HRS": ("02",),
    "IMN": ("0000000001",),
    "IMQ": ("Y",),
    "ISD": ("20260101",),
    "ISS": ("SAMPLE BANK",),
    "LIC": ("1ABC234", "7XYZ001", "TEST123", "8TST999"),
    "LIS": ("CA", "AZ", "NV", "OR"),
    "LIT": ("PC", "TK", "MC", "TL"),
    "LIY": ("2027", "NX"),
    "MAK": ("SW", "GLC", "RUG"),
    "MIS": ("SEEN NR. 5TH ST. BRIDGE", "DO NOT STOP, ADVISE ONLY", "REF. CASE 12/34"),
    "MNU": ("PP-000000001", "OA-123456"),
    "MOD": ("G17", "MODEL 10"),
    "NAM": ("DOE,JOHN", "RECORD,TEST A", "O'SAMPLE,ANN-MARIE", "ROE,JANE Q"),
    "NIC": ("W000000001", "V123456789", "G999999999"),
    "NOA": ("Y",),
    "OAN": ("OWNED-0001", "TEST77"),
    "OCA": ("26-000123", "TESTCASE4", "2026/11/0001"),
    "OFF": ("1399", "5499"),
    "OLN": ("T0000001", "D11111111"),
    "OLS": ("CA", "NV"),
    "OLY": ("2029",),
    "ORI": ("CA0190100", "TX0000000"),
    "OWN": ("SAMPLE,OWNER",),
    "PHO": ("5555550100",),
    "PNO": ("PO-26-0001",),
    "POB": ("CA", "MM"),
    "PRI": ("U", "R"),
    "PUR": ("C", "J", "F"),
    "RAC": ("W", "B", "U"),
    "RAG": ("SAMPLE COUNTY SO",),
    "RCA": ("26-777",),
    "REG": ("CF0000AA", "AZ1234"),
    "REM": ("PLS CONFIRM. SUBJ IN CUSTODY",),
    "RES": ("CA", "AZ"),
    "REY": ("2026",),
    "RNA": ("DISPATCHER TEST",),
    "RNO": ("1", "2", "3"),
    "RSH": ("Y", "N"),
    "RSN": ("TRAFFIC STOP", "INVESTIGATION NO. 7"),
    "RTY": ("SV", "WP", "SG"),
    "SER": ("TEST0001", "ZZ99887"),
    "SEX": ("M", "F", "U"),
    "SID": ("CA00000001", "AZ123456"),
    "SKN": ("FAR", "DRK"),
    "SMT": ("TAT L ARM", "SC FHD"),
    "SOC": ("000000001", "000129999"),
    "TYP": ("GTELEVI", "PI", "BBICYCL"),
    "UNN": ("1203", "1017"),
    "VCO": ("BLU", "WHI/BLK"),
    "VIN": ("1TESTVIN0000000A1", "TST99"),
    "VMA": ("FORD", "HOND"),
    "VMO": ("CIV", "F15"),
    "VST": ("4D", "PK"),
    "VYR": ("2019", "1998"),
    "WGT": ("185", "130"),
}

# To the state's systems, from an agency's line.
STATE: Final = """
vehicle      IA.QV    LIC LIS ; VIN VMA ; FCN ; OAN ; SER ; LIC LIS LIY LIT CAP RSN
vehicle      IA.QVK   VIN ; VIN VMA CAP RSN
boat         IA.QB    REG ; BHN ; SER ; FCN ; OAN CAP RSN
vehicle      IA.EV    LIC LIS LIY LIT VIN VMA VYR VMO VST VCO DOT OCA MIS
vehicle      IA.EF    LIC LIS LIY LIT DOT OCA MIS
vehicle      IA.EL    LIC LIS LIY LIT DOT OCA
vehicle      IA.EP    OAN DOT OCA MIS
vehicle      IA.MV    FCN VCO ; NIC OCA MIS
vehicle      IA.LV    FCN DOR RAG RCA ; LIC LIS OCA DOR
vehicle      IA.CV    FCN DCL RCA ; NIC OCA DCL
vehicle      IA.XV    FCN DOC ; NIC OCA DOC
boat         IA.EB    REG RES REY BHN BMA BYR DOT OCA MIS
boat         IA.MB    FCN BMA
boat         IA.LB    FCN DOR RAG
boat         IA.CB    FCN DCL
boat         IA.XB    FCN DOC
protection   IB.QRR   NAM SEX DOB ; FCN ; NAM SEX RAC DOB HGT WGT EYE HAI CAP RSN
protection   IB.QRRH  NAM SEX DOB CAP RSN
protection   IB.QRP   NAM SEX
protection   IB.QPO   NAM DOB ; NIC
protection   IB.EPO   NAM SEX RAC DOB PNO BRD ISD EXP OCA MIS
protection   IB.ETO   NAM SEX RAC DOB PNO ISD EXP OCA
protection   IB.MPO   FCN EXP
protection   IB.CPO   FCN DCL
protection   IB.XPO   FCN DOC
driver       ID.L1    OLN ; OLN OLS IMQ CAP RSN
wanted       IE.WRM   NAM SEX DOB ; OLN ; CII ; SOC
gun          IG.QG    SER CAL MAK ; FCN ; NAM
gun          IG.QGB   SER CAL MAK TYP CAP RSN
gun          IG.QGH   SER MAK CAL ; NAM DOB SEX ; CII
gun          IG.EG    SER CAL MAK MOD TYP DOT OCA
gun          IG.EL    SER CAL MAK DOT OCA MIS
gun          IG.EF    SER CAL MAK OCA
gun          IG.ER    SER CAL MAK OCA MIS
gun          IG.MG    FCN MOD
gun          IG.LG    FCN DOR RAG
gun          IG.CG    NIC OCA DCL
gun          IG.XG    FCN DOC
history      IH.QHA   NAM SEX DOB CAP PUR ATN
history      IH.QH    NAM SEX RAC DOB PUR ATN ; CII PUR ATN ; FBI PUR ATN
history      IH.QHC   CII PUR ATN OCA
history      IH.QHN   SOC PUR ATN ; OLN OLS PUR ATN
history      IH.QHY   CII PUR ATN
history      IH.QR    FBI PUR ATN
security     IJ.QS    SER TYP DEN
gang         IJ.QGG   GNG
gang         IJ.QGM   NAM SEX DOB
security     IJ.ES    TYP SER DEN ISS OWN DOT OCA
security     IJ.MS    FCN OWN
security     IJ.LS    FCN DOR
security     IJ.CS    FCN DCL
security     IJ.XS    FCN DOC
vehicle      IL.A1    LIC
occupational IL.A6    OLN ; NAM
missing      IM.QM    NAM SEX ; FCN ; SEX RAC HGT WGT EYE HAI ; LIC LIS
missing      UM.QM    NAM SEX DOB
missing      IM.EMD   NAM SEX RAC DOB HGT WGT EYE HAI DLC OCA MIS
missing      IM.EME   NAM SEX RAC DOB HGT WGT EYE HAI SMT DLC OCA LIC LIS MIS
missing      IM.EMI   NAM SEX RAC DOB DLC OCA
missing      IM.EMJ   NAM SEX RAC DOB DLC OCA MIS
missing      IM.EMV   NAM SEX DLC OCA
missing      IM.EMO   NAM SEX DOB DLC OCA
missing      IM.MM    FCN SMT
missing      IM.LM    FCN DOR RAG
missing      IM.CM    FCN DCL RCA
missing      IM.XM    FCN DOC
driver       IN.L1    NAM DOB ; NAM
article      IP.QA    SER TYP BRA ; OAN TYP
article      IP.QAN   NAM
article      IP.EA    TYP SER BRA MOD DOT OCA
article      IP.MA    FCN MOD
article      IP.LA    FCN DOR
article      IP.CA    FCN DCL
article      IP.XA    FCN DOC
supervision  IR.QVC   NAM DOB ; OLN ; CII ; SOC
vehicle      IV.4A    LIC LIS CAP RSN ; LIC CAP RSN ; VIN
boat         IV.4B    REG ; BHN
vehicle      IV.4C    LIC LIT
vehicle      IV.4E    LIC LIT
vehicle      IV.4F    LIC
vehicle      IV.4H    LIC
vehicle      IV.4I    LIC LIS
vehicle      IV.4K    LIC
vehicle      IV.4L    LIC
vehicle      IV.4M    LIC LIT
vehicle      IV.4P    LIC
vehicle      IV.4S    LIC
vehicle      IV.4T    LIC LIT
vehicle      IV.4V    VIN VMA VYR
wanted       IW.QW    NAM SEX DOB ; CII ; FBI ; FCN ; NIC ; OLN ; SOC ; OCA
wanted       IW.EW    NAM SEX RAC DOB HGT WGT EYE HAI OFF DOW OCA EXL CMC MIS
wanted       IW.EWJ   NAM SEX RAC DOB OFF DOW OCA MIS
wanted       IW.ET    NAM SEX RAC DOB OFF OCA
wanted       IW.MW    FCN EXL
wanted       IW.LW    FCN DOR RAG RCA MIS
wanted       IW.CW    FCN DCL
wanted       IW.XW    FCN DOC
wanted       IW.EN    FCN NAM DOB SOC
wanted       IW.XN    FCN DOC
registrant   IX.QSA   NAM SEX ; CII ; CDC ; CYA ; LIC LIS ; SOC
prohibited   IY.QYP   NAM DOB ; NAM AGE
prohibited   IY.QYN   MNU
prohibited   IY.QYG   SER CAL MAK
prohibited   FQA      NAM DOB CAP RSN
"""

# To NCIC; the same keys reach it from an agency's line with the federal mark.
NATION: Final = """
vehicle      QV   LIC LIS ; VIN VMA ; NIC ; LIC LIS LIY LIT IMQ RSH
wanted       QW   NAM SEX DOB ; NAM DOB RSH ENS ; NIC ; VIN
wanted       QWA  NAM SEX DOB ; OLN OLS OLY
wanted       QWB  NAM DOB
wanted       QWI  NAM SEX RAC DOB PUR ATN
missing      QM   NAM SEX DOB ; SEX RAC HGT WGT EYE HAI
unidentified QU   SEX RAC HGT WGT EYE HAI
gun          QG   SER CAL MAK
article      QA   TYP SER ; OAN
article      QAB  TYP SER BRA
boat         QB   REG ; BHN
security     QS   TYP SER DEN ; OWN
protection   QPO  NAM SEX DOB ; NIC
gang         QGG  GNG
gang         QGM  NAM SEX DOB
registrant   QXS  NAM SEX DOB
identity     QID  NAM DOB ; SOC
image        QII  IMN ; NIC
history      QH   NAM SEX RAC DOB PUR ATN ; FBI PUR ATN
history      QR   FBI PUR ATN ; SID PUR ATN
history      ZR   FBI PUR ATN
directory    QO   ORI
directory    ZO   ORI
vehicle      EV   LIC LIS LIY LIT VIN VMA VYR VMO VST VCO DOT OCA NOA MIS
vehicle      EF   LIC LIS LIY LIT DOT OCA MIS
vehicle      EL   LIC LIS LIY LIT DOT OCA
vehicle      EP   OAN DOT OCA
vehicle      MV   NIC OCA VCO
vehicle      LV   NIC OCA DOR RAG RCA
vehicle      CV   NIC OCA DCL
vehicle      XV   NIC OCA DOC
wanted       EW   NAM SEX RAC DOB HGT WGT EYE HAI SKN SMT OFF DOW OCA EXL CMC NOA MIS
wanted       EWJ  NAM SEX RAC DOB HGT WGT OFF DOW OCA
wanted       ET   NAM SEX RAC DOB OFF OCA MIS
wanted       MW   NIC OCA EXL ; NAM OCA MIS
wanted       LW   NIC OCA DOR RAG RCA MIS
wanted       CW   NIC OCA DCL
wanted       XW   NIC OCA DOC
wanted       EN   NIC OCA NAM DOB SOC
wanted       XN   NIC OCA DOC
missing      EMD  NAM SEX RAC DOB HGT WGT DLC OCA MIS
missing      EME  NAM SEX RAC DOB HGT WGT DLC OCA
missing      EMI  NAM SEX RAC DOB DLC OCA
missing      EMJ  NAM SEX RAC DOB DLC OCA
missing      EMV  NAM SEX RAC DLC OCA
missing      EMO  NAM SEX RAC DOB DLC OCA
missing      MM   NIC OCA SMT
missing      LM   NIC OCA DOR RAG
missing      CM   NIC OCA DCL
missing      XM   NIC OCA DOC
unidentified EUD  SEX RAC HGT WGT EYE HAI OCA MIS
unidentified EUL  SEX RAC EYE HAI OCA
unidentified EUV  SEX RAC OCA MIS
unidentified MU   NIC OCA SMT
unidentified CU   NIC OCA DCL
unidentified XU   NIC OCA DOC
gun          EG   SER CAL MAK MOD TYP DOT OCA
gun          EL   SER CAL MAK DOT OCA
gun          EF   SER CAL MAK OCA
gun          ER   SER CAL MAK OCA
gun          MG   NIC OCA MOD
gun          LG   NIC OCA DOR
gun          CG   NIC OCA DCL
gun          XG   NIC OCA DOC
article      EA   TYP SER BRA MOD DOT OCA
article      MA   NIC OCA MOD
article      LA   NIC OCA DOR
article      CA   NIC OCA DCL
article      XA   NIC OCA DOC
boat         EB   REG RES REY BHN BMA BYR DOT OCA
boat         MB   NIC OCA BYR
boat         LB   NIC OCA DOR
boat         CB   NIC OCA DCL
boat         XB   NIC OCA DOC
security     ES   TYP SER DEN ISS OWN DOT OCA
security     MS   NIC OCA OWN
security     LS   NIC OCA DOR
security     CS   NIC OCA DCL
security     XS   NIC OCA DOC
protection   EPO  NAM SEX RAC DOB PNO BRD ISD EXP OCA
protection   ETO  NAM SEX RAC DOB PNO ISD EXP OCA
protection   MPO  NIC OCA EXP
protection   CPO  NIC OCA DCL
protection   XPO  NIC OCA DOC
gang         EGG  GNG OCA MIS
gang         MGG  NIC OCA MIS
gang         CGG  NIC OCA DCL
gang         XGG  NIC OCA DOC
gang         EGM  NAM SEX RAC DOB GNG OCA
gang         MGM  NIC OCA GNG
gang         CGM  NIC OCA DCL
gang         XGM  NIC OCA DOC
registrant   EXS  NAM SEX RAC DOB OCA
registrant   MXS  NIC OCA SMT
registrant   CXS  NIC OCA DCL
registrant   XXS  NIC OCA DOC
supervision  EC   NAM SEX RAC DOB EXP OCA
supervision  MC   NIC OCA EXP
supervision  LC   NIC OCA DOR RAG
supervision  CC   NIC OCA DCL
supervision  XC   NIC OCA DOC
identity     EID  NAM SEX RAC DOB OCA MIS
identity     MID  NIC OCA MIS
identity     CID  NIC OCA DCL
identity     XID  NIC OCA DOC
image        EIM  NIC IMN
image        MIM  IMN MIS
image        XIM  IMN
"""

# To Nlets, behind the members or ORIs in front of `>`.
MEMBERS: Final = """
vehicle      RQ   AZ > LIC LIS LIY LIT ; AZ,NV > VIN VMA VYR ; AZ,NV,OR,WA,ID > LIC LIS
vehicle      RQ   NL > LIC LIT
vehicle      RQG  H1 > LIC LIY LIT
vehicle      RNQ  NV > NAM DOB
vehicle      RPQ  OR > LIC VMA VYR
driver       DQ   AZ > OLN ; NV > NAM DOB SEX ; TX > NAM DOB SEX IMQ
driver       DQG  H1 > NAM DOB SEX
driver       DNQ  UT > NAM
driver       KQ   AZ > OLN PUR ATN ; OR > NAM DOB SEX PUR ATN
boat         BQ   AZ > REG ; NV > BHN ; OR > NAM DOB
snowmobile   SQ   ID > REG ; MT > VIN
hazard       MQ   OH > UNN ; OH > NAM
aircraft     GQ   OK > REG ; OK > SER
history      IQ   AZ > NAM SEX RAC DOB PUR ATN ; NV,OR > NAM SEX DOB PUR ATN
history      FQ   AZ > SID PUR ATN
history      AQ   AZ > "PUR/C.ATN/DET SAMPLE\\r\\nSEND THE FILM. THANK YOU."
hit          YQ   AZ0000000 > RTY RNO PRI OCA NIC LIC LIS RNA RAG PHO REM
hit          YQ   AZ0000000,NV0000000 > RTY RNO PRI OCA NIC NAM DOB SEX RNA
hit          YR   CA0190100 > RTY RNO OCA NIC CON RNA ; CA0190100 > RTY OCA NIC HRS CAG CNA
message      AM   AZ > "OFFICER SAFETY\\r\\nTEST MESSAGE. REFER CA0190100."
message      AM   AZ,NV,OR > "BOLO WHITE TEST VEHICLE LIC/NONE"
message      AM   CN > "ATTN ALL CANADA. TEST"
message      AML  AZ0000000 > "LAW ENFORCEMENT ONLY"
message      AA   H1 > "AMBER ALERT TEST ONLY"
message      AM   NLNLEHELP > "HELP"
message      AM   NLNLEUPDT > "NEW HELP MESSAGE"
message      AM   NLNLEAPND > "ONE MORE LINE"
message      AM   NLNLECNCL > "CANCEL"
supervision  PPQ  AZ > NAM DOB SEX
supervision  PBQ  NV > NAM DOB SEX RAC
supervision  PCQ  OR > SID PUR ATN
supervision  PAQ  TX > NAM DOB SOC
supervision  CPQ  TX > SID
wanted       SWQ  NV > NAM DOB SEX
immigration  IAQ  VTINS07S0 > NAM DOB SEX POB PUR ATN
article      CAQ  CN > SER TYP BRA RSN
boat         CBQ  CN > REG RSN
gun          CGQ  CN > SER CAL MAK RSN
security     CSQ  CN > SER DEN RSN
driver       UQ   ON > OLN RSN ; BC > NAM DOB SEX RSN
vehicle      VQ   BC > LIC LIS RSN
wanted       WQ   CN > NAM DOB SEX RSN
vehicle      XQ   CN > VIN RSN
carrier      ACQ  TN > OLN
carrier      AVQ  TN > VIN ; TN > LIC LIS
alarm        ALQ  NV > "ALARM AT 1 TEST ST"
charges      CCQ  AZ > OFF
insurance    NAQ  NA > VIN
insurance    NIQ  NA > LIC LIS
insurance    NCI  NA > VIN VYR VMA
insurance    NEI  NA > VIN
insurance    SVQ  NA > LIC LIS ; NA > VIN
directory    TQ   OD > ORI
directory    TA   OD > ORI NAM PHO
directory    TU   OD > ORI PHO
directory    TD   OD > ORI
missing      MPQ  AZ > NAM DOB
message      LQ   AZ > "ANY AGREED TEXT. LIC/1ABC234"
log          NLQ  NL > NAM
log          NFQ  NL > MNU
reader       LPQ  AZ > LIC LIS
weather      HQ   NV > "ROUTE 50"
status       SM   CN > "TEMPORARILY OUT OF SERVICE UNTIL 1400 PST"
"""

# From Nlets: key, sender, then a text, or fields after `>`.
ANSWERS: Final = """
vehicle      RR   AZ0000000 "TXT MAY STAND HERE. LIC/1ABC234 REGISTERED TO DOE,JOHN"
vehicle      RR   NV0000000 "NO RECORD LIC/7XYZ001"
vehicle      RNR  NV0000000 "NO RECORD NAM/DOE,JOHN"
vehicle      RPR  OR0000000 "3 CANDIDATES\\r\\n1 TST001\\r\\n2 TST002"
driver       DR   AZ0000000 "LICENCE OLN/D11111111 VALID\\r\\nEXPIRES 20291231"
driver       DRG  ID0000000 "NO RECORD"
driver       DNR  UT0000000 "DOE,JOHN 1980"
driver       KR   AZ0000000 "NO CONVICTIONS ON FILE"
boat         BR   AZ0000000 "BOAT REG/AZ1234 2004 BAYLINER"
snowmobile   SR   ID0000000 "NO RECORD"
hazard       MR   OH0000000 "UN 1203 GASOLINE. KEEP UPWIND."
aircraft     GR   OK0000000 "N-NUMBER NOT ASSIGNED"
history      IR   AZ0000000 "RECORD SID/AZ123456 NAM/DOE,JOHN"
history      FR   AZ0000000 "CRIMINAL HISTORY RECORD\\r\\nTHIS RECORD IS A TEST"
history      AR   AZ0000000 "SENT BY MAIL"
history      CR   DCFBIWA00 "THIS NCIC INTERSTATE IDENTIFICATION INDEX RESPONSE IS A TEST"
hit          YQ   AZ0000000 > RTY RNO PRI OCA NIC VIN RNA RAG PHO
hit          YR   AZ0000000 > RTY RNO OCA NIC CON RNA
message      AM   NV0000000 "BE ON THE LOOKOUT. TEST."
message      AML  NV0000000 "FOR LAW ENFORCEMENT ONLY"
message      AA   AZ0000000 "AMBER ALERT TEST"
supervision  PPR  AZ0000000 "NOT ON PAROLE"
supervision  PBR  NV0000000 "ON PROBATION. CALL 5555550100"
supervision  PCR  OR0000000 "NOT IN CUSTODY"
supervision  PAR  TX0000000 "NO RECORD"
supervision  CPR  TX0000000 "PHOTO IMR/NONE ON FILE"
wanted       SWR  NV0000000 "NO WARRANT"
immigration  IAR  VTINS07S0 "NO MATCH FOUND"
article      CAR  CN0000000 "NO RECORD SER/TEST0001"
boat         CBR  CN0000000 "NO RECORD"
gun          CGR  CN0000000 "NO RECORD"
security     CSR  CN0000000 "NO RECORD"
driver       UR   ON0000000 "OLN VALID"
vehicle      VR   BC0000000 "REGISTERED"
wanted       WR   CN0000000 "NO WANTS"
vehicle      XR   CN0000000 "NOT STOLEN"
carrier      ACR  TN0000000 "CARRIER 000001"
carrier      AVR  TN0000000 "NO RECORD"
alarm        ALR  NV0000000 "RECEIVED"
charges      CCR  AZ0000000 "CODE 1399 DESCRIBED"
insurance    NAR  NA0000000 "NO IMPOUND RECORD"
insurance    NIR  NA0000000 "NO EXPORT RECORD"
insurance    SVR  NA0000000 "NO RECORD"
directory    TR   NL0000000 "CA0190100 SAMPLE PD\\r\\nPHONE 5555550100"
missing      MPR  AZ0000000 "NO RECORD"
message      LR   AZ0000000 "ANSWER. AS AGREED."
log          NLR  NL0000000 "2 MESSAGES FOUND"
log          NFR  NL0000000 "FULL TEXT FOLLOWS"
reader       LPR  AZ0000000 "NO READS"
weather      HR   NV0000000 "ROUTE 50 CLEAR"
status       SM   NL0000000 ".01. AZ DOES NOT SUPPORT KQ. WILL NOT FORWARD."
status       SM   NL0000000 ".02. AZ OUT OF SERVICE. WILL FORWARD."
status       SM   NL0000000 ".04. AZ ON REMOVE STATUS FOR RQ. WILL NOT FORWARD."
status       SM   AZ0000000 "AZ TEMPORARILY OUT OF SERVICE UNTIL 1400 MST"
status       SM   AZ0000000 "AZ BACK IN SERVICE"
status       ER   NL0000000 ".00. FORMAT ERROR\\r\\nORIGINAL MESSAGE\\r\\nRQ.CA0190100"
status       ER   NL0000000 ".01. INVALID HEADER"
status       ER   NL0000000 ".02. TYPE NOT ALLOWED TO DESTINATION"
status       ER   NL0000000 ".03. TXT NOT FOUND"
status       ER   NL0000000 ".05. DOB INVALID OR MISSING"
status       ER   NL0000000 ".06. FORMAT WRONG FOR CANADA"
status       ER   NL0000000 ".10. YEAR FIELD INVALID"
status       ER   NL0000000 ".14. FIELDS MISSING"
status       ER   NL0000000 ".16. ATN INVALID"
status       ER   NL0000000 ".19. INVALID DESTINATION ORIS"
status       ER   NL0000000 ".22. INVALID FORMAT. USE LIC+LIY+LIT OR VIN"
"""

# From NCIC: texts.
RETURNS: Final = """
vehicle      "NO RECORD LIC/1ABC234 LIS/CA"
vehicle      "MKE/STOLEN VEHICLE\\r\\nORI/CA0190100 LIC/1ABC234 LIS/CA\\r\\nNIC/V123456789"
wanted       "NO NCIC WANT NAM/DOE,JOHN DOB/19800229"
wanted       "MKE/WANTED PERSON EXL/1\\r\\nORI/TX0000000 NAM/RECORD,TEST\\r\\nNIC/W000000001"
wanted       "MKE/WANTED PERSON\\r\\n\\r\\nIMMED CONFIRM RECORD WITH ORI"
missing      "MKE/MISSING PERSON NAM/ROE,JANE Q"
unidentified "MKE/UNIDENTIFIED PERSON SEX/U"
gun          "NO RECORD SER/TEST0001"
article      "NO RECORD SER/ZZ99887"
boat         "MKE/STOLEN BOAT REG/CF0000AA"
security     "NO RECORD"
protection   "MKE/PROTECTION ORDER PNO/PO-26-0001"
gang         "NO RECORD GNG/SAMPLE SET"
registrant   "MKE/SEX OFFENDER NAM/DOE,JOHN"
identity     "NO RECORD"
image        "IMR/IMAGE FOLLOWS"
history      "NO IDENTIFIABLE RECORD IN THE NCIC INTERSTATE IDENTIFICATION INDEX"
history      "THIS RECORD IS BASED ON FBI/000000AA0. END."
directory    "ORI/CA0190100 SAMPLE PD"
vehicle      "NIC/V123456789 OCA/26-000123"
wanted       "EW NIC/W000000001 OCA/TESTCASE4"
wanted       "REJ - FIELD ERROR DOB\\r\\nQW.CA0190100.NAM/DOE,JOHN.DOB/19801332"
gun          "REJ - NOT ON FILE"
vehicle      "CLEAR NIC/V123456789"
wanted       "LOCATE NIC/W000000001 OCA/TESTCASE4"
unsolicited  "$.H.\\r\\nDELAYED INQUIRY HIT LIC/1ABC234"
unsolicited  "$.8.\\r\\nVEHICLE OF A PERSON RECORD MATCHES"
unsolicited  "$.K.\\r\\nRECORD NIC/M000000001 LACKS KEY DATA"
unsolicited  "$.A.\\r\\nNCIC WILL BE DOWN FROM 0200 TO 0230 EST"
unsolicited  "$.E.\\r\\nSERIOUS ERROR NIC/W000000001"
unsolicited  "$.F.\\r\\nRECORD CANCELLED NIC/W000000001"
unsolicited  "$.L.\\r\\nLOCATE PLACED ON NIC/W000000001"
unsolicited  "$.M.\\r\\nCROSS MATCH NIC/U000000001"
unsolicited  "$.P.\\r\\nPURGED NIC/G999999999"
unsolicited  ""
"""

# From an agency's line to people and to the nation's files, and back: addressees, then the body.
LINES: Final = """
message  AM       B0380001 > "ONE STATION. GOOD MORNING."
message  AM       B0380001,GBAY,CA0190100 > "JOINT: STATION, GROUP, ORI"
message  AM       GALL > "GROUP\\r\\nWITH LINES"
message  AML      CA0380100 > "LAW ENFORCEMENT ONLY"
message  AM       GBAY > ""
message  NLTS.AM  AZ > "TO A STATE. LIC/NONE"
message  NLTS.AM  AZ,NV,H1 > "STATES AND A REGION"
message  NLTS.AA  H1 > "AMBER ALERT TEST"
hit      NLTS.YQ  AZ0000000 > RTY RNO PRI OCA NIC NAM DOB SEX RNA RAG PHO REM
hit      NLTS.YR  AZ0000000 > RTY RNO OCA NIC CON RNA RAG
hit      YQ       CA0380100 > RTY RNO PRI OCA NIC LIC LIS RNA
hit      YR       CA0190100 > RTY RNO OCA NIC CON
vehicle  NLTS.RQ  AZ > LIC LIS ; NV,OR > VIN ; H1 > LIC
driver   NLTS.DQ  AZ > OLN ; NV > NAM DOB SEX
driver   NLTS.KQ  AZ > OLN PUR ATN
boat     NLTS.BQ  AZ > REG
hazard   NLTS.MQ  OH > UNN
history  NLTS.IQ  AZ > NAM SEX DOB PUR ATN
history  NLTS.FQ  AZ > SID PUR ATN
history  NLTS.AQ  AZ > "SEND MORE. PUR/C"
article  NLTS.CAQ CN > SER RSN
driver   NLTS.UQ  ON > OLN RSN
vehicle  RR       CA0190100 > "REPLY OF A STATE. NO RECORD."
wanted   QW       CA0190100 > "NO WANTS"
notice   REJ      CA0190100 > "E413 A REQUEST MUST SAY ITS REASON."
notice   UND      CA0190100 > "NOT DELIVERED"
notice   NRP      CA0190100 > "NO REPLY FROM dmv"
notice   DLY      CA0190100 > "DELAYED"
status   SM       CA0190100 > ".02. AZ OUT OF SERVICE. WILL FORWARD."
"""

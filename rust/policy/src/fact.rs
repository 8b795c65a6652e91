//! The enumerations a rule may look at. Names are those that the Cedar schema declares.

/// One fact of a [`crate::Situation`]: a closed list of values.
pub trait Fact: Copy + Eq + Sized + 'static {
    /// The Cedar type, `AgencyClass`.
    const TYPE: &'static str;
    /// Every value, in the order of its index.
    const ALL: &'static [Self];
    /// The Cedar names in the same order, `ca_lea`.
    const NAMES: &'static [&'static str];
    /// The values in words for an explanation, in the same order.
    const PHRASES: &'static [&'static str];
    /// Bits that hold any index.
    const BITS: u32 = usize::BITS - (Self::NAMES.len() - 1).leading_zeros();

    /// Position in [`Fact::ALL`].
    fn index(self) -> u8;

    /// The value at a position; the first one when there is none.
    fn at(index: u8) -> Self;
}

impl Fact for bool {
    const TYPE: &'static str = "Bool";
    const ALL: &'static [Self] = &[false, true];
    const NAMES: &'static [&'static str] = &["false", "true"];
    const PHRASES: &'static [&'static str] = &["false", "true"];

    fn index(self) -> u8 {
        u8::from(self)
    }

    fn at(index: u8) -> Self {
        index == 1
    }
}

macro_rules! facts {
    ($( $(#[$meta:meta])* $type:ident: $default:ident {
        $( $variant:ident $name:literal $phrase:literal, )+
    } )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $type { $( #[doc = $phrase] $variant, )+ }

        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = <Self as Fact>::ALL;

            /// The name that rules use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// The value in words.
            #[must_use]
            pub const fn phrase(self) -> &'static str {
                match self { $( Self::$variant => $phrase, )+ }
            }

            /// The value of a name; `None` when no rule could name it.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $( $name => Some(Self::$variant), )+ _ => None }
            }
        }

        impl Fact for $type {
            const TYPE: &'static str = stringify!($type);
            const ALL: &'static [Self] = &[$( Self::$variant, )+];
            const NAMES: &'static [&'static str] = &[$( $name, )+];
            const PHRASES: &'static [&'static str] = &[$( $phrase, )+];

            fn index(self) -> u8 {
                self as u8
            }

            fn at(index: u8) -> Self {
                <Self as Fact>::ALL.get(usize::from(index)).copied().unwrap_or(Self::$default)
            }
        }

        /// The value that knows least, so that a fact left out cannot help to permit.
        impl Default for $type {
            fn default() -> Self {
                Self::$default
            }
        }
    )+ };
}

facts! {
    /// What kind of line the message came in on.
    Peer: Agency {
        Agency "agency" "an agency's line",
        Host "host" "the line of a state or national file",
    }

    /// The user's account.
    Standing: Unknown {
        Active "active" "active",
        Dormant "dormant" "stopped because nobody used it for ninety days",
        OnLeave "on_leave" "stopped while the user is on leave",
        Separated "separated" "closed because the user has left the agency",
        Suspended "suspended" "suspended",
        Trainee "trainee" "that of a trainee, for test records only",
        Unknown "unknown" "not known",
    }

    /// What the user has been trained and authorized to do. CITE: CLETS PPP 1.8.
    Level: None {
        Administrator "administrator" "administrator (manages, makes no inquiries)",
        Full "full" "full access operator",
        LessThanFull "less_than_full" "less than full access operator",
        None "none" "none on record",
        Practitioner "practitioner" "practitioner (receives answers, uses no terminal)",
        SecurityAwareness "security_awareness" "security awareness only",
    }

    /// The user's training and testing, on the day of the message. CITE: CLETS PPP 1.8.
    Training: Never {
        Grace "grace" "within the first six months",
        Lapsed "lapsed" "lapsed",
        Never "never" "never completed, the first six months being over",
        Valid "valid" "valid",
    }

    /// What kind of agency the ORI belongs to; from the agency table, never from the ORI's letters.
    AgencyClass: Unknown {
        CaCdcr "ca_cdcr" "the state's corrections department",
        CaCourt "ca_court" "a California court",
        CaDa "ca_da" "a California district attorney",
        CaDmv "ca_dmv" "the Department of Motor Vehicles",
        CaDoj "ca_doj" "the California Department of Justice",
        CaLea "ca_lea" "a California law enforcement agency",
        CaProb "ca_prob" "a California probation department",
        CaTribal "ca_tribal" "a tribal police department or court in California",
        FedCbp "fed_cbp" "Customs and Border Protection",
        FedCrim "fed_crim" "a federal criminal investigation agency",
        FedDhsOther "fed_dhs_other" "another part of Homeland Security",
        FedIceEro "fed_ice_ero" "ICE Enforcement and Removal Operations",
        FedIceHsi "fed_ice_hsi" "ICE Homeland Security Investigations",
        FedTaskforce "fed_taskforce" "a registered joint task force",
        FedUsbp "fed_usbp" "the Border Patrol",
        FedUscis "fed_uscis" "Citizenship and Immigration Services",
        Ncja "ncja" "a non-criminal-justice agency",
        NletsState "nlets_state" "an agency of another state",
        Private "private" "a private entity",
        Unknown "unknown" "of no known kind",
    }

    /// The agency's own standing with the state.
    AgencyStanding: Unknown {
        Active "active" "active",
        NoChi "no_chi" "active without criminal history",
        Suspended "suspended" "suspended",
        Unknown "unknown" "not known",
    }

    /// The ORI in the message, against the station that sent it.
    Ori: Unknown {
        Absent "absent" "absent",
        Borrowed "borrowed" "a full-access ORI, which a limited-access station may not borrow",
        Foreign "foreign" "that of an agency this station does not serve",
        Matches "matches" "one that this station serves",
        Unknown "unknown" "not on file",
    }

    /// The station mnemonic in the message, against the line it came in on.
    Station: Unknown {
        Absent "absent" "absent",
        Bound "bound" "one assigned to this line",
        OtherLine "other_line" "one assigned to another line",
        Unknown "unknown" "not on file",
    }

    /// The kind of station.
    StationKind: Unknown {
        Fixed "fixed" "a fixed terminal",
        Interface "interface" "a records or dispatch system",
        Mobile "mobile" "a mobile terminal",
        ReceiveOnly "receive_only" "receive only",
        Training "training" "a terminal for training and tests",
        Unknown "unknown" "not known",
    }

    /// The user named in the message.
    User: Unknown {
        Absent "absent" "absent",
        Known "known" "a user of the sending agency",
        OtherAgency "other_agency" "a user of another agency",
        Unknown "unknown" "not on file",
    }

    /// What the message does.
    Action: Inquire {
        Administer "administer" "send an administrative message",
        Cancel "cancel" "cancel a record",
        Clear "clear" "clear a record",
        Confirm "confirm" "ask for or give a hit confirmation",
        Enter "enter" "enter a record",
        Inquire "inquire" "inquire",
        Locate "locate" "place a locate",
        Modify "modify" "modify a record",
        Reply "reply" "reply",
        Status "status" "report status",
    }

    /// What kind of information the message asks for or carries, derived from key and destination.
    DataClass: Unknown {
        Admin "admin" "administrative text",
        AdminLimited "admin_limited" "administrative text for law enforcement only",
        ChiIii "chi_iii" "criminal history in the Interstate Identification Index",
        ChiLocal "chi_local" "local summary criminal history",
        ChiNlets "chi_nlets" "criminal history of another state",
        ChiState "chi_state" "state summary criminal history",
        Control "control" "status and control",
        DmvDl "dmv_dl" "driver license and identification card",
        DmvVeh "dmv_veh" "vehicle and vessel registration",
        FirearmRestr "firearm_restr" "restricted firearm files",
        Hitconf "hitconf" "hit confirmation",
        HotPerson "hot_person" "wanted, missing and restrained persons",
        HotProp "hot_prop" "stolen vehicles, guns and other property",
        ImmigStatus "immig_status" "federal immigration status",
        NcicRestricted "ncic_restricted" "restricted NCIC files",
        NletsDmv "nlets_dmv" "driver and vehicle records of another state",
        Supervision "supervision" "parole, probation and registrants",
        Unknown "unknown" "of no known kind",
    }

    /// Where the message, or this leg of it, goes.
    Destination: Agency {
        Agency "agency" "a station of the state",
        Dmv "dmv" "the Department of Motor Vehicles",
        Group "group" "a group of stations",
        Iii "iii" "the Interstate Identification Index",
        Ncic "ncic" "NCIC",
        Nevada "nevada" "Nevada",
        Nlets "nlets" "Nlets",
        Oregon "oregon" "Oregon",
        State "state" "the state's files",
    }

    /// How far an administrative message goes.
    Scope: None {
        AllPoints "all_points" "a broadcast to all points, more than two regions",
        Canada "canada" "a message to Canada",
        Group "group" "a group bulletin",
        Joint "joint" "a message to several addressees",
        None "none" "no addressee",
        Region "region" "a regional broadcast of other states",
        Single "single" "one addressee",
        State "state" "a broadcast to all of another state",
        Statewide "statewide" "a broadcast to the whole of this state",
    }

    /// Whether the list of addressees is one that may be written.
    Addressing: Fair {
        Canadian "canadian" "one that names a place in Canada by other than CN",
        Fair "fair" "one that may be written",
        Many "many" "one of more addressees than a joint message may have",
        ManyStates "many_states" "one of more than five states, regions or addressees beyond",
    }

    /// The purpose code. CITE: NCIC Operating Manual, III purpose codes.
    Purpose: Absent {
        A "a" "A, record maintenance",
        Absent "absent" "absent",
        C "c" "C, criminal justice",
        D "d" "D, domestic violence and stalking courts",
        E "e" "E, other licensing and employment",
        F "f" "F, firearms",
        H "h" "H, public housing",
        I "i" "I, interstate identification",
        J "j" "J, criminal justice employment",
        Other "other" "no known code",
        S "s" "S, national security",
        U "u" "U, retired",
        V "v" "V, visa",
        X "x" "X, exigent child placement",
    }

    /// California's own purpose code of a request.
    CaliforniaPurpose: Absent {
        Absent "absent" "absent",
        C "c" "C",
        I "i" "I",
        Other "other" "no known code",
        U "u" "U, retired",
    }

    /// The reason for the inquiry. CITE: Gov. Code 15160.
    Reason: Absent {
        Absent "absent" "absent",
        Junk "junk" "not a reason",
        Present "present" "stated",
    }

    /// What the sender's words say the inquiry is for. CITE: Gov. Code 7284.4, 7284.6, 15160.
    Topic: None {
        Immigration "immigration" "immigration enforcement",
        ImmigrationHint "immigration_hint" "perhaps immigration enforcement",
        None "none" "nothing in particular",
        Offense "offense" "a crime",
        Reentry "reentry" "reentry after an aggravated felony (8 USC 1326)",
        StatusException "status_exception" "a purpose for which status may be asked",
    }

    /// Whose record a message is about, by the bundle's lists of identifiers.
    Subject: Live {
        Confidential "confidential" "that of a person whose address the law keeps",
        Live "live" "one of no list",
        None "none" "nobody's: no person and no thing is named",
        Own "own" "the user's own",
        Test "test" "a test record",
        Watched "watched" "that of a person who is watched over",
    }

    /// The attention field: the person for whom the inquiry is made.
    Attention: Absent {
        Absent "absent" "absent",
        Junk "junk" "not a person",
        Present "present" "a person's name",
    }
}

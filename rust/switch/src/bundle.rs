//! One immutable snapshot of everything that the switch is told: directory, routes, policies,
//! message keys.

use std::sync::Arc;

use clets_policy::{
    Action, AgencyClass, AgencyStanding, DataClass, Destination, Policies, Problem,
};
use clets_routing::{Agency, AgencyId, Directory, LineId};
use clets_wire::{Answers, Catalogue, KeyId};
use thiserror::Error;

use crate::calendar::Calendar;
use crate::traits::Traits;

/// Why a bundle was refused.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The catalogue of message keys is wrong (a fault of the program, not of the bundle).
    #[error("message keys: {0}")]
    Catalogue(String),
    /// The directory or its routes do not fit together.
    #[error("directory: {0}")]
    Directory(String),
    /// Policies do not validate.
    #[error("policy: {} problems", .0.len())]
    Policy(Vec<Problem>),
}

/// What policy needs to know of a message key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyFacts {
    pub(crate) action: Action,
    pub(crate) data_class: DataClass,
}

/// What policy needs to know of an agency; the default is an agency that nobody knows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AgencyFacts {
    pub(crate) class: AgencyClass,
    pub(crate) standing: AgencyStanding,
    pub(crate) attested: bool,
    pub(crate) agreement: bool,
    pub(crate) mobile_chi: bool,
}

impl AgencyFacts {
    /// An office of Homeland Security, whatever it has signed.
    pub(crate) fn is_homeland(self) -> bool {
        matches!(
            self.class,
            AgencyClass::FedCbp
                | AgencyClass::FedDhsOther
                | AgencyClass::FedIceEro
                | AgencyClass::FedIceHsi
                | AgencyClass::FedUsbp
                | AgencyClass::FedUscis
        )
    }
}

/// The compiled bundle.
#[derive(Debug)]
pub struct Bundle {
    /// Who exists, where they are reached, and where messages go.
    pub directory: Directory,
    /// The message keys.
    pub catalogue: Catalogue,
    /// How systems word hits and their absence.
    pub answers: Answers,
    /// The rules.
    pub policies: Policies,
    /// SHA-256 of the bundle's files, hexadecimal.
    pub hash: String,
    key_facts: Vec<KeyFacts>,
    agency_facts: Vec<AgencyFacts>,
    destinations: Vec<Destination>,
    pub(crate) traits: Arc<Traits>,
    calendar: Calendar,
}

impl Bundle {
    /// Compiles a bundle from the shell's validated document and the policy files.
    ///
    /// # Errors
    /// When any part does not hold together; nothing of it is used then.
    pub fn compile(
        document: &[u8],
        policy_files: &[(String, String)],
        schema: &str,
        hash: String,
    ) -> Result<Arc<Self>, BundleError> {
        let directory = Directory::compile(document).map_err(BundleError::Directory)?;
        let catalogue = Catalogue::standard().map_err(BundleError::Catalogue)?;
        let answers = Answers::standard().map_err(BundleError::Catalogue)?;
        let traits = Traits::standard().map_err(BundleError::Catalogue)?;
        let zone = match &*directory.settings().time_zone {
            "" => "UTC",
            zone => zone,
        };
        let calendar = Calendar::of(zone)
            .ok_or_else(|| BundleError::Directory(format!("there is no time zone `{zone}`")))?;
        let policies = Policies::load(policy_files, schema).map_err(BundleError::Policy)?;
        let key_facts =
            catalogue.iter().map(|(_, key)| key_facts(key)).collect::<Result<_, _>>()?;
        let agency_facts = directory.agencies().iter().map(agency_facts).collect();
        let destination = |it: &clets_routing::Line| Destination::parse(&it.system);
        let destinations = directory.lines().iter().map(destination);
        let destinations = destinations.map(|it| it.unwrap_or(Destination::Agency)).collect();
        Ok(Arc::new(Self {
            directory,
            catalogue,
            answers,
            policies,
            hash,
            key_facts,
            agency_facts,
            destinations,
            traits,
            calendar,
        }))
    }

    /// The day of a time in microseconds since 1970, UTC, where the switch stands.
    #[must_use]
    pub fn day(&self, now_us: i64) -> i32 {
        self.calendar.day(now_us)
    }

    /// Whether a key is a word on a system's own service (`SM`).
    pub(crate) fn is_status(&self, key: KeyId) -> bool {
        self.catalogue.key(key).is_some_and(|key| key.key == "SM")
    }

    /// The policy facts of a key.
    pub(crate) fn key_facts(&self, key: KeyId) -> Option<KeyFacts> {
        self.key_facts.get(usize::from(key.0)).copied()
    }

    /// What the system of a line is to policy.
    pub(crate) fn destination(&self, line: LineId) -> Destination {
        self.destinations.get(line.index()).copied().unwrap_or(Destination::Agency)
    }

    /// The policy facts of an agency.
    pub(crate) fn agency_facts(&self, agency: AgencyId) -> AgencyFacts {
        self.agency_facts.get(agency.index()).copied().unwrap_or_default()
    }
}

fn agency_facts(agency: &Agency) -> AgencyFacts {
    AgencyFacts {
        class: AgencyClass::parse(&agency.class).unwrap_or(AgencyClass::Unknown),
        standing: AgencyStanding::parse(&agency.standing).unwrap_or(AgencyStanding::Unknown),
        attested: agency.attested,
        agreement: agency.agreement,
        mobile_chi: agency.mobile_chi,
    }
}

fn key_facts(key: &clets_wire::Key) -> Result<KeyFacts, BundleError> {
    let wrong = |what: &str| {
        let name = &key.key;
        BundleError::Catalogue(format!("key `{name}`: {what} unknown to policy"))
    };
    Ok(KeyFacts {
        action: Action::parse(key.action.name()).ok_or_else(|| wrong("action"))?,
        data_class: DataClass::parse(&key.class).ok_or_else(|| wrong("data class"))?,
    })
}

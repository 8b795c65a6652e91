//! The sample bundle, situations to start from, and a generator of situations.

use clets_policy::{Policies, Situation, day_of};
use std::sync::OnceLock;
use std::{fs, path::PathBuf};

pub(crate) fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| ["cedar", "csv", "key"].iter().any(|it| extension == *it))
        })
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

pub(crate) fn schema() -> String {
    fs::read_to_string(folder().join("schema.cedarschema")).unwrap()
}

pub(crate) fn california() -> &'static Policies {
    static POLICIES: OnceLock<Policies> = OnceLock::new();
    POLICIES.get_or_init(|| {
        Policies::load(&files(), &schema()).unwrap_or_else(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        })
    })
}

pub(crate) fn day(text: &str) -> i32 {
    day_of(text).unwrap()
}

/// The day on which tests judge unless they say otherwise.
pub(crate) fn today() -> i32 {
    day("2026-03-02")
}

/// Everything in order: a full access operator of a police department asks for a plate.
pub(crate) fn plate() -> Situation {
    with(
        &Situation::default(),
        "peer=agency standing=active level=full cleared=true statement=true training=valid \
         agency_class=ca_lea agency_standing=active chi_authority=true ori=matches station=bound \
         station_kind=fixed user=known action=inquire data_class=dmv_veh destination=dmv \
         scope=none topic=none purpose=absent california_purpose=c \
         reason=present attention=absent case_number=true text=true inherited=false \
         subject=live wildcard=false shared_id=false enumerating=false mobile_chi=true \
         full_access=true",
    )
}

/// The same operator asks for a national criminal history.
pub(crate) fn history() -> Situation {
    with(&plate(), "data_class=chi_iii destination=iii purpose=c attention=present")
}

/// An answer from the state's files.
pub(crate) fn answer() -> Situation {
    with(&Situation::default(), "peer=host action=reply data_class=hot_prop destination=agency")
}

/// The situation with some facts changed: `level=none reason=absent`.
pub(crate) fn with(base: &Situation, changes: &str) -> Situation {
    let mut names: Vec<(&str, &str)> = base.names().collect();
    names.extend(changes.split_whitespace().map(|change| change.split_once('=').unwrap()));
    Situation::of_names(names).unwrap()
}

/// Splitmix64: the same seed gives the same situations.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// Half are wholly random and nearly all refused; half are a good message with a few facts
    /// changed, where permits and single refusals live.
    pub(crate) fn situation(&mut self) -> Situation {
        if self.below(2) == 0 {
            return Situation::choose(|n| self.below(n));
        }
        let bases = [plate(), history(), answer()];
        let mut situation = bases[self.below(bases.len())];
        for _ in 0..self.below(5) {
            let field = self.below(Situation::FIELDS.len());
            let value = self.below(Situation::FIELDS[field].values.len());
            situation = situation.with(field, u8::try_from(value).unwrap());
        }
        situation
    }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/california/policy"))
}

//! One rule of the bundle, as its annotations describe it, and what a rule may do.

use std::fmt;

/// Numbers shown as `E401` that this crate gives of its own accord.
/// A rule gives others by its `@code`.
pub mod code {
    /// No rule permits.
    pub const NO_PERMIT: u16 = 401;
    /// A rule could not be evaluated.
    pub const EVALUATION: u16 = 402;
}

/// What a rule does to a message it applies to.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Effect {
    /// Pass.
    Allow,
    /// Refuse; the sender is told a neutral code and a case is raised.
    Block,
    /// Pass, and raise a case.
    Flag,
    /// Keep until a person releases it.
    Hold,
    /// Pass with a caveat added around the text.
    Label,
    /// Pass without the part that the rule names.
    Redact,
    /// Refuse; the sender is told why.
    #[default]
    Reject,
}

impl Effect {
    /// Every effect, in alphabetical order.
    pub const ALL: [Self; 7] =
        [Self::Allow, Self::Block, Self::Flag, Self::Hold, Self::Label, Self::Redact, Self::Reject];

    /// The word used in `@effect("…")`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Flag => "flag",
            Self::Hold => "hold",
            Self::Label => "label",
            Self::Redact => "redact",
            Self::Reject => "reject",
        }
    }

    /// The effect of a word.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }

    /// How restrictive it is: the greatest wins. Allow is 0, block is 6.
    #[must_use]
    pub const fn severity(self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Label => 1,
            Self::Flag => 2,
            Self::Redact => 3,
            Self::Hold => 4,
            Self::Reject => 5,
            Self::Block => 6,
        }
    }

    /// The message does not pass.
    #[must_use]
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Block | Self::Reject)
    }

    /// The message may pass, with something attached; such a rule can never grant.
    #[must_use]
    pub const fn obliges(self) -> bool {
        matches!(self, Self::Flag | Self::Hold | Self::Label | Self::Redact)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule's place in [`crate::Policies::rules`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RuleId(pub u16);

/// One version of one rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name, `I-10`. Versions of one rule share it; their days never overlap.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// The statute, regulation or policy it rests on.
    pub cite: String,
    /// The rule in one or two plain sentences.
    pub text: String,
    /// The number told to the sender when it refuses; 0 for any other effect.
    pub code: u16,
    /// The caveat to add, for [`Effect::Label`] only.
    pub label: Option<String>,
    /// What is withheld, for [`Effect::Redact`] only: `text` for all of it, or a segment of
    /// `words.csv`.
    pub segment: Option<String>,
    /// First day in force, in days since 1970-01-01; `None` means always.
    pub from_day: Option<i32>,
    /// Last day in force; `None` means until further notice.
    pub to_day: Option<i32>,
    /// The file of the bundle it stands in.
    pub file: String,
    /// The line it begins on, from 1.
    pub line: u32,
}

impl Rule {
    /// It is in force on this day.
    #[must_use]
    pub fn in_force(&self, day: i32) -> bool {
        self.from_day.is_none_or(|from| from <= day) && self.to_day.is_none_or(|to| day <= to)
    }
}

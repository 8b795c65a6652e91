//! What no bundle may exceed.

/// Most lines, agencies' and hosts' together.
pub const LINES_MAX: usize = u16::MAX as usize;
/// Most agencies. California has somewhat more than 1,200.
pub const AGENCIES_MAX: usize = u16::MAX as usize;
/// Most groups.
pub const GROUPS_MAX: usize = u16::MAX as usize;
/// Most stations one group may expand to, unless the bundle says less.
pub const GROUP_STATIONS_MAX: usize = 10_000;
/// Most legs one route may have.
pub const LEGS_MAX: usize = 16;
/// Longest destination system and longest message key of a route, in bytes.
pub const ROUTE_NAME_BYTES_MAX: usize = 8;

//! Time zones by the names of Windows and of IANA.
//!
//! Decides which zones there are and how far their clocks are from UTC at a moment, by the rule that holds now: what a country did
//! in earlier years is left out, and so is what the machine this runs on has installed. Mirrors the zones that Windows has, with the
//! codes that Dataverse's users have them by. Never reads a clock.

use jiff_core::Timestamp;
use jiff_core::tz::posix::TimeZone;

/// A zone in a line: its name, its code, its rule, its places.
static ZONES: &str = include_str!("zones.txt");

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// As Windows calls it, `Pacific Standard Time`.
    pub name: &'static str,
    /// The number Dataverse knows it by, where that is known.
    pub code: Option<u16>,
    /// Its clock; `None` is UTC.
    rule: Option<TimeZone>,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self { name: "UTC", code: Some(92), rule: None };

    /// The zone of this name, `Pacific Standard Time` or `America/Los_Angeles`, in any letter case.
    pub fn find(name: &str) -> Option<Self> {
        let is = |one: &str| one.eq_ignore_ascii_case(name);
        lines().find_map(|[windows, code, rule, places]| {
            let found = is(windows) || places.split(' ').any(is);
            let rule = found.then(|| TimeZone::parse(rule).ok()).flatten()?;
            Some(Self { name: windows, code: code.parse().ok(), rule: Some(rule) })
        })
    }

    /// What zones are called in Windows.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        lines().map(|[windows, ..]| windows)
    }

    /// How far its clock is ahead of UTC at a moment, in seconds; both since 1970.
    pub fn offset(&self, moment: i64) -> i64 {
        let offset = |rule: &TimeZone| Some(rule.to_offset(Timestamp::from_second(moment).ok()?).seconds());
        self.rule.as_ref().and_then(offset).map_or(0, i64::from)
    }

    /// How far its clock is ahead of UTC without daylight saving time, in minutes.
    pub fn standard(&self) -> i64 {
        self.rule.as_ref().map_or(0, |rule| i64::from(rule.std_offset.seconds()) / 60)
    }

    /// What its clock shows at a moment, in seconds since 1970 as if that were UTC.
    pub fn local(&self, moment: i64) -> i64 {
        moment.saturating_add(self.offset(moment))
    }

    /// The moment at which its clock shows this; where it does so twice or never, one beside the change.
    pub fn moment(&self, local: i64) -> i64 {
        let about = local.saturating_sub(self.offset(local));
        local.saturating_sub(self.offset(about))
    }

    /// The moment at which the day began that a moment is in.
    pub fn midnight(&self, moment: i64) -> i64 {
        let local = self.local(moment);
        self.moment(local.saturating_sub(local.rem_euclid(DAY)))
    }
}

fn lines() -> impl Iterator<Item = [&'static str; 4]> + Clone {
    let zones = ZONES.lines().filter(|line| !line.starts_with('#'));
    zones.filter_map(|line| {
        let mut parts = line.split('|');
        Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::find(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn every_line_is_a_zone() {
        let written = ZONES.lines().filter(|line| !line.starts_with('#')).count();
        assert!(written > 130);
        assert_eq!(
            Zone::names().filter(|name| Zone::find(name).is_some_and(|zone| zone.name == *name)).count(),
            written
        );
        assert_eq!(Zone::find("UTC").map(|zone| (zone.name, zone.code)), Some(("UTC", Some(92))));
        assert_eq!(Zone::find("Middle-earth Standard Time"), None);
        assert_eq!(Zone::find(""), None);
    }

    #[test]
    fn a_place_is_in_its_zone() {
        for (place, name, code) in [
            ("America/Los_Angeles", "Pacific Standard Time", Some(4)),
            ("europe/oslo", "W. Europe Standard Time", Some(110)),
            ("Asia/Kolkata", "India Standard Time", Some(190)),
            ("pacific standard time", "Pacific Standard Time", Some(4)),
        ] {
            assert_eq!((zone(place).name, zone(place).code), (name, code), "{place}");
        }
    }

    #[test]
    fn clocks_go_by_the_rule_of_the_season() {
        const SUMMER: i64 = 1_681_848_000; // 2023-04-18T20:00:00Z
        const WINTER: i64 = 1_674_072_000; // 2023-01-18T20:00:00Z
        let hours = |name: &str, moment| zone(name).offset(moment) / 60;
        assert_eq!(
            (hours("Pacific Standard Time", SUMMER), hours("Pacific Standard Time", WINTER)),
            (-420, -480)
        );
        assert_eq!((hours("Europe/Berlin", SUMMER), hours("Europe/Berlin", WINTER)), (120, 60));
        assert_eq!((hours("Australia/Sydney", SUMMER), hours("Australia/Sydney", WINTER)), (600, 660));
        assert_eq!(hours("Asia/Kolkata", SUMMER), 330);
        assert_eq!(hours("Etc/GMT+5", SUMMER), -300);
        assert_eq!((zone("Pacific Standard Time").standard(), Zone::UTC.standard()), (-480, 0));
        // the hour that 2023-03-12 has not, 10:00Z, and the one that 2023-11-05 has twice, 09:00Z
        assert_eq!((hours("US/Pacific", 1_678_615_199), hours("US/Pacific", 1_678_615_200)), (-480, -420));
        assert_eq!((hours("US/Pacific", 1_699_174_799), hours("US/Pacific", 1_699_174_800)), (-420, -480));
        // far away nothing breaks
        for moment in [i64::MIN, i64::MAX, 0, 253_402_300_799] {
            let _there = zone("Pacific Standard Time").midnight(moment);
        }
    }

    #[test]
    fn a_day_begins_where_its_zone_says() {
        let pacific = zone("Pacific Standard Time");
        for (moment, began) in [
            (1_681_848_000, 1_681_801_200), // 2023-04-18T20:00Z is in the day that began at 07:00Z
            (1_681_786_800, 1_681_714_800), // 2023-04-18T03:00Z is in the day before
            (1_678_633_200, 1_678_608_000), // 2023-03-12T15:00Z: clocks went forward after midnight
            (1_699_225_200, 1_699_167_600), // 2023-11-05T23:00Z: and back
        ] {
            assert_eq!(pacific.midnight(moment), began, "{moment}");
        }
        assert_eq!(Zone::UTC.midnight(1_681_848_000), 1_681_776_000);
        assert_eq!(pacific.moment(pacific.local(1_681_848_000)), 1_681_848_000);
    }
}

//! Which value of a document a person means by a short name.
//!
//! Decides that a short name is the last member of a pointer, with as many earlier ones in front as it takes to be the only
//! one: `Aad.Realm`, `onebox/Aad.Realm`, `onebox/web_config/Aad.Realm`. Members that stand one below the other as in the name
//! win over those with others between them: `onebox/machine` is that of the environment, not one of its nodes'. The spelling of
//! the document wins; where it has none, letter case is free and `.` is as good as `_`, so that `web.config` is the member `web_config`. Never looks into a list:
//! its elements are named by their own value, and that is a pointer. A pointer is found in any spelling too.

use mocktenant_verdict::Setting;
use serde_json::Value;

use crate::nearest::nearest;

/// No more than these are told: whoever asks for more has asked for too little.
const MOST: usize = 20;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Every value that is meant, in the order of the document; at most twenty.
    pub settings: Vec<Setting>,
    /// Where there is none: the last member that is nearest, as it is written.
    pub nearest: Option<String>,
}

/// The values a short name, or a pointer in any spelling, means.
pub fn find(view: &Value, name: &str) -> Found {
    let wanted = match name.strip_prefix('/') {
        Some(_) => Wanted { path: Setting::from_pointer(name.to_owned()).segments().collect(), whole: true },
        None => Wanted { path: name.split('/').map(str::to_owned).collect(), whole: false },
    };
    for (folded, adjoining) in [(false, true), (false, false), (true, true), (true, false)] {
        let mut settings = Vec::new();
        let mut path = Vec::new();
        walk(view, &mut path, &mut |path| {
            if settings.len() < MOST && wanted.is(path, folded, adjoining) {
                settings.push(Setting::of(path.iter().copied()));
            }
        });
        if !settings.is_empty() {
            return Found { settings, nearest: None };
        }
    }
    Found { settings: Vec::new(), nearest: nearest_member(view, &wanted) }
}

struct Wanted {
    path: Vec<String>,
    /// A pointer: every member of the path is named.
    whole: bool,
}

impl Wanted {
    fn is(&self, path: &[&str], folded: bool, adjoining: bool) -> bool {
        let same = |wanted: &String, member: &&str| {
            if folded { fold(wanted).eq(fold(member)) } else { wanted == member }
        };
        if self.whole {
            return self.path.len() == path.len() && self.path.iter().zip(path).all(|(a, b)| same(a, b));
        }
        // One member alone stands below nothing in particular.
        if adjoining && self.path.len() > 1 {
            let end = path.len().checked_sub(self.path.len()).and_then(|from| path.get(from..));
            return end.is_some_and(|end| self.path.iter().zip(end).all(|(a, b)| same(a, b)));
        }
        let (Some((last, before)), Some((member, above))) = (self.path.split_last(), path.split_last())
        else {
            return false;
        };
        let mut above = above.iter();
        same(last, member) && before.iter().all(|wanted| above.any(|member| same(wanted, member)))
    }
}

fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().map(|character| if character == '_' { '.' } else { character.to_ascii_lowercase() })
}

/// Calls for every member of every map, by its path.
fn walk<'v>(value: &'v Value, path: &mut Vec<&'v str>, found: &mut impl FnMut(&[&'v str])) {
    let Value::Object(members) = value else { return };
    for (name, value) in members {
        path.push(name);
        found(path);
        walk(value, path, found);
        path.pop();
    }
}

/// The nearest member of the same map for a pointer whose beginning is right, else the nearest of all.
fn nearest_member(view: &Value, wanted: &Wanted) -> Option<String> {
    let last = wanted.path.last()?;
    if wanted.whole {
        let parent = Setting::of(wanted.path[..wanted.path.len() - 1].iter().map(String::as_str));
        let members = crate::value_at(view, parent.as_str())?.as_object()?;
        return nearest(last, members.keys().map(String::as_str)).map(str::to_owned);
    }
    let mut all = Vec::new();
    walk(view, &mut Vec::new(), &mut |path| all.extend(path.last().copied()));
    all.sort_unstable();
    all.dedup();
    nearest(last, all).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(name: &str) -> Vec<String> {
        let view = json!({
            "environments": {
                "onebox": { "host": "a", "web_config": { "Aad.Realm": "x", "Only.Here": "y" }, "list": ["Aad.Realm"] },
                "sandbox": { "host": "b", "web_config": { "Aad.Realm": "z" } },
            },
            "caller": { "a/b": 1, "client_id": "c" },
        });
        find(&view, name).settings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_unique_last_member_is_enough_and_a_member_above_tells_two_apart() {
        assert_eq!(found("Only.Here"), ["/environments/onebox/web_config/Only.Here"]);
        assert_eq!(found("onebox/Aad.Realm"), ["/environments/onebox/web_config/Aad.Realm"]);
        assert_eq!(found("environments/sandbox/host"), ["/environments/sandbox/host"]);
        assert_eq!(found("Aad.Realm").len(), 2);
        assert!(found("sandbox/Only.Here").is_empty() && found("web_config/onebox").is_empty());
    }

    #[test]
    fn members_that_stand_as_in_the_name_win_over_those_with_others_between() {
        let view = json!({
            "onprem": {
                "axsf": { "Key": 1 },
                "nodes": { "AOS_1": { "axsf": { "Key": 2, "Own": 3 } } },
            },
        });
        let found = |name: &str| -> Vec<String> {
            find(&view, name).settings.iter().map(ToString::to_string).collect()
        };
        assert_eq!(found("onprem/axsf"), ["/onprem/axsf"]);
        assert_eq!(found("Onprem/AXSF"), ["/onprem/axsf"]);
        assert_eq!(found("onprem/axsf/Key"), ["/onprem/axsf/Key"]);
        assert_eq!(found("AOS_1/axsf"), ["/onprem/nodes/AOS_1/axsf"]);
        assert_eq!(found("onprem/Own"), ["/onprem/nodes/AOS_1/axsf/Own"], "others may stand between");
        assert_eq!((found("axsf").len(), found("onprem/Key").len()), (2, 2), "either may be meant");
    }

    #[test]
    fn letter_case_is_free_where_the_document_has_no_such_spelling() {
        assert_eq!(found("ONLY.here"), ["/environments/onebox/web_config/Only.Here"]);
        assert_eq!(found("onebox/web.config"), ["/environments/onebox/web_config"]);
        assert_eq!(
            found("/Environments/onebox/web_config/aad.realm"),
            ["/environments/onebox/web_config/Aad.Realm"]
        );
        let both = json!({ "a": { "Key": 1 }, "b": { "key": 2 } });
        assert_eq!(find(&both, "key").settings.len(), 1, "the spelling of the document wins");
    }

    #[test]
    fn a_member_with_a_slash_is_found_by_its_pointer() {
        assert_eq!(found("/caller/a~1b"), ["/caller/a~1b"]);
        assert!(found("a/b").is_empty() && found("").is_empty());
    }

    #[test]
    fn what_is_not_there_is_told_with_the_nearest() {
        let view =
            json!({ "environments": { "onebox": { "web_config": { "Aad.Realm": "x" } } }, "Aad.Rea": 1 });
        let nearest = |name: &str| find(&view, name).nearest;
        assert_eq!(nearest("Aad.Relm").as_deref(), Some("Aad.Realm"));
        assert_eq!(nearest("/environments/onebox/web_config/Aad.Reaml").as_deref(), Some("Aad.Realm"));
        assert_eq!(nearest("/environments/nowhere/x"), None);
    }

    #[test]
    fn a_name_that_is_everywhere_is_not_told_a_thousand_times() {
        let many: serde_json::Map<String, Value> =
            (0..1_000).map(|number| (number.to_string(), json!({ "host": 1 }))).collect();
        assert_eq!(find(&Value::Object(many), "host").settings.len(), MOST);
    }
}

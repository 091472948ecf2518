use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Step, read};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct House {
    name: String,
    #[serde(default)]
    rooms: Vec<Room>,
    #[serde(default)]
    by_owner: BTreeMap<Owner, Option<u8>>,
    height: Option<f32>,
    letter: Option<char>,
    at: Option<(i16, i16)>,
    door: Option<Door>,
    nothing: Option<()>,
    anything: Option<Anything>,
    address: Option<std::net::IpAddr>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Room {
    windows: u8,
    lit: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Owner(String);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Door {
    Open,
    Locked(u16),
    Ajar(u8, u8),
    Painted { colour: String },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Anything {
    Number(i64),
    Room(Room),
}

fn member(name: &str) -> Step {
    Step::Member(name.to_owned())
}

#[test]
fn what_is_right_is_read_as_serde_json_reads_it() {
    for right in [
        json!({ "name": "a" }),
        json!({ "name": "a", "rooms": [], "by_owner": {}, "height": null, "door": null, "nothing": null }),
        json!({ "name": "a", "rooms": [{ "windows": 2, "lit": true }], "by_owner": { "b": 3, "c": null } }),
        json!({ "name": "a", "height": 2, "letter": "x", "at": [-4, 5], "address": "::1" }),
        json!({ "name": "a", "height": -2.5, "door": "open", "anything": -5 }),
        json!({ "name": "a", "door": { "open": null }, "anything": { "windows": 0, "lit": false } }),
        json!({ "name": "a", "door": { "locked": 7 } }),
        json!({ "name": "a", "door": { "ajar": [1, 2] } }),
        json!({ "name": "a", "door": { "painted": { "colour": "red", "more": 1 } } }),
    ] {
        assert_eq!(read::<House>(&right).unwrap(), House::deserialize(&right).unwrap(), "{right}");
    }
}

#[test]
fn what_is_wrong_is_refused_in_the_words_of_serde_json_with_the_path_to_it() {
    let (rooms, owner, door) = (member("rooms"), member("by_owner"), member("door"));
    let with = |name: &str, value: Value| json!({ "name": "a", name: value });
    for (wrong, path) in [
        (json!(null), vec![]),
        (json!(-1.5), vec![]),
        (json!("text"), vec![]),
        (json!({}), vec![]),
        (json!({ "name": null }), vec![member("name")]),
        (json!({ "name": 5 }), vec![member("name")]),
        (json!({ "name": -5 }), vec![member("name")]),
        (json!({ "name": 1e300 }), vec![member("name")]),
        (json!({ "name": ["a"] }), vec![member("name")]),
        (with("nmae", json!(1)), vec![member("nmae")]),
        (with("rooms", json!({})), vec![rooms.clone()]),
        (with("rooms", json!([7])), vec![rooms.clone(), Step::Element(0)]),
        (with("rooms", json!([{ "windows": 1 }])), vec![rooms.clone(), Step::Element(0)]),
        (
            with("rooms", json!([{ "windows": 1, "lit": true }, { "windows": 256, "lit": true }])),
            vec![rooms.clone(), Step::Element(1), member("windows")],
        ),
        (
            with("rooms", json!([{ "windows": -1, "lit": true }])),
            vec![rooms.clone(), Step::Element(0), member("windows")],
        ),
        (with("rooms", json!([{ "lit": "yes" }])), vec![rooms, Step::Element(0), member("lit")]),
        (with("by_owner", json!({ "b": "c" })), vec![owner, member("b")]),
        (with("height", json!("2")), vec![member("height")]),
        (with("letter", json!("xy")), vec![member("letter")]),
        (with("at", json!([1])), vec![member("at")]),
        (with("at", json!([1, 2, 3])), vec![member("at")]),
        (with("at", json!([1, 70000])), vec![member("at"), Step::Element(1)]),
        (with("nothing", json!(false)), vec![member("nothing")]),
        (with("anything", json!("c")), vec![member("anything")]),
        (with("address", json!("here")), vec![member("address")]),
        (with("door", json!(1)), vec![door.clone()]),
        (with("door", json!("shut")), vec![door.clone()]),
        (with("door", json!({})), vec![door.clone()]),
        (with("door", json!({ "open": null, "locked": 1 })), vec![door.clone()]),
        (with("door", json!({ "open": 1 })), vec![door.clone(), Step::Variant]),
        (with("door", json!("locked")), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "locked": "no" })), vec![door.clone(), Step::Variant]),
        (with("door", json!("ajar")), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "ajar": [] })), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "ajar": [1] })), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "ajar": 1 })), vec![door.clone(), Step::Variant]),
        (with("door", json!("painted")), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "painted": [] })), vec![door.clone(), Step::Variant]),
        (with("door", json!({ "painted": { "colour": 5 } })), vec![door, Step::Variant, member("colour")]),
    ] {
        let said = House::deserialize(&wrong).unwrap_err().to_string();
        assert_eq!(read::<House>(&wrong).unwrap_err(), (said, path), "{wrong}");
    }
}

#[test]
fn a_list_is_no_structure() {
    let (message, path) = read::<House>(&json!({ "name": "a", "rooms": [[1, true]] })).unwrap_err();
    assert_eq!(message, "invalid type: sequence, expected struct Room");
    assert_eq!(path, [member("rooms"), Step::Element(0)]);
}

#[test]
fn a_list_is_read_as_far_as_it_is_taken() {
    let pair = json!([1, 2]);
    assert_eq!(read::<(u8, u8)>(&pair), Ok((1, 2)));
    let (message, path) = read::<(u8,)>(&pair).unwrap_err();
    assert_eq!(message, <(u8,)>::deserialize(&pair).unwrap_err().to_string());
    assert!(path.is_empty());
}

//! Scenarios break the default world, and their steps give it back.

use std::fmt::Write as _;

use mocktenant_world::{EditedBy, Origin, Scenario, Setting, World, scenario};

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

fn broken(world: &World, scenario: &Scenario) -> World {
    world
        .edited(&scenario.edits, EditedBy::Scenario(scenario.name.clone()))
        .unwrap_or_else(|error| panic!("{}: {error}", scenario.name))
}

#[test]
fn the_first_scenario_is_the_one_people_search_for() {
    assert_eq!(scenario::names().next(), Some("tenant-cert-absent"));
    assert_eq!(scenario::default_name(), "tenant-cert-absent");
    assert_eq!(scenario::all().len(), scenario::names().count());
    assert!(scenario::find("half-done").is_some());
    assert!(scenario::find("half-don").is_none());
}

#[test]
fn the_build_found_every_file_and_listed_it_where_its_order_says() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<(u32, String)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let read = scenario::parse(&name, &std::fs::read_to_string(&path).unwrap()).unwrap();
            (read.order.unwrap_or_else(|| panic!("{name} has no order")), name)
        })
        .collect();
    files.sort();
    assert!(files.windows(2).all(|pair| pair[0].0 != pair[1].0), "two scenarios of one order: {files:?}");
    let names: Vec<&str> = files.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(scenario::names().collect::<Vec<_>>(), names);
    let orders: Vec<_> = scenario::all().iter().map(|scenario| scenario.order).collect();
    assert_eq!(orders, files.iter().map(|(order, _)| Some(*order)).collect::<Vec<_>>());
}

#[test]
fn every_broken_world_with_its_steps_is_the_default_world() {
    let healthy = contoso();
    for scenario in scenario::all() {
        let mut world = broken(&healthy, &scenario);
        assert_ne!(world.view(), healthy.view(), "{}: nothing is broken", scenario.name);
        for step in &scenario.steps {
            assert_ne!(world.view(), healthy.view(), "{}: healed before {:?}", scenario.name, step.title);
            world = world
                .edited(&step.edits, EditedBy::Control)
                .unwrap_or_else(|error| panic!("{}, {}: {error}", scenario.name, step.title));
            for environment in &step.restart {
                assert!(world.environment(environment).is_some(), "{}", scenario.name);
            }
        }
        assert_eq!(world.view(), healthy.view(), "{}", scenario.name);
        assert_eq!(world.declaration(), healthy.declaration(), "{}", scenario.name);
    }
}

#[test]
fn a_step_that_changes_what_an_aos_reads_at_start_ends_with_a_restart() {
    for scenario in scenario::all() {
        for step in &scenario.steps {
            let reads_files = step.edits.iter().any(|edit| {
                edit.path.as_str().contains("/web_config") || edit.path.as_str().contains("/wif_config")
            });
            assert!(!reads_files || step.restart == ["onebox"], "{}: {}", scenario.name, step.title);
        }
    }
}

#[test]
fn healthy_and_broken_differ_in_one_edit_or_the_file_says_why() {
    for scenario in scenario::all() {
        assert!(scenario.edits.len() == 1 || scenario.reason.is_some(), "{}", scenario.name);
    }
}

#[test]
fn tenant_cert_absent_undoes_the_whole_recipe() {
    let scenario = scenario::find("tenant-cert-absent").unwrap();
    assert_eq!(scenario.steps.len(), 5);
    let world = broken(&contoso(), &scenario);
    let onebox = world.environment("onebox").unwrap();
    assert_eq!(onebox.stores.iter().count(), 0);
    assert!(onebox.stores.holds_lab_ca("LocalMachine", "Root"));
    let text = String::from_utf8_lossy(onebox.web_config.as_ref().unwrap().bytes()).into_owned();
    assert_eq!(text.matches("9F86D081884C7D659A2FEAA0C55AD015B0F00A08").count(), 2);
    assert!(text.contains("<add key=\"Aad.Realm\" value=\"spn:00000015-0000-0000-c000-000000000000\" />"));
    assert!(!String::from_utf8_lossy(onebox.wif_config.as_ref().unwrap().bytes()).contains("00000000a002"));
    let own = "c0117050-0000-4000-8000-00000000a002";
    assert!(world.tenant("contoso.com").unwrap().application(own).is_none());
    assert!(world.organization("contoso").unwrap().application_user(own).is_none());
}

#[test]
fn what_a_scenario_edited_comes_from_it_and_its_file_keys_from_the_file() {
    let scenario = scenario::find("tenant-cert-absent").unwrap();
    let world = broken(&contoso(), &scenario);
    let user =
        Setting::fixed("/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a002");
    assert_eq!(world.origin(&user), Origin::Scenario("tenant-cert-absent".into()));
    assert_eq!(world.origin(&user.join("roles")), Origin::Scenario("tenant-cert-absent".into()));
    let thumbprint = Setting::fixed("/environments/onebox/web_config/Infrastructure.S2SCertThumbprint");
    assert!(matches!(world.origin(&thumbprint), Origin::File { line: 41, .. }));
}

#[test]
fn notes_and_expectations_change_nothing_but_themselves() {
    let mut scenario = scenario::find("tenant-cert-absent").unwrap();
    let with = broken(&contoso(), &scenario);
    (scenario.notes, scenario.expect) = (None, None);
    assert_eq!(with.view(), broken(&contoso(), &scenario).view());
}

#[test]
fn a_scenario_file_is_wrong_at_a_line_and_column() {
    let good = "title: t\nsymptom: s\nedits:\n  - { op: remove, path: /a }\nsteps: []\n";
    assert!(scenario::parse("mine", good).is_ok_and(|read| read.name == "mine"));
    for (text, line, column, message, hint) in [
        (
            good.replace("symptom", "symptoms"),
            2,
            1,
            "there is no member `symptoms` here",
            "did you mean `symptom`?",
        ),
        (
            good.replace("op: remove", "op: remvoe"),
            4,
            11,
            "`remvoe` is not a value here",
            "did you mean `remove`?",
        ),
        (good.replace("path", "pth"), 4, 19, "there is no member `pth` here", "did you mean `path`?"),
        (good.replace("path: /a", "path: a"), 4, 5, "`a` is not a JSON pointer: it must begin with `/`", ""),
        (good.replace("remove", "add"), 4, 5, "`add` needs a `value`", ""),
        (good.replace("steps: []\n", ""), 3, 1, "the member `steps` is missing", ""),
        (good.replace("steps: []", "steps: 5"), 5, 8, "expected sequence start", ""),
        (format!("{good}title: again\n"), 6, 1, "`title` stands here for the second time", ""),
        (good.replace("title: t", "title: [t"), 0, 0, "", ""),
        (good.replace("s\n", "\ts: [\n"), 0, 0, "", ""),
        (String::new(), 0, 0, "", ""),
    ] {
        let error = scenario::parse("mine", &text).unwrap_err();
        assert_eq!(error.name, "mine");
        if line > 0 {
            assert_eq!((error.line, error.column), (line, column), "{error}\n{text}");
        } else {
            assert!(!error.message.is_empty(), "{text}");
        }
        assert!(error.message.contains(message), "{error}\n{text}");
        assert_eq!(error.hint.as_deref().unwrap_or(""), hint, "{error}\n{text}");
    }
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut text = "title: t\nsymptom: s\nsteps: []\nedits:\n  - op: add\n    path: /a\n    value:\n      - &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        writeln!(text, "      - &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]").expect("memory");
    }
    let error = scenario::parse("bomb", &text).unwrap_err();
    assert!(error.line > 0 && error.message.contains("aliases"), "{error}");
    let deep = format!("title: {}", "[".repeat(100_000));
    assert!(scenario::parse("deep", &deep).is_err());
}

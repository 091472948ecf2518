//! Scenarios break the default world, and their steps give it back.

use std::fmt::Write as _;

use mocktenant_scenario::{self as scenario, Scenario};
use mocktenant_scenario::{Act, Cast, Part, Vacant};
use mocktenant_world::pointers;
use mocktenant_world::{EditedBy, Errand, Origin, Setting, World};

const APP: &str = "c0117050-0000-4000-8000-00000000a002";
const CERT: &str = "61142666E97BF830049B4B6CB322DBA8DFFB0C4D";

fn contoso() -> World {
    World::contoso().unwrap_or_else(|error| panic!("{error}"))
}

/// What the AOS would add to the cast of the default world.
fn cast(world: &World) -> Cast {
    let mut cast = Cast::of(world);
    cast.set(Part::App, APP);
    cast.set(Part::Cert, CERT);
    cast.set(Part::NativeClient, "d8230a86-015d-4c14-bcd6-c7fb65176b16");
    cast.set(Part::AxGroup, "Microsoft Dynamics 365 for Operations On-premises");
    cast.set(Part::WebApi, "https://ax.contoso.com/namespaces/AXSF");
    cast.set(Part::Audience, "https://ax.contoso.com/");
    cast
}

/// The built-in scenarios, with the names of the default world for their roles.
fn all() -> Vec<Scenario> {
    let cast = cast(&contoso());
    scenario::all().iter().map(|scenario| named_in(&cast, scenario)).collect()
}

fn named_in(cast: &Cast, scenario: &Scenario) -> Scenario {
    cast.scenario(scenario).unwrap_or_else(|error| panic!("{}: {error}", scenario.name))
}

fn named(name: &str) -> Scenario {
    all().into_iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn done(world: &World, base: &World, act: &Act, scenario: &Scenario) -> World {
    world
        .edited(&act.edits_in(world, base), EditedBy::Scenario(scenario.name.clone()))
        .unwrap_or_else(|error| panic!("{}: {error}", scenario.name))
}

/// The default world, whose caller does what the scenario is told by.
fn healthy_for(scenario: &Scenario) -> World {
    let told = Scenario { edits: Vec::new(), ..scenario.clone() };
    broken(&contoso(), &told)
}

/// Broken before the start.
fn broken(world: &World, scenario: &Scenario) -> World {
    done(world, world, &scenario.before(), scenario)
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
            assert_eq!(
                scenario::find(&name).as_ref(),
                Some(&read),
                "what the build read is what the strict reader reads"
            );
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
    for scenario in all() {
        let (base, healthy) = (contoso(), healthy_for(&scenario));
        let mut world = broken(&base, &scenario);
        assert_ne!(world.view(), healthy.view(), "{}: nothing is broken", scenario.name);
        // A world that moved under a running product may be healthy again before the first step.
        let mut moved = !scenario.after.is_empty();
        for act in &scenario.after {
            world = done(&world, &base, act, &scenario);
        }
        for step in &scenario.steps {
            let healed = world.view() == healthy.view();
            assert!(!healed || moved, "{}: healed before {:?}", scenario.name, step.title);
            moved = false;
            world = done(&world, &base, &step.act, &scenario);
            for place in &step.act.restart {
                let (environment, node) = place.split_once('/').unwrap_or((place, ""));
                let environment = world.environment(environment).unwrap();
                assert!(node.is_empty() || environment.node(node).is_some(), "{}", scenario.name);
            }
        }
        assert_eq!(world.view(), healthy.view(), "{}", scenario.name);
        assert_eq!(world.declaration(), healthy.declaration(), "{}", scenario.name);
    }
}

#[test]
fn every_edit_of_a_scenario_changes_something_in_the_default_world() {
    let healthy = contoso();
    for scenario in all() {
        let mut world = contoso();
        let acts = std::iter::once(scenario.before()).chain(scenario.after.clone());
        for act in acts.chain(scenario.steps.iter().map(|step| step.act.clone())) {
            let needed = act.edits_in(&world, &healthy).len();
            let serviced = act.servicing.len() * 3;
            assert_eq!(needed, act.restore.len() + act.edits.len() + serviced, "{}: {act:?}", scenario.name);
            world = done(&world, &healthy, &act, &scenario);
        }
    }
}

#[test]
fn a_scenario_says_roles_and_no_ids_of_the_default_world() {
    for name in scenario::names() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.yaml"));
        let text = std::fs::read_to_string(file).unwrap();
        for id in ["c0117050", CERT, "/contoso/", "/onebox/", "[onebox]"] {
            assert!(!text.contains(id), "{name}: {id}");
        }
    }
}

#[test]
fn what_the_caller_does_meanwhile_is_a_setting_that_no_step_changes() {
    let scenario = named("adfs-client-id");
    let world = broken(&contoso(), &scenario);
    assert_eq!(world.caller().does, Errand::SignIn);
    assert_eq!(world.origin(&Setting::fixed("/caller/does")), Origin::Scenario("adfs-client-id".into()));
    assert_eq!(named("half-done").does, None);
    let text = "title: t\nsymptom: s\ndoes: sign-on\nedits: []\nsteps: []\n";
    let error = scenario::parse("mine", text).unwrap_err();
    assert_eq!((error.line, error.hint.as_deref()), (3, Some("did you mean `sign-in`?")), "{error}");
}

#[test]
fn who_signs_in_where_and_as_what_is_what_the_caller_says() {
    let parts = [Part::Adfs, Part::Group, Part::Client, Part::User];
    let world = contoso();
    let names = |world: &World| parts.map(|part| Cast::of(world).name(part).ok().map(str::to_owned));
    let group = "Microsoft Dynamics 365 for Operations On-premises";
    let client = "c0117050-0000-4000-8000-00000000a101";
    let all = ["contoso", group, client, "ada@contoso.com"].map(|name| Some(name.to_owned()));
    assert_eq!(names(&world), all);
    let edited = |path: &str, value: &str| {
        let edit = mocktenant_world::Edit::replace(Setting::from_pointer(path.to_owned()), value);
        world.edited(&[edit], EditedBy::Control).unwrap()
    };
    // Whoever types an e-mail address is the user that it is of, and has that one's row.
    let by_mail = edited("/caller/sign_in/user", "grace.hopper@contoso.com");
    assert_eq!(names(&by_mail)[3].as_deref(), Some("grace@contoso.com"));
    assert_eq!(Cast::of(&by_mail).name(Part::UserRow), Ok("grace"));
    // A server application is none that these scenarios break.
    let server = edited("/caller/sign_in/client_id", "c0117050-0000-4000-8000-00000000a001");
    assert_eq!(names(&server), [all[0].clone(), None, None, all[3].clone()]);
    // Then it is who stands before the environment on-premises.
    let elsewhere = edited("/caller/sign_in/provider", "nowhere");
    assert_eq!(names(&elsewhere), [all[0].clone(), None, None, all[3].clone()]);
    assert_eq!(Cast::of(&elsewhere).name(Part::Onprem), Ok("onprem"));
    assert_eq!(Cast::of(&world).name(Part::UserRow), Ok("ada"));
    assert_eq!(names(&edited("/caller/sign_in/provider", "adfs.contoso.com")), all);
}

#[test]
fn a_role_nobody_plays_is_said() {
    let world = contoso();
    let scenario = scenario::find("app-user-missing").unwrap();
    assert_eq!(Cast::of(&world).scenario(&scenario), Err(Vacant(Part::App)));
    assert_eq!(Vacant(Part::App).to_string(), "this world has nobody for {app}");
    let unlinked = mocktenant_world::Edit::replace(
        mocktenant_world::pointers::environment("onebox").dataverse_url(),
        "https://nowhere.crm4.dynamics.com",
    );
    let unlinked = world.edited(&[unlinked], EditedBy::Control).unwrap();
    assert_eq!(Cast::of(&unlinked).name(Part::Org), Err(Vacant(Part::Org)));
    assert_eq!(Cast::of(&world).name(Part::Org), Ok("contoso"));
}

#[test]
fn what_is_restored_becomes_what_it_was_whatever_it_is_now() {
    let base = contoso();
    let text = "title: t\nsymptom: s\nedits: []\nsteps:\n  - title: all\n    restore:\n      \
                - /environments/{onebox}/web_config/Aad.Realm\n      \
                - /environments/{onebox}/web_config/Invented\n      \
                - /environments/{onebox}/wif_config/audienceUris/spn:{app}\n      \
                - /caller/resource\n      - /caller/does\n";
    let scenario = cast(&base).scenario(&scenario::parse("mine", text).unwrap()).unwrap();
    let restoring = &scenario.steps[0].act;
    assert_eq!(restoring.edits_in(&base, &base), [], "nothing to do");
    let edits = serde_json::json!([
        { "op": "remove", "path": "/environments/onebox/web_config/Aad.Realm" },
        { "op": "add", "path": "/environments/onebox/web_config/Invented", "value": "x" },
        { "op": "remove", "path": format!("/environments/onebox/wif_config/audienceUris/spn:{APP}") },
        { "op": "add", "path": "/caller/resource", "value": "https://elsewhere" },
        { "op": "replace", "path": "/caller/does", "value": "load" },
    ]);
    let edits: Vec<mocktenant_world::Edit> = serde_json::from_value(edits).unwrap();
    let moved = base.edited(&edits, EditedBy::Control).unwrap();
    assert_eq!(restoring.edits_in(&moved, &base).len(), 5);
    assert_eq!(done(&moved, &base, restoring, &scenario).view(), base.view());
}

#[test]
fn a_step_that_changes_what_an_aos_reads_at_start_ends_with_a_restart() {
    for scenario in all() {
        for step in &scenario.steps {
            let Act { restore, edits, restart, .. } = &step.act;
            let mut paths = restore.iter().chain(edits.iter().map(|edit| &edit.path));
            let at_start = paths.find_map(pointers::reader_at_start);
            // One node after the other, and all of them in the end.
            let reads = |reader: String| {
                let node = format!("{reader}/");
                !restart.is_empty()
                    && restart.iter().all(|place| *place == reader || place.starts_with(&node))
            };
            assert!(at_start.is_none_or(reads), "{}", scenario.name);
        }
    }
}

#[test]
fn every_step_says_how_a_person_does_it_and_links_the_vendors_page() {
    for scenario in all() {
        for step in &scenario.steps {
            assert!(!step.how.is_empty(), "{}: {}", scenario.name, step.title);
            let page = step.see.as_deref().unwrap_or_default();
            assert!(page.starts_with("https://learn.microsoft.com/"), "{}: {page}", scenario.name);
        }
    }
}

#[test]
fn what_a_step_says_in_words_is_what_it_does_in_the_lab() {
    for scenario in scenario::all() {
        for step in &scenario.steps {
            let how = step.how.join("\n");
            let touched = |place: &str| {
                let mut paths = step.act.restore.iter().map(Setting::as_str);
                let of_node = place == "/LocalMachine/Root/";
                paths.any(|path| {
                    path.contains(place) || of_node && path.ends_with("certificates/LocalMachine")
                })
            };
            for (place, said) in [
                ("/web_config/Aad.Realm", "\"Aad.Realm\""),
                ("/web_config/Infrastructure.S2SCertThumbprint", "\"Infrastructure.S2SCertThumbprint\""),
                (
                    "/web_config/GraphApi.GraphAPIServicePrincipalCert",
                    "\"GraphApi.GraphAPIServicePrincipalCert\"",
                ),
                ("/wif_config/audienceUris", "wif.config, audienceUris"),
                ("/axsf/Aad.AADMetadataLocationFormat", "Section Aad > AADMetadataLocationFormat"),
                ("/axsf/OpenIDConnect.ClientID", "Section OpenIDConnect > ClientID: {native_client}"),
                ("/web_apis/{web_api}/identifiers", "Set-AdfsWebApiApplication"),
                ("/UserInfo/{user_row}", "System administration > Users > Users"),
                ("/m365_compatibility", "office365AdfsCompatibility"),
                ("/clock", "w32tm /resync"),
                ("/caller/sign_in/loses", "Cookies and site data"),
                ("/LocalMachine/My/", "Cert:\\LocalMachine\\My"),
                ("/LocalMachine/Root/", "Local Machine, root certificate authorities"),
                ("/CurrentUser/Root/", "Current User, the same"),
                ("/applications/{app}", "App registrations"),
                ("/applications/{app}/certificates/", "Upload certificate"),
                ("/application_users/{app}", "Application users"),
                ("/application_users/{app}/roles", "System Administrator"),
                ("client}/redirect_uris", "Set-AdfsNativeClientApplication"),
                ("/caller/sign_in/client_id", "the application's own configuration: client id"),
                ("/users/{user}/password_expires", "Reset Password"),
            ] {
                assert_eq!(touched(place), how.contains(said), "{}: {}: {said}", scenario.name, step.title);
            }
            let resets =
                step.how.iter().any(|line| line == "IISRESET" || line.starts_with("Service Fabric Explorer"));
            assert_eq!(!step.act.restart.is_empty(), resets, "{}: {}", scenario.name, step.title);
        }
    }
}

#[test]
fn a_page_is_an_https_address_and_words_are_one_line_with_roles_there_are() {
    let with = |member: &str| {
        let text = format!(
            "title: t\nsymptom: s\nedits: []\nsteps:\n  - title: t\n    restart: [a]\n    {member}\n"
        );
        scenario::parse("mine", &text)
    };
    let read = with("see: https://learn.microsoft.com/a").unwrap();
    assert_eq!(read.steps[0].see.as_deref(), Some("https://learn.microsoft.com/a"));
    for wrong in
        ["http://learn.microsoft.com/a", "https://", "https:///a", "\"https://a/b c\"", "learn.microsoft.com"]
    {
        let error = with(&format!("see: {wrong}")).unwrap_err();
        assert!(error.message.contains("is no https address of a page") && error.line == 7, "{error}");
    }
    let filled = cast(&contoso()).step(&with("how: [\"spn:{app}\"]").unwrap().steps[0]).unwrap();
    assert_eq!(filled.how, [format!("spn:{APP}")]);
    for (wrong, message) in [
        ("how: [\"a\\n\\nb\"]", "is not one line of words"),
        ("how: [\"a\\tb\"]", "is not one line of words"),
        ("how: [\" \"]", "is not one line of words"),
        ("how: [\"{aap}\"]", "`{aap}` is no role"),
    ] {
        let error = with(wrong).unwrap_err();
        assert!(error.message.contains(message), "{error}");
    }
    let error = with("sea: https://a").unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `see`?"));
}

#[test]
fn healthy_and_broken_differ_in_one_edit_or_the_file_says_why() {
    for scenario in scenario::all() {
        assert!(scenario.edits.len() == 1 || scenario.reason.is_some(), "{}", scenario.name);
    }
}

#[test]
fn tenant_cert_absent_undoes_the_whole_recipe() {
    let scenario = named("tenant-cert-absent");
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
fn tenant_cert_absent_says_that_the_certificate_cannot_be_had_any_more_and_that_one_makes_ones_own() {
    let reason = named("tenant-cert-absent").reason.unwrap();
    for said in ["tenant certificate of older one-boxes cannot be had any more", "makes one's own"] {
        assert!(reason.contains(said), "{reason}");
    }
}

#[test]
fn what_a_scenario_edited_comes_from_it_and_its_file_keys_from_the_file() {
    let scenario = named("tenant-cert-absent");
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
    let mut scenario = named("tenant-cert-absent");
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
        (good.replace("/a", "\"/a/{onebx}\""), 4, 5, "`{onebx}` is no role", "did you mean `{onebox}`?"),
        (format!("{good}after:\n  - restore: [a]\n"), 7, 15, "`a` is not a JSON pointer", ""),
        (format!("{good}after:\n  - {{}}\n"), 7, 5, "nothing is done here", ""),
        (
            format!("{good}after:\n  - restarts: [a]\n"),
            7,
            5,
            "there is no member `restarts` here",
            "did you mean `restart`?",
        ),
        (
            format!("{good}after:\n  - restart: [\"{{tenent}}\"]\n"),
            7,
            15,
            "`{tenent}` is no role",
            "did you mean `{tenant}`?",
        ),
        (
            format!("{good}after:\n  - wait: ten minutes\n"),
            7,
            11,
            "`ten minutes` is no time to wait, as `10m` or `1d2h30m` are",
            "",
        ),
        (format!("{good}after:\n  - wait: -10m\n"), 7, 11, "`-10m` is no time to wait", ""),
        (
            good.replace("steps: []", "steps:\n  - title: t\n    edit: []"),
            7,
            5,
            "there is no member `edit` here",
            "did you mean `edits`?",
        ),
        (good.replace("steps: []\n", ""), 1, 1, "the member `steps` is missing", ""),
        (good.replace("steps: []", "steps: 5"), 5, 8, "expected a sequence", ""),
        (format!("{good}title: again\n"), 6, 1, "`title` stands here for the second time", ""),
        (good.replace("title: t", "title: [t"), 0, 0, "", ""),
        (good.replace("s\n", "\ts: [\n"), 0, 0, "", ""),
        (String::new(), 0, 0, "", ""),
        // YAML would make a number of it, and that is not what stands there.
        (good.replace("title: t", "title: 0123"), 1, 8, "expected a string", "write it in quotes"),
        (good.replace("title: t", "title: true"), 1, 8, "expected a string", "write it in quotes"),
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
    assert!(error.line > 0 && error.message.contains("the budget `values` is 100000"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("aliases")));
}

#[test]
fn a_document_that_is_too_deep_or_too_long_is_refused_by_the_budget_it_is_beyond() {
    let flow = format!("edits:\n  - value: {}", "[".repeat(100_000));
    let block =
        (6..100).fold("edits:\n  - value:\n".to_owned(), |text, level| text + &" ".repeat(level) + "a:\n");
    for (name, text, budget, line) in [
        ("flow", flow, "the budget `depth` is 64", 2),
        ("block", block, "the budget `depth` is 64", 60),
        ("documents", "title: a\n---\ntitle: b\n".to_owned(), "", 0),
        ("long", "#".repeat(1024 * 1024 + 1), "the budget `bytes` is 1048576", 0),
    ] {
        let error = scenario::parse(name, &text).unwrap_err();
        assert!(error.message.contains(budget) && error.line >= line, "{error}");
        assert!(error.hint.is_some() || budget.is_empty(), "{error}");
    }
}

#[test]
fn a_long_text_repeated_by_aliases_is_refused_by_the_bytes_it_would_become() {
    let mut text = format!(
        "title: t\nsymptom: s\nsteps: []\nedits: []\nnotes: &long {}\nexpect:\n",
        "x".repeat(400_000)
    );
    for number in 0..1_000 {
        writeln!(text, "  - &a{number} x").expect("memory");
        for _ in 0..9 {
            text.push_str("  - *long\n");
        }
    }
    let error = scenario::parse("bomb", &text).unwrap_err();
    assert!(error.line > 0 && error.message.contains("the budget `text` is 8388608"), "{error}");
}

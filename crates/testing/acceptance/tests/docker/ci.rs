//! `docs/ci.md`: the service container it declares is started, and the steps are typed.
//!
//! Decides which parts of the workflow are the runner's: it starts `services`, publishes `ports`, waits for the health check
//! and runs each `run: |` with `bash -e`. The image is this one; where it was pushed is the reader's business.

use mocktenant_acceptance::pages;

use crate::engine::Engine;
use crate::image;

pub(crate) fn service_container(engine: &Engine) {
    let page = std::fs::read_to_string(pages::root().join("docs/ci.md")).unwrap();
    let workflow = pages::blocks(&page).into_iter().find(|block| block.language == "yaml").unwrap().text;
    let options = workflow.lines().find_map(|line| line.trim().strip_prefix("options: ")).unwrap();
    let (service, steps) = workflow.split_once("    steps:\n").unwrap();
    let ports: Vec<String> = service
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "))
        .map(|port| format!("--publish {port}"))
        .collect();
    assert_eq!(ports.len(), 4, "{service}");
    engine.must(&format!("docker run --detach --name ci {options} {} mocktenant", ports.join(" ")));
    image::healthy(engine, "ci");
    let scratch = tempfile::tempdir().unwrap();
    let mut count = 0;
    for step in steps.split("        run: |\n").skip(1) {
        let lines: Vec<&str> = step.lines().take_while(|line| line.starts_with("          ")).collect();
        let script = lines.iter().map(|line| &line[10..]).collect::<Vec<_>>().join("\n");
        let file = scratch.path().join("step.sh");
        std::fs::write(&file, script).unwrap();
        let run = engine.typed("bash -e step.sh", scratch.path());
        assert_eq!(run.code, 0, "{}\n{}{}", lines.join("\n"), run.stdout, run.stderr);
        count += 1;
    }
    assert_eq!(count, 4, "the steps of the page");
    let customers = std::fs::read_to_string(scratch.path().join("customers.json")).unwrap();
    assert!(customers.contains("#CustomersV3"), "{customers}");
    engine.must("docker rm --force --volumes ci");
}

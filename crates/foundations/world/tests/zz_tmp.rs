use mocktenant_world::*;
use std::time::Instant;
#[test]
fn timing() {
    let t = Instant::now();
    let w = World::contoso().unwrap();
    eprintln!("contoso first {:?}", t.elapsed());
    let t = Instant::now();
    for _ in 0..20 {
        World::contoso().unwrap();
    }
    eprintln!("contoso {:?}", t.elapsed() / 20);
    let e = [Edit::replace(Setting::fixed("/environments/onebox/web_config/Aad.Realm"), "spn:x")];
    let t = Instant::now();
    for _ in 0..100 {
        w.edited(&e, EditedBy::Control).unwrap();
    }
    eprintln!("edit web {:?}", t.elapsed() / 100);
    let e = [Edit::replace(Setting::fixed("/organizations/contoso/name"), "spn:x")];
    let t = Instant::now();
    for _ in 0..100 {
        w.edited(&e, EditedBy::Control).unwrap();
    }
    eprintln!("edit org {:?}", t.elapsed() / 100);
    for s in [
        "title: [t\nsymptom: s\n",
        "title: \tx: [\n",
        "",
        "title: t\ntitle: u\nsymptom: s\nedits: []\nsteps: 5\n",
        "title: t\nsymptom: s\nedits: []\nsteps: 5\n",
        "a: *b",
        "--- \na: 1\n---\nb: 1",
    ] {
        eprintln!("{:?}", scenario::parse("m", s).unwrap_err());
    }
    let mut text = "title: t\nsymptom: s\nsteps: []\nedits:\n  - op: add\n    path: /a\n    value:\n      - &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        text.push_str(&format!("      - &a{level} [*a{below}, *a{below}, *a{below}, *a{below}]\n"));
    }
    let t = Instant::now();
    eprintln!("{:?} {:?}", scenario::parse("bomb", &text).unwrap_err(), t.elapsed());
    let deep = format!("title: {}", "[".repeat(100_000));
    let t = Instant::now();
    eprintln!("{:?} {:?}", scenario::parse("deep", &deep).unwrap_err(), t.elapsed());
}

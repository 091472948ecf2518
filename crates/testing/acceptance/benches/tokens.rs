//! What a token costs beside the raw signature it contains, without sockets, journal on.
//!
//! Decides nothing; measures. Criterion gives each figure with its spread; the ratios at the end come from rounds in
//! which every kind takes its turn, in CPU time where the system tells it, so that a busy machine cannot favour one. The
//! targets are those of the design: secret 0.90 and certificate 0.85 of the raw rate, documents 20 times a token's.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use criterion::Criterion;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use mocktenant_entra::Entra;
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::{Entrance, Lab, Request, Response, real_now};
use mocktenant_token::{HeaderSegment, mint};
use mocktenant_world::World;
use serde_json::json;

const TENANT: &str = "c0117050-0000-4000-8000-000000000001";
const CLIENT: &str = "c0117050-0000-4000-8000-00000000a001";
const SECRET: &str = "contoso-app-secret-not-secret";
const HOST: &str = "login.microsoftonline.com";
const SCOPE: &str = "https%3A%2F%2Fcontoso.crm4.dynamics.com%2F.default";

const ROUNDS: usize = 15;
const TURN: Duration = Duration::from_millis(200);

/// One thing to be measured: its name, and one run of it.
struct Work {
    name: &'static str,
    run: Box<dyn FnMut()>,
}

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // A profile of one kind, or a list, is not to be drowned by rounds of all of them.
    let measuring = has("--bench") && !has("--profile-time") && !has("--list");
    let mut works = works();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    for Work { name, run } in &mut works {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *run));
    }
    criterion.final_summary();
    if measuring {
        print(&ratios(&mut works));
    }
}

#[expect(clippy::print_stdout, reason = "a bench prints what it found")]
fn print(report: &str) {
    println!("{report}");
}

fn works() -> Vec<Work> {
    let world = Arc::new(World::contoso().expect("the default world compiles"));
    let lab = Lab::builder(world).surface(Entra::new()).build();
    let endpoint = format!("/{TENANT}/oauth2/v2.0/token");
    let secret =
        format!("grant_type=client_credentials&client_id={CLIENT}&client_secret={SECRET}&scope={SCOPE}");
    let certificate = format!(
        "grant_type=client_credentials&client_id={CLIENT}&scope={SCOPE}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion={}",
        assertion()
    );
    vec![
        Work { name: "raw RS256 signature", run: raw() },
        posted(&lab, "token by secret", &endpoint, secret),
        posted(&lab, "token by certificate", &endpoint, certificate),
        got(&lab, "discovery document", format!("/{TENANT}/v2.0/.well-known/openid-configuration")),
        got(&lab, "keys (JWKS)", format!("/{TENANT}/discovery/v2.0/keys")),
    ]
}

/// The signature alone, with the key and over as many bytes as a token has.
fn raw() -> Box<dyn FnMut()> {
    let key =
        KeyPair::from_pkcs8(shipped::token_signing().key().pkcs8_der()).expect("the shipped key is sound");
    #[expect(clippy::disallowed_methods, reason = "the raw figure is that of the library alone")]
    let random = SystemRandom::new();
    let message = vec![b'a'; 1100];
    let mut signature = vec![0; key.public_modulus_len()];
    Box::new(move || {
        key.sign(&RSA_PKCS1_SHA256, &random, black_box(&message), &mut signature).expect("signs");
        black_box(&signature);
    })
}

/// A client assertion as an SDK would reuse it for minutes.
fn assertion() -> String {
    let identity = shipped::sample_client();
    let header =
        json!({"alg": "RS256", "typ": "JWT", "x5t": identity.certificate().thumbprint().base64url()});
    let header = HeaderSegment::new(header.as_object().expect("an object")).expect("encodes");
    let now = real_now().unix_timestamp();
    let claims = json!({
        "aud": format!("https://{HOST}/{TENANT}/oauth2/v2.0/token"),
        "iss": CLIENT, "sub": CLIENT, "jti": "3f1f5b3e-0000-4000-8000-000000000001",
        "nbf": now, "exp": now + 3600,
    });
    mint(identity.key(), Algorithm::Rs256, &header, &claims).expect("signs")
}

fn posted(lab: &Lab, name: &'static str, target: &str, body: String) -> Work {
    let (lab, target) = (lab.clone(), target.to_owned());
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let body = bytes::Bytes::from(body);
    let run = move || {
        let mut request = Request::new(Method::POST, HOST, &target, Entrance::Identity);
        request.headers.insert(CONTENT_TYPE, form.clone());
        request.body = Ok(body.clone());
        expect_ok(name, &answer(&lab, request));
    };
    Work { name, run: Box::new(run) }
}

fn got(lab: &Lab, name: &'static str, target: String) -> Work {
    let lab = lab.clone();
    let run = move || {
        let request = Request::new(Method::GET, HOST, &target, Entrance::Identity);
        expect_ok(name, &answer(&lab, request));
    };
    Work { name, run: Box::new(run) }
}

fn expect_ok(name: &str, response: &Response) {
    assert_eq!(response.status, StatusCode::OK, "{name}: {}", String::from_utf8_lossy(&response.body));
    black_box(response);
}

/// Entra awaits nothing, so its answer is ready at the first poll.
fn answer(lab: &Lab, request: Request) -> Response {
    match pin!(lab.answer(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response,
        Poll::Pending => unreachable!("Entra calls nobody"),
    }
}

/// CPU time of this thread in nanoseconds; `None` where the system does not tell it.
fn cpu_time() -> Option<u64> {
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    schedule.split_ascii_whitespace().next()?.parse().ok()
}

/// Runs per second of CPU time (of real time, where that is not known) in one turn.
fn rate(run: &mut dyn FnMut()) -> f64 {
    let (cpu, began) = (cpu_time(), Instant::now());
    let mut count = 0_u32;
    while began.elapsed() < TURN {
        for _ in 0..16 {
            run();
        }
        count += 16;
    }
    let real = began.elapsed();
    let spent = cpu.zip(cpu_time()).map(|(from, to)| Duration::from_nanos(to.saturating_sub(from)));
    f64::from(count) / spent.filter(|spent| !spent.is_zero()).unwrap_or(real).as_secs_f64()
}

fn ratios(works: &mut [Work]) -> String {
    let mut rates = vec![Vec::with_capacity(ROUNDS); works.len()];
    for _ in 0..ROUNDS {
        for (rates, Work { run, .. }) in rates.iter_mut().zip(&mut *works) {
            rates.push(rate(run));
        }
    }
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    // Round by round, then the middle one: a round's figures saw the same machine.
    let ratio = |one: usize, other: usize| {
        middle(rates[one].iter().zip(&rates[other]).map(|(one, other)| one / other).collect())
    };
    let mut report = String::from("\nper CPU-second, without sockets, journal on\n");
    for (Work { name, .. }, rates) in works.iter().zip(&rates) {
        let rate = middle(rates.clone());
        let _ = writeln!(report, "  {name:<24}{rate:>12.0} /s{:>10.1} us", 1e6 / rate);
    }
    report.push_str("ratios, the middle one of 15 rounds\n");
    let lines = [
        ("token by secret / raw", ratio(1, 0), 0.90),
        ("token by certificate / raw", ratio(2, 0), 0.85),
        ("discovery / token by secret", ratio(3, 1), 20.0),
        ("keys / token by secret", ratio(4, 1), 20.0),
    ];
    for (name, found, target) in lines {
        let verdict = if found >= target { "met" } else { "missed" };
        let _ = writeln!(report, "  {name:<30}{found:>8.3}   target {target:>5.2}   {verdict}");
    }
    report
}

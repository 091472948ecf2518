//! temp
#![allow(warnings)]
use std::sync::Arc; use std::time::Instant;
use mocktenant_entra::Entra; use mocktenant_lab::*; use mocktenant_world::*; use mocktenant_keys::{shipped, Algorithm};
use base64::Engine as _;
fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/schedstat").unwrap(); s.split(' ').next().unwrap().parse::<f64>().unwrap()/1e9 }
fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let world = Arc::new(World::contoso().unwrap());
    let lab = Lab::builder(world).surface(Entra).build();
    let t = "c0117050-0000-4000-8000-000000000001"; let c="c0117050-0000-4000-8000-00000000a001";
    let now = real_now().unix_timestamp();
    let id = shipped::sample_client();
    let e = |s:String| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(s);
    let input = format!("{}.{}", e(serde_json::json!({"alg":"PS256","typ":"JWT","x5t#S256":id.certificate().thumbprint256().base64url(),"x5c":[id.certificate().base64_der()]}).to_string()), e(serde_json::json!({"aud":format!("https://localhost:7443/{t}/oauth2/v2.0/token"),"iss":c,"sub":c,"exp":now+6000,"nbf":now,"jti":"x"}).to_string()));
    let sig = id.key().sign(Algorithm::Ps256, input.as_bytes()).unwrap();
    let a = format!("{input}.{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&sig));
    let secret = format!("grant_type=client_credentials&client_id={c}&client_secret=contoso-app-secret-not-secret&resource=https%3A%2F%2Fcontoso.crm4.dynamics.com");
    let cert = format!("grant_type=client_credentials&client_id={c}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={a}&resource=https%3A%2F%2Fcontoso.crm4.dynamics.com");
    let bad = secret.replace("crm4","crm5");
    let badc = cert.replace("crm4","crm5");
    let tok = format!("/{t}/oauth2/token"); let disc = format!("/{t}/v2.0/.well-known/openid-configuration");
    let req = |m: http::Method, p:&str, b:&str| { let mut r = Request::new(m, "localhost:7443", p, Site::Identity); r.headers.insert("content-type","application/x-www-form-urlencoded".parse().unwrap()); r.body = Ok(bytes::Bytes::copy_from_slice(b.as_bytes())); r };
    let key = shipped::token_signing().key();
    let run = |n:usize, m:http::Method, p:&str, b:&str| { let s=cpu(); rt.block_on(async { for _ in 0..n { let r=lab.answer(req(m.clone(),p,b)).await; } }); (cpu()-s)/n as f64*1e6 };
    let p = http::Method::POST;
    if mode == "bad" { for _ in 0..10 { println!("{:.2}", run(40000,p.clone(),&tok,&bad)); } return; }
    if mode == "badc" { for _ in 0..10 { println!("{:.2}", run(10000,p.clone(),&tok,&badc)); } return; }
    let v = id.certificate().public_key().unwrap();
    let s=cpu(); for _ in 0..5000 { assert!(v.verify(Algorithm::Ps256, input.as_bytes(), &sig)); } println!("verify {:.2}", (cpu()-s)/5000.0*1e6);
    let mut b=[0u8;50]; let s=cpu(); for _ in 0..5000 { lab.random().fill(&mut b); } println!("random {:.2}", (cpu()-s)/5000.0*1e6);
    for _ in 0..5 {
        let n=3000; let s=cpu(); for _ in 0..n { std::hint::black_box(key.sign(Algorithm::Rs256, &[7;1500]).unwrap()); } let raw=(cpu()-s)/n as f64*1e6;
        let sec=run(3000,p.clone(),&tok,&secret); let ce=run(3000,p.clone(),&tok,&cert); let d=run(20000,http::Method::GET,&disc,"");
        println!("raw {raw:.1} secret {sec:.1} (+{:.1}, {:.3}) cert {ce:.1} (+{:.1}, {:.3}) discovery {d:.2}  refused {:.2} refused cert {:.2}", sec-raw, raw/sec, ce-raw, raw/ce, run(20000,p.clone(),&tok,&bad), run(20000,p.clone(),&tok,&badc));
    }
}

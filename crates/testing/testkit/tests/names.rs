//! Every type of the API can be named by somebody who depends on this crate alone. That this compiles is the test.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use mocktenant_testkit::bytes::Bytes;
use mocktenant_testkit::http::{HeaderMap, Method};
use mocktenant_testkit::indexmap::IndexMap;
use mocktenant_testkit::serde_json::Value;
use mocktenant_testkit::time::OffsetDateTime;
use mocktenant_testkit::{
    Act, Aos, Applied, Builder, Cause, Change, Check, Client, ClockChange, Command, CommandError, CustomApi,
    Dataverse, Defect, Edit, EditError, EditedBy, Engine, Entra, Entrance, Errand, ExplainedCheck,
    Explanation, Fact, Fault, ForgeError, Forged, Input, Journal, Kind, Lab, Need, Operation, Order, Origin,
    Outcome, Problem, Record, RecordKind, Remedy, Reply, Role, Setting, Settings, SignedIn, StartError,
    World, WorldError,
};

async fn calls(builder: Builder, client: &Client, instant: OffsetDateTime) -> Result<Lab, StartError> {
    let lab: Lab = builder.frozen_at(instant).try_start().await?;
    let _: Result<Applied, CommandError> = lab.try_apply(Vec::<Edit>::new()).await;
    let change: ClockChange = ClockChange::Freeze(instant);
    let applied: Result<Applied, CommandError> = lab.try_command(Command::Clock(change)).await;
    if let Err(CommandError::Edit(EditError::World(error))) = applied {
        let WorldError { problems } = error;
        let _: Option<Problem> = problems.into_iter().next();
    }
    let Reply { status: _, headers, body: _ } = client.send(Method::GET, "", &[], "").await;
    let _: HeaderMap = headers;
    let errand: Errand = lab.world().caller().does;
    let _: (Reply, Reply) = (lab.drive().await, lab.drive_as(errand).await);
    let _: (SignedIn, Result<SignedIn, Reply>) = (lab.sign_in().await, lab.try_sign_in().await);
    Ok(lab)
}

fn lab(lab: &Lab) -> (&Engine, Arc<World>, &Path, Client, Journal) {
    (lab.lab(), lab.world(), lab.directory(), lab.client(), lab.journal())
}

fn tokens(lab: &Lab, order: &Order) -> (Result<Forged, ForgeError>, Option<Defect>) {
    (lab.try_forge(order), order.defect)
}

async fn keys(lab: &Lab) -> mocktenant_testkit::jsonwebtoken::jwk::JwkSet {
    lab.jwk_set().await
}

fn settings(settings: &Settings) -> (&Entra, Option<&Aos>, &Dataverse, Option<&CustomApi>, Option<&Value>) {
    let Settings { entra, aos, dataverse, custom_api, .. } = settings;
    let environments: &IndexMap<String, Aos> = aos;
    let first = environments.values().next();
    (entra, first, dataverse, custom_api.as_ref(), first.map(|aos| &aos.sample_customer))
}

fn record(
    record: &Record,
) -> (RecordKind, Option<&Entrance>, &Bytes, &Method, Option<&Fact>, Option<&Check>) {
    let Record { kind, entrance, request_body, method, facts, checks, .. } = record;
    (*kind, entrance.as_ref(), request_body, method, facts.iter().next(), checks.first())
}

fn explanation(explanation: Explanation) -> (Option<Cause>, Vec<ExplainedCheck>) {
    (explanation.cause, explanation.checks)
}

fn cause(cause: Cause) -> (Kind, Setting, Option<Origin>, Vec<Edit>, Vec<Need>) {
    (cause.kind, cause.setting, cause.origin, cause.change, cause.needs)
}

fn remedy(check: &Check, fact: &Fact) -> Option<(Role, Fault, Setting)> {
    let remedy: &Remedy = check.remedy.as_deref()?;
    let change: &Change = remedy.here.as_ref()?;
    let input: Option<&Input> = fact.input.as_deref();
    Some((input.map(|input| input.role).or(check.role)?, change.fault, change.setting.clone()))
}

fn act(act: Act) -> (Command, Vec<Setting>) {
    let restored = act.restore.clone();
    (Command::Act { act, by: EditedBy::Control }, restored)
}

fn edit(edit: Edit) -> (Operation, Setting, Command) {
    (edit.op, edit.path.clone(), Command::Edit { edits: vec![edit], by: EditedBy::Control })
}

fn check(check: Check) -> (Outcome, Cow<'static, str>) {
    (check.outcome, check.name)
}

#[test]
fn every_type_of_the_api_has_a_name_here() {
    let _ = (calls, lab, tokens, keys, settings, record, explanation, cause, remedy, act, edit, check);
}

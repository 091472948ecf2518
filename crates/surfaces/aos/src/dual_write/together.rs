//! Several changes on their way into Dataverse: one change set of one `$batch`, which it takes or refuses as a whole.
//!
//! Decides that a row which an earlier change makes is called by its number in the set, that rows which are not there are not deleted,
//! and which change an answer is about. Mirrors live sync, which collects the records of one unit of work and sends them together;
//! the form in which it does is inferred.

use http::{Method, StatusCode};
use mocktenant_batch::{ChangeSet, answers};
use mocktenant_lab::{Context, Trail};

use super::writer::{ACCEPTED, Learnt, NOTHING_LEFT, Request, Session, Undelivered, text};
use super::{Leaving, Operation};

/// Answers that are read: an organisation takes as many operations at a time.
const MOST: usize = 1_000;

impl Session<'_> {
    /// Writes all of them, or none; which one failed, and how.
    pub(super) async fn together(
        &self,
        context: &Context,
        trail: &mut Trail,
        several: &[Leaving<'_>],
    ) -> Result<&'static str, (usize, Undelivered)> {
        let name = |name: &str| format!("{name}_{}", context.random().guid());
        let mut set = ChangeSet::new(name("batch"), name("changeset"));
        let mut learnt = Learnt::default();
        let mut sent: Vec<&Leaving<'_>> = Vec::with_capacity(several.len());
        for one in several {
            let at = |undelivered| (one.at, undelivered);
            if one.operation == Operation::Delete
                && !self.is_there(context, trail, one, &mut learnt).await.map_err(at)?
            {
                continue;
            }
            let request = self.request(context, trail, one, &mut learnt).await.map_err(at)?;
            let Some(Request { method, path, body }) = request else { continue };
            set.push(method.as_str(), &path, body.as_deref());
            sent.push(one);
            if one.operation == Operation::Insert {
                let value = |column: &str| text(one.row, column).to_owned();
                let (key, company) = (value(one.map.key.0), value(one.map.company.source));
                learnt.made.push((one.map.external, key, company, sent.len()));
            }
        }
        let Some(first) = sent.first() else { return Ok(NOTHING_LEFT) };
        let body = (set.content_type(), set.finish());
        let reply = self.call(context, trail, first.map, (Method::POST, "$batch", Some(body))).await;
        let reply = reply.map_err(|undelivered| (first.at, undelivered))?;
        let kind = reply.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // one that is refused has the status of the part that was
        let Ok(answered) = answers(kind, &reply.body, MOST) else {
            let refused = self.accepted(first.map, reply.status, &reply.body).err();
            return Err((first.at, refused.unwrap_or_else(|| self.bare(first.map, reply.status))));
        };
        for answer in answered {
            let number = answer.content_id.and_then(|id| id.parse::<usize>().ok()?.checked_sub(1));
            let one = number.and_then(|number| sent.get(number)).unwrap_or(first);
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            self.accepted(one.map, status, answer.body).map_err(|undelivered| (one.at, undelivered))?;
        }
        Ok(ACCEPTED)
    }

    /// Whether a row is there that goes, or will be.
    async fn is_there(
        &self,
        context: &Context,
        trail: &mut Trail,
        one: &Leaving<'_>,
        learnt: &mut Learnt,
    ) -> Result<bool, Undelivered> {
        let (source, target) = one.map.key;
        let company = one.map.key_company.map(|_| text(one.row, one.map.company.source));
        if learnt.made(one.map.external, text(one.row, source), company).is_some() {
            return Ok(true);
        }
        let Some(key) = self.key(context, trail, one, learnt).await? else { return Ok(false) };
        let filter: Vec<String> = key.iter().map(|part| part.replacen('=', " eq ", 1)).collect();
        let filter = filter.join(" and ");
        let found = self.first(context, trail, one.map, (one.map.external, target, &filter)).await?;
        Ok(found.is_some())
    }
}

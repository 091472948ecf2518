//! Records that come with others: what a link leads to.
//!
//! Decides how far a link is followed, and that what comes with the records of one page takes no longer than a query may and no
//! more room than an answer has, however many there are. Conditions, order and number of what comes are the question's; a link is
//! gone by the columns of its relationship.

use std::time::Instant;

use mocktenant_lab::Context;
use mocktenant_odata::{Expansion, Fault};
use mocktenant_query::{Comparison, Expression, Hop};
use mocktenant_schema::CellRef;
use mocktenant_tables::{Query, Row, Snapshot};

use super::read::{AT_ONCE, PAGE, Visible};
use super::{Entity, Member};
use crate::errors::ODataError;

/// About as many bytes of records come along in one answer.
const BYTES: usize = 16 * 1024 * 1024;
/// About as many bytes a member takes that holds its default.
const MEMBER: usize = 32;

/// A record, with what comes with it.
pub(super) struct Found<'a> {
    pub(super) row: Row,
    pub(super) with: Vec<Expanded<'a>>,
}

/// What a link of a record leads to.
pub(super) struct Expanded<'a> {
    pub(super) asked: &'a Expansion,
    pub(super) entity: Entity<'a>,
    pub(super) rows: Vec<Found<'a>>,
    pub(super) count: Option<u64>,
}

/// Follows links from the records of one moment.
pub(super) struct Follower<'f> {
    context: &'f Context,
    snapshot: &'f Snapshot,
    visible: &'f Visible,
    begun: Instant,
    /// Bytes that may still come along.
    left: usize,
    /// Records that came along.
    came: usize,
    /// Records that were looked for since others last had the thread.
    since: usize,
}

impl<'f> Follower<'f> {
    pub(super) fn new(context: &'f Context, snapshot: &'f Snapshot, visible: &'f Visible) -> Self {
        Self { context, snapshot, visible, begun: Instant::now(), left: BYTES, came: 0, since: 0 }
    }

    /// What the links of a record lead to; nothing is waited for where it has none.
    pub(super) async fn follow<'a>(
        &mut self,
        entity: Entity<'a>,
        row: &Row,
        links: &'a [Expansion],
    ) -> Result<Vec<Expanded<'a>>, ODataError> {
        let mut all = Vec::with_capacity(links.len());
        for link in links {
            all.push(self.one(entity, row, link).await?);
        }
        Ok(all)
    }

    async fn one<'a>(
        &mut self,
        entity: Entity<'a>,
        row: &Row,
        link: &'a Expansion,
    ) -> Result<Expanded<'a>, ODataError> {
        let led = led_to(entity, link.hop, |column| row.value(column));
        let (target, condition) = led.ok_or(ODataError::Internal)?;
        let more = link.filter.clone().into_iter().chain(self.visible.condition(target));
        let filter = more.fold(condition, Expression::and);
        let query = Query {
            filter: Some(&filter),
            order: &link.order,
            skip: link.skip,
            // of several that a link to one leads to the first comes
            top: if link.many { link.top } else { Some(1) },
            count: link.count,
            page_size: Some(PAGE),
            ..Query::of(target)
        };
        self.since += 1;
        if self.since >= AT_ONCE {
            self.since = 0;
            self.context.breathe().await;
        }
        if self.begun.elapsed() > self.context.query_time() {
            return Err(ODataError::QueryTimeout);
        }
        let page = self.context.query(self.snapshot, query).await.map_err(|_| ODataError::QueryTimeout)?;
        let columns = link.selection.columns.as_ref().map_or_else(|| target.columns().len(), Vec::len);
        let mut rows = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let bytes = row.size().saturating_add(columns.saturating_mul(MEMBER));
            let Some(left) = self.left.checked_sub(bytes) else {
                // the library's sentence for an expansion that is too large, which is about its text there
                let fault = Fault::ExpandCount { found: self.came + 1, most: self.came };
                return Err(ODataError::QueryInvalid { why: fault.to_string() });
            };
            (self.left, self.came) = (left, self.came + 1);
            // one level is within the other, at most as many as a query may nest
            let with = Box::pin(self.follow(target, &row, &link.selection.expand)).await?;
            rows.push(Found { row, with });
        }
        Ok(Expanded { asked: link, entity: target, rows, count: page.count })
    }
}

/// The columns by which a step goes, of the record it starts from and of those it leads to; `entity` is any of the schema.
pub(super) fn pairs(entity: Entity<'_>, hop: Hop) -> impl Iterator<Item = (u16, u16)> {
    let relationship = entity.relationship(usize::from(hop.relationship));
    let pairs = relationship.into_iter().flat_map(mocktenant_schema::Relationship::pairs);
    pairs.map(move |(own, other)| if hop.back { (other, own) } else { (own, other) })
}

/// The entity that a step leads to, and which of its records: those whose columns equal the record's own.
pub(super) fn led_to<'s, 'v>(
    entity: Entity<'s>,
    hop: Hop,
    value: impl Fn(Member<'s>) -> CellRef<'v>,
) -> Option<(Entity<'s>, Expression)> {
    let relationship = entity.relationship(usize::from(hop.relationship))?;
    let target = if hop.back { relationship.from() } else { relationship.to() };
    let mut all = Vec::new();
    for (here, there) in pairs(entity, hop) {
        let cell = value(entity.at(here)?).to_cell();
        all.push(Expression::column_is(there, Comparison::Equal, cell));
    }
    Some((target, Expression::And(all)))
}

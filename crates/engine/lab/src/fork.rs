//! A throw-away copy of a running lab: the same world, rows, clock and machines, and no way out but into itself.
//!
//! Decides what a copy shares with the lab it was made from: nothing that either of them could change. Rows, worlds and
//! what a node has read are immutable under their handles, so a copy costs pointers. Its calls are answered in process, by
//! the table the sockets dial. Nothing it does is seen outside, and it goes with its last handle.

use std::sync::Arc;

use crate::Lab;
use crate::journal::Record;

impl Lab {
    /// A copy of this lab as it is now. Its journal holds only these records, which its machines may refer to; its time
    /// stands where the lab's stands now.
    #[must_use]
    pub fn fork<'r>(&self, records: impl IntoIterator<Item = &'r Arc<Record>>) -> Self {
        let fork = self.copied();
        for record in records {
            fork.journal().adopt(Arc::clone(record));
        }
        fork.set_outbound(Temporary(fork.weak()));
        fork
    }
}

/// TEMPORARY until the dial table arrives.
struct Temporary(std::sync::Weak<crate::lab::Core>);

impl crate::outbound::Outbound for Temporary {
    fn call(
        &self,
        call: crate::outbound::Call,
    ) -> crate::BoxFuture<'_, Result<crate::outbound::Reply, crate::outbound::CallError>> {
        Box::pin(async move {
            let uri: http::Uri = call.url.parse().map_err(|why: http::uri::InvalidUri| {
                crate::outbound::CallError::BadUrl { url: call.url.clone(), why: why.to_string() }
            })?;
            let lab = Lab::of_core(&self.0);
            let host = uri.host().unwrap_or_default().to_ascii_lowercase();
            let port = uri.port_u16().unwrap_or(443);
            let unknown = || crate::outbound::CallError::UnknownHost { host: host.clone(), port };
            let entrance = lab.entrance_of(&host).ok_or_else(unknown)?;
            let target = uri.path_and_query().map_or("/", |target| target.as_str());
            let mut request = crate::Request::new(call.method, &host, target, entrance);
            request.headers = call.headers;
            request.body = Ok(call.body);
            let answer = lab.answer(request).await;
            Ok(crate::outbound::Reply { status: answer.status, headers: answer.headers, body: answer.body })
        })
    }
}

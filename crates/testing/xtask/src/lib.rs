//! Documents made from the code, so that they cannot say anything else than the code does.
//!
//! Decides what stands in `docs/reference/` and in the README's table of scenarios, and whether it is stale. Never
//! decides anything about a product: every word of those pages comes from the surfaces' catalogues, the world, its
//! scenarios, or a lab that was asked.

pub mod chain;
pub mod documents;
mod markdown;
mod pages {
    //! One page each.
    pub(crate) mod checks;
    pub(crate) mod control;
    pub(crate) mod errors;
    pub(crate) mod scenarios;
    pub(crate) mod settings;
}

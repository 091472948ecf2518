//! A token judged where a person says, and the short names people have for places.
//!
//! Decides what a short name means (an environment or an organisation of the declaration, else the first place a surface of
//! that name plays) and that a judgement is recorded with its checks and without the token. What is asked of the token is
//! the surface's: the same questions as of a request. Nothing is written but the record.

use std::sync::Arc;
use std::time::Instant;

use mocktenant_world::World;

use crate::journal::Record;
use crate::record::Kind;
use crate::{Entrance, Lab, Machine, Trail, Way};

/// No place of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no place called {named:.80?}; there are: {}", known.join(", "))]
pub struct UnknownPlace {
    /// As asked.
    pub named: String,
    /// The names there are.
    pub known: Vec<String>,
}

/// A place somebody named.
pub(crate) struct Place {
    /// The surface that plays it.
    pub(crate) surface: usize,
    /// The world's own name for it; empty where it has many.
    pub(crate) host: String,
    /// The machine that answers there.
    pub(crate) machine: Option<Machine>,
}

impl Lab {
    /// Judges a token, or a client's assertion, as whoever is at that place would if it came with a request. The record is
    /// of kind `judged`; its checks are those of a request.
    pub fn judge_at(&self, place: &str, token: &str) -> Result<Arc<Record>, UnknownPlace> {
        let began = Instant::now();
        let Some(Place { surface, machine, .. }) = self.place_called(place) else {
            return Err(UnknownPlace { named: place.to_owned(), known: self.place_names() });
        };
        let context = self.context(surface, machine);
        let mut trail = Trail::default();
        self.surfaces()[surface].surface.judge(&context, token, &mut trail);
        let record = Record::of(Kind::Judged, &context, trail, began);
        Ok(self.journal().commit(Record { endpoint: "judge".into(), ..record }))
    }

    /// The place of this name.
    pub(crate) fn place_called(&self, name: &str) -> Option<Place> {
        let world = self.world();
        let entrances = entrances(&world);
        let declared = entrances.iter().find(|entrance| short(entrance) == Some(name));
        let (surface, entrance) = match declared {
            Some(entrance) => {
                ((0..self.surfaces().len()).find(|index| self.judges(*index, entrance))?, entrance)
            }
            None => {
                let surface = self.surfaces().iter().position(|mounted| mounted.surface.name() == name)?;
                (surface, entrances.iter().find(|entrance| self.judges(surface, entrance))?)
            }
        };
        let host = match entrance {
            Entrance::Identity => String::new(),
            Entrance::Environment(id) => world.environment(id)?.host.clone(),
            Entrance::Organization(key) => world.organization(key)?.host.clone(),
        };
        let path = match entrance {
            Entrance::Identity => format!("/{}", world.caller().tenant),
            _ => "/".to_owned(),
        };
        let way = Way { entrance, host: &host, path: &path, asker: None };
        let machine = self.surfaces()[surface].surface.machine(&world, &way);
        Some(Place { surface, host, machine })
    }

    /// The names of places there are.
    pub fn place_names(&self) -> Vec<String> {
        let world = self.world();
        let entrances = entrances(&world);
        let declared = entrances.iter().filter_map(short);
        let playing = self
            .surfaces()
            .iter()
            .enumerate()
            .filter(|(index, _)| entrances.iter().any(|entrance| self.judges(*index, entrance)));
        let mut names: Vec<String> = playing.map(|(_, mounted)| mounted.surface.name().to_owned()).collect();
        for name in declared {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Whether a surface takes tokens at an entrance.
    fn judges(&self, surface: usize, entrance: &Entrance) -> bool {
        let snapshot = self.snapshot();
        self.surfaces()[surface].surface.judges()
            && snapshot.hosts.values().any(|(index, at)| *index == surface && at == entrance)
    }
}

/// Every entrance of a world, in its order.
fn entrances(world: &World) -> Vec<Entrance> {
    let environments = world.environments().map(|environment| Entrance::environment(&environment.id));
    let organizations = world.organizations().map(|organization| Entrance::organization(&organization.key));
    std::iter::once(Entrance::Identity).chain(environments).chain(organizations).collect()
}

fn short(entrance: &Entrance) -> Option<&str> {
    match entrance {
        Entrance::Identity => None,
        Entrance::Environment(name) | Entrance::Organization(name) => Some(name),
    }
}

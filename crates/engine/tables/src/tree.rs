//! A sorted map that shares what it has in common with older copies of itself.
//!
//! Decides how rows and indexes lie in memory: a B+ tree of shared nodes. A copy is one pointer, a change copies a path of nodes
//! (and nothing where nobody else holds them), and what comes in ascending order fills its nodes. Our own, because of what a lab
//! of a million rows asks of it: nodes without empty places (a red-black tree takes a hundred bytes an entry, the known B-tree of
//! this kind keeps half its places free and has another licence), and being taken apart in slices, so that a reset of a million
//! rows stops nobody.

use std::ops::Bound;
use std::sync::Arc;

/// Most entries of a node. With more of them look-ups are no faster, and copies of a path are dearer.
const MOST: usize = 16;

/// A sorted map.
pub(crate) struct Tree<K, V> {
    root: Option<Arc<Node<K, V>>>,
    len: usize,
}

#[derive(Clone)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    /// Children with a key not above their least one, and above all of the child before.
    Branch(Vec<(K, Arc<Node<K, V>>)>),
}

impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self { root: None, len: 0 }
    }
}

/// A node that became too full: what goes to its right.
type Split<K, V> = Option<(K, Arc<Node<K, V>>)>;

impl<K, V> Node<K, V> {
    fn len(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Branch(children) => children.len(),
        }
    }
}

/// Children of a node.
type Children<K, V> = [(K, Arc<Node<K, V>>)];

/// The place of the child in which a key is.
fn child_of<K: Ord, C>(children: &[(K, C)], key: &K) -> usize {
    children.partition_point(|(least, _)| least <= key).saturating_sub(1)
}

/// Puts an entry in. What is full already is split: in the middle, or at its end where that is where it grows; then what goes to
/// the right comes back.
fn put_in<T>(all: &mut Vec<T>, at: usize, one: T) -> Option<Vec<T>> {
    if all.len() < MOST {
        if all.len() == all.capacity() {
            // a node has no more places than it needs, by half
            all.reserve_exact((all.len() / 2).clamp(1, MOST - all.len()));
        }
        all.insert(at, one);
        return None;
    }
    if at == all.len() {
        // more follows, most likely
        let mut right = Vec::with_capacity(MOST);
        right.push(one);
        return Some(right);
    }
    let mut right = all.split_off(MOST / 2);
    all.shrink_to_fit();
    let (side, at) = if at <= all.len() { (all, at) } else { (&mut right, at - MOST / 2) };
    side.reserve_exact(MOST / 4);
    side.insert(at, one);
    Some(right)
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let mut node = self.root.as_deref()?;
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
                    return entries.get(at).map(|(_, value)| value);
                }
                Node::Branch(children) => node = &children.get(child_of(children, key))?.1,
            }
        }
    }

    /// A value, to be changed; the nodes on the way to it are nobody else's then.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        // what is not there leaves the nodes shared
        self.get(key)?;
        let mut node = self.root.as_mut()?;
        loop {
            match Arc::make_mut(node) {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
                    return entries.get_mut(at).map(|(_, value)| value);
                }
                Node::Branch(children) => {
                    let at = child_of(children, key);
                    node = &mut children.get_mut(at)?.1;
                }
            }
        }
    }

    /// Puts a value in place of any that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.add(key, value, |value| value, |there, value| *there = value);
    }

    /// Makes a value of what is added where there is none, or adds it to the one that is there.
    pub(crate) fn add<T>(&mut self, key: K, one: T, make: impl FnOnce(T) -> V, add: impl FnOnce(&mut V, T)) {
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(Node::Leaf(vec![(key, make(one))])));
            self.len = 1;
            return;
        };
        let (grown, split) = put(root, key, one, make, add);
        self.len += usize::from(grown);
        if let (Some((key, right)), Some(least)) = (split, least(root).cloned()) {
            let left = Arc::clone(root);
            self.root = Some(Arc::new(Node::Branch(vec![(least, left), (key, right)])));
        }
    }

    /// Takes a value out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        // what is not there leaves the nodes shared
        self.get(key)?;
        let root = self.root.as_mut()?;
        let removed = take(root, key)?;
        self.len -= 1;
        loop {
            let next = match self.root.as_deref() {
                Some(Node::Leaf(entries)) if entries.is_empty() => None,
                Some(Node::Branch(children)) if children.len() <= 1 => {
                    children.first().map(|(_, child)| Arc::clone(child))
                }
                _ => return Some(removed),
            };
            self.root = next;
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        self.range(Bound::Unbounded)
    }

    /// The entries from a key on.
    pub(crate) fn range(&self, from: Bound<&K>) -> Iter<'_, K, V> {
        let mut iter = Iter { above: Vec::new(), leaf: &[] };
        let mut node = self.root.as_deref();
        while let Some(one) = node {
            match one {
                Node::Leaf(entries) => {
                    let at = match from {
                        Bound::Unbounded => 0,
                        Bound::Included(key) => entries.partition_point(|(one, _)| one < key),
                        Bound::Excluded(key) => entries.partition_point(|(one, _)| one <= key),
                    };
                    iter.leaf = entries.get(at..).unwrap_or_default();
                    node = None;
                }
                Node::Branch(children) => {
                    let at = match from {
                        Bound::Unbounded => 0,
                        Bound::Included(key) | Bound::Excluded(key) => child_of(children, key),
                    };
                    iter.above.push(children.get(at + 1..).unwrap_or_default());
                    node = children.get(at).map(|(_, child)| &**child);
                }
            }
        }
        iter
    }
}

fn least<K, V>(node: &Node<K, V>) -> Option<&K> {
    match node {
        Node::Leaf(entries) => entries.first().map(|(key, _)| key),
        Node::Branch(children) => children.first().map(|(key, _)| key),
    }
}

/// Whether there is one more, and what goes to the right if the node was full.
fn put<K: Ord + Clone, V: Clone, T>(
    node: &mut Arc<Node<K, V>>,
    key: K,
    one: T,
    make: impl FnOnce(T) -> V,
    add: impl FnOnce(&mut V, T),
) -> (bool, Split<K, V>) {
    match Arc::make_mut(node) {
        Node::Leaf(entries) => match entries.binary_search_by(|(there, _)| there.cmp(&key)) {
            Ok(at) => {
                if let Some((_, there)) = entries.get_mut(at) {
                    add(there, one);
                }
                (false, None)
            }
            Err(at) => {
                (true, put_in(entries, at, (key, make(one))).and_then(|right| beside(right, Node::Leaf)))
            }
        },
        Node::Branch(children) => {
            let at = child_of(children, &key);
            let Some((least, child)) = children.get_mut(at) else { return (false, None) };
            if at == 0 && key < *least {
                *least = key.clone();
            }
            let (more, grown) = put(child, key, one, make, add);
            let right = grown.and_then(|grown| put_in(children, at + 1, grown));
            (more, right.and_then(|right| beside(right, Node::Branch)))
        }
    }
}

/// A node to the right of another, with its least key.
fn beside<K: Clone, V, C>(all: Vec<(K, C)>, node: impl FnOnce(Vec<(K, C)>) -> Node<K, V>) -> Split<K, V> {
    let (least, _) = all.first()?;
    Some((least.clone(), Arc::new(node(all))))
}

fn take<K: Ord + Clone, V: Clone>(node: &mut Arc<Node<K, V>>, key: &K) -> Option<V> {
    match Arc::make_mut(node) {
        Node::Leaf(entries) => {
            let at = entries.binary_search_by(|(one, _)| one.cmp(key)).ok()?;
            Some(entries.remove(at).1)
        }
        Node::Branch(children) => {
            let at = child_of(children, key);
            let (_, child) = children.get_mut(at)?;
            let removed = take(child, key)?;
            let left = child.len();
            if left == 0 {
                children.remove(at);
            } else if left < MOST / 4 {
                join(children, at);
            }
            Some(removed)
        }
    }
}

/// Joins a child that is nearly empty with its neighbour, if both fit into one.
fn join<K: Clone, V: Clone>(children: &mut Vec<(K, Arc<Node<K, V>>)>, at: usize) {
    let left = if at + 1 < children.len() { at } else { at.saturating_sub(1) };
    let (Some((_, one)), Some((_, other))) = (children.get(left), children.get(left + 1)) else { return };
    if one.len() + other.len() > MOST / 2 {
        return;
    }
    let (_, right) = children.remove(left + 1);
    let Some((_, node)) = children.get_mut(left) else { return };
    match (Arc::make_mut(node), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(entries), Node::Leaf(more)) => entries.extend(more),
        (Node::Branch(children), Node::Branch(more)) => children.extend(more),
        // children of one node are all leaves or all branches
        _ => {}
    }
}

/// Entries in order.
pub(crate) struct Iter<'t, K, V> {
    above: Vec<&'t Children<K, V>>,
    leaf: &'t [(K, V)],
}

impl<'t, K, V> Iterator for Iter<'t, K, V> {
    type Item = (&'t K, &'t V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(((key, value), rest)) = self.leaf.split_first() {
                self.leaf = rest;
                return Some((key, value));
            }
            // up to where there is a next child, and down to its first leaf
            let siblings = self.above.last_mut()?;
            let Some(((_, child), rest)) = siblings.split_first() else {
                self.above.pop();
                continue;
            };
            *siblings = rest;
            let mut node = &**child;
            loop {
                match node {
                    Node::Leaf(entries) => {
                        self.leaf = entries;
                        break;
                    }
                    Node::Branch(children) => {
                        let Some(((_, first), rest)) = children.split_first() else { break };
                        self.above.push(rest);
                        node = first;
                    }
                }
            }
        }
    }
}

/// What is left of trees that nobody reads any more, to be freed little by little.
pub(crate) struct Wreck<K, V> {
    nodes: Vec<Arc<Node<K, V>>>,
}

impl<K, V> Default for Wreck<K, V> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<K, V> Wreck<K, V> {
    /// Adds what was one.
    pub(crate) fn add(&mut self, tree: Tree<K, V>) {
        self.nodes.extend(tree.root);
    }

    /// Frees so many nodes, and hands on the values that were in them; whether there are more.
    pub(crate) fn clear(&mut self, mut nodes: usize, mut each: impl FnMut(V)) -> bool {
        while nodes > 0 {
            let Some(node) = self.nodes.pop() else { return false };
            nodes -= 1;
            // a node that somebody else holds is theirs to free
            match Arc::into_inner(node) {
                Some(Node::Leaf(entries)) => entries.into_iter().for_each(|(_, value)| each(value)),
                Some(Node::Branch(children)) => {
                    self.nodes.extend(children.into_iter().map(|(_, child)| child));
                }
                None => {}
            }
        }
        !self.nodes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn content(tree: &Tree<u32, u32>) -> Vec<(u32, u32)> {
        tree.iter().map(|(key, value)| (*key, *value)).collect()
    }

    proptest! {
        #[test]
        fn it_holds_what_the_map_of_the_library_holds_and_copies_do_not_change(
            steps in prop::collection::vec((0_u32..400, any::<bool>()), 0..2_000),
            kept_at in 0_usize..2_000,
        ) {
            let (mut tree, mut model) = (Tree::default(), BTreeMap::new());
            let mut kept = None;
            for (at, (key, insert)) in steps.iter().enumerate() {
                let value = u32::try_from(at).unwrap();
                if *insert {
                    tree.insert(*key, value);
                    model.insert(*key, value);
                } else {
                    prop_assert_eq!(tree.remove(key), model.remove(key));
                }
                if at == kept_at {
                    kept = Some((tree.clone(), model.clone()));
                }
            }
            prop_assert_eq!(tree.len(), model.len());
            prop_assert_eq!(content(&tree), model.clone().into_iter().collect::<Vec<_>>());
            for from in [0, 17, 200, 399, 400] {
                for bound in [Bound::Included(&from), Bound::Excluded(&from)] {
                    let found: Vec<u32> = tree.range(bound).map(|(key, _)| *key).collect();
                    let expected: Vec<u32> = model.range((bound, Bound::Unbounded)).map(|(key, _)| *key).collect();
                    prop_assert_eq!(found, expected);
                }
                prop_assert_eq!(tree.get(&from), model.get(&from));
            }
            if let Some((tree, model)) = kept {
                prop_assert_eq!(content(&tree), model.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_nodes() {
        let mut tree = Tree::default();
        for key in 0..100_000_u32 {
            tree.insert(key, key);
        }
        let mut leaves = 0;
        let mut nodes = vec![tree.root.clone().unwrap()];
        while let Some(node) = nodes.pop() {
            match &*node {
                Node::Leaf(_) => leaves += 1,
                Node::Branch(children) => nodes.extend(children.iter().map(|(_, child)| Arc::clone(child))),
            }
        }
        assert_eq!(leaves, 100_000 / MOST);
    }

    #[test]
    fn a_wreck_is_cleared_in_slices_and_leaves_what_others_hold() {
        let mut tree: Tree<u32, u32> = (0..10_000).fold(Tree::default(), |mut tree, key| {
            tree.insert(key, key);
            tree
        });
        let copy = tree.clone();
        tree.insert(10_000, 0);
        let mut wreck = Wreck::default();
        wreck.add(tree);
        let mut slices = 0;
        while wreck.clear(10, drop) {
            slices += 1;
        }
        assert!(slices >= 1, "{slices}");
        assert_eq!(copy.iter().count(), 10_000);
    }
}

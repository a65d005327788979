//! A sorted tree of items that keeps every version of itself: a change writes the pages on the
//! way to what it changes anew, and leaves the others, and all earlier versions, as they are.
//! What is told of each page beside its name lets a search pass over pages in which there is
//! nothing to be found, and count what it passes over.
//!
//! Pages that lose items are not joined with their neighbours: what is taken out is nearly
//! always put back nearby, as another version of the same statement.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::Shape;
use super::item::{ByKind, Item, Kind, Mark};
use crate::fold::{Changes, FoldError, Order, Tables};
use crate::position::Newness;
use crate::projection::positions::PAGES;
use crate::projection::rows::Key;

/// The entry that wrote a page, and its number among the pages that this entry wrote.
type PageId = (u64, u32);

/// What stands in a page.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Page {
    /// Items in order.
    Leaf(Vec<Item>),
    /// The pages below, in order.
    Inner(Vec<Child>),
}

/// A page, and what is told of all items in it and below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Child {
    id: PageId,
    /// The first item's place in the order.
    first: Newness,
    /// The greatest `latest`.
    latest: i64,
    /// By kind, how many testimonies become definite with these items.
    counts: ByKind<u64>,
    /// By kind, whether there is any.
    holds: ByKind<bool>,
    /// By kind, the least `begins`.
    begins: ByKind<Option<i64>>,
    /// The candidates' speakers, a bit each.
    speakers: u64,
    /// How the candidates are marked.
    marks: Marks,
}

/// How candidates are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Marks {
    /// There are none.
    None,
    /// All alike.
    One(Mark),
    /// Not all alike.
    Many,
}

impl Child {
    /// Whether some item ends by a date.
    pub(super) const fn reaches_down_to(&self, as_of: i64) -> bool {
        self.first.latest <= as_of
    }

    /// Whether some item ends after a date.
    pub(super) const fn reaches_beyond(&self, as_of: i64) -> bool {
        self.latest > as_of
    }

    /// Whether some item ends at a date or after it.
    pub(super) const fn reaches_up_to(&self, date: i64) -> bool {
        self.latest >= date
    }

    /// Whether there are items of a kind.
    pub(super) const fn holds(&self, kind: Kind) -> bool {
        self.holds[kind as usize]
    }

    /// Whether some item of a kind begins before a date.
    pub(super) fn begins_before(&self, kind: Kind, as_of: i64) -> bool {
        self.begins[kind as usize].is_some_and(|begins| begins < as_of)
    }

    /// Whether some item begins before a date.
    pub(super) fn begins_before_in_any_kind(&self, as_of: i64) -> bool {
        let mut begins = self.begins.iter().flatten();
        begins.any(|begins| *begins < as_of)
    }

    /// Whether a speaker has candidates here.
    pub(super) fn holds_speaker(&self, speaker: u8) -> bool {
        self.speakers & bit(Some(speaker)) != 0
    }

    /// Whether some candidate is marked otherwise.
    pub(super) fn holds_other_than(&self, mark: Mark) -> bool {
        match self.marks {
            Marks::None => false,
            Marks::One(one) => one != mark,
            Marks::Many => true,
        }
    }

    /// A page of this one item.
    fn around(id: PageId, item: &Item) -> Self {
        let mut child = Self {
            id,
            first: item.newness,
            latest: item.newness.latest,
            counts: [0; 3],
            holds: [false; 3],
            begins: [None; 3],
            speakers: 0,
            marks: Marks::None,
        };
        let kind = item.kind as usize;
        child.counts[kind] = item.counts.into();
        child.holds[kind] = true;
        child.begins[kind] = item.begins;
        if item.kind == Kind::Candidate {
            child.speakers = bit(item.speaker);
            child.marks = Marks::One(item.mark);
        }
        child
    }

    /// With what is told of a page further on.
    fn join(mut self, other: &Self) -> Self {
        self.latest = self.latest.max(other.latest);
        for kind in 0..3 {
            self.counts[kind] += other.counts[kind];
            self.holds[kind] |= other.holds[kind];
            let begins = [self.begins[kind], other.begins[kind]];
            self.begins[kind] = begins.into_iter().flatten().min();
        }
        self.speakers |= other.speakers;
        self.marks = match (self.marks, other.marks) {
            (marks, Marks::None) | (Marks::None, marks) => marks,
            (one, another) if one == another => one,
            _ => Marks::Many,
        };
        self
    }
}

/// The bit of a speaker; none for nobody, and for a number that no speaker has.
fn bit(speaker: Option<u8>) -> u64 {
    speaker
        .and_then(|it| 1_u64.checked_shl(it.into()))
        .unwrap_or(0)
}

/// Items to be put where they belong, and places to be emptied. In order.
pub(super) type Edits = [(Newness, Option<Item>)];

/// Pages, each read once.
pub(super) struct Pages<'a> {
    tables: &'a dyn Tables,
    read: HashMap<PageId, Rc<Page>>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(tables: &'a dyn Tables) -> Self {
        Self {
            tables,
            read: HashMap::new(),
        }
    }

    fn page(&mut self, child: &Child) -> Result<Rc<Page>, FoldError> {
        if let Some(page) = self.read.get(&child.id) {
            return Ok(Rc::clone(page));
        }
        let page: Option<Page> = PAGES.get(self.tables, &key(child.id))?;
        let page = Rc::new(page.ok_or_else(|| PAGES.damaged())?);
        self.read.insert(child.id, Rc::clone(&page));
        Ok(page)
    }

    /// By kind, how many testimonies are definite by a date with the items of a tree.
    pub(super) fn count(&mut self, tree: &Child, as_of: i64) -> Result<ByKind<u64>, FoldError> {
        if !tree.reaches_beyond(as_of) {
            return Ok(tree.counts);
        }
        let mut counts = [0; 3];
        if !tree.reaches_down_to(as_of) {
            return Ok(counts);
        }
        match &*self.page(tree)? {
            Page::Leaf(items) => {
                for item in items.iter().take_while(|it| it.newness.latest <= as_of) {
                    counts[item.kind as usize] += u64::from(item.counts);
                }
            }
            Page::Inner(children) => {
                for child in children {
                    let below = self.count(child, as_of)?;
                    for (sum, count) in counts.iter_mut().zip(below) {
                        *sum += count;
                    }
                }
            }
        }
        Ok(counts)
    }

    /// Shows the items of a tree in this order, passing over pages that are not wanted, until
    /// it is told to stop.
    pub(super) fn walk(
        &mut self,
        tree: &Child,
        order: Order,
        wanted: &dyn Fn(&Child) -> bool,
        show: &mut dyn FnMut(&Item) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, FoldError> {
        if !wanted(tree) {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(match (&*self.page(tree)?, order) {
            (Page::Leaf(items), Order::Ascending) => items.iter().try_for_each(show),
            (Page::Leaf(items), Order::Descending) => items.iter().rev().try_for_each(show),
            (Page::Inner(children), order) => {
                for number in 0..children.len() {
                    let number = match order {
                        Order::Ascending => number,
                        Order::Descending => children.len() - 1 - number,
                    };
                    let below = children.get(number);
                    let below = below.map(|it| self.walk(it, order, wanted, show));
                    if below.transpose()? == Some(ControlFlow::Break(())) {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                ControlFlow::Continue(())
            }
        })
    }
}

fn key((entry, number): PageId) -> Key {
    PAGES.key().index(entry).bytes(&number.to_be_bytes())
}

/// Writes the pages that one entry brings.
pub(super) struct Press<'a> {
    pub(super) entry: u64,
    pub(super) shape: &'a Shape,
    /// How many pages there are.
    pub(super) count: u32,
    pub(super) changes: &'a mut Changes,
}

impl Press<'_> {
    /// The tree after these edits; none if nothing is left of it.
    pub(super) fn revise(
        &mut self,
        pages: &mut Pages<'_>,
        tree: Option<&Child>,
        edits: &Edits,
    ) -> Result<Option<Child>, FoldError> {
        let mut level = match tree {
            Some(tree) => self.revise_page(pages, tree, edits)?,
            None => self.leaves(revised(&[], edits))?,
        };
        while level.len() > 1 {
            level = self.inner(level)?;
        }
        Ok(level.pop())
    }

    /// The pages that take a page's place.
    fn revise_page(
        &mut self,
        pages: &mut Pages<'_>,
        page: &Child,
        edits: &Edits,
    ) -> Result<Vec<Child>, FoldError> {
        let children = match &*pages.page(page)? {
            Page::Leaf(items) => return self.leaves(revised(items, edits)),
            Page::Inner(children) => children.clone(),
        };
        let mut edits = edits;
        let mut level = Vec::with_capacity(children.len() + 1);
        let ends = children.iter().skip(1).map(|next| Some(next.first));
        for (child, end) in children.iter().zip(ends.chain([None])) {
            let own = end.map_or(edits.len(), |end| {
                edits.partition_point(|(place, _)| *place < end)
            });
            let (own, rest) = edits.split_at(own);
            edits = rest;
            if own.is_empty() {
                level.push(child.clone());
            } else {
                level.extend(self.revise_page(pages, child, own)?);
            }
        }
        if level.len() <= 1 {
            return Ok(level);
        }
        self.inner(level)
    }

    fn leaves(&mut self, items: Vec<Item>) -> Result<Vec<Child>, FoldError> {
        let pages = evenly(items, self.shape.leaf_items_max);
        let leaf = |items: Vec<Item>| {
            let id = self.next();
            let told = items.iter().map(|item| Child::around(id, item));
            self.write(id, told.reduce(|sum, it| sum.join(&it)), &Page::Leaf(items))
        };
        pages.into_iter().map(leaf).collect()
    }

    fn inner(&mut self, children: Vec<Child>) -> Result<Vec<Child>, FoldError> {
        let pages = evenly(children, self.shape.inner_pages_max);
        let inner = |children: Vec<Child>| {
            let id = self.next();
            let mut told = children.iter();
            let first = told.next().map(|it| Child { id, ..it.clone() });
            let told = first.map(|first| told.fold(first, Child::join));
            self.write(id, told, &Page::Inner(children))
        };
        pages.into_iter().map(inner).collect()
    }

    fn next(&mut self) -> PageId {
        let id = (self.entry, self.count);
        self.count += 1;
        id
    }

    fn write(&mut self, id: PageId, told: Option<Child>, page: &Page) -> Result<Child, FoldError> {
        let row = PAGES.encode(page)?;
        self.changes.insert(key(id).into_bytes(), Some(row));
        told.ok_or_else(|| PAGES.damaged())
    }
}

/// Items after edits.
fn revised(items: &[Item], edits: &Edits) -> Vec<Item> {
    let mut revised = Vec::with_capacity(items.len() + edits.len());
    let mut items = items.iter().peekable();
    for (place, item) in edits {
        while let Some(before) = items.next_if(|it| it.newness < *place) {
            revised.push(before.clone());
        }
        items.next_if(|it| it.newness == *place);
        revised.extend(item.clone());
    }
    revised.extend(items.cloned());
    revised
}

/// A list in as few parts as hold at most so many each, of nearly the same length.
fn evenly<T>(list: Vec<T>, length_max: usize) -> Vec<Vec<T>> {
    let parts = list.len().div_ceil(length_max);
    let length = list.len().div_ceil(parts.max(1));
    let mut rest = list.into_iter();
    (0..parts)
        .map(|_| rest.by_ref().take(length).collect::<Vec<T>>())
        .filter(|part| !part.is_empty())
        .collect()
}

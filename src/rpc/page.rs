//! Pages of lists: how large one is, and the tokens that lead from one to the next.
//!
//! A token says at which item the next page begins, by how much of the ledger the first page
//! was answered, and which question it belongs to. So the pages of a list are of one basis,
//! whatever is recorded meanwhile, and a daemon keeps nothing between them. A token holds
//! nothing that its bearer may not know; its tag tells a damaged one, or another archive's,
//! from one that was given out here, and protects no secret.

use std::fmt::Display;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use prost::{Message, Name};
use serde::{Deserialize, Serialize};

use super::reading::order;
use super::views::{Known, KnownAt, View};
use super::{Failure, Reason, proto};
use crate::fold::Order;

/// How many items a page has if nothing is said.
const SIZE_DEFAULT: usize = 100;

/// The most items of a page.
pub const SIZE_MAX: usize = 1_000;

/// A page ends before the item that would take it beyond so many bytes, but has one: half of
/// the 4 MiB that clients take by default. A single item is bounded by what makes it.
const BYTES_MAX: usize = 2 << 20;

/// The most bytes of a token: a digest, a tag, a size, and an id of 64 digits with its length,
/// 107 bytes, as base64.
const TOKEN_BYTES_MAX: usize = 143;

/// The bytes of digest and tag each: as many as nothing hits upon by chance.
const HASH_BYTES: usize = 16;

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Token {
    /// Of the question.
    question: [u8; HASH_BYTES],
    /// By how much of the ledger the list is answered.
    known_at: u64,
    /// The item that the page begins at, as text.
    next: String,
}

/// A request for a page of a list.
pub trait ListRequest: Message + Name + Clone {
    /// How many items at most.
    fn page_size(&self) -> i32;
    /// Where the page before ended.
    fn page_token(&self) -> &str;
    /// The request as all pages of the list have it: how much a page holds, and how long to
    /// wait for it, is no part of the question.
    fn question(&self) -> Self;
    /// Which entries count.
    fn known_at(&self) -> KnownAt<'static>;
    /// How much must have been read.
    fn at_least_size(&self) -> u64;
    /// In which order.
    fn order(&self) -> i32;
}

macro_rules! list_requests {
    ($($name:ident)+) => {
        $(impl ListRequest for proto::$name {
            fn page_size(&self) -> i32 {
                self.page_size
            }
            fn page_token(&self) -> &str {
                &self.page_token
            }
            fn question(&self) -> Self {
                Self {
                    page_size: 0,
                    page_token: String::new(),
                    at_least_size: 0,
                    ..self.clone()
                }
            }
            fn known_at(&self) -> KnownAt<'static> {
                KnownAt::new("knownAt", self.known_at, self.known_at_time)
            }
            fn at_least_size(&self) -> u64 {
                self.at_least_size
            }
            fn order(&self) -> i32 {
                self.order
            }
        })+
    };
}

list_requests! {
    ListActorsRequest ListMandatesRequest ListTopicsRequest ListMilestonesRequest
    ListStatementsRequest ListSourcesRequest ListVerifiersRequest
}

/// A page as it is asked for.
pub struct Asked<I> {
    /// How many items at most.
    pub size: usize,
    /// In which order.
    pub order: Order,
    /// The item to begin at; none for the first page.
    pub start: Option<I>,
    /// By how much of the ledger the list is answered.
    pub known: Known,
    question: Question,
}

impl<I: FromStr + Display> Asked<I> {
    /// Reads a request to the archive of this origin, and waits until `view` can answer it.
    pub async fn read(
        request: &impl ListRequest,
        origin: &str,
        view: &View,
    ) -> Result<Self, Failure> {
        let size = size(request.page_size())?;
        let order = order(request.order())?;
        let question = Question::of(request, origin);
        let token = match request.page_token() {
            "" => None,
            token => Some(question.read::<I>(token)?),
        };
        let at_least = request.at_least_size();
        let (start, known) = match token {
            None => (None, view.known(request.known_at(), at_least).await?),
            Some((known_at, start)) => {
                let known_at = KnownAt::size("pageToken", known_at);
                let known = view.known(known_at, at_least).await?;
                (Some(start), known)
            }
        };
        Ok(Self {
            size,
            order,
            start,
            known,
            question,
        })
    }

    /// Only entries below this index count.
    pub const fn known_at(&self) -> u64 {
        self.known.known_at
    }

    /// The token of the page that begins at `next`; empty where there is none.
    pub fn token(&self, next: Option<&I>) -> String {
        next.map_or_else(String::new, |next| {
            self.question.token(self.known_at(), next.to_string())
        })
    }
}

/// A page as it fills.
pub struct Page<I, T> {
    /// The items.
    pub items: Vec<T>,
    /// The item that the next page begins at; none if there is none.
    pub next: Option<I>,
    size: usize,
    bytes: usize,
}

impl<I, T: Message> Page<I, T> {
    /// An empty page for so many items.
    pub const fn new(size: usize) -> Self {
        Self {
            items: Vec::new(),
            next: None,
            size,
            bytes: 0,
        }
    }

    /// Whether it has as many items as were asked for.
    pub const fn is_full(&self) -> bool {
        self.items.len() >= self.size
    }

    /// Adds an item if there is room for it; else the next page begins with it. True if it
    /// was added.
    pub fn add(&mut self, id: I, item: T) -> bool {
        self.bytes += item.encoded_len();
        let fits = !self.is_full() && (self.items.is_empty() || self.bytes <= BYTES_MAX);
        if fits {
            self.items.push(item);
        } else {
            self.next = Some(id);
        }
        fits
    }
}

/// What a list is asked for, as far as tokens tell it.
struct Question {
    digest: [u8; HASH_BYTES],
    /// With which tags are made.
    key: [u8; 32],
}

impl Question {
    fn of<R: ListRequest>(request: &R, origin: &str) -> Self {
        let key = blake3::derive_key("onrecord page token 1", origin.as_bytes());
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(R::NAME.as_bytes());
        hasher.update(&[0]);
        hasher.update(&request.question().encode_to_vec());
        Self {
            digest: first_bytes(&hasher.finalize()),
            key,
        }
    }

    fn tag(&self, token: &[u8]) -> [u8; HASH_BYTES] {
        first_bytes(&blake3::keyed_hash(&self.key, token))
    }

    fn token(&self, known_at: u64, next: String) -> String {
        let token = Token {
            question: self.digest,
            known_at,
            next,
        };
        // Encoding into memory what has a length cannot fail.
        let mut bytes = postcard::to_stdvec(&token).unwrap_or_default();
        let tag = self.tag(&bytes);
        bytes.extend_from_slice(&tag);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// By how much of the ledger the list of a token is answered, and where it goes on.
    fn read<I: FromStr>(&self, text: &str) -> Result<(u64, I), Failure> {
        let damaged = || {
            refused(
                "it is damaged, or was not given out by this archive",
                "the nextPageToken of the page before, unchanged; none for the first page",
            )
        };
        let token = self.given_out(text).ok_or_else(damaged)?;
        if token.question != self.digest {
            return Err(refused(
                "it was given out for another question",
                "the request of the page before, in which only pageSize and atLeastSize may \
                 differ; or no pageToken, for the first page of this list",
            ));
        }
        let next = token.next.parse().map_err(|_| damaged())?;
        Ok((token.known_at, next))
    }

    fn given_out(&self, text: &str) -> Option<Token> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (token, tag) = bytes.split_last_chunk::<HASH_BYTES>()?;
        if self.tag(token) != *tag {
            return None;
        }
        let (token, rest) = postcard::take_from_bytes(token).ok()?;
        rest.is_empty().then_some(token)
    }
}

fn refused(why: &str, accepted: &str) -> Failure {
    Failure::at(
        Reason::InvalidPageToken,
        "pageToken",
        format!("the token cannot be used: {why}"),
        accepted,
    )
}

fn first_bytes(hash: &blake3::Hash) -> [u8; HASH_BYTES] {
    std::array::from_fn(|place| hash.as_bytes().get(place).copied().unwrap_or_default())
}

/// The size of a page that a request asks for.
fn size(page_size: i32) -> Result<usize, Failure> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(SIZE_DEFAULT),
        Ok(size) => Ok(size.min(SIZE_MAX)),
        Err(_) => Err(Failure::invalid(
            "pageSize",
            format!("a page cannot have {page_size} items"),
            format!("0 for {SIZE_DEFAULT}, or 1 to {SIZE_MAX}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ContentId, Slug};
    use proptest::prelude::*;
    use proto::{ListActorsRequest, ListMandatesRequest, ListTopicsRequest};

    const ORIGIN: &str = "archive.example/test";

    fn of_person(person: &str) -> ListMandatesRequest {
        ListMandatesRequest {
            person: person.to_owned(),
            ..ListMandatesRequest::default()
        }
    }

    fn token(request: &impl ListRequest, next: &str) -> String {
        Question::of(request, ORIGIN).token(7, next.to_owned())
    }

    fn read(request: &impl ListRequest, token: &str) -> Result<(u64, Slug), Failure> {
        Question::of(request, ORIGIN).read(token)
    }

    #[test]
    fn a_token_leads_to_its_item_whatever_the_size_of_the_page() {
        let first = of_person("putin");
        let token = token(&first, "putin-kremlin");
        let second = ListMandatesRequest {
            page_size: 9,
            page_token: token.clone(),
            at_least_size: 7,
            ..first
        };
        let (known_at, next) = read(&second, &token).unwrap();
        assert_eq!((known_at, next.as_str()), (7, "putin-kremlin"));
    }

    #[test]
    fn a_token_of_another_question_method_or_archive_is_refused() {
        let mine = token(&of_person("putin"), "x");
        assert!(read(&of_person("putin"), &mine).is_ok());
        let known = ListMandatesRequest {
            known_at: Some(7),
            ..of_person("putin")
        };
        for failure in [
            read(&of_person("lavrov"), &mine),
            read(&known, &mine),
            read(&ListActorsRequest::default(), &mine),
            read(
                &ListTopicsRequest::default(),
                &token(&ListActorsRequest::default(), "x"),
            ),
            Question::of(&of_person("putin"), "another.example").read(&mine),
        ] {
            assert_eq!(failure.unwrap_err().reason(), Reason::InvalidPageToken);
        }
    }

    #[test]
    fn the_longest_token_is_as_long_as_the_bound() {
        let question = Question::of(&ListTopicsRequest::default(), ORIGIN);
        let longest = question.token(u64::MAX, ContentId::of(b"").to_string());
        assert_eq!(longest.len(), TOKEN_BYTES_MAX);
        assert!(question.read::<ContentId>(&longest).is_ok());
    }

    #[test]
    fn sizes_of_pages_are_bounded() {
        let sizes = [0, 1, 1_000, 1_001, i32::MAX].map(|asked| size(asked).unwrap());
        assert_eq!(sizes, [100, 1, 1_000, 1_000, 1_000]);
        let refused = size(-1).unwrap_err();
        assert_eq!(refused.reason(), Reason::InvalidRequest);
    }

    #[test]
    fn a_page_ends_before_the_item_that_makes_it_too_large_and_never_without_one() {
        let large = |bytes: usize| "a".repeat(bytes);
        let mut page = Page::new(3);
        assert!(page.add(0, large(3 * BYTES_MAX)));
        assert!(!page.add(1, large(1)));
        assert_eq!((page.items.len(), page.next), (1, Some(1)));
        let mut page = Page::new(3);
        for id in 0..3 {
            assert!(page.add(id, large(BYTES_MAX / 4)));
        }
        assert!(page.is_full() && !page.add(3, String::new()));
    }

    proptest! {
        #[test]
        fn a_token_that_was_altered_anywhere_is_refused(
            place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_+/= -]?", cut in any::<bool>(),
        ) {
            let question = of_person("putin");
            let token = token(&question, "putin-kremlin");
            let place = place.index(token.len());
            let end = if cut { "" } else { &token[place + 1..] };
            let altered = format!("{}{other}{end}", &token[..place]);
            prop_assume!(altered != token);
            let refused = read(&question, &altered).unwrap_err();
            prop_assert_eq!(refused.reason(), Reason::InvalidPageToken);
        }
    }
}

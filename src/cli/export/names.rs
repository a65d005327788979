//! The IRIs that an export gives to what is on record.
//!
//! They begin with the archive's origin, which is a host name and a path that its owner holds
//! for ever, so that no two archives name two things alike. Whether anything is served there is
//! the owner's affair.

/// Makes IRIs.
#[derive(Clone, Debug)]
pub struct Names {
    base: String,
}

impl Names {
    /// Names that begin with `base`, or else with the origin.
    pub fn new(base: Option<String>, origin: &str) -> Self {
        let base = base.unwrap_or_else(|| format!("https://{origin}"));
        Self {
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// A statement, by its id.
    pub fn statement(&self, id: &str) -> String {
        self.of("statement", id)
    }

    /// An archived source, by its id.
    pub fn source(&self, id: &str) -> String {
        self.of("source", id)
    }

    /// An actor, by its slug.
    pub fn actor(&self, slug: &str) -> String {
        self.of("actor", slug)
    }

    /// A mandate, by its slug.
    pub fn mandate(&self, slug: &str) -> String {
        self.of("mandate", slug)
    }

    /// A verifier, by its key.
    pub fn verifier(&self, key: &str) -> String {
        self.of("verifier", key)
    }

    /// A record, by its id.
    pub fn record(&self, id: &str) -> String {
        self.of("record", id)
    }

    /// The annotation of the so manieth piece of evidence of a record. It means the same
    /// passages for ever.
    pub fn annotation(&self, record: &str, place: usize) -> String {
        format!("{}/{place}", self.of("annotation", record))
    }

    /// The annotations of a ledger of so many entries.
    pub fn annotations(&self, size: u64) -> String {
        self.of("annotations", &size.to_string())
    }

    fn of(&self, kind: &str, id: &str) -> String {
        format!("{}/{kind}/{id}", self.base)
    }
}

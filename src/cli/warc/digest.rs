//! Labelled digests, as `sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ`, and readers that compute them.
//!
//! Values come in base32, as the standard's examples have them, or in hex. SHA-1, SHA-256 and
//! SHA-512 are computed. Other algorithms are told apart, so that a digest that was not checked
//! is not taken for one that was.

use std::io::{self, BufRead, Read};

use data_encoding::{BASE32_NOPAD, HEXLOWER_PERMISSIVE};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::fault::{Fault, shown};

/// A digest that a record gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    algorithm: Algorithm,
    value: Vec<u8>,
    /// As it was written.
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Digest {
    /// Reads the field `name`; none if its algorithm is not computed here.
    pub fn parse(name: &'static str, text: &str) -> Result<Option<Self>, Fault> {
        let unfit = || Fault::Unfit {
            name,
            value: shown(text),
            expected: "ALGORITHM:DIGEST in base32 or hex",
        };
        let (label, value) = text.split_once(':').ok_or_else(unfit)?;
        let algorithm = match &*label.to_ascii_lowercase() {
            "sha1" | "sha-1" => Algorithm::Sha1,
            "sha256" | "sha-256" => Algorithm::Sha256,
            "sha512" | "sha-512" => Algorithm::Sha512,
            _ => return Ok(None),
        };
        let value = decode(value.trim_end_matches('='), algorithm.bytes()).ok_or_else(unfit)?;
        let text = text.to_owned();
        Ok(Some(Self {
            algorithm,
            value,
            text,
        }))
    }

    /// What names equal bytes: the algorithm with the digest's own bytes.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let mut key = vec![u8::try_from(self.algorithm.bytes()).unwrap_or_default()];
        key.extend_from_slice(&self.value);
        key
    }
}

/// The bytes of a digest in hex or in base32, which differ in length.
fn decode(text: &str, bytes: usize) -> Option<Vec<u8>> {
    let decoded = if text.len() == bytes * 2 {
        HEXLOWER_PERMISSIVE.decode(text.as_bytes())
    } else {
        BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes())
    };
    decoded.ok().filter(|value| value.len() == bytes)
}

/// Computes a digest of whatever is read through it, if there is one to hold it against.
pub struct Hashing<R> {
    inner: R,
    hasher: Option<Hasher>,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl<R: BufRead> Hashing<R> {
    /// Reads from `inner`, computing what `stated` must equal.
    pub fn new(inner: R, stated: Option<&Digest>) -> Self {
        let hasher = stated.map(|digest| match digest.algorithm {
            Algorithm::Sha1 => Hasher::Sha1(Sha1::new()),
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Box::default()),
        });
        Self { inner, hasher }
    }

    /// Reads to the end; the digest in base32, if one was computed.
    pub fn finish(mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let read = self.fill_buf()?.len();
            if read == 0 {
                break;
            }
            self.consume(read);
        }
        Ok(self.hasher.map(|hasher| match hasher {
            Hasher::Sha1(it) => it.finalize().to_vec(),
            Hasher::Sha256(it) => it.finalize().to_vec(),
            Hasher::Sha512(it) => it.finalize().to_vec(),
        }))
    }
}

impl<R: BufRead> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Hashing<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let (Some(hasher), Ok(buffer)) = (&mut self.hasher, self.inner.fill_buf()) {
            let taken = buffer.get(..amount).unwrap_or(buffer);
            match hasher {
                Hasher::Sha1(it) => it.update(taken),
                Hasher::Sha256(it) => it.update(taken),
                Hasher::Sha512(it) => it.update(taken),
            }
        }
        self.inner.consume(amount);
    }
}

/// Refuses bytes none of whose digests is the one stated.
pub fn same(name: &'static str, stated: &Digest, found: &[Option<Vec<u8>>]) -> Result<(), Fault> {
    if found.iter().flatten().any(|found| *found == stated.value) {
        return Ok(());
    }
    let found = found.iter().flatten().next_back();
    Err(Fault::OtherDigest {
        name,
        stated: shown(&stated.text),
        found: found.map_or_else(String::new, |value| BASE32_NOPAD.encode(value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sha1sum` and `sha256sum` of "abc".
    const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parse(text: &str) -> Result<Option<Digest>, Fault> {
        Digest::parse("WARC-Block-Digest", text)
    }

    #[test]
    fn base32_and_hex_in_any_case_are_the_same_digest() {
        let hex = parse(&format!("sha1:{SHA1}")).unwrap().unwrap();
        for text in [
            "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5".to_owned(),
            "SHA1:vgmt4nsha2awvor6evyxqugcnsonbwe5".to_owned(),
            format!("sha-1:{}", SHA1.to_uppercase()),
        ] {
            assert_eq!(parse(&text).unwrap().unwrap().key(), hex.key(), "{text}");
        }
        let hex = parse(&format!("sha256:{SHA256}")).unwrap().unwrap();
        let padded = format!("sha256:{}====", BASE32_NOPAD.encode(&hex.value));
        assert_eq!(parse(&padded).unwrap().unwrap().key(), hex.key());
    }

    #[test]
    fn what_is_no_digest_is_told_from_one_that_is_not_computed() {
        for text in ["abc", "sha1:", "sha1:xyz", &format!("sha256:{SHA1}")] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("blake3:abc").unwrap(), None);
        assert_eq!(parse("md5:900150983cd24fb0d6963f7d28e17f72").unwrap(), None);
    }

    #[test]
    fn a_reader_computes_the_digest_of_all_that_follows_also_of_what_nobody_reads() {
        for stated in [format!("sha1:{SHA1}"), format!("sha256:{SHA256}")] {
            let stated = parse(&stated).unwrap().unwrap();
            for bytes_read in 0..=3 {
                let mut reader = Hashing::new(&b"abc"[..], Some(&stated));
                let mut read = vec![0; bytes_read];
                reader.read_exact(&mut read).unwrap();
                let found = reader.finish().unwrap();
                assert!(same("x", &stated, &[found]).is_ok());
            }
            let other = Hashing::new(&b"abd"[..], Some(&stated)).finish().unwrap();
            assert!(same("x", &stated, &[other]).is_err());
        }
    }

    #[test]
    fn any_of_several_digests_may_be_the_one_stated() {
        let stated = parse(&format!("sha1:{SHA1}")).unwrap().unwrap();
        let right = Some(stated.value.clone());
        let wrong = Some(vec![0; 20]);
        assert!(same("x", &stated, &[wrong.clone(), right]).is_ok());
        let refused = same("x", &stated, &[wrong]).unwrap_err().to_string();
        assert!(refused.contains("AAAA"), "{refused}");
    }
}

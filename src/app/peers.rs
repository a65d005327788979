//! How many connections each peer has: no more than there may be, so that one cannot shut out
//! all others.
//!
//! A peer is an IPv4 address, or a /64 of IPv6, the least that one site is given (RFC 6177):
//! whoever has one has all its addresses. Only peers with a connection are remembered, so that
//! there are never more of them than connections. This is not a limit of calls or of their rate.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many of an IPv6 address's 128 bits are its interface's own: all but the prefix of 64.
const INTERFACE_BITS: u32 = 128 - 64;

/// The peers that are connected.
#[derive(Clone, Debug)]
pub struct Peers {
    places_max: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Peers {
    /// Nobody is connected; each may have so many connections.
    pub fn new(places_max: usize) -> Self {
        Self {
            places_max,
            taken: Arc::default(),
        }
    }

    /// A place for one more connection from an address; none if its peer has them all.
    pub fn enter(&self, address: IpAddr) -> Option<PeerPlace> {
        let peer = peer(address);
        let mut taken = self.taken();
        let places = taken.get(&peer).copied().unwrap_or(0);
        if places >= self.places_max {
            return None;
        }
        taken.insert(peer, places + 1);
        Some(PeerPlace {
            peer,
            peers: self.clone(),
        })
    }

    /// The counts are whole between any two statements, whoever panicked.
    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A peer's place, given free when it is dropped.
#[derive(Debug)]
pub struct PeerPlace {
    peer: IpAddr,
    peers: Peers,
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut taken = self.peers.taken();
        match taken.get_mut(&self.peer) {
            Some(places) if *places > 1 => *places -= 1,
            _ => {
                taken.remove(&self.peer);
            }
        }
    }
}

/// Whose address it is.
fn peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> INTERFACE_BITS << INTERFACE_BITS;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_peer_that_has_all_its_places_gets_none_while_others_do() {
        let peers = Peers::new(2);
        let one = peers.enter(address("192.0.2.1")).unwrap();
        let _two = peers.enter(address("::ffff:192.0.2.1")).unwrap();
        assert!(peers.enter(address("192.0.2.1")).is_none());
        assert!(peers.enter(address("192.0.2.2")).is_some());
        drop(one);
        assert!(peers.enter(address("192.0.2.1")).is_some());
    }

    #[test]
    fn the_addresses_of_one_prefix_are_one_peer() {
        let peers = Peers::new(1);
        let _place = peers.enter(address("2001:db8:0:1::1")).unwrap();
        assert!(peers.enter(address("2001:db8:0:1:ffff::2")).is_none());
        assert!(peers.enter(address("2001:db8:0:2::1")).is_some());
    }

    #[test]
    fn who_has_left_is_forgotten() {
        let peers = Peers::new(2);
        let places = [(); 2].map(|()| peers.enter(address("192.0.2.1")));
        drop(places);
        assert!(peers.taken().is_empty());
    }
}

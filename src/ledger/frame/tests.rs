use proptest::prelude::*;

use super::*;
use crate::merkle::empty_root;

fn frame(leaves: &[Vec<u8>]) -> (Vec<u8>, Frame) {
    let mut body = FrameBody::default();
    for leaf in leaves {
        assert!(body.push(leaf));
    }
    let header = FrameHeader {
        epoch: 7,
        first_index: 41,
        count: body.count().unwrap(),
        recorded_at: Micros(-5),
        previous: FrameHash::of(b"the frame before"),
        root_after: empty_root(),
    };
    let leaves = leaves.iter().cloned().map(Bytes::from).collect();
    (body.seal(&header), Frame { header, leaves })
}

fn leaves() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let leaf = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..2000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    prop::collection::vec(leaf, 1..20)
}

/// The same bytes under a header that is sealed again, so that the checks behind the seal
/// are what judges them.
fn resealed(mut frame: Vec<u8>) -> Vec<u8> {
    let body = blake3::hash(&frame[HEADER_BYTES..]);
    frame[112..144].copy_from_slice(body.as_bytes());
    let seal = blake3::hash(&frame[..SEALED_BYTES]);
    frame[SEALED_BYTES..HEADER_BYTES].copy_from_slice(seal.as_bytes());
    frame
}

proptest! {
    #[test]
    fn a_frame_decodes_to_what_was_sealed(leaves in leaves()) {
        let (bytes, frame) = frame(&leaves);
        prop_assert!(bytes.len() <= FRAME_BYTES_MAX);
        prop_assert_eq!(Frame::decode(&bytes), Ok(frame));
    }

    #[test]
    fn a_flipped_bit_is_detected(
        leaves in leaves(), at in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        let (mut bytes, _) = frame(&leaves);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Frame::decode(&bytes).is_err());
    }

    #[test]
    fn a_frame_cut_short_or_run_on_is_detected(
        leaves in leaves(), at in any::<prop::sample::Index>(),
    ) {
        let (mut bytes, _) = frame(&leaves);
        prop_assert!(Frame::decode(&bytes[..at.index(bytes.len())]).is_err());
        bytes.push(0);
        prop_assert!(Frame::decode(&bytes).is_err());
    }

    #[test]
    fn hostile_bytes_under_a_good_seal_are_decoded_or_refused(
        leaves in leaves(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (mut bytes, _) = frame(&leaves);
        for (at, byte) in edits {
            let at = at.index(bytes.len() - 10) + 10;
            bytes[at] = byte;
        }
        if let Ok(frame) = Frame::decode(&resealed(bytes)) {
            prop_assert_eq!(frame.leaves.len(), frame.header.count.get() as usize);
            let body: usize = frame.leaves.iter().map(|leaf| leaf.len() + LENGTH_BYTES).sum();
            prop_assert!(body <= FRAME_BODY_BYTES);
        }
    }
}

#[test]
fn a_full_body_of_noise_fits_in_the_largest_frame() {
    let mut noise = vec![0; FRAME_BODY_BYTES - LENGTH_BYTES];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let mut body = FrameBody::default();
    assert!(!body.push(&[&noise[..], &[0]].concat()));
    assert!(body.push(&noise));
    assert!(!body.push(&[]));
    let (bytes, frame) = frame(&[noise]);
    assert_eq!(bytes.len(), FRAME_BYTES_MAX);
    assert_eq!(Frame::decode(&bytes), Ok(frame));
}

#[test]
fn a_body_is_compressed_where_that_makes_it_smaller() {
    let (repetitive, _) = frame(&[vec![7; 10_000]]);
    let (tiny, _) = frame(&[vec![7]]);
    assert!(repetitive.len() < HEADER_BYTES + 200);
    assert_eq!(tiny.len(), HEADER_BYTES + LENGTH_BYTES + 1);
}

#[test]
fn a_header_that_promises_too_much_is_refused() {
    let (bytes, _) = frame(&[vec![7; 100]]);
    let with = |at: usize, field: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + field.len()].copy_from_slice(field);
        Frame::decode(&resealed(bytes)).unwrap_err()
    };
    let past = u32::try_from(FRAME_BODY_BYTES + 1).unwrap();
    assert_eq!(with(0, b"x"), FrameError::NotAFrame);
    assert_eq!(with(8, &[0, 2]), FrameError::Format { format: 2 });
    assert_eq!(with(10, &[0, 9]), FrameError::Encoding { encoding: 9 });
    assert_eq!(with(12, &[0; 4]), FrameError::Empty);
    assert_eq!(
        with(12, &[255; 4]),
        FrameError::Count { expected: u32::MAX }
    );
    assert_eq!(
        with(24, &[255; 8]),
        FrameError::PastTheEnd {
            first_index: u64::MAX
        }
    );
    assert_eq!(
        with(40, &past.to_be_bytes()),
        FrameError::BodyTooLarge { bytes: past }
    );
    assert_eq!(with(40, &[0, 0, 0, 3]), FrameError::Compression);
}

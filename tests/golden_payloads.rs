//! Records that another language's encoder encoded and another library signed: the archive
//! takes them byte for byte. `tests/python/golden.py` says how they were made.
#![cfg(feature = "daemon")]

use bytes::Bytes;
use data_encoding::HEXLOWER;
use onrecord::record::envelope::{RECORD_PAYLOAD_TYPE, verify};
use onrecord::record::{SigningKey, decode, proto};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _};
use serde_json::Value;

fn golden() -> Vec<Value> {
    serde_json::from_str(include_str!("golden/python.json")).expect("the golden file is JSON")
}

fn bytes(record: &Value, field: &str) -> Bytes {
    let hex = record[field].as_str().expect("a hex field");
    HEXLOWER.decode(hex.as_bytes()).expect("hex").into()
}

#[test]
fn payloads_from_python_are_canonical() {
    assert_eq!(golden().len(), 4);
    for record in golden() {
        let payload = bytes(&record, "payload");
        let decoded = decode(&payload).expect("a canonical record");
        assert_eq!(decoded.encode_to_vec(), payload);
    }
}

#[test]
fn payloads_from_python_say_what_their_json_says() {
    let pool = DescriptorPool::decode(onrecord::rpc::proto::DESCRIPTORS).expect("descriptors");
    let descriptor = pool
        .get_message_by_name("onrecord.record.v1.Record")
        .expect("the record message");
    for record in golden() {
        let from_json = DynamicMessage::deserialize(descriptor.clone(), &record["record"])
            .expect("protobuf-JSON");
        assert_eq!(from_json.descriptor(), descriptor);
        assert_eq!(from_json.encode_to_vec(), bytes(&record, "payload"));
    }
}

#[test]
fn signatures_from_python_hold_and_ours_are_the_same() {
    let seed: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).expect("below 32"));
    let ours = SigningKey::from_seed(seed);
    for record in golden() {
        let payload = bytes(&record, "payload");
        let signature = bytes(&record, "signature");
        assert_eq!(bytes(&record, "public_key"), ours.public().as_bytes()[..]);
        assert!(verify(
            ours.public().as_bytes(),
            RECORD_PAYLOAD_TYPE,
            &payload,
            &signature
        ));
        let signed: proto::Signature = ours.sign(RECORD_PAYLOAD_TYPE, &payload);
        assert_eq!(signed.signature, signature);
    }
}

#[test]
fn a_payload_with_one_more_field_is_refused_with_its_offset() {
    for record in golden() {
        let payload = bytes(&record, "payload");
        let mut longer = payload.to_vec();
        longer.extend_from_slice(&[0xf8, 0x7f, 0x01]); // field 2047, varint 1
        let error = decode(&longer.into()).expect_err("an unknown field");
        assert!(
            error
                .to_string()
                .contains(&format!("byte {}", payload.len())),
            "{error}"
        );
    }
}

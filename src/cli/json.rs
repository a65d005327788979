//! Answers as protobuf-JSON, for programs.

use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

use super::error::CliError;
use crate::rpc::proto::DESCRIPTORS;

static POOL: LazyLock<Result<DescriptorPool, String>> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).map_err(|error| error.to_string()));

/// `message` in many lines.
pub fn pretty<M: Message + Name>(message: &M) -> Result<String, CliError> {
    let value = value(message)?;
    serde_json::to_string_pretty(&value).map_err(|error| failed(&error))
}

/// `message` in one line.
pub fn line<M: Message + Name>(message: &M) -> Result<String, CliError> {
    Ok(value(message)?.to_string())
}

/// `message` as a value. Zeros, empty texts and empty lists stand in it: a program finds every
/// field that has a value.
pub fn value<M: Message + Name>(message: &M) -> Result<Value, CliError> {
    let whole = SerializeOptions::new().skip_default_fields(false);
    dynamic(message)?
        .serialize_with_options(serde_json::value::Serializer, &whole)
        .map_err(|error| failed(&error))
}

/// `message` in many lines for people, without what says nothing.
pub fn terse<M: Message + Name>(message: &M) -> Result<String, CliError> {
    serde_json::to_string_pretty(&dynamic(message)?).map_err(|error| failed(&error))
}

/// What a message looks like.
pub fn descriptor<M: Name>() -> Result<MessageDescriptor, CliError> {
    let pool = POOL.as_ref().map_err(|reason| CliError::Json {
        reason: reason.clone(),
    })?;
    let name = M::full_name();
    pool.get_message_by_name(&name)
        .ok_or_else(|| failed(&format!("{name} is not described")))
}

fn dynamic<M: Message + Name>(message: &M) -> Result<DynamicMessage, CliError> {
    let descriptor = descriptor::<M>()?;
    let bytes = message.encode_to_vec();
    DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> CliError {
    CliError::Json {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::proto::{AppendResult, Recorded, append_result::Outcome};

    #[test]
    fn an_answer_is_written_in_the_protobuf_mapping() {
        let result = AppendResult {
            outcome: Some(Outcome::Recorded(Recorded {
                index: 7,
                recorded_at: Some(prost_types::Timestamp {
                    seconds: 1,
                    nanos: 500_000_000,
                }),
                root: vec![0xff].into(),
                ..Recorded::default()
            })),
        };
        assert_eq!(
            line(&result).unwrap(),
            r#"{"recorded":{"index":"7","record":"","recordedAt":"1970-01-01T00:00:01.500Z","ledgerSize":"0","root":"/w=="}}"#
        );
    }
}

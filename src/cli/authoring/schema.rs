//! What the protos say about the authoring form: the descriptor of `Record`, which fields hold
//! content ids, and under which names fields and enum values go.

use std::sync::LazyLock;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, MessageDescriptor,
};

use crate::record::near;
use crate::rpc::proto::DESCRIPTORS;

/// The kind that `onrecord init` puts on record, and nobody else.
pub(super) const FOUNDING: &str = "archiveFounded";

struct Schema {
    record: MessageDescriptor,
    content_id: ExtensionDescriptor,
}

// The descriptors are compiled into the binary beside this code; the tests read them.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(DESCRIPTORS).expect("the build wrote the descriptors");
    Schema {
        record: pool
            .get_message_by_name("onrecord.record.v1.Record")
            .expect("the protos define Record"),
        content_id: pool
            .get_extension_by_name("onrecord.record.v1.content_id")
            .expect("the protos define content_id"),
    }
});

/// The descriptor of `onrecord.record.v1.Record`.
pub(super) fn record() -> MessageDescriptor {
    SCHEMA.record.clone()
}

/// Whether the field is marked as holding a content id.
pub(super) fn holds_content_id(field: &FieldDescriptor) -> bool {
    field
        .options()
        .get_extension(&SCHEMA.content_id)
        .as_bool()
        .unwrap_or_default()
}

/// The kinds of records that a file can hold, by their protobuf-JSON names: all but the one that
/// founds an archive.
pub(super) fn kinds() -> Vec<String> {
    let fields = record().oneofs().collect::<Vec<_>>();
    let names = fields.iter().flat_map(|oneof| json_names(oneof.fields()));
    names.filter(|name| name != FOUNDING).collect()
}

/// The field that goes by `name`: its protobuf-JSON name, or the one in the proto.
pub(super) fn field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message
        .get_field_by_json_name(name)
        .or_else(|| message.get_field_by_name(name))
}

/// The protobuf-JSON names of fields.
pub(super) fn json_names(fields: impl Iterator<Item = FieldDescriptor>) -> Vec<String> {
    fields.map(|field| field.json_name().to_owned()).collect()
}

/// The number of the enum value that goes by `name`, with or without the enum's prefix.
pub(super) fn enum_number(values: &EnumDescriptor, name: &str) -> Option<i32> {
    let prefix = enum_prefix(values);
    values
        .values()
        .find(|value| {
            value.name() == name || value.name().strip_prefix(prefix.as_str()) == Some(name)
        })
        .map(|value| value.number())
}

/// The short names of an enum's values, without the one that stands for nothing.
pub(super) fn enum_names(values: &EnumDescriptor) -> Vec<String> {
    let prefix = enum_prefix(values);
    values
        .values()
        .filter(|value| value.number() != 0)
        .map(|value| {
            let short = value.name().strip_prefix(prefix.as_str());
            short.unwrap_or(value.name()).to_owned()
        })
        .collect()
}

/// What all values' names begin with, told by the one that stands for nothing:
/// `ACTOR_KIND_` of `ACTOR_KIND_UNSPECIFIED`.
fn enum_prefix(values: &EnumDescriptor) -> String {
    let zero = values.default_value();
    zero.name()
        .strip_suffix("UNSPECIFIED")
        .unwrap_or_default()
        .to_owned()
}

/// The name among `names` that comes nearest to `written`, if one comes near.
pub(super) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let near = near::nearest(written, names);
    near.first().map(|&name| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::KINDS;

    #[test]
    fn the_marked_fields_and_no_others_hold_content_ids() {
        let evidence = record()
            .parent_pool()
            .get_message_by_name("onrecord.record.v1.Evidence")
            .unwrap();
        assert!(holds_content_id(&field(&evidence, "source").unwrap()));
        assert!(!holds_content_id(&field(&evidence, "text_id").unwrap()));
    }

    #[test]
    fn both_names_of_a_field_find_it() {
        let statement = record()
            .parent_pool()
            .get_message_by_name("onrecord.record.v1.Statement")
            .unwrap();
        assert_eq!(field(&statement, "saidAt"), field(&statement, "said_at"));
        assert!(field(&statement, "saidAt").is_some());
        assert!(field(&statement, "said-at").is_none());
    }

    #[test]
    fn all_kinds_are_named_but_the_one_that_founds() {
        let kinds = kinds();
        assert_eq!(kinds.len(), KINDS.len() - 1);
        assert!(kinds.iter().all(|kind| KINDS.contains(&&kind[..])));
        assert!(!kinds.contains(&FOUNDING.to_owned()));
    }
}

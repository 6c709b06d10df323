//! Rows as lists of values, for [`crate::db::bulk`]. Column lists and values stand side by side so that
//! one look shows they agree.

use sea_orm::Value;

use crate::db::entity::{
    attachment, call_event, company, contact, contact_suggestion, conversation, conversation_link,
    conversation_member, identity, lead, message, message_version, quarantine, session, submission,
    thread_ref, waiting_change,
};

macro_rules! rows {
    ($columns:ident, $function:ident, $entity:ident, [$($column:literal => $field:ident),+ $(,)?]) => {
        pub(super) const $columns: &[&str] = &[$($column),+];

        pub(super) fn $function(row: $entity::Model) -> Vec<Value> {
            vec![$(row.$field.into()),+]
        }
    };
}

rows!(CONTACT, contact, contact, [
    "id" => id, "name" => name, "language" => language, "company_id" => company_id, "operator_id" => operator_id,
    "fields" => fields, "merged_into" => merged_into, "version" => version, "created_at" => created_at,
    "updated_at" => updated_at,
]);

rows!(IDENTITY, identity, identity, [
    "kind" => kind, "value" => value, "contact_id" => contact_id, "verified" => verified, "created_at" => created_at,
    "via" => via,
]);

rows!(CONVERSATION, conversation, conversation, [
    "id" => id, "number" => number, "channel_id" => channel_id, "channel_kind" => channel_kind, "line_id" => line_id,
    "contact_id" => contact_id, "address" => address, "claimed" => claimed, "lead_id" => lead_id,
    "session_id" => session_id, "thread_key" => thread_key, "subject" => subject, "priority" => priority,
    "tags" => tags, "last_seq" => last_seq, "last_inbound_seq" => last_inbound_seq, "unread" => unread,
    "read_seq" => read_seq, "client_read_seq" => client_read_seq, "client_delivered_seq" => client_delivered_seq,
    "last_message_id" => last_message_id, "last_message_kind" => last_message_kind,
    "last_message_text" => last_message_text, "last_message_at" => last_message_at, "snoozed_until" => snoozed_until,
    "version" => version, "created_at" => created_at, "updated_at" => updated_at,
    "unreachable_since" => unreachable_since, "unreachable_reason" => unreachable_reason,
]);

rows!(SESSION, session, session, [
    "id" => id, "conversation_id" => conversation_id, "line_id" => line_id, "channel_kind" => channel_kind,
    "state" => state, "operator_id" => operator_id, "opened_at" => opened_at, "waiting_since" => waiting_since,
    "assigned_at" => assigned_at, "first_reply_at" => first_reply_at, "closed_at" => closed_at,
    "close_reason" => close_reason, "rating" => rating, "version" => version, "queued_at" => queued_at,
    "owed_since" => owed_since, "answered_at" => answered_at, "due_at" => due_at,
]);

rows!(MESSAGE, message, message, [
    "id" => id, "conversation_id" => conversation_id, "session_id" => session_id, "seq" => seq, "kind" => kind,
    "author_type" => author_type, "author_id" => author_id, "author_name" => author_name, "body" => body,
    "html" => html, "external_id" => external_id, "client_id" => client_id, "has_attachments" => has_attachments,
    "hidden" => hidden, "delivery_state" => delivery_state, "delivery_attempts" => delivery_attempts,
    "delivery_error" => delivery_error, "created_at" => created_at, "mail" => mail, "original_key" => original_key,
    "recipients" => recipients, "mode" => mode,
    "extra" => extra, "reply_to" => reply_to, "edited_at" => edited_at, "deleted_at" => deleted_at,
    "deleted_by" => deleted_by, "reactions" => reactions, "revision" => revision,
    "automatic" => automatic, "new_participant" => new_participant, "no_auto_reply" => no_auto_reply,
]);

rows!(ATTACHMENT, attachment, attachment, [
    "id" => id, "message_id" => message_id, "owner" => owner, "position" => position, "name" => name,
    "content_type" => content_type, "size" => size, "storage_key" => storage_key, "content_id" => content_id,
    "created_at" => created_at, "replaced" => replaced,
]);

rows!(LEAD, lead, lead, [
    "id" => id, "title" => title, "status" => status, "contact_id" => contact_id,
    "conversation_id" => conversation_id, "line_id" => line_id, "channel_id" => channel_id,
    "channel_kind" => channel_kind, "operator_id" => operator_id, "source" => source, "attribution" => attribution,
    "fields" => fields, "version" => version, "created_at" => created_at, "updated_at" => updated_at,
]);

rows!(SUBMISSION, submission, submission, [
    "id" => id, "channel_id" => channel_id, "state" => state, "contact_id" => contact_id, "lead_id" => lead_id,
    "conversation_id" => conversation_id, "body" => body, "consent" => consent, "spam_score" => spam_score,
    "spam_reasons" => spam_reasons, "held" => held, "created_at" => created_at, "extra" => extra,
    "verdict" => verdict, "judged_by" => judged_by, "judged_at" => judged_at,
]);

rows!(COMPANY, company, company, [
    "id" => id, "name" => name, "name_key" => name_key, "created_at" => created_at, "updated_at" => updated_at,
]);

rows!(SUGGESTION, suggestion, contact_suggestion, [
    "contact_id" => contact_id, "other_id" => other_id, "reason" => reason, "created_at" => created_at,
]);

rows!(THREAD_REF, thread_ref, thread_ref, [
    "channel_id" => channel_id, "external_id" => external_id, "conversation_id" => conversation_id,
    "message_id" => message_id, "created_at" => created_at,
]);

rows!(QUARANTINE, quarantine, quarantine, [
    "id" => id, "channel_id" => channel_id, "external_id" => external_id, "reason" => reason, "size" => size,
    "storage_key" => storage_key, "created_at" => created_at, "replayed_at" => replayed_at,
]);

rows!(VERSION, version, message_version, [
    "message_id" => message_id, "number" => number, "body" => body, "html" => html, "files" => files, "at" => at,
]);

rows!(WAITING, waiting, waiting_change, [
    "channel_id" => channel_id, "message" => message, "event" => event, "change" => change, "at" => at,
    "quarantine_id" => quarantine_id,
]);

rows!(MEMBER, member, conversation_member, [
    "conversation_id" => conversation_id, "address" => address, "created_at" => created_at,
]);

rows!(LINK, link, conversation_link, [
    "id" => id, "kind" => kind, "from_id" => from_id, "to_id" => to_id, "reason" => reason,
    "operator_id" => operator_id, "moved" => moved, "at" => at,
]);

rows!(CALL_EVENT, call_event, call_event, [
    "id" => id, "channel_id" => channel_id, "external_id" => external_id, "call_id" => call_id, "event" => event,
    "at" => at, "received_at" => received_at,
]);

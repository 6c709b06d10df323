//! Every column of every table, and what erasing a person does to it.
//!
//! A test compares this with the schema of both databases: a new column is judged here before it can be merged.

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its primary key, in order.
    pub key: &'static [&'static str],
    /// Columns that say nothing about people outside: ids of ours, numbers, times, words of ours.
    pub impersonal: &'static str,
    /// What staff wrote about the work, and settings: of people inside.
    pub staff: &'static str,
    /// Personal; gone with the row, which is removed with its person and cannot speak of anybody else.
    pub removed: &'static str,
    /// Texts, gone with the row; in rows that stay, addresses are cut out of them.
    pub text: &'static str,
    /// JSON, likewise.
    pub json: &'static str,
    /// A row that holds an address here is removed, whoever's it is.
    pub dropped: &'static str,
    /// As `dropped`, and for what other providers know the person by.
    pub named: &'static str,
}

/// None of anything.
const NONE: Table = Table {
    name: "",
    key: &["id"],
    impersonal: "",
    staff: "",
    removed: "",
    text: "",
    json: "",
    dropped: "",
    named: "",
};

impl Table {
    /// All columns that are judged.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        [
            self.impersonal,
            self.staff,
            self.removed,
            self.text,
            self.json,
            self.dropped,
            self.named,
        ]
        .into_iter()
        .flat_map(str::split_whitespace)
    }

    /// Whether rows that stay may speak of a person.
    pub fn is_searched(&self) -> bool {
        [self.text, self.json, self.dropped, self.named]
            .iter()
            .any(|columns| !columns.is_empty())
    }
}

/// All of them.
pub const TABLES: &[Table] = &[
    Table {
        name: "operator",
        impersonal: "id role_id capacity enabled service version created_at said_at unavailable_since changes_at availability_since",
        staff: "email name role password_hash languages skills availability availability_reason presence",
        ..NONE
    },
    Table {
        name: "team",
        impersonal: "id created_at",
        staff: "name",
        ..NONE
    },
    Table {
        name: "team_member",
        key: &["team_id", "operator_id"],
        impersonal: "team_id operator_id position",
        ..NONE
    },
    Table {
        name: "auth_session",
        key: &["token_hash"],
        impersonal: "operator_id created_at expires_at",
        staff: "token_hash csrf_token",
        ..NONE
    },
    Table {
        name: "api_key",
        impersonal: "id operator_id created_at",
        staff: "name prefix key_hash",
        ..NONE
    },
    Table {
        name: "presence_lease",
        key: &["operator_id", "source"],
        impersonal: "operator_id expires_at",
        staff: "source state",
        ..NONE
    },
    Table {
        name: "line",
        impersonal: "id enabled version created_at updated_at",
        staff: "key name rules",
        ..NONE
    },
    Table {
        name: "line_version",
        key: &["line_id", "version"],
        impersonal: "line_id version operator_id created_at",
        staff: "body",
        ..NONE
    },
    Table {
        name: "line_queue",
        key: &["line_id", "position"],
        impersonal: "line_id position operator_id team_id",
        ..NONE
    },
    Table {
        name: "line_turn",
        key: &["line_id", "operator_id"],
        impersonal: "line_id operator_id last_assigned_at",
        ..NONE
    },
    Table {
        name: "channel",
        impersonal: "id kind line_id enabled version health_state last_success_at last_error_at created_at updated_at looked_at behind_since",
        staff: "key name settings secrets",
        text: "last_error",
        ..NONE
    },
    Table {
        name: "channel_cursor",
        key: &["channel_id", "name"],
        impersonal: "channel_id name value updated_at",
        ..NONE
    },
    Table {
        name: "lease",
        key: &["name"],
        impersonal: "name owner expires_at",
        ..NONE
    },
    Table {
        name: "company",
        impersonal: "id created_at operator_id version updated_at keyed_version",
        staff: "name name_key tax_number",
        text: "website",
        json: "phones emails fields",
        ..NONE
    },
    Table {
        name: "company_key",
        key: &["company_id", "kind", "value"],
        impersonal: "company_id kind",
        dropped: "value",
        ..NONE
    },
    Table {
        name: "contact",
        impersonal: "id company_id operator_id merged_into version created_at updated_at",
        removed: "language",
        text: "name",
        json: "fields",
        ..NONE
    },
    Table {
        name: "identity",
        key: &["kind", "value"],
        impersonal: "kind contact_id verified created_at unreachable_since via added_by",
        removed: "value unreachable_reason",
        ..NONE
    },
    Table {
        name: "contact_suggestion",
        key: &["contact_id", "other_id"],
        impersonal: "contact_id other_id created_at",
        text: "reason",
        ..NONE
    },
    Table {
        name: "visitor",
        impersonal: "id channel_id identity_kind created_at last_seen_at origin",
        removed: "token_hash identity_value",
        json: "attribution page",
        dropped: "person",
        ..NONE
    },
    Table {
        name: "conversation",
        impersonal: "id number channel_id channel_kind line_id contact_id claimed lead_id session_id priority last_seq last_inbound_seq unread read_seq client_read_seq client_delivered_seq last_message_id last_message_kind last_message_at snoozed_until version created_at updated_at unreachable_since",
        removed: "address thread_key",
        text: "subject last_message_text unreachable_reason",
        json: "tags",
        ..NONE
    },
    Table {
        name: "session",
        impersonal: "id conversation_id line_id channel_kind state operator_id opened_at waiting_since assigned_at first_reply_at closed_at rating version queued_at owed_since answered_at due_at",
        text: "close_reason",
        ..NONE
    },
    Table {
        name: "participant",
        key: &["conversation_id", "operator_id"],
        impersonal: "conversation_id operator_id hidden joined_at",
        ..NONE
    },
    Table {
        name: "message",
        impersonal: "id conversation_id session_id seq kind author_type author_id has_attachments hidden delivery_state delivery_attempts created_at mode automatic new_participant no_auto_reply reply_to edited_at deleted_at deleted_by revision change_state",
        removed: "original_key",
        text: "author_name body html external_id client_id delivery_error change_error",
        json: "mail recipients extra reactions parts",
        ..NONE
    },
    Table {
        name: "inbound_event",
        key: &["channel_id", "external_id"],
        impersonal: "channel_id message_id submission_id received_at",
        named: "external_id",
        ..NONE
    },
    Table {
        name: "thread_ref",
        key: &["channel_id", "external_id"],
        impersonal: "channel_id conversation_id message_id created_at",
        named: "external_id",
        ..NONE
    },
    Table {
        name: "attachment",
        impersonal: "id message_id owner position content_type size storage_key created_at replaced",
        text: "name content_id",
        ..NONE
    },
    Table {
        name: "outbox",
        key: &["message_id"],
        impersonal: "message_id conversation_id channel_id seq state attempts due_at claimed_by created_at kind next_kind",
        text: "last_error",
        ..NONE
    },
    Table {
        name: "quarantine",
        impersonal: "id channel_id size storage_key created_at replayed_at",
        text: "reason",
        named: "external_id",
        ..NONE
    },
    Table {
        name: "lead",
        impersonal: "id status contact_id conversation_id line_id channel_id channel_kind operator_id version created_at updated_at",
        text: "title source",
        json: "attribution fields",
        ..NONE
    },
    Table {
        name: "submission",
        impersonal: "id channel_id state contact_id lead_id conversation_id spam_score created_at judged_by judged_at",
        text: "verdict",
        json: "spam_reasons",
        dropped: "body consent held extra",
        ..NONE
    },
    Table {
        name: "counter",
        key: &["name"],
        impersonal: "name value",
        ..NONE
    },
    Table {
        name: "event",
        key: &["seq"],
        impersonal: "seq type object_id conversation_id data at",
        ..NONE
    },
    Table {
        name: "consumer_cursor",
        key: &["name"],
        impersonal: "name seq updated_at",
        ..NONE
    },
    Table {
        name: "routing_decision",
        impersonal: "id conversation_id session_id line_id line_version trigger algorithm outcome operator_id candidates at",
        text: "reason",
        ..NONE
    },
    Table {
        name: "setting",
        key: &["name"],
        impersonal: "name",
        staff: "value",
        ..NONE
    },
    Table {
        name: "search_document",
        impersonal: "id kind object_id conversation_id",
        text: "body",
        ..NONE
    },
    Table {
        name: "search_record",
        impersonal: "id kind object_id",
        text: "body",
        ..NONE
    },
    Table {
        name: "offer",
        impersonal: "id session_id conversation_id line_id operator_id channel_kind broadcast offered_at expires_at ended_at outcome",
        text: "reason",
        ..NONE
    },
    Table {
        name: "operator_schedule",
        key: &["operator_id"],
        impersonal: "operator_id version updated_at",
        staff: "body",
        ..NONE
    },
    Table {
        name: "session_notice",
        key: &["session_id", "kind", "round"],
        impersonal: "session_id kind round at",
        ..NONE
    },
    Table {
        name: "session_rating",
        key: &["session_id"],
        impersonal: "session_id rated_at changed_at",
        text: "comment",
        ..NONE
    },
    Table {
        name: "template",
        impersonal: "id line_id operator_id version created_at updated_at",
        staff: "name shortcut body",
        ..NONE
    },
    Table {
        name: "operator_signature",
        key: &["operator_id"],
        impersonal: "operator_id updated_at",
        staff: "body",
        ..NONE
    },
    Table {
        name: "conversation_member",
        key: &["conversation_id", "address"],
        impersonal: "conversation_id created_at",
        dropped: "address",
        ..NONE
    },
    Table {
        name: "conversation_link",
        impersonal: "id kind from_id to_id operator_id moved at undone_at",
        text: "reason",
        ..NONE
    },
    Table {
        name: "message_version",
        key: &["message_id", "number"],
        impersonal: "message_id number files at",
        text: "body html",
        ..NONE
    },
    Table {
        name: "waiting_change",
        key: &["channel_id", "message", "event"],
        impersonal: "channel_id at quarantine_id",
        dropped: "change",
        named: "message event",
        ..NONE
    },
    Table {
        name: "call",
        impersonal: "id channel_id line_id shown merged_into contact_id conversation_id lead_id message_id direction state disposition started_at answered_at ended_at ring_secs talk_secs operator_id ringing stale session_id opened attempt missed_at withdrawn_at check_at version created_at updated_at",
        staff: "own_number",
        removed: "key client_kind extension",
        text: "own_label caller_name reason cause transcript",
        json: "touch legs",
        dropped: "client",
        ..NONE
    },
    Table {
        name: "call_name",
        key: &["channel_id", "name"],
        impersonal: "channel_id call_id",
        dropped: "name",
        ..NONE
    },
    Table {
        name: "call_event",
        impersonal: "id channel_id call_id at received_at",
        dropped: "event",
        named: "external_id",
        ..NONE
    },
    Table {
        name: "call_recording",
        impersonal: "id channel_id call_id kind state secs attempts next_attempt_at leased_until attachment_id created_at",
        removed: "key",
        text: "error",
        json: "source",
        ..NONE
    },
    Table {
        name: "visitor_block",
        impersonal: "id channel_id kind operator_id conversation_id created_at ends_at",
        named: "value",
        ..NONE
    },
    Table {
        name: "object_tag",
        key: &["object_id", "tag"],
        impersonal: "object_id",
        dropped: "tag",
        ..NONE
    },
    Table {
        name: "custom_field",
        impersonal: "id object type required position version created_at updated_at",
        staff: "key label options",
        ..NONE
    },
    Table {
        name: "contact_distinct",
        key: &["contact_id", "other_id"],
        impersonal: "contact_id other_id operator_id created_at",
        ..NONE
    },
    Table {
        name: "contact_merge",
        impersonal: "id into_id from_id operator_id created_at undone_at undone_by",
        json: "journal",
        ..NONE
    },
    Table {
        name: "field_change",
        impersonal: "id object_id field operator_id at",
        json: "old new",
        ..NONE
    },
    Table {
        name: "pipeline",
        impersonal: "id position currency version created_at updated_at removed_at",
        staff: "name",
        ..NONE
    },
    Table {
        name: "stage",
        impersonal: "id pipeline_id position kind removed_at",
        staff: "name color",
        ..NONE
    },
    Table {
        name: "loss_reason",
        impersonal: "id position",
        staff: "name",
        ..NONE
    },
    Table {
        name: "deal",
        impersonal: "id amount currency pipeline_id stage_id state stage_since contact_id company_id lead_id line_id operator_id version created_at updated_at closed_at external_id",
        text: "title loss_reason",
        json: "fields",
        ..NONE
    },
    Table {
        name: "deal_move",
        impersonal: "id deal_id pipeline_id from_stage_id stage_id operator_id at",
        ..NONE
    },
    Table {
        name: "lead_outcome",
        key: &["lead_id"],
        impersonal: "lead_id deal_id company_id was operator_id at",
        text: "loss_reason",
        ..NONE
    },
    Table {
        name: "task",
        impersonal: "id due_at done_at remind_at reminded_at operator_id created_by contact_id lead_id deal_id conversation_id company_id done_by version created_at updated_at",
        text: "title",
        ..NONE
    },
    Table {
        name: "import",
        impersonal: "id kind state size hash storage_key total layout mapping options cursor counts operator_id version created_at updated_at started_at ended_at",
        text: "file_name error",
        json: "columns",
        ..NONE
    },
    Table {
        name: "import_row",
        key: &["import_id", "row_no"],
        impersonal: "import_id row_no line outcome contact_id lead_id company_id deal_id made",
        json: "errors",
        ..NONE
    },
    Table {
        name: "import_mapping",
        impersonal: "id kind operator_id created_at",
        staff: "name mapping options",
        ..NONE
    },
    Table {
        name: "chat_mail",
        key: &["message_id"],
        impersonal: "message_id channel_id kind created_at",
        text: "address subject body asked_by",
        ..NONE
    },
    Table {
        name: "chat_mail_reply",
        key: &["message_id"],
        impersonal: "message_id mail_id",
        ..NONE
    },
    Table {
        name: "chat_absence",
        key: &["conversation_id"],
        impersonal: "conversation_id here_at",
        ..NONE
    },
    Table {
        name: "form_use",
        key: &["channel_id", "day", "what", "field"],
        impersonal: "channel_id day what field count",
        ..NONE
    },
    Table {
        name: "call_wish",
        key: &["operator_id", "wish"],
        impersonal: "operator_id created_at",
        dropped: "wish",
        ..NONE
    },
    Table {
        name: "webhook",
        impersonal: "id enabled since_seq disabled_at failures failing_since paused_until last_success_at last_error_at created_by version created_at updated_at",
        staff: "name url events secrets",
        text: "disabled_because last_error",
        ..NONE
    },
    Table {
        name: "role",
        impersonal: "id rights version created_at updated_at",
        staff: "name name_key",
        ..NONE
    },
    Table {
        name: "crm_connection",
        impersonal: "id kind state stopped_at failures blocked_until last_success_at last_error_at since_at backfill_from backfill_after backfill_total backfill_done change_cursor looked_at created_by version created_at updated_at",
        staff: "name settings secrets mapping options",
        text: "stopped_because last_error",
        ..NONE
    },
    Table {
        name: "commerce_exchange",
        impersonal: "id enabled seen_at last_success_at last_error_at created_by version created_at updated_at",
        staff: "name key user_name password_hash options",
        text: "last_error",
        ..NONE
    },
    Table {
        name: "commerce_file",
        impersonal: "id exchange_id sitting state size parts last_hash cursor counts due_at created_at finished_at",
        text: "name error",
        ..NONE
    },
    Table {
        name: "commerce_part",
        key: &["file_id", "number"],
        impersonal: "file_id number storage_key",
        ..NONE
    },
    Table {
        name: "commerce_fault",
        key: &["file_id", "number"],
        impersonal: "file_id number",
        text: "known_as reason",
        ..NONE
    },
    // Stays when its person goes, so that they are not made again; it says nothing of them then.
    Table {
        name: "commerce_link",
        impersonal: "id exchange_id kind deal_id company_id contact_id digest created_at updated_at",
        text: "external_id",
        json: "document",
        ..NONE
    },
    // These two go with their lead.
    Table {
        name: "crm_link",
        key: &["connection_id", "lead_id"],
        impersonal: "connection_id lead_id merged agreed_status status_id synced_at gone_at created_at",
        removed: "remote_id person_id company_id url fingerprint",
        ..NONE
    },
    Table {
        name: "crm_job",
        impersonal: "id connection_id lead_id kind subject state rank wanted attempts uncertain due_at claimed_by reason field created_at finished_at",
        text: "error",
        ..NONE
    },
    Table {
        name: "webhook_delivery",
        impersonal: "id webhook_id dedupe seq type object_id order_key state attempts attempts_before due_at claimed_by status created_at finished_at",
        text: "body error",
        ..NONE
    },
    Table {
        name: "webhook_attempt",
        key: &["delivery_id", "number"],
        impersonal: "delivery_id number at millis status",
        text: "error answer",
        ..NONE
    },
    Table {
        name: "form_notification",
        impersonal: "id submission_id kind channel_id state attempts due_at claimed_by created_at finished_at",
        staff: "target",
        text: "subject body error",
        ..NONE
    },
    Table {
        name: "erasure",
        impersonal: "id person_id state step counts operator_id created_at updated_at finished_at",
        removed: "sealed",
        text: "error",
        ..NONE
    },
    Table {
        name: "erasure_file",
        key: &["erasure_id", "storage_key"],
        impersonal: "erasure_id storage_key",
        ..NONE
    },
    Table {
        name: "person_export",
        impersonal: "id person_id state storage_key size operator_id created_at finished_at expires_at",
        text: "error",
        ..NONE
    },
    Table {
        name: "consent",
        impersonal: "id contact_id given source operator_id at",
        text: "text text_version",
        named: "source_id",
        ..NONE
    },
    Table {
        name: "audit",
        impersonal: "id at operator_id action object object_id once",
        staff: "operation",
        ..NONE
    },
];

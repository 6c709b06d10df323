/**
 * The objects of the public API, written once. When `openapi.json` is generated, each of these becomes an alias onto
 * `schema.d.ts` (`export type User = components['schemas']['User']`); nothing else in the app names a wire type.
 *
 * Times are RFC 3339 UTC strings; `*_secs` are whole seconds; ids are opaque.
 */

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Role = 'admin' | 'supervisor' | 'operator';
export type Presence = 'online' | 'away' | 'offline';
export type Availability = 'accepting' | 'paused' | 'off';

export interface User {
  id: string;
  email: string;
  name: string;
  role: Role;
  languages: string[];
  skills: string[];
  capacity: number;
  enabled: boolean;
  presence: Presence;
  availability: Availability;
  load: number;
  version?: number;
}

export interface Me extends User {
  csrf_token: string;
}

export interface LoginAnswer {
  user: User;
  csrf_token: string;
}

export interface Team {
  id: string;
  name: string;
  member_ids: string[];
}

export type QueueEntry = { operator_id: string; team_id?: undefined } | { team_id: string; operator_id?: undefined };
export type Distribution = 'strict' | 'even' | 'least_loaded' | 'all';

export interface Line {
  id: string;
  key: string;
  name: string;
  enabled: boolean;
  version: number;
  distribution: Distribution;
  queue: QueueEntry[];
  acceptance: 'automatic' | 'offer';
  offer_timeout_secs: number;
  required_skills: string[];
  match_language: boolean;
  limit_per_operator: number | null;
  sticky: { enabled: boolean; grace_secs: number };
  assign_when_offline: boolean;
  return_after_secs: number | null;
  welcome_text: string | null;
  crm: { create_lead: 'always' | 'unknown' | 'never' };
}

export type ChannelKind = 'email' | 'telegram' | 'webchat' | 'webform' | 'voip' | 'custom';
export type HealthState = 'starting' | 'ok' | 'degraded' | 'failed' | 'disabled';

export interface ChannelHealth {
  state: HealthState;
  last_success_at: string | null;
  last_error: string | null;
  lag_secs: number | null;
}

export interface Channel {
  id: string;
  key: string;
  kind: ChannelKind;
  line_id: string;
  name: string;
  enabled: boolean;
  settings: Record<string, unknown>;
  health: ChannelHealth;
  version?: number;
}

export interface CheckResult {
  ok: boolean;
  detail: string;
}

/** The subset of JSON Schema that connectors use for their settings. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  definitions?: Record<string, JsonSchema>;
  'x-secret'?: boolean;
}

export interface Connector {
  kind: ChannelKind;
  label: string;
  capabilities: {
    inbound: boolean;
    outbound: boolean;
    attachments: boolean;
    max_text_chars: number | null;
    max_attachment_bytes: number | null;
    typing: boolean;
    receipts: boolean;
    hosted: boolean;
  };
  settings_schema: JsonSchema;
  example: Record<string, unknown>;
}

export type FieldType =
  | 'text'
  | 'textarea'
  | 'email'
  | 'phone'
  | 'number'
  | 'select'
  | 'checkbox'
  | 'date'
  | 'file'
  | 'hidden';

export interface FormField {
  name: string;
  label: string;
  type: FieldType;
  required: boolean;
  options: string[];
  maps_to: string | null;
}

export type SessionState = 'waiting' | 'offered' | 'assigned' | 'closed';

export interface Session {
  id: string;
  state: SessionState;
  operator_id: string | null;
  offered_to: string[];
  offer_expires_at: string | null;
  opened_at: string;
  waiting_since: string | null;
  first_reply_at: string | null;
  closed_at: string | null;
  close_reason: string | null;
  rating: number | null;
}

export interface Conversation {
  id: string;
  number: number;
  line_id: string;
  line_name?: string;
  channel_id: string;
  channel_kind: ChannelKind;
  channel_name?: string;
  contact: { id: string; name: string | null };
  contact_claimed?: boolean;
  lead_id: string | null;
  subject: string | null;
  priority: number;
  tags: string[];
  unread: number;
  version: number;
  session: Session | null;
  participants: { operator_id: string; hidden: boolean }[];
  last_message: { id: string; text: string | null; kind: MessageKind; at: string } | null;
  last_seq: number;
  read_seq: number;
  client_read_seq?: number | null;
  client_delivered_seq?: number | null;
  can_reply?: boolean;
  max_text_chars?: number | null;
  snoozed_until?: string | null;
  created_at: string;
  updated_at: string;
}

export type MessageKind = 'inbound' | 'reply' | 'note' | 'system';
export type DeliveryState = 'queued' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'uncertain';

export interface Delivery {
  state: DeliveryState;
  attempts: number;
  error: string | null;
}

export interface Attachment {
  id: string;
  name: string;
  content_type: string;
  size: number;
  url: string;
}

export interface Message {
  id: string;
  conversation_id: string;
  seq: number;
  kind: MessageKind;
  author: { type: 'contact' | 'operator' | 'system'; id: string | null; name: string | null };
  text: string | null;
  html: string | null;
  attachments: Attachment[];
  external_id: string | null;
  client_id: string | null;
  delivery: Delivery | null;
  created_at: string;
}

export interface Identity {
  kind: 'email' | 'phone' | 'telegram' | 'webchat' | 'external';
  value: string;
  verified: boolean;
}

export interface Contact {
  id: string;
  name: string | null;
  emails: string[];
  phones: string[];
  identities: Identity[];
  company_id: string | null;
  operator_id: string | null;
  fields: Record<string, unknown>;
  suggestions?: { contact_id: string; name: string | null; reason: string }[];
  merged_into?: string | null;
  version?: number;
  created_at?: string;
}

export type LeadStatus = 'new' | 'in_progress' | 'converted' | 'junk';
export type Touch = Record<string, string | null>;

export interface Lead {
  id: string;
  title: string;
  status: LeadStatus;
  contact_id: string;
  contact_name?: string | null;
  conversation_id: string | null;
  line_id: string | null;
  channel_id: string | null;
  channel_kind: ChannelKind | null;
  operator_id: string | null;
  source: string | null;
  attribution: { first?: Touch | null; last?: Touch | null } | null;
  fields: Record<string, unknown>;
  created_at: string;
  version?: number;
}

export interface Submission {
  id: string;
  channel_id: string;
  state: 'accepted' | 'held' | 'spam';
  values: Record<string, unknown>;
  lead_id: string | null;
  conversation_id: string | null;
  consent: { given: boolean; text: string | null; at: string | null } | null;
  spam_score: number;
  spam_reasons: string[];
  created_at: string;
}

export interface QuarantineItem {
  id: string;
  channel_id: string;
  reason: string;
  size: number;
  created_at: string;
}

export interface OutboxItem {
  message_id: string;
  conversation_id: string;
  channel_id: string;
  state: 'failed' | 'uncertain' | 'queued' | 'sending';
  attempts: number;
  error: string | null;
  due_at: string | null;
  created_at: string;
}

export interface RoutingDecision {
  at: string;
  trigger: string;
  algorithm: string;
  line_id: string;
  line_version: number;
  outcome: string;
  operator_id: string | null;
  candidates: { operator_id: string; load: number; rank: number | null; rejected_by: string | null }[];
}

export interface ApiKey {
  id: string;
  name: string;
  role: Role;
  prefix: string;
  key?: string;
  created_at?: string;
  last_used_at?: string | null;
}

export interface Counts {
  mine: number;
  queue: number;
  all: number;
  unread_mine: number;
}

export interface SearchAnswer {
  contacts: Contact[];
  messages: { message: Message; conversation: Conversation; snippet: string }[];
}

export interface SetupState {
  needed: boolean;
  token_valid: boolean;
}

export interface SetupAnswer {
  user: User;
  csrf_token: string;
  line: Line;
  webchat: Channel;
  webform: Channel;
  snippet: string;
  demo_url: string;
  form_url: string;
}

export interface FieldError {
  field: string;
  message: string;
}

export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string | null;
  errors?: FieldError[];
}

/** What the operators' socket sends. `data` is always the whole object. */
export type LogEvent =
  | { seq: number; at: string; type: 'message.created' | 'message.updated'; data: Message }
  | { seq: number; at: string; type: 'conversation.updated'; data: Conversation }
  | { seq: number; at: string; type: 'conversation.removed'; data: { id: string } }
  | { seq: number; at: string; type: 'operator.updated'; data: User }
  | { seq: number; at: string; type: 'lead.created' | 'lead.updated'; data: Lead }
  | { seq: number; at: string; type: 'channel.health'; data: Channel }
  | { seq: number; at: string; type: 'offer.created' | 'offer.ended' | 'call.updated'; data: Record<string, unknown> };

export interface TypingFrame {
  type: 'typing';
  data: { conversation_id: string; author: { type: 'contact' | 'operator'; id: string | null; name: string | null }; text?: string };
}

export type ServerFrame =
  { type: 'hello'; seq: number; resumed: boolean } | { type: 'pong' } | { type: 'ping' } | TypingFrame | LogEvent;

/**
 * The objects of the public API under the names the app uses: aliases onto `schema.d.ts`, which `npm run api` makes
 * from `openapi.json`. Written by hand are only what that description leaves open (objects of free form, words given
 * as plain strings), the frames of the operators' socket, and what is of the app alone.
 *
 * Times are RFC 3339 UTC strings; `*_secs` are whole seconds; ids are opaque.
 */
import type { components } from './schema';

type Schemas = components['schemas'];
/** `T` with some fields said more closely. */
type Closer<T, U> = Omit<T, keyof U> & U;
/** An object whose fields nobody has fixed. */
export type Free = Record<string, unknown>;

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

// ---- people --------------------------------------------------------------------------------------------------------

export type Role = Schemas['Role'];
export type RoleView = Schemas['RoleView'];
export type Availability = Schemas['Availability'];
export type User = Schemas['User'];
/** What counts toward the operators' load. */
export type Counting = Schemas['Counting'];
export type Me = Schemas['Me'];
export type LoginAnswer = Schemas['LoginDone'];
/** When an operator works; `weekly` and `breaks`: intervals by day, as the hours of a line. */
export type Schedule = Schemas['ScheduleOut'];
export type Absence = Schemas['Absence'];
export type Outlook = Schemas['Outlook'];
export type Team = Schemas['Team'];
export type ApiKey = Schemas['ApiKey'];
export type NewApiKey = Schemas['NewApiKey'];

// ---- lines ---------------------------------------------------------------------------------------------------------

export type QueueEntry = Schemas['Entry'];
export type Distribution = Schemas['Distribution'];
export type Line = Schemas['Line'];
export type LineTexts = Schemas['LineTexts'];
export type RoutingDecision = Schemas['Explanation'];
export type Figures = Schemas['SimulationFigures'];
export type SimulationReport = Schemas['SimulationReport'];
export type OperatorRouting = Schemas['OperatorRouting'];
export type LineWarning = Schemas['LineWarning'];
export type LineWarnings = Schemas['LineWarnings'];
export type OpeningPreview = Schemas['OpeningPreview'];

// ---- the wall ------------------------------------------------------------------------------------------------------

export type Wall = Schemas['Wall'];
export type Retention = Schemas['Retention'];
export type RetentionCounts = Schemas['RetentionCounts'];
export type Consent = Schemas['Consent'];
export type AuditEntry = Schemas['AuditEntry'];
export type PersonExport = Schemas['PersonExport'];
export type Erasure = Schemas['Erasure'];
export type ErasureCounts = Schemas['ErasureCounts'];
export type WallLine = Schemas['WallLine'];
export type WallOperator = Schemas['WallOperator'];
export type WallSession = Schemas['WallSession'];

// ---- channels ------------------------------------------------------------------------------------------------------

export type ChannelHealth = Schemas['ChannelHealth'];
export type Channel = Closer<Schemas['Channel'], { settings: Free }>;
export type CheckResult = Schemas['Check'];
export type Backfill = Schemas['BackfillView'];
export type SignInBegun = Schemas['SignInBegun'];
export type ChannelEvent = Schemas['ChannelEvent'];
export type RotatedSecret = Schemas['RotatedSecret'];
export type Connector = Closer<Schemas['Connector'], { settings_schema: JsonSchema; example: Free }>;

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
  /** the id of a channel of this kind */
  'x-channel'?: string;
  readOnly?: boolean;
  /** Shown only while the neighbour of this name has this value. */
  'x-when'?: [string, string];
  /** Words with a line each. */
  'x-lines'?: boolean;
  /** Which telephone systems have it. */
  'x-providers'?: string[];
}

export type FieldType =
  'text' | 'textarea' | 'email' | 'phone' | 'number' | 'select' | 'checkbox' | 'date' | 'file' | 'hidden';

/** A field of a form, as the settings of a web form and of a chat hold it. */
export interface FormField {
  name: string;
  label: string;
  type: FieldType;
  required: boolean;
  options: string[];
  maps_to: string | null;
  placeholder?: string | null;
  value?: string | null;
  help?: string | null;
  error?: string | null;
  /** Asked only while an earlier field has one of these values; any value when there are none. */
  show_when?: { field: string; is: string[]; not?: boolean } | null;
  step?: number | null;
  formerly?: string[];
}

// ---- conversations -------------------------------------------------------------------------------------------------

export type Conversation = Schemas['Conversation'];
export type Counts = Schemas['Counts'];
export type Participant = Schemas['Participant'];
export type Offer = Schemas['Offer'];
/** An offer to the reader with the conversation it is about. */
export type StandingOffer = Schemas['StandingOffer'];
export type Attachment = Schemas['Attachment'];
export type Recipient = Schemas['Recipient'];
/** What writing in a conversation begins with. */
export type Writing = Schemas['Writing'];
export type Template = Schemas['Template'];
export type TemplateScope = Schemas['TemplateScope'];
export type Signature = Schemas['Signature'];
export type MessageKind = Schemas['MessageKind'];
export type Mail = Schemas['Mail'];
export type Invitation = Schemas['MailInvitation'];
export type MessageVersion = Schemas['MessageVersion'];
export type Message = Closer<Schemas['Message'], { kind: MessageKind }>;
export type SearchAnswer = Closer<
  Schemas['SearchResult'],
  {
    contacts: Contact[];
    companies: Company[];
    leads: Lead[];
    deals: Deal[];
    messages: Closer<Schemas['MessageHit'], { message: Message }>[];
  }
>;

// ---- calls ---------------------------------------------------------------------------------------------------------

export type Call = Closer<Schemas['Call'], { touch: Record<string, string> }>;
export type CallEntry = Schemas['CallEntry'];
export type Phone = Schemas['PhoneView'];
export type HookAddress = Schemas['HookAddressView'];

// ---- contacts, leads, forms ----------------------------------------------------------------------------------------

export type Contact = Closer<Schemas['Contact'], { fields: Free }>;
export type CompanyDuplicate = Closer<Schemas['CompanyDuplicate'], { company: Company }>;
export type Company = Closer<Schemas['Company'], { fields: Free }>;
export type CustomField = Schemas['CustomField'];
export type CustomFieldType = Schemas['CustomFieldType'];
export type CustomFieldObject = 'contact' | 'company' | 'lead' | 'deal';
/** A contact after a merge or its undoing. */
export type Merged = Contact & Pick<Schemas['Merged'], 'merge_id' | 'from_id' | 'into_id'>;
export type TimelineKind = Schemas['TimelineKind'];
export type TimelineEntry = Closer<
  Schemas['TimelineEntry'],
  { message?: Message | null; call?: Call | null; lead?: Lead | null; submission?: Submission | null }
>;
export type LeadStatus = Schemas['Status'];
export type Touch = Record<string, string | null>;
export type Lead = Closer<
  Schemas['Lead'],
  { status: LeadStatus; fields: Free; attribution: { first?: Touch | null; last?: Touch | null } | null }
>;
export type Submission = Closer<
  Schemas['Submission'],
  {
    values: Free;
    extra: Free;
    consent?: { given: boolean; text?: string | null; at?: string | null; version?: string | null } | null;
  }
>;

export type LeadsReport = Schemas['LeadsReport'];

// ---- deals and tasks -----------------------------------------------------------------------------------------------

export type Pipeline = Schemas['Pipeline'];
export type Stage = Schemas['Stage'];
export type StageKind = Schemas['StageKind'];
export type LossReason = Schemas['LossReason'];
export type Deal = Closer<Schemas['Deal'], { fields: Free; tags: string[] }>;
export type DealMove = Schemas['DealMove'];
export type DealTotal = Schemas['DealTotal'];
export type Task = Schemas['Task'];
export type TaskOn = Schemas['TaskOn'];
export type TaskCounts = Schemas['TaskCounts'];
export type Funnel = Schemas['Funnel'];
export type Responses = Schemas['Responses'];
export type ResponsesRow = Schemas['ResponsesRow'];
export type FunnelRow = Schemas['FunnelRow'];
/** In answers nothing of a rule is left out. */
export type LeadRule = Required<Schemas['LeadRule']>;
export type LeadAssignment = Closer<Schemas['LeadAssignment'], { rules: LeadRule[] }>;
/** A lead that was converted, with what it became. */
export type Converted = Lead & { company_id: string | null; deal: Deal | null };

// ---- operation -----------------------------------------------------------------------------------------------------

export type VisitorView = Schemas['VisitorView'];
export type BlockView = Schemas['BlockView'];
export type QuarantineItem = Schemas['QuarantineEntry'];
export type QuarantineReplayed = Schemas['QuarantineReplayed'];
export type OutboxItem = Schemas['OutboxEntry'];
export type SetupState = Schemas['SetupState'];
export type SetupAnswer = Schemas['SetupDone'];
export type FieldError = Schemas['FieldError'];
/** Partial: whatever stands between the app and the server may answer with less. */
export type Problem = Partial<Schemas['Problem']>;

// ---- the operators' socket -----------------------------------------------------------------------------------------

/** What the operators' socket sends. `data` is always the whole object. */
export type LogEvent =
  | { seq: number; at: string; type: 'message.created' | 'message.updated'; data: Message }
  | { seq: number; at: string; type: 'conversation.updated'; data: Conversation }
  | { seq: number; at: string; type: 'conversation.removed'; data: { id: string } }
  | { seq: number; at: string; type: 'operator.updated'; data: User }
  | { seq: number; at: string; type: 'lead.created' | 'lead.updated'; quiet?: boolean; data: Lead }
  | { seq: number; at: string; type: 'channel.health'; data: Channel }
  | { seq: number; at: string; type: 'line.updated'; data: Line }
  | { seq: number; at: string; type: 'offer.created' | 'offer.ended'; data: Offer }
  | {
      seq: number;
      at: string;
      type: 'webhook.updated';
      data: Pick<Schemas['Webhook'], 'id' | 'name' | 'enabled' | 'disabled_because'>;
    }
  | {
      seq: number;
      at: string;
      type: 'crm.updated';
      data: Pick<Schemas['CrmConnection'], 'id' | 'name' | 'state' | 'stopped_because'>;
    }
  | { seq: number; at: string; type: 'call.updated'; data: Call }
  | { seq: number; at: string; type: 'deal.created' | 'deal.updated'; data: Deal }
  | { seq: number; at: string; type: 'task.updated' | 'task.due'; data: Task }
  | {
      seq: number;
      at: string;
      type: 'deal.removed' | 'task.removed' | 'pipeline.updated' | 'contact.erased' | 'commerce.updated';
      data: { id: string };
    };

export interface TypingFrame {
  type: 'typing';
  data: {
    conversation_id: string;
    author: Schemas['Author'];
    text?: string;
  };
}

/** Where the visitor is who is watched. */
export interface VisitorFrame {
  type: 'visitor';
  data: { conversation_id: string; online: boolean; page: Schemas['OnPage'] | null };
}

export type ServerFrame =
  | { type: 'hello'; seq: number; resumed: boolean }
  | { type: 'pong' }
  | { type: 'ping' }
  | TypingFrame
  | VisitorFrame
  | LogEvent;

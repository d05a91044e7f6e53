/** The API's shapes as the application names them; all come from the server's OpenAPI schema. */
import type { components } from './schema.gen';

type Schemas = components['schemas'];

/** What the server's schema does not name yet. */
interface MadeBy {
  name: string;
  label: string;
}
interface MadeWith {
  engine?: string;
  engine_label?: string;
  waiting_reason?: string;
}
interface AtServer {
  server_position?: number | null;
  server_eta_s?: number | null;
}
export interface EngineFacts {
  engine: string;
  label: string;
  ready: boolean;
  detail: string;
  capabilities: Record<string, unknown>;
}
export interface OfferedEngine extends EngineFacts {
  is_default: boolean;
  limits: Record<string, unknown>;
}

export type ItemStatus = Schemas['ItemStatusEnum'];
export type BatchStatus = Schemas['BatchStatusEnum'];
export type EntryKind = Schemas['EntryKindEnum'];

export type User = Schemas['UserOutput'];
export type SessionTokens = Schemas['TokensOutput'];
export type Item = Schemas['ItemOutput'] & AtServer;
export type Progress = Schemas['ProgressOutput'];
export type Batch = Schemas['BatchOutput'] & MadeWith & { items: Item[] };
export type BatchPage = Schemas['BatchListOutput'];
export type BatchExport = Schemas['ExportOutput'];
export type CreatedBatch = Schemas['CreatedOutput'];
export type DryRun = Schemas['DryRunOutput'] & { engine?: MadeBy };
export type LedgerEntry = Schemas['EntryOutput'];
export type LedgerPage = Schemas['LedgerOutput'];
export type UserPage = Schemas['UserListOutput'];
export type NewUser = Schemas['UserCreateInputRequest'];
export type CreatedUser = Schemas['UserCreatedOutput'];
export type PasswordReset = Schemas['PasswordResetOutput'];
export type UserGroup = Schemas['GroupOutput'];
export type TotpStatus = Schemas['TotpStatusOutput'];
export type TotpEnrolment = Schemas['TotpEnrolmentOutput'];
export type RecoveryCodes = Schemas['RecoveryCodesOutput'];
export type Usage = Schemas['UsageOutput'];
export type StorageUse = Schemas['StorageOutput'];
export type DirectUpload = Schemas['UploadOutput'];
export type UploadPart = Schemas['PartOutput'];
export type AuditAction = Schemas['AuditActionEnum'];
export type AuditEntry = Schemas['AuditEntryOutput'];
export type AuditPage = Schemas['AuditLogOutput'];
export type EngineStatus = Schemas['EngineStatusOutput'] & { engines?: OfferedEngine[] };
export type WorkerList = Schemas['WorkerListOutput'] & {
  engines?: EngineFacts[];
  workers: Worker[];
};
export type Worker = Schemas['WorkerOutput'] & { engine_states?: EngineFacts[] };
export type EngineCredential = Schemas['CredentialOutput'];
export type CredentialList = Schemas['CredentialListOutput'];
export type CredentialChanged = Schemas['CredentialChangedOutput'];
export type Handover = Schemas['HandoverOutput'];
export type LibraryFile = Schemas['LibraryFileOutput'];
export type LibraryPage = Schemas['LibraryOutput'];
export type Share = Schemas['ShareOutput'];
export type MailSettings = Schemas['MailOutput'];
export type MadeShare = Schemas['ShareMadeOutput'];
export type TokenStatus = Schemas['TokenStatusOutput'];

/** One bad file of a rejected batch (the schema leaves the inside of `errors` open). */
export interface FileProblem {
  index?: number;
  name?: string;
  code: string;
  detail: string;
}

/** The API's shapes as the application names them; all come from the server's OpenAPI schema. */
import type { components } from './schema.gen';

type Schemas = components['schemas'];

export type ItemStatus = Schemas['ItemStatusEnum'];
export type BatchStatus = Schemas['BatchStatusEnum'];
export type EntryKind = Schemas['EntryKindEnum'];

export type User = Schemas['UserOutput'];
export type SessionTokens = Schemas['TokensOutput'];
export type Item = Schemas['ItemOutput'];
export type Progress = Schemas['ProgressOutput'];
export type Batch = Schemas['BatchOutput'];
export type BatchPage = Schemas['BatchListOutput'];
export type BatchExport = Schemas['ExportOutput'];
export type CreatedBatch = Schemas['CreatedOutput'];
export type DryRun = Schemas['DryRunOutput'];
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
export type EngineStatus = Schemas['EngineStatusOutput'];
export type WorkerList = Schemas['WorkerListOutput'];
export type Worker = Schemas['WorkerOutput'];
export type EngineFacts = Schemas['EngineStateOutput'];
export type OfferedEngine = Schemas['OfferedEngineOutput'];
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

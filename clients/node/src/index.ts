export { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
export { type CallOptions, type ConnectOptions, connect, type TlsFiles, type TwoFactorClient } from "./client.js";
export {
  AuthenticatorDisabled,
  BackupCodeAlreadyUsed,
  ChallengeOver,
  CodeAlreadyUsed,
  CodeExpired,
  CodeMismatch,
  CredentialsMismatch,
  FirstFactorSuspended,
  InvalidField,
  ReauthenticationFailed,
  ReauthenticationRequired,
  type Refusal,
  SessionEnded,
  Throttled,
  TryAgain,
  TwoFactorError,
} from "./errors.js";
export { SERVICE_CONFIG } from "./generated/service_config.js";
export * from "./generated/twofactor/v1/account_service_pb.js";
export * from "./generated/twofactor/v1/error_reason_pb.js";
export * from "./generated/twofactor/v1/options_pb.js";
export * from "./generated/twofactor/v1/sign_in_service_pb.js";
export * from "./generated/twofactor/v1/two_factor_service_pb.js";
export * from "./generated/twofactor/v1/types_pb.js";
export { create } from "./secrets.js";

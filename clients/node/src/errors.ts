// Typed errors: one class for each reason that a front end handles differently.

/** The status and the error details of a failed call. */
export interface Refusal {
  /** The name of the gRPC status, such as `FAILED_PRECONDITION`. */
  readonly status: string;
  /** A name of `ErrorReason` without its prefix, or a reason of a newer server; "" if gRPC or a proxy failed the call. */
  readonly reason: string;
  /** The details of the reason; `ErrorReason` describes them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The paths of the rejected fields, such as `password.email`. */
  readonly fields: readonly string[];
  /** How long to wait before the next call, in milliseconds; null if the server did not say. */
  readonly retryAfterMs: number | null;
}

/** A failed call. Handle it by its class or its `reason`: several reasons have the same `status`. */
export class TwoFactorError extends Error implements Refusal {
  readonly status: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
  readonly retryAfterMs: number | null;

  constructor(message: string, refusal: Refusal) {
    super(message);
    // Not enumerable, like the names of built-in errors.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    this.status = refusal.status;
    this.reason = refusal.reason;
    this.metadata = refusal.metadata;
    this.fields = refusal.fields;
    this.retryAfterMs = refusal.retryAfterMs;
  }
}

/** A field is missing or malformed: see `fields`. It did not count as an attempt. */
export class InvalidField extends TwoFactorError {}
/** The first factor was wrong, or the account does not exist. */
export class CredentialsMismatch extends TwoFactorError {}
/** The re-authentication is missing or not recent enough. */
export class ReauthenticationRequired extends TwoFactorError {}
/** The re-authentication was wrong. Five failures end the session. */
export class ReauthenticationFailed extends TwoFactorError {}
/** The e-mail code has expired. Send another with sendEmailCode. */
export class CodeExpired extends TwoFactorError {}
/** The authenticator code was used before. Wait for the next one. */
export class CodeAlreadyUsed extends TwoFactorError {}
/** The challenge is expired, completed, exhausted or unknown. Start the sign-in again. */
export class ChallengeOver extends TwoFactorError {}
/** The session has ended. Sign in again. */
export class SessionEnded extends TwoFactorError {}
/** Sign-in is suspended until the owner follows the mailed link. */
export class FirstFactorSuspended extends TwoFactorError {}
/** 100 consecutive wrong codes disabled the authenticator, and waiting does not enable it. Ask for the backup code. */
export class AuthenticatorDisabled extends TwoFactorError {}
/** Too many attempts or mails: wait for `retryAfterMs`. This call did not count as an attempt. */
export class Throttled extends TwoFactorError {}
/** The outcome is unknown. Repeat the call with the same request_id, after `retryAfterMs` if it is not null. */
export class TryAgain extends TwoFactorError {}

/** The code was wrong, or a newer one was mailed. It counted as an attempt. */
export class CodeMismatch extends TwoFactorError {
  /** The remaining attempts of the challenge or setup, 4 to 0; undefined if the server did not say. */
  get attemptsLeft(): number | undefined {
    const text = this.metadata.attempts_left;
    return text === undefined ? undefined : Number(text);
  }
}

/** The backup code was used before. Ask for the newest one. */
export class BackupCodeAlreadyUsed extends TwoFactorError {
  /** When it was used. An invalid date if the server sent no valid time. */
  get usedAt(): Date {
    return new Date(this.metadata.used_at ?? Number.NaN);
  }
}

const BY_REASON: ReadonlyMap<string, typeof TwoFactorError> = new Map([
  ["INVALID_FIELD", InvalidField],
  ["CREDENTIALS_MISMATCH", CredentialsMismatch],
  ["REAUTHENTICATION_REQUIRED", ReauthenticationRequired],
  ["REAUTHENTICATION_FAILED", ReauthenticationFailed],
  ["CODE_MISMATCH", CodeMismatch],
  ["CODE_SUPERSEDED", CodeMismatch],
  ["CODE_EXPIRED", CodeExpired],
  ["CODE_ALREADY_USED", CodeAlreadyUsed],
  ["CHALLENGE_EXPIRED", ChallengeOver],
  ["CHALLENGE_CONSUMED", ChallengeOver],
  ["CHALLENGE_EXHAUSTED", ChallengeOver],
  ["CHALLENGE_NOT_FOUND", ChallengeOver],
  ["SESSION_ENDED", SessionEnded],
  ["FIRST_FACTOR_SUSPENDED", FirstFactorSuspended],
  ["AUTHENTICATOR_DISABLED", AuthenticatorDisabled],
  ["ATTEMPTS_THROTTLED", Throttled],
  ["DELIVERY_THROTTLED", Throttled],
  ["OVERLOADED", TryAgain],
  ["CONFLICT", TryAgain],
  ["DEPENDENCY_UNAVAILABLE", TryAgain],
]);

/** `message` is the server's text for developers. */
export function errorFor(refusal: Refusal, message: string): TwoFactorError {
  return new (classFor(refusal))(`${refusal.reason || refusal.status}: ${message}`, refusal);
}

function classFor(refusal: Refusal): typeof TwoFactorError {
  if (refusal.reason === "" && ["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(refusal.status)) return TryAgain;
  if (refusal.reason === "CODE_ALREADY_USED" && "used_at" in refusal.metadata) return BackupCodeAlreadyUsed;
  return BY_REASON.get(refusal.reason) ?? TwoFactorError;
}

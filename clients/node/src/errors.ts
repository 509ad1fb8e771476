// Refusals, as errors that a front end can tell apart.

/** What a server said, or gRPC itself, when a call failed. */
export interface Refusal {
  /** Name of the gRPC status, such as `FAILED_PRECONDITION`. */
  readonly status: string;
  /** Name of an `ErrorReason` without its prefix; "" where gRPC itself failed. Newer servers may have others. */
  readonly reason: string;
  /** What the reason says more, as `ErrorReason` describes it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Paths of the fields that were wrong, such as `password.email`. */
  readonly fields: readonly string[];
  /** How long to wait before trying again, in milliseconds; null where the server did not say. */
  readonly retryAfterMs: number | null;
}

/** Every refusal is one of these. Decide on its class or its `reason`, not on `status` alone: reasons share them. */
export class TwoFactorError extends Error implements Refusal {
  readonly status: string;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly string[];
  readonly retryAfterMs: number | null;

  constructor(message: string, refusal: Refusal) {
    super(message);
    // Not enumerable, like the name of every Error.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    this.status = refusal.status;
    this.reason = refusal.reason;
    this.metadata = refusal.metadata;
    this.fields = refusal.fields;
    this.retryAfterMs = refusal.retryAfterMs;
  }
}

/** The request is malformed at `fields`. Nothing was charged: a malformed code is not an attempt. */
export class InvalidField extends TwoFactorError {}
/** The first factor was wrong, or there is no such account. */
export class CredentialsMismatch extends TwoFactorError {}
/** The re-authentication is missing or not recent enough. */
export class ReauthenticationRequired extends TwoFactorError {}
/** The re-authentication was wrong. Five wrong ones end the session. */
export class ReauthenticationFailed extends TwoFactorError {}
/** The newest e-mail code, typed too late. Ask for another with sendEmailCode. */
export class CodeExpired extends TwoFactorError {}
/** The authenticator's code was right once and has been spent; the app will show the next. */
export class CodeAlreadyUsed extends TwoFactorError {}
/** The challenge has expired, is exhausted, completed or unknown. Start signing in again. */
export class ChallengeOver extends TwoFactorError {}
/** The session has ended. Sign in again. */
export class SessionEnded extends TwoFactorError {}
/** The first factor was right and is barred until the owner confirms by the mailed link. */
export class FirstFactorSuspended extends TwoFactorError {}
/** 100 codes in a row were wrong: sign in with the backup code. No wait lifts this. */
export class AuthenticatorDisabled extends TwoFactorError {}
/** Too many wrong codes or too many mails: wait for `retryAfterMs`. Nothing was charged. */
export class Throttled extends TwoFactorError {}
/** Repeat the same call, with the same request_id, after `retryAfterMs` if it is told. It may have taken effect. */
export class TryAgain extends TwoFactorError {}

/** The code is wrong, or a newer one has replaced it. The attempt is counted. */
export class CodeMismatch extends TwoFactorError {
  /** What is left of the challenge (or setup), 4 to 0; undefined where the server did not say. */
  get attemptsLeft(): number | undefined {
    const told = this.metadata.attempts_left;
    return told === undefined ? undefined : Number(told);
  }
}

/** The backup code has signed somebody in before. */
export class BackupCodeAlreadyUsed extends TwoFactorError {
  /** When it did. */
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

/** The error for a refusal; `text` is for developers. */
export function errorFor(refusal: Refusal, text: string): TwoFactorError {
  return new (classFor(refusal))(`${refusal.reason || refusal.status}: ${text}`, refusal);
}

function classFor(refusal: Refusal): typeof TwoFactorError {
  if (refusal.reason === "" && ["UNAVAILABLE", "DEADLINE_EXCEEDED"].includes(refusal.status)) return TryAgain;
  if (refusal.reason === "CODE_ALREADY_USED" && "used_at" in refusal.metadata) return BackupCodeAlreadyUsed;
  return BY_REASON.get(refusal.reason) ?? TwoFactorError;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Metadata, status } from "@grpc/grpc-js";
import {
  BackupCodeAlreadyUsed,
  ClientInfoSchema,
  CodeMismatch,
  ErrorReasonSchema,
  InvalidField,
  Throttled,
  TryAgain,
  TwoFactorError,
} from "twofactor-client";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../src/generated/status_details_pb.js";
import { type Refused, refused, withServer } from "./local_server.js";

const NAMES: Record<string, string> = {
  INVALID_FIELD: "InvalidField",
  CREDENTIALS_MISMATCH: "CredentialsMismatch",
  REAUTHENTICATION_REQUIRED: "ReauthenticationRequired",
  REAUTHENTICATION_FAILED: "ReauthenticationFailed",
  CODE_MISMATCH: "CodeMismatch",
  CODE_SUPERSEDED: "CodeMismatch",
  CODE_EXPIRED: "CodeExpired",
  CODE_ALREADY_USED: "CodeAlreadyUsed",
  CHALLENGE_EXPIRED: "ChallengeOver",
  CHALLENGE_CONSUMED: "ChallengeOver",
  CHALLENGE_EXHAUSTED: "ChallengeOver",
  CHALLENGE_NOT_FOUND: "ChallengeOver",
  SESSION_ENDED: "SessionEnded",
  FIRST_FACTOR_SUSPENDED: "FirstFactorSuspended",
  AUTHENTICATOR_DISABLED: "AuthenticatorDisabled",
  ATTEMPTS_THROTTLED: "Throttled",
  DELIVERY_THROTTLED: "Throttled",
  OVERLOADED: "TryAgain",
  CONFLICT: "TryAgain",
  DEPENDENCY_UNAVAILABLE: "TryAgain",
};

/** The error of a failing call of StartSignIn, which is never retried. */
async function errorOf(refusal: Refused): Promise<TwoFactorError> {
  let caught: unknown;
  await withServer(
    () => refusal,
    async (client) => {
      await client.startSignIn({}).catch((error: unknown) => {
        caught = error;
      });
    },
  );
  assert.ok(caught instanceof TwoFactorError, inspect(caught));
  return caught;
}

for (const value of ErrorReasonSchema.values) {
  const reason = value.name.replace("ERROR_REASON_", "");
  test(`${reason} is a ${NAMES[reason] ?? "TwoFactorError"}`, async () => {
    const error = await errorOf(refused(status.FAILED_PRECONDITION, [ErrorInfoSchema, { reason }]));
    assert.equal(error.name, NAMES[reason] ?? "TwoFactorError");
    assert.equal(error.reason, reason);
    assert.equal(error.status, "FAILED_PRECONDITION");
  });
}

test("a reason of another domain is ignored", async () => {
  const detail = { reason: "CODE_MISMATCH", domain: "example.test", metadata: { attempts_left: "3" } };
  const error = await errorOf(refused(status.PERMISSION_DENIED, [ErrorInfoSchema, detail]));
  assert.equal(error.name, "TwoFactorError");
  assert.equal(error.reason, "");
  assert.deepEqual(error.metadata, {});
});

test("BackupCodeAlreadyUsed has the time of use", async () => {
  const metadata = { used_at: "2026-11-24T08:00:00Z" };
  const error = await errorOf(
    refused(status.FAILED_PRECONDITION, [ErrorInfoSchema, { reason: "CODE_ALREADY_USED", metadata }]),
  );
  assert.ok(error instanceof BackupCodeAlreadyUsed);
  assert.equal(error.usedAt.getTime(), Date.UTC(2026, 10, 24, 8));
  assert.deepEqual(error.metadata, metadata);
});

test("CodeMismatch has the attempts left", async () => {
  const detail = { reason: "CODE_MISMATCH", metadata: { attempts_left: "0" } };
  const error = await errorOf(refused(status.INVALID_ARGUMENT, [ErrorInfoSchema, detail]));
  assert.ok(error instanceof CodeMismatch);
  assert.equal(error.attemptsLeft, 0);
});

test("the delay and the fields are read from details in any order", async () => {
  const fieldViolations = [{ field: "password.email" }, { field: "client.ip_address" }];
  const error = await errorOf(
    refused(
      status.RESOURCE_EXHAUSTED,
      [RetryInfoSchema, { retryDelay: { seconds: 30n, nanos: 250_000_000 } }],
      [BadRequestSchema, { fieldViolations }],
      [ClientInfoSchema, { ipAddress: "a detail of an unknown type" }],
      [ErrorInfoSchema, { reason: "ATTEMPTS_THROTTLED" }],
    ),
  );
  assert.ok(error instanceof Throttled);
  assert.equal(error.retryAfterMs, 30_250);
  assert.deepEqual(error.fields, ["password.email", "client.ip_address"]);
});

test("an unknown reason is a TwoFactorError with that reason", async () => {
  const error = await errorOf(refused(status.ABORTED, [ErrorInfoSchema, { reason: "NEWER_REASON" }]));
  assert.equal(error.constructor, TwoFactorError);
  assert.equal(error.reason, "NEWER_REASON");
  assert.equal(error.message, "NEWER_REASON: for developers");
});

test("without a reason the status determines the class", async () => {
  for (const code of [status.UNAVAILABLE, status.DEADLINE_EXCEEDED]) {
    const error = await errorOf({ code });
    assert.ok(error instanceof TryAgain);
    assert.equal(error.retryAfterMs, null);
    assert.equal(error.reason, "");
  }
  const error = await errorOf({ code: status.PERMISSION_DENIED });
  assert.equal(error.constructor, TwoFactorError);
  assert.equal(error.status, "PERMISSION_DENIED");
});

test("UNAVAILABLE with an unknown reason is not TryAgain", async () => {
  const error = await errorOf(refused(status.UNAVAILABLE, [ErrorInfoSchema, { reason: "NEWER_REASON" }]));
  assert.equal(error.constructor, TwoFactorError);
});

test("malformed details are ignored", async () => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));
  const error = await errorOf({ code: status.INTERNAL, metadata });
  assert.equal(error.status, "INTERNAL");
  assert.equal(error.reason, "");
});

test("a printed error has its name, its reason and the stack of the caller", async () => {
  const error = await errorOf(
    refused(status.INVALID_ARGUMENT, [ErrorInfoSchema, { reason: "INVALID_FIELD" }], [BadRequestSchema, {}]),
  );
  assert.ok(error instanceof InvalidField);
  assert.match(inspect(error), /^InvalidField: INVALID_FIELD: for developers/);
  assert.match(String(error.stack), /errors\.test\.js/);
});

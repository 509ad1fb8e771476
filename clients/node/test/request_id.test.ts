import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type DescMethod, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { AccountService, create, SendEmailCodeRequestSchema, SignInService, TwoFactorService } from "twofactor-client";
import { withRequestId } from "../src/client.js";
import { normalise, replaceLookAlikes } from "../src/request_id.js";

interface Vector {
  method: string;
  request: JsonObject & { code?: string; backup_code?: string };
  normal_form: string;
  request_id: string;
}

const VECTORS = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors.json", import.meta.url), "utf8"),
) as Vector[];
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function methodNamed(name: string): DescMethod {
  const found = TwoFactorService.methods.find((method) => method.name === name);
  assert.ok(found);
  return found;
}

function sentRequestId(method: DescMethod, request: Record<string, unknown>): string | undefined {
  return (withRequestId(method, request) as { requestId?: string }).requestId;
}

for (const [index, vector] of VECTORS.entries()) {
  test(`vector ${index}: ${vector.method}`, () => {
    const method = methodNamed(vector.method);
    const typed = vector.request.backup_code ?? vector.request.code ?? "";
    const normalised = normalise(typed);
    assert.equal(vector.method === "UseBackupCode" ? replaceLookAlikes(normalised) : normalised, vector.normal_form);
    assert.equal(sentRequestId(method, { ...fromJson(method.input, vector.request) }), vector.request_id);
  });
}

test("there are vectors for every method with a derived request_id", () => {
  assert.equal(new Set(VECTORS.map((vector) => vector.method)).size, 4);
});

test("the caller's request_id is kept", () => {
  const own = "8f14e45f-ceea-467f-a9f0-0b8c1d2e3f40";
  assert.equal(sentRequestId(TwoFactorService.method.useBackupCode, { backupCode: "abcd", requestId: own }), own);
});

test("every other method gets a random request_id", () => {
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);
  const derived = new Set(VECTORS.map((vector) => vector.method));
  const others = methods.filter((method) => method.input.field.requestId && !derived.has(method.name));
  assert.ok(others.length >= 6);
  for (const method of others) {
    const first = sentRequestId(method, {});
    assert.match(String(first), UUID4, method.name);
    assert.notEqual(sentRequestId(method, {}), first, method.name);
  }
});

test("a request without the field gets no request_id", () => {
  assert.equal(sentRequestId(SignInService.method.getSession, { sessionToken: "tfs_1" }), undefined);
});

test("the caller's object is not modified", () => {
  const request = create(SendEmailCodeRequestSchema, { challengeToken: "tfc_1" });
  assert.notEqual(sentRequestId(TwoFactorService.method.sendEmailCode, request), "");
  assert.equal(request.requestId, "");
});

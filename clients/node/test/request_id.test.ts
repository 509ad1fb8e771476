import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type DescMethod, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { AccountService, create, SendEmailCodeRequestSchema, SignInService, TwoFactorService } from "twofactor-client";
import { withRequestId } from "../src/client.js";
import { normalForm, withoutLookAlikes } from "../src/request_id.js";

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

function sent(method: DescMethod, request: Record<string, unknown>): string | undefined {
  return (withRequestId(method, request) as { requestId?: string }).requestId;
}

for (const [index, vector] of VECTORS.entries()) {
  test(`vector ${index}: ${vector.method}`, () => {
    const method = methodNamed(vector.method);
    const typed = vector.request.backup_code ?? vector.request.code ?? "";
    const normal = normalForm(typed);
    assert.equal(vector.method === "UseBackupCode" ? withoutLookAlikes(normal) : normal, vector.normal_form);
    assert.equal(sent(method, { ...fromJson(method.input, vector.request) }), vector.request_id);
  });
}

test("there are vectors for every method whose request_id comes of the code", () => {
  assert.equal(new Set(VECTORS.map((vector) => vector.method)).size, 4);
});

test("the caller's own request_id is kept", () => {
  const own = "8f14e45f-ceea-467f-a9f0-0b8c1d2e3f40";
  assert.equal(sent(TwoFactorService.method.useBackupCode, { backupCode: "abcd", requestId: own }), own);
});

test("every other method is given another one each time", () => {
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);
  const derived = new Set(VECTORS.map((vector) => vector.method));
  const others = methods.filter((method) => method.input.field.requestId && !derived.has(method.name));
  assert.ok(others.length >= 6);
  for (const method of others) {
    const first = sent(method, {});
    assert.match(String(first), UUID4, method.name);
    assert.notEqual(sent(method, {}), first, method.name);
  }
});

test("a method without the field is given none", () => {
  assert.equal(sent(SignInService.method.getSession, { sessionToken: "tfs_1" }), undefined);
});

test("the caller's object is left as it is, and so asking twice means it twice", () => {
  const request = create(SendEmailCodeRequestSchema, { challengeToken: "tfc_1" });
  assert.notEqual(sent(TwoFactorService.method.sendEmailCode, request), "");
  assert.equal(request.requestId, "");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { clone, type DescField, type DescMessage, type MessageShape, ScalarType, toBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { status } from "@grpc/grpc-js";
import {
  create,
  file_twofactor_v1_account_service,
  file_twofactor_v1_sign_in_service,
  file_twofactor_v1_two_factor_service,
  file_twofactor_v1_types,
  StartSignInRequestSchema,
  UseBackupCodeRequestSchema,
  UseBackupCodeResponseSchema,
} from "twofactor-client";
import { withServer } from "./local_server.js";

const SECRET = "s3cret";
const PUBLIC = "publ1c";
const FILES = [
  file_twofactor_v1_types,
  file_twofactor_v1_sign_in_service,
  file_twofactor_v1_two_factor_service,
  file_twofactor_v1_account_service,
];

/** A message with only this field and everything in it. Its strings are SECRET or PUBLIC. */
function withField(schema: DescMessage, field: DescField): MessageShape<DescMessage> {
  const message = create(schema);
  fill(reflect(schema, message), [field]);
  return message;
}

function fill(message: ReflectMessage, fields: readonly DescField[]): void {
  for (const field of fields) {
    const text = field.proto.options?.debugRedact ? SECRET : PUBLIC;
    if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING) message.set(field, text);
    else if (field.fieldKind === "message") {
      const inner = reflect(field.message, create(field.message));
      fill(inner, field.message.fields);
      message.set(field, inner);
    }
  }
}

/** The value as printed and logged in all the usual ways. */
function formatted(value: object): string {
  return [inspect(value, { depth: null, showHidden: true }), inspect([value]), JSON.stringify({ value })].join("\n");
}

for (const schema of FILES.flatMap((file) => file.messages)) {
  test(`${schema.name} hides exactly its secrets`, () => {
    for (const field of schema.fields) {
      const message = withField(schema, field);
      // The field was set after the message was created, and is hidden nevertheless.
      const sent = Buffer.from(toBinary(schema, message)).toString("latin1");
      assert.ok(!formatted(message).includes(SECRET), field.name);
      assert.equal(formatted(message).includes("[hidden]"), sent.includes(SECRET), field.name);
      assert.equal(formatted(message).includes(PUBLIC), sent.includes(PUBLIC), field.name);
    }
  });
}

test("the contract marks secrets", () => {
  const marked = FILES.flatMap((file) => file.messages)
    .flatMap((schema) => schema.fields)
    .filter((field) => field.proto.options?.debugRedact);
  assert.ok(marked.length >= 30, String(marked.length));
});

test("a nested message hides its secrets when printed alone", () => {
  const request = create(StartSignInRequestSchema, {
    firstFactor: { case: "password", value: { email: PUBLIC, password: SECRET } },
  });
  assert.ok(!formatted(request.firstFactor).includes(SECRET));
  assert.ok(formatted(request.firstFactor).includes(PUBLIC));
});

test("hiding does not affect serialisation, comparison or copies", () => {
  const init = { challengeToken: SECRET, backupCode: SECRET };
  const request = create(UseBackupCodeRequestSchema, init);
  assert.equal(request.backupCode, SECRET);
  assert.deepEqual({ ...request }, { $typeName: request.$typeName, requestId: "", ...init });
  assert.deepEqual(clone(UseBackupCodeRequestSchema, request), request);
});

test("a response hides its secrets and unknown fields", async () => {
  const response = create(UseBackupCodeResponseSchema, { sessionToken: SECRET, newBackupCode: { code: SECRET } });
  // Field 1000, a string.
  const newer = Buffer.concat([Buffer.from([0xc2, 0x3e, SECRET.length]), Buffer.from(SECRET)]);
  await withServer(
    () => Buffer.concat([toBinary(UseBackupCodeResponseSchema, response), newer]),
    async (client) => {
      const answer = await client.useBackupCode({ challengeToken: SECRET, backupCode: SECRET });
      assert.equal(answer.sessionToken, SECRET);
      assert.equal(answer.newBackupCode?.code, SECRET);
      assert.equal(answer.$unknown?.length, 1);
      assert.ok(!formatted(answer).includes(SECRET) && !formatted(answer).includes("unknown"));
      assert.ok(!formatted(answer.newBackupCode).includes(SECRET));
    },
  );
});

test("an error does not contain the request", async () => {
  await withServer(
    () => ({ code: status.INVALID_ARGUMENT, details: "no" }),
    async (client) => {
      const error = await client
        .useBackupCode({ challengeToken: SECRET, backupCode: SECRET })
        .catch((it: unknown) => it);
      assert.ok(error instanceof Error);
      assert.ok(!formatted(error).includes(SECRET) && !String(error.stack).includes(SECRET));
    },
  );
});

test("an invalid message is not printed", () => {
  const request = create(UseBackupCodeRequestSchema);
  Object.assign(request, { backupCode: { nested: SECRET } });
  assert.ok(!formatted(request).includes(SECRET));
});

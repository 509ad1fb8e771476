import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type DescMethod, toBinary } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import {
  AccountService,
  connect,
  GetTwoFactorResponseSchema,
  SERVICE_CONFIG,
  SignInService,
  TryAgain,
  TwoFactorService,
  UseBackupCodeResponseSchema,
} from "twofactor-client";
import { type Reply, withServer } from "./local_server.js";

const EMPTY = new Uint8Array();
const UNAVAILABLE: Reply = { code: status.UNAVAILABLE };

function withPushback(milliseconds: number): Reply {
  const metadata = new Metadata();
  metadata.set("grpc-retry-pushback-ms", String(milliseconds));
  return { code: status.UNAVAILABLE, metadata };
}

test("UNAVAILABLE is retried with the same derived request_id", async () => {
  const answer = toBinary(UseBackupCodeResponseSchema, create(UseBackupCodeResponseSchema, { replayed: true }));
  await withServer(
    (_, attempt) => (attempt < 3 ? UNAVAILABLE : answer),
    async (client, received) => {
      const response = await client.useBackupCode({ challengeToken: "tfc_1", backupCode: "abcd" });
      assert.equal(response.replayed, true);
      assert.equal(received.length, 3);
      assert.equal(new Set(received.map((call) => call.request.requestId)).size, 1);
    },
  );
});

test("UNAVAILABLE is retried with the same random request_id", async () => {
  await withServer(
    (_, attempt) => (attempt < 3 ? UNAVAILABLE : EMPTY),
    async (client, received) => {
      await client.sendEmailCode({ challengeToken: "tfc_1" });
      assert.equal(received.length, 3);
      assert.equal(new Set(received.map((call) => call.request.requestId)).size, 1);
      assert.notEqual(received[0]?.request.requestId, "");
    },
  );
});

test("every method has the published number of attempts and timeout", async () => {
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);
  await withServer(
    // Retry immediately, to keep the test short.
    () => withPushback(0),
    async (client, received) => {
      for (const method of methods) {
        const { attempts, shorter, longer } = published(method);
        const before = received.length;
        const started = Date.now();
        const call = client[method.localName as "getSession"];
        await assert.rejects(call({}), TryAgain, method.name);
        assert.equal(received.length - before, attempts, method.name);
        const left = Number(received.at(-1)?.deadline) - started;
        assert.ok(left > shorter && left < longer, `${method.name}: ${left}`);
      }
    },
  );
});

interface ServiceConfig {
  methodConfig: {
    name: { service: string; method: string }[];
    timeout: string;
    retryPolicy?: { maxAttempts: number };
  }[];
}

/** The attempts of the method, and the next shorter and longer timeouts of the service config, in milliseconds. */
function published(method: DescMethod): { attempts: number; shorter: number; longer: number } {
  const entries = (JSON.parse(SERVICE_CONFIG) as ServiceConfig).methodConfig;
  const config = entries.find((entry) =>
    entry.name.some(({ service, method: name }) => service === method.parent.typeName && name === method.name),
  );
  assert.ok(config, method.name);
  const milliseconds = (entry: { timeout: string }) => Number.parseInt(entry.timeout, 10) * 1000;
  const timeouts = entries.map(milliseconds);
  const shorter = Math.max(0, ...timeouts.filter((timeout) => timeout < milliseconds(config)));
  const longer = Math.min(Infinity, ...timeouts.filter((timeout) => timeout > milliseconds(config)));
  return { attempts: config.retryPolicy?.maxAttempts ?? 1, shorter, longer };
}

test("a negative pushback prevents retries", async () => {
  await withServer(
    () => withPushback(-1),
    async (client, received) => {
      await assert.rejects(client.signOut({}), TryAgain);
      assert.equal(received.length, 1);
    },
  );
});

test("a pushback delays the retry, here beyond the deadline", async () => {
  await withServer(
    () => withPushback(60_000),
    async (client, received) => {
      // With the published backoff, three attempts take less than half of this timeout.
      await assert.rejects(client.signOut({}, { timeoutMs: 1500 }), { status: "DEADLINE_EXCEEDED" });
      assert.equal(received.length, 1);
    },
  );
});

test("only UNAVAILABLE is retried", async () => {
  for (const code of [status.INTERNAL, status.ABORTED, status.RESOURCE_EXHAUSTED, status.DEADLINE_EXCEEDED]) {
    await withServer(
      () => ({ code }),
      async (client, received) => {
        await assert.rejects(client.getSession({}), { status: status[code] });
        assert.equal(received.length, 1);
      },
    );
  }
});

test("a closed client rejects calls", async () => {
  const client = connect("127.0.0.1:1");
  client.close();
  await assert.rejects(client.getSession({}), /shut down|closed/i);
});

test("the deadline of the caller applies", async () => {
  await withServer(
    () => new Promise<Reply>(() => {}),
    async (client) => {
      await assert.rejects(client.createAccount({}, { timeoutMs: 50 }), { status: "DEADLINE_EXCEEDED", reason: "" });
    },
  );
});

test("an aborted call rejects immediately with the reason of the signal", async () => {
  await withServer(
    () => new Promise<Reply>(() => {}),
    async (client, received) => {
      const reason = new Error("aborted by the test");
      const controller = new AbortController();
      const order: string[] = [];
      const other = client.getSession({}, { timeoutMs: 500 }).catch(() => order.push("deadline"));
      const call = client.getSession({}, { timeoutMs: 500, signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(call, reason);
      order.push("aborted");
      await other;
      assert.deepEqual(order, ["aborted", "deadline"]);
      const before = received.length;
      await assert.rejects(client.getSession({}, { signal: controller.signal }), reason);
      assert.equal(received.length, before);
    },
  );
});

test("unknown enum values and fields are accepted", async () => {
  // method = 77; field 1000 = 1.
  await withServer(
    () => Buffer.from([0x08, 77, 0xc0, 0x3e, 1]),
    async (client) => {
      const response = await client.getTwoFactor({});
      assert.equal(response.method, 77);
      assert.equal(response.$typeName, GetTwoFactorResponseSchema.typeName);
      assert.match(JSON.stringify(response), /77/);
    },
  );
});

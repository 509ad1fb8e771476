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
import { type Reply, served } from "./local_server.js";

const EMPTY = new Uint8Array();
const DOWN: Reply = { code: status.UNAVAILABLE };

function pushingBack(milliseconds: number): Reply {
  const metadata = new Metadata();
  metadata.set("grpc-retry-pushback-ms", String(milliseconds));
  return { code: status.UNAVAILABLE, metadata };
}

test("UNAVAILABLE is retried, all attempts being the same logical call", async () => {
  const answer = toBinary(UseBackupCodeResponseSchema, create(UseBackupCodeResponseSchema, { replayed: true }));
  await served(
    (_, attempt) => (attempt < 3 ? DOWN : answer),
    async (client, received) => {
      const response = await client.useBackupCode({ challengeToken: "tfc_1", backupCode: "abcd" });
      assert.equal(response.replayed, true);
      assert.equal(received.length, 3);
      assert.equal(new Set(received.map((call) => call.request.requestId)).size, 1);
    },
  );
});

test("so it is where the request_id is a random one", async () => {
  await served(
    (_, attempt) => (attempt < 3 ? DOWN : EMPTY),
    async (client, received) => {
      await client.sendEmailCode({ challengeToken: "tfc_1" });
      assert.equal(received.length, 3);
      assert.equal(new Set(received.map((call) => call.request.requestId)).size, 1);
      assert.notEqual(received[0]?.request.requestId, "");
    },
  );
});

test("every method is attempted as often as published, and has the published time for it", async () => {
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);
  await served(
    // At once, so that the test need not wait.
    () => pushingBack(0),
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

/** From the service config: attempts, and the timeouts, in milliseconds, between which the method's own lies. */
function published(method: DescMethod): { attempts: number; shorter: number; longer: number } {
  const entries = (JSON.parse(SERVICE_CONFIG) as ServiceConfig).methodConfig;
  const mine = entries.find((entry) =>
    entry.name.some(({ service, method: name }) => service === method.parent.typeName && name === method.name),
  );
  assert.ok(mine, method.name);
  const milliseconds = (entry: { timeout: string }) => Number.parseInt(entry.timeout, 10) * 1000;
  const timeouts = entries.map(milliseconds);
  const shorter = Math.max(0, ...timeouts.filter((one) => one < milliseconds(mine)));
  const longer = Math.min(Infinity, ...timeouts.filter((one) => one > milliseconds(mine)));
  return { attempts: mine.retryPolicy?.maxAttempts ?? 1, shorter, longer };
}

test("a server that says never is not asked again", async () => {
  await served(
    () => pushingBack(-1),
    async (client, received) => {
      await assert.rejects(client.signOut({}), TryAgain);
      assert.equal(received.length, 1);
    },
  );
});

test("a server that says later is asked later: not within this call's time", async () => {
  await served(
    () => pushingBack(60_000),
    async (client, received) => {
      // Three attempts by the published backoff take less than half of it.
      await assert.rejects(client.signOut({}, { timeoutMs: 1500 }), { status: "DEADLINE_EXCEEDED" });
      assert.equal(received.length, 1);
    },
  );
});

test("only UNAVAILABLE is retried", async () => {
  for (const code of [status.INTERNAL, status.ABORTED, status.RESOURCE_EXHAUSTED, status.DEADLINE_EXCEEDED]) {
    await served(
      () => ({ code }),
      async (client, received) => {
        await assert.rejects(client.getSession({}), { status: status[code] });
        assert.equal(received.length, 1);
      },
    );
  }
});

test("a closed client refuses", async () => {
  const client = connect("127.0.0.1:1");
  client.close();
  await assert.rejects(client.getSession({}), /shut down|closed/i);
});

test("a caller's own deadline holds", async () => {
  await served(
    () => new Promise<Reply>(() => {}),
    async (client) => {
      await assert.rejects(client.createAccount({}, { timeoutMs: 50 }), { status: "DEADLINE_EXCEEDED", reason: "" });
    },
  );
});

test("an aborted call rejects at once, with the signal's reason", async () => {
  await served(
    () => new Promise<Reply>(() => {}),
    async (client, received) => {
      const reason = new Error("the tab was closed");
      const controller = new AbortController();
      const ended: string[] = [];
      const other = client.getSession({}, { timeoutMs: 500 }).catch(() => ended.push("at its deadline"));
      const call = client.getSession({}, { timeoutMs: 500, signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(call, reason);
      ended.push("aborted");
      await other;
      assert.deepEqual(ended, ["aborted", "at its deadline"]);
      const before = received.length;
      await assert.rejects(client.getSession({}, { signal: controller.signal }), reason);
      assert.equal(received.length, before);
    },
  );
});

test("an enum value and a field of a newer server are no failure", async () => {
  // method = 77; field 1000 = 1.
  await served(
    () => Buffer.from([0x08, 77, 0xc0, 0x3e, 1]),
    async (client) => {
      const response = await client.getTwoFactor({});
      assert.equal(response.method, 77);
      assert.equal(response.$typeName, GetTwoFactorResponseSchema.typeName);
      assert.match(JSON.stringify(response), /77/);
    },
  );
});

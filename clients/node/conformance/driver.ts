// Does what one line of the conformance runner says, and says what came of it: clients/conformance/README.md.

import { createInterface } from "node:readline";
import { inspect } from "node:util";
import {
  type DescMessage,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import {
  AccountService,
  type CallOptions,
  connect,
  create,
  SignInService,
  type TwoFactorClient,
  TwoFactorError,
  TwoFactorService,
} from "twofactor-client";
import { withRequestId } from "../src/client.js";

interface Connect {
  op: "connect";
  address: string;
  tls?: { ca: string; certificate: string; key: string; server_name?: string };
}

interface Call {
  op: "call" | "request_id" | "show";
  method: string;
  request: JsonObject;
  timeout_ms?: number;
}

type AnyCall = (request: MessageShape<DescMessage>, options: CallOptions) => Promise<MessageShape<DescMessage>>;

const METHODS = new Map(
  [SignInService, TwoFactorService, AccountService]
    .flatMap((service): DescMethod[] => service.methods)
    .map((method) => [method.name, method]),
);

let client: TwoFactorClient | undefined;

async function answer(line: Connect | Call): Promise<JsonValue> {
  if (line.op === "connect") return open(line);
  const method = METHODS.get(line.method);
  if (method === undefined) throw new Error(`no method ${line.method}`);
  // Made as the package's users make theirs.
  const request = create(method.input, fromJson(method.input, line.request));
  switch (line.op) {
    case "call":
      return called(method, request, line.timeout_ms);
    case "request_id": {
      const sent = withRequestId(method, request);
      return { request_id: "requestId" in sent ? String(sent.requestId) : "" };
    }
    case "show":
      return { text: inspect(request, { depth: null }) };
  }
}

function open({ address, tls }: Connect): JsonValue {
  client?.close();
  client = connect(address, tls ? { tls: { ...tls, ...(tls.server_name && { serverName: tls.server_name }) } } : {});
  return { ok: true };
}

async function called(method: DescMethod, request: MessageShape<DescMessage>, timeoutMs?: number): Promise<JsonValue> {
  if (client === undefined) throw new Error("not connected");
  try {
    const call = client[method.localName as keyof TwoFactorClient] as AnyCall;
    const response = await call(request, timeoutMs === undefined ? {} : { timeoutMs });
    return { response: toJson(method.output, response, { useProtoFieldName: true }) };
  } catch (error) {
    if (!(error instanceof TwoFactorError)) throw error;
    return { error: refusal(error) };
  }
}

function refusal(error: TwoFactorError): JsonObject {
  const { name, status, reason, metadata, fields, retryAfterMs } = error;
  return { type: name, status, reason, metadata: { ...metadata }, fields: [...fields], retry_after_ms: retryAfterMs };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Connect | Call))}\n`);
}
client?.close();

// The conformance driver. clients/conformance/README.md describes the protocol.

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
  op: "call" | "request_id" | "format";
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

async function reply(command: Connect | Call): Promise<JsonValue> {
  if (command.op === "connect") return open(command);
  const method = METHODS.get(command.method);
  if (method === undefined) throw new Error(`unknown method: ${command.method}`);
  // `create` of this package, as its users call it.
  const request = create(method.input, fromJson(method.input, command.request));
  switch (command.op) {
    case "call":
      return callMethod(method, request, command.timeout_ms);
    case "request_id": {
      const sent = withRequestId(method, request);
      return { request_id: "requestId" in sent ? String(sent.requestId) : "" };
    }
    case "format":
      return { text: inspect(request, { depth: null }) };
  }
}

function open({ address, tls }: Connect): JsonValue {
  client?.close();
  client = connect(address, tls ? { tls: { ...tls, ...(tls.server_name && { serverName: tls.server_name }) } } : {});
  return { ok: true };
}

async function callMethod(
  method: DescMethod,
  request: MessageShape<DescMessage>,
  timeoutMs?: number,
): Promise<JsonValue> {
  if (client === undefined) throw new Error("not connected");
  try {
    const call = client[method.localName as keyof TwoFactorClient] as AnyCall;
    const response = await call(request, timeoutMs === undefined ? {} : { timeoutMs });
    return { response: toJson(method.output, response, { useProtoFieldName: true }) };
  } catch (error) {
    if (!(error instanceof TwoFactorError)) throw error;
    return { error: errorToJson(error) };
  }
}

function errorToJson(error: TwoFactorError): JsonObject {
  const { name, status, reason, metadata, fields, retryAfterMs } = error;
  return { type: name, status, reason, metadata: { ...metadata }, fields: [...fields], retry_after_ms: retryAfterMs };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await reply(JSON.parse(line) as Connect | Call))}\n`);
}
client?.close();

// A gRPC server in this process, on loopback, that answers what a test tells it to.

import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { AccountService, connect, SignInService, type TwoFactorClient, TwoFactorService } from "twofactor-client";
import { ErrorInfoSchema, StatusSchema } from "../src/generated/status_details_pb.js";

/** One call as it came in. */
export interface Received {
  method: string;
  request: MessageShape<DescMessage> & Record<string, unknown>;
  deadline: Date | number;
}

/** A response's bytes, or the status to refuse with. */
export type Reply = Uint8Array | Refused;

export interface Refused {
  code: status;
  details?: string;
  metadata?: Metadata;
}

const METHODS = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);

/** Runs the test with a client of a server that answers by `reply`; `received` grows by each attempt. */
export async function served(
  reply: (call: Received, attempt: number) => Reply | Promise<Reply>,
  test: (client: TwoFactorClient, received: Received[]) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = new Server();
  for (const method of METHODS) {
    server.register(
      `/${method.parent.typeName}/${method.name}`,
      (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const one = { method: method.name, request: read(method, call.request), deadline: call.getDeadline() };
        received.push(one);
        Promise.resolve(reply(one, received.length)).then(
          (answer) => (answer instanceof Uint8Array ? callback(null, Buffer.from(answer)) : callback(answer)),
          (error: unknown) => callback({ code: status.UNKNOWN, details: String(error) }),
        );
      },
      (bytes) => bytes,
      (bytes) => bytes,
      "unary",
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = connect(`127.0.0.1:${port}`);
  try {
    await test(client, received);
  } finally {
    client.close();
    server.forceShutdown();
  }
}

function read(method: DescMethod, bytes: Buffer): Received["request"] {
  return fromBinary(method.input, bytes);
}

/** A refusal with these messages of google.rpc as its details; its reason is of our domain, where the test names none. */
export function refused(code: status, ...details: Array<[DescMessage, MessageInitShape<DescMessage>]>): Refused {
  const packed = details.map(([schema, init]) =>
    anyPack(schema, create(schema, schema === ErrorInfoSchema ? { domain: "twofactor", ...init } : init)),
  );
  const metadata = new Metadata();
  metadata.set(
    "grpc-status-details-bin",
    Buffer.from(toBinary(StatusSchema, create(StatusSchema, { details: packed }))),
  );
  return { code, details: "for developers", metadata };
}

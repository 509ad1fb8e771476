// A gRPC server on loopback whose replies a test defines.

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

/** A received call. */
export interface Received {
  method: string;
  request: MessageShape<DescMessage> & Record<string, unknown>;
  deadline: Date | number;
}

/** A serialised response, or an error status. */
export type Reply = Uint8Array | Refused;

export interface Refused {
  code: status;
  details?: string;
  metadata?: Metadata;
}

const METHODS = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);

/** Runs the test with a client of a server that calls `reply`. Each attempt is appended to `received`. */
export async function withServer(
  reply: (call: Received, attempt: number) => Reply | Promise<Reply>,
  test: (client: TwoFactorClient, received: Received[]) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = new Server();
  for (const method of METHODS) {
    server.register(
      `/${method.parent.typeName}/${method.name}`,
      (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        const attempt = { method: method.name, request: read(method, call.request), deadline: call.getDeadline() };
        received.push(attempt);
        Promise.resolve(reply(attempt, received.length)).then(
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

/** An error with these messages as its details. The domain of an ErrorInfo is `twofactor` by default. */
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

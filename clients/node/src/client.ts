// The client: each method of the three services is a function that returns a promise.

import { readFileSync } from "node:fs";
import {
  create as createMessage,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { parseRefusal } from "./details.js";
import { errorFor } from "./errors.js";
import { SERVICE_CONFIG } from "./generated/service_config.js";
import { AccountService } from "./generated/twofactor/v1/account_service_pb.js";
import { SignInService } from "./generated/twofactor/v1/sign_in_service_pb.js";
import { TwoFactorService } from "./generated/twofactor/v1/two_factor_service_pb.js";
import { requestIdFor } from "./request_id.js";
import { redactWhenPrinted } from "./secrets.js";

/** Paths of PEM files for mutual TLS. `connect` reads them once. */
export interface TlsFiles {
  /** The authority that issued the server's certificate. */
  readonly ca: string;
  /** The caller's certificate with its chain, and its key. The one URI SAN of the certificate identifies the caller. */
  readonly certificate: string;
  readonly key: string;
  /** The name in the server's certificate, if it is not the host of the address. */
  readonly serverName?: string;
}

export interface ConnectOptions {
  /** Without it the connection is plaintext: use it only on loopback and unix sockets. */
  readonly tls?: TlsFiles;
  /** Options of @grpc/grpc-js. They override those that this package sets. */
  readonly channel?: ChannelOptions;
}

export interface CallOptions {
  /** A deadline for the call and its retries. It can only shorten the published one. */
  readonly timeoutMs?: number;
  /** Cancels the call, which then rejects with the signal's reason. The outcome on the server is unknown. */
  readonly signal?: AbortSignal;
}

type Methods<Service extends DescService> = {
  [Name in keyof Service["method"]]: Service["method"][Name] extends {
    input: infer Input extends DescMessage;
    output: infer Output extends DescMessage;
  }
    ? (request: MessageInitShape<Input>, options?: CallOptions) => Promise<MessageShape<Output>>
    : never;
};

/**
 * The methods of the contract. A failed call rejects with a TwoFactorError. The client sets the request_id of requests
 * that have none, and retries UNAVAILABLE with the same request_id if the published service config allows it.
 */
export type TwoFactorClient = Methods<typeof SignInService> &
  Methods<typeof TwoFactorService> &
  Methods<typeof AccountService> & {
    /** Closes the connection after the running calls. Later calls fail. */
    close: () => void;
  };

/** Creates a client for `host:port`, `[::1]:port` or `unix:/path`. It connects on the first call and reconnects. */
export function connect(address: string, options: ConnectOptions = {}): TwoFactorClient {
  const channel = new Client(address, credentialsFrom(options.tls), {
    "grpc.service_config": SERVICE_CONFIG,
    // Ignore service configs from DNS and the proxy settings of the environment: the server is an internal one.
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_http_proxy": 0,
    ...(options.tls?.serverName && {
      "grpc.ssl_target_name_override": options.tls.serverName,
      "grpc.default_authority": options.tls.serverName,
    }),
    ...options.channel,
  });
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service): DescMethod[] => service.methods);
  const calls = methods.map((method) => [
    method.localName,
    (request: MessageInitShape<DescMessage>, callOptions?: CallOptions) => call(channel, method, request, callOptions),
  ]);
  return { ...Object.fromEntries(calls), close: () => channel.close() } as TwoFactorClient;
}

function credentialsFrom(tls: TlsFiles | undefined) {
  if (!tls) return credentials.createInsecure();
  return credentials.createSsl(readFileSync(tls.ca), readFileSync(tls.key), readFileSync(tls.certificate));
}

async function call(
  channel: Client,
  method: DescMethod,
  init: MessageInitShape<DescMessage>,
  options: CallOptions = {},
): Promise<MessageShape<DescMessage>> {
  options.signal?.throwIfAborted();
  const request = toBinary(method.input, withRequestId(method, init));
  try {
    return redactWhenPrinted(method.output, fromBinary(method.output, await unary(channel, method, request, options)));
  } catch (failure) {
    options.signal?.throwIfAborted();
    // Created here rather than in gRPC's callback, so that the stack trace includes the caller.
    if (isServiceError(failure)) throw errorFor(parseRefusal(failure), failure.details);
    throw failure;
  }
}

/** The complete request, with a request_id if the method has one. The caller's object is not modified. */
export function withRequestId(method: DescMethod, init: MessageInitShape<DescMessage>): MessageShape<DescMessage> {
  const request = createMessage(method.input, init);
  const isMissing = "requestId" in request && request.requestId === "";
  return isMissing ? Object.assign({ ...request }, { requestId: requestIdFor(request) }) : request;
}

function unary(channel: Client, method: DescMethod, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  const { timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const path = `/${method.parent.typeName}/${method.name}`;
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const pending = channel.makeUnaryRequest<Uint8Array, Uint8Array>(
      path,
      (bytes) => Buffer.from(bytes),
      (bytes) => bytes,
      request,
      new Metadata(),
      deadline,
      (failure, response) => {
        signal?.removeEventListener("abort", cancel);
        if (failure) reject(failure);
        else resolve(response as Uint8Array);
      },
    );
    const cancel = () => pending.cancel();
    signal?.addEventListener("abort", cancel);
  });
}

function isServiceError(failure: unknown): failure is ServiceError {
  return failure instanceof Error && "code" in failure && "details" in failure && "metadata" in failure;
}

// The client: every method of the three services, as a function that returns a promise.

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
import { refusalOf } from "./details.js";
import { errorFor } from "./errors.js";
import { SERVICE_CONFIG } from "./generated/service_config.js";
import { AccountService } from "./generated/twofactor/v1/account_service_pb.js";
import { SignInService } from "./generated/twofactor/v1/sign_in_service_pb.js";
import { TwoFactorService } from "./generated/twofactor/v1/two_factor_service_pb.js";
import { requestIdFor } from "./request_id.js";
import { guard } from "./secrets.js";

/** Paths of PEM files, read once, when connecting. */
export interface TlsFiles {
  /** The authority that signed the server's certificate. */
  readonly ca: string;
  /** This caller's certificate (with its chain), whose one URI SAN is its identity, and the key to it. */
  readonly certificate: string;
  readonly key: string;
  /** The name in the server's certificate, where it is not the host of the address. */
  readonly serverName?: string;
}

export interface ConnectOptions {
  /** mTLS; without it the connection is plain text, for loopback and unix sockets. */
  readonly tls?: TlsFiles;
  /** Options of @grpc/grpc-js, over those that this package sets. */
  readonly channel?: ChannelOptions;
}

export interface CallOptions {
  /** A deadline of this call's own, for all its attempts together. It can only shorten the published one. */
  readonly timeoutMs?: number;
  /** Stops the waiting, and rejects with the signal's reason. What the server does with the call is not known then. */
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
 * Calls the server. Refusals reject with a TwoFactorError. A request without request_id is given one (where the method
 * has it), and UNAVAILABLE is retried with the same one where the published service config allows it.
 */
export type TwoFactorClient = Methods<typeof SignInService> &
  Methods<typeof TwoFactorService> &
  Methods<typeof AccountService> & {
    /** Closes the connection. Calls under way end first; later ones are refused. */
    close: () => void;
  };

/** A client for `host:port`, `[::1]:port` or `unix:/path`. It connects with the first call, and again when need be. */
export function connect(address: string, options: ConnectOptions = {}): TwoFactorClient {
  const channel = new Client(address, credentialsFrom(options.tls), {
    "grpc.service_config": SERVICE_CONFIG,
    // The name service is not asked for another one, nor the environment for a proxy: the server is an internal one.
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
    (request: MessageInitShape<DescMessage>, how?: CallOptions) => call(channel, method, request, how),
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
    return guard(method.output, fromBinary(method.output, await unary(channel, method, request, options)));
  } catch (failure) {
    options.signal?.throwIfAborted();
    // Made here and not where gRPC calls back: the stack then leads to the caller.
    if (isServiceError(failure)) throw errorFor(refusalOf(failure), failure.details);
    throw failure;
  }
}

/** The whole request, with a request_id where the method has one. The caller's object is left as it is. */
export function withRequestId(method: DescMethod, init: MessageInitShape<DescMessage>): MessageShape<DescMessage> {
  const request = createMessage(method.input, init);
  const wanting = "requestId" in request && request.requestId === "";
  return wanting ? Object.assign({ ...request }, { requestId: requestIdFor(request) }) : request;
}

function unary(channel: Client, method: DescMethod, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  const { timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const path = `/${method.parent.typeName}/${method.name}`;
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const running = channel.makeUnaryRequest<Uint8Array, Uint8Array>(
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
    const cancel = () => running.cancel();
    signal?.addEventListener("abort", cancel);
  });
}

function isServiceError(failure: unknown): failure is ServiceError {
  return failure instanceof Error && "code" in failure && "details" in failure && "metadata" in failure;
}

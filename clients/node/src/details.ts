// Parses the status and the error details of a failed call.

import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { Refusal } from "./errors.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "./generated/status_details_pb.js";

const TRAILER = "grpc-status-details-bin";

/** Reasons of other domains, such as those of a proxy, are ignored. */
const DOMAIN = "twofactor";

/** Malformed details are ignored: the refusal then has only the status. */
export function parseRefusal(failure: ServiceError): Refusal {
  const statusOnly: Refusal = {
    status: failure.code in status ? status[failure.code] : "UNKNOWN",
    reason: "",
    metadata: {},
    fields: [],
    retryAfterMs: null,
  };
  try {
    const details = failure.metadata.get(TRAILER).flatMap((value) => unpackDetails(value));
    return Object.assign({}, statusOnly, ...details.map(parseDetail)) as Refusal;
  } catch {
    return statusOnly;
  }
}

function unpackDetails(value: string | Buffer): Any[] {
  return fromBinary(StatusSchema, Buffer.from(value)).details;
}

function parseDetail(detail: Any): Partial<Refusal> {
  const info = anyUnpack(detail, ErrorInfoSchema);
  if (info) return info.domain === DOMAIN ? { reason: info.reason, metadata: info.metadata } : {};
  const retry = anyUnpack(detail, RetryInfoSchema);
  if (retry) return { retryAfterMs: retry.retryDelay ? durationMs(retry.retryDelay) : null };
  const bad = anyUnpack(detail, BadRequestSchema);
  if (bad) return { fields: bad.fieldViolations.map((violation) => violation.field) };
  return {};
}

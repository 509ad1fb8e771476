// Reads a refusal from the status and the trailers of a call.

import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack, durationMs } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status } from "@grpc/grpc-js";
import type { Refusal } from "./errors.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema, StatusSchema } from "./generated/status_details_pb.js";

const TRAILER = "grpc-status-details-bin";

/** Whose reasons are meant; another domain's are of whatever stands between. */
const DOMAIN = "twofactor";

/** What the failure says. Details that cannot be read count as absent: the status stands on its own. */
export function refusalOf(failure: ServiceError): Refusal {
  const bare: Refusal = {
    status: failure.code in status ? status[failure.code] : "UNKNOWN",
    reason: "",
    metadata: {},
    fields: [],
    retryAfterMs: null,
  };
  try {
    const details = failure.metadata.get(TRAILER).flatMap((value) => detailsIn(value));
    return Object.assign({}, bare, ...details.map(told)) as Refusal;
  } catch {
    return bare;
  }
}

function detailsIn(value: string | Buffer): Any[] {
  return fromBinary(StatusSchema, Buffer.from(value)).details;
}

function told(detail: Any): Partial<Refusal> {
  const info = anyUnpack(detail, ErrorInfoSchema);
  if (info) return info.domain === DOMAIN ? { reason: info.reason, metadata: info.metadata } : {};
  const retry = anyUnpack(detail, RetryInfoSchema);
  if (retry) return { retryAfterMs: retry.retryDelay ? durationMs(retry.retryDelay) : null };
  const bad = anyUnpack(detail, BadRequestSchema);
  if (bad) return { fields: bad.fieldViolations.map((violation) => violation.field) };
  return {};
}

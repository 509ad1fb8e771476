// The request_id identifies a call: all its attempts have the same one.

import { createHash, randomUUID } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import type {
  ConfirmAuthenticatorSetupRequest,
  UseBackupCodeRequest,
  VerifyAuthenticatorCodeRequest,
  VerifyEmailCodeRequest,
} from "./generated/twofactor/v1/two_factor_service_pb.js";

const NAMESPACE = "f2033512-6d64-53e7-adf0-f759b2b50235";

// Separators, control and format characters, dashes.
const IGNORED = /[\p{Z}\p{Cc}\p{Cf}\p{Pd}]/gu;

type CodeRequest =
  VerifyEmailCodeRequest | VerifyAuthenticatorCodeRequest | UseBackupCodeRequest | ConfirmAuthenticatorSetupRequest;

/**
 * The request_id for a request that has none. For methods that take a code it is derived from the code and its challenge
 * or setup, so that a double click or a reload is the same call. For other methods it is random.
 */
export function requestIdFor(request: Message): string {
  const content = contentOf(request as CodeRequest);
  return content === undefined ? randomUUID() : uuid5(content.join("\n"));
}

function contentOf(request: CodeRequest): string[] | undefined {
  switch (request.$typeName) {
    case "twofactor.v1.VerifyEmailCodeRequest":
      return [request.challengeToken, "VerifyEmailCode", normalise(request.code)];
    case "twofactor.v1.VerifyAuthenticatorCodeRequest":
      return [request.challengeToken, "VerifyAuthenticatorCode", normalise(request.code)];
    case "twofactor.v1.UseBackupCodeRequest":
      return [request.challengeToken, "UseBackupCode", replaceLookAlikes(normalise(request.backupCode))];
    case "twofactor.v1.ConfirmAuthenticatorSetupRequest": {
      const { sessionToken, setupId, code } = request;
      return [sessionToken, "ConfirmAuthenticatorSetup", setupId.toLowerCase(), normalise(code)];
    }
    default:
      return undefined;
  }
}

/** Removes the differences between spellings of a code. Does not validate it: the server does that. */
export function normalise(typed: string): string {
  // A to Z only: Unicode case mapping differs between languages.
  return typed
    .normalize("NFKC")
    .replace(IGNORED, "")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Replaces letters that are not in the alphabet of backup codes by the digits they resemble. */
export function replaceLookAlikes(normalised: string): string {
  return normalised.replaceAll("o", "0").replace(/[il]/g, "1");
}

/** UUID version 5 (RFC 9562, section 5.5) of the text in UTF-8. */
function uuid5(text: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(NAMESPACE.replaceAll("-", ""), "hex"))
    .update(text, "utf8");
  const bytes = digest.digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

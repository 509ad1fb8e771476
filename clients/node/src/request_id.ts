// The request_id that makes all attempts of one logical call the same call.

import { createHash, randomUUID } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import type {
  ConfirmAuthenticatorSetupRequest,
  UseBackupCodeRequest,
  VerifyAuthenticatorCodeRequest,
  VerifyEmailCodeRequest,
} from "./generated/twofactor/v1/two_factor_service_pb.js";

const NAMESPACE = "f2033512-6d64-53e7-adf0-f759b2b50235";

// Separators, controls, formats, dashes.
const UNSEEN = /[\p{Z}\p{Cc}\p{Cf}\p{Pd}]/gu;

type CodeRequest =
  VerifyEmailCodeRequest | VerifyAuthenticatorCodeRequest | UseBackupCodeRequest | ConfirmAuthenticatorSetupRequest;

/**
 * The request_id for a request whose caller gave none. The same typed code on the same challenge or setup is the same
 * call, so that a double click or a reload repeats it; every other call is another one.
 */
export function requestIdFor(request: Message): string {
  const content = contentOf(request as CodeRequest);
  return content === undefined ? randomUUID() : uuid5(content.join("\n"));
}

function contentOf(request: CodeRequest): string[] | undefined {
  switch (request.$typeName) {
    case "twofactor.v1.VerifyEmailCodeRequest":
      return [request.challengeToken, "VerifyEmailCode", normalForm(request.code)];
    case "twofactor.v1.VerifyAuthenticatorCodeRequest":
      return [request.challengeToken, "VerifyAuthenticatorCode", normalForm(request.code)];
    case "twofactor.v1.UseBackupCodeRequest":
      return [request.challengeToken, "UseBackupCode", withoutLookAlikes(normalForm(request.backupCode))];
    case "twofactor.v1.ConfirmAuthenticatorSetupRequest": {
      const { sessionToken, setupId, code } = request;
      return [sessionToken, "ConfirmAuthenticatorSetup", setupId.toLowerCase(), normalForm(code)];
    }
    default:
      return undefined;
  }
}

/** What a typed code means, whatever its spaces, dashes and capitals. Whether it is a code is for the server to say. */
export function normalForm(typed: string): string {
  // A to Z only: of other letters the server's lower case might be another.
  return typed
    .normalize("NFKC")
    .replace(UNSEEN, "")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function withoutLookAlikes(normal: string): string {
  return normal.replaceAll("o", "0").replace(/[il]/g, "1");
}

/** UUID version 5 (RFC 9562, section 5.5) of the text's UTF-8. */
function uuid5(text: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(NAMESPACE.replaceAll("-", ""), "hex"))
    .update(text, "utf8");
  const bytes = digest.digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

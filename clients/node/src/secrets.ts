// Hides the secrets of messages that are printed or logged.

import { inspect } from "node:util";
import {
  clone,
  create as createMessage,
  type DescMessage,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

const HIDDEN = "[hidden]";

/**
 * Creates a message, like `create` of @bufbuild/protobuf. `console.log`, `util.inspect` and `JSON.stringify` hide its
 * secrets. To serialise it with its secrets, use `toJson` of @bufbuild/protobuf.
 */
export function create<D extends DescMessage>(schema: D, init?: MessageInitShape<D>): MessageShape<D> {
  return redactWhenPrinted(schema, createMessage(schema, init));
}

/** Makes the message, and the messages in it, hide their secrets when printed. Nothing else changes. */
export function redactWhenPrinted<D extends DescMessage>(schema: D, message: MessageShape<D>): MessageShape<D> {
  redactOneWhenPrinted(reflect(schema, message));
  return message;
}

function redactOneWhenPrinted(message: ReflectMessage): void {
  const { desc, message: target } = message;
  // Not enumerable, so that copies, comparisons and serialisation ignore them. Messages are plain objects without a
  // prototype of their own.
  Object.defineProperties(target, {
    toJSON: { value: () => redactedJson(desc, target), configurable: true },
    [inspect.custom]: {
      value: (_depth: number, options: object) => `${desc.typeName} ${inspect(redactedJson(desc, target), options)}`,
      configurable: true,
    },
  });
  for (const inner of messagesIn(message)) redactOneWhenPrinted(inner);
}

/** The JSON of the message without its secrets, and without unknown fields, which may be secret. */
function redactedJson<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  try {
    const copy = reflect(schema, clone(schema, message));
    redact(copy);
    return toJson(schema, copy.message as MessageShape<D>);
  } catch {
    // The message has values of other types, and the error of the library would contain them.
    return "[not a valid message]";
  }
}

function redact(message: ReflectMessage): void {
  for (const field of message.fields) {
    if (!field.proto.options?.debugRedact || !message.isSet(field)) continue;
    if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING) message.set(field, HIDDEN);
    else message.clear(field);
  }
  for (const inner of messagesIn(message)) redact(inner);
}

/** The messages in the fields and lists of this one. The contract has no maps. */
function* messagesIn(message: ReflectMessage): Generator<ReflectMessage> {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "message") yield message.get(field);
    else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) yield item as ReflectMessage;
    }
  }
}

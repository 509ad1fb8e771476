// Messages that keep their secrets to themselves when they are printed or logged.

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
 * Makes a message, as `create` of @bufbuild/protobuf does; `console.log`, `util.inspect` and `JSON.stringify` show it
 * without its secrets. To send one on with them, use `toJson` of @bufbuild/protobuf, or name the field.
 */
export function create<D extends DescMessage>(schema: D, init?: MessageInitShape<D>): MessageShape<D> {
  return guard(schema, createMessage(schema, init));
}

/** Gives the message, and every one in it, the ways of being shown that hide secrets. Nothing else about it changes. */
export function guard<D extends DescMessage>(schema: D, message: MessageShape<D>): MessageShape<D> {
  guardOne(reflect(schema, message));
  return message;
}

function guardOne(message: ReflectMessage): void {
  const { desc, message: target } = message;
  // Not enumerable: neither copied, compared nor serialized. Not on a prototype: messages are plain objects.
  Object.defineProperties(target, {
    toJSON: { value: () => shown(desc, target), configurable: true },
    [inspect.custom]: {
      value: (_depth: number, options: object) => `${desc.typeName} ${inspect(shown(desc, target), options)}`,
      configurable: true,
    },
  });
  for (const inner of messagesIn(message)) guardOne(inner);
}

/** The message's JSON form without its secrets, and without fields of a newer server, which might be some. */
function shown<D extends DescMessage>(schema: D, message: MessageShape<D>): JsonValue {
  try {
    const copy = reflect(schema, clone(schema, message));
    redact(copy);
    return toJson(schema, copy.message as MessageShape<D>);
  } catch {
    // Not of its type, and the library's error would quote the value.
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

/** The messages that are fields, or members of list fields, of this one. The contract has no maps. */
function* messagesIn(message: ReflectMessage): Generator<ReflectMessage> {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    if (field.fieldKind === "message") yield message.get(field);
    else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const item of message.get(field)) yield item as ReflectMessage;
    }
  }
}

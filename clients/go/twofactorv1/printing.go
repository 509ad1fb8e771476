// Package twofactorv1 has the messages of the twofactor contract and the clients of its services.
//
// When a message is printed or logged (fmt with any verb, String, log/slog), secret fields show as [REDACTED].
// Serialisation (proto.Marshal, protojson, prototext, encoding/json) includes the secrets.
package twofactorv1

import (
	"fmt"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

const redacted = "[REDACTED]"

func format(message proto.Message, state fmt.State, verb rune) {
	formatText(text(message), state, verb)
}

func formatText(text string, state fmt.State, verb rune) {
	fmt.Fprintf(state, fmt.FormatString(state, verb), text)
}

// text returns the redacted message on one line. Its exact format varies between builds.
func text(message proto.Message) string {
	if !message.ProtoReflect().IsValid() {
		return "<nil>"
	}
	clone := proto.Clone(message)
	redact(clone.ProtoReflect())
	return prototext.MarshalOptions{}.Format(clone)
}

// redact replaces the secrets and removes unknown fields, which may be secret.
func redact(message protoreflect.Message) {
	message.SetUnknown(nil)
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		options, _ := field.Options().(*descriptorpb.FieldOptions)
		switch {
		case options.GetDebugRedact() && field.Kind() == protoreflect.StringKind && !field.IsList():
			message.Set(field, protoreflect.ValueOfString(redacted))
		case options.GetDebugRedact(), field.IsMap():
			// The contract has no such fields yet. Omit them rather than expose a secret.
			message.Clear(field)
		case field.Message() == nil:
		case field.IsList():
			for index := range value.List().Len() {
				redact(value.List().Get(index).Message())
			}
		default:
			redact(value.Message())
		}
		return true
	})
}

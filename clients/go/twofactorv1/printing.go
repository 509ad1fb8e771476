// Package twofactorv1 is the contract of twofactor in Go: its messages, and the clients of its services.
//
// However a message is printed or logged (fmt with any verb, String, log/slog), the fields that carry a secret show
// as [REDACTED]. Whoever writes one out on purpose (proto.Marshal, protojson, prototext, encoding/json) gets it whole.
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

// text is the message on one line, for people to read: its exact form changes from build to build.
func text(message proto.Message) string {
	if !message.ProtoReflect().IsValid() {
		return "<nil>"
	}
	shown := proto.Clone(message)
	hide(shown.ProtoReflect())
	return prototext.MarshalOptions{}.Format(shown)
}

// hide takes the secrets out, and the fields that only a newer contract knows: whether those are secret cannot be told.
func hide(message protoreflect.Message) {
	message.SetUnknown(nil)
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		options, _ := field.Options().(*descriptorpb.FieldOptions)
		switch {
		case options.GetDebugRedact() && field.Kind() == protoreflect.StringKind && !field.IsList():
			message.Set(field, protoreflect.ValueOfString(redacted))
		case options.GetDebugRedact(), field.IsMap():
			// No such fields yet. Should they come, better to leave them out than to let something slip.
			message.Clear(field)
		case field.Message() == nil:
		case field.IsList():
			for index := range value.List().Len() {
				hide(value.List().Get(index).Message())
			}
		default:
			hide(value.Message())
		}
		return true
	})
}

package twofactorv1

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

const (
	secret = "tfs_Secret-1234"
	plain  = "Plain-5678"
)

// formats returns the value as printed and logged in all the usual ways, by name.
func formats(value any) map[string]string {
	formatted := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%20.5s"} {
		formatted[verb] = fmt.Sprintf(verb, value)
		formatted["nested "+verb] = fmt.Sprintf(verb, struct{ Inside []any }{[]any{value}})
	}
	formatted["error"] = fmt.Errorf("failed with %v", value).Error()
	if stringer, ok := value.(fmt.Stringer); ok {
		formatted["String"] = stringer.String()
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("call", "message", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("call", "message", value, slog.Group("group", "message", value))
	formatted["slog"] = log.String()
	return formatted
}

// fill sets every field: secret strings to secret, and other strings to plain. It sets the given member of each oneof,
// or the last one if there are fewer.
func fill(message protoreflect.Message, member int) {
	fields := message.Descriptor().Fields()
	for index := range fields.Len() {
		field := fields.Get(index)
		if oneof := field.ContainingOneof(); oneof != nil && oneof.Fields().Get(min(member, oneof.Fields().Len()-1)) != field {
			continue
		}
		switch {
		case field.IsList() && field.Message() != nil:
			fill(message.Mutable(field).List().AppendMutable().Message(), member)
		case field.Message() != nil:
			fill(message.Mutable(field).Message(), member)
		case field.IsList() || field.Kind() != protoreflect.StringKind:
		case field.Options().(*descriptorpb.FieldOptions).GetDebugRedact():
			message.Set(field, protoreflect.ValueOfString(secret))
		default:
			message.Set(field, protoreflect.ValueOfString(plain))
		}
	}
	// A field of a newer contract.
	unknown := protowire.AppendTag(nil, 999, protowire.BytesType)
	message.SetUnknown(protowire.AppendString(unknown, secret))
}

func TestMessagesHideTheirSecrets(t *testing.T) {
	secrets, oneofs := 0, 0
	protoregistry.GlobalTypes.RangeMessages(func(kind protoreflect.MessageType) bool {
		if kind.Descriptor().ParentFile().Package() != "twofactor.v1" {
			return true
		}
		for member := range 4 {
			message := kind.New()
			fill(message, member)
			value := message.Interface()
			wire, err := proto.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(wire, []byte(secret)) {
				secrets++
			}
			oneofs += checkOneofs(t, value)
			for format, text := range formats(value) {
				checkHidden(t, format, text, value)
			}
		}
		return true
	})
	if secrets == 0 || oneofs == 0 {
		t.Error("no secret was tested")
	}
}

// checkOneofs checks the wrapper types of the oneofs and returns how many there are.
func checkOneofs(t *testing.T, message proto.Message) int {
	count := 0
	of := reflect.ValueOf(message).Elem()
	for index := range of.NumField() {
		field := of.Field(index)
		if field.Kind() != reflect.Interface || field.IsNil() || !of.Type().Field(index).IsExported() {
			continue
		}
		count++
		for format, text := range formats(field.Interface()) {
			checkHidden(t, format, text, field.Interface())
		}
	}
	return count
}

func checkHidden(t *testing.T, format, text string, value any) {
	t.Helper()
	hexadecimal := fmt.Sprintf("%x", secret)
	if strings.Contains(text, secret) || strings.Contains(text, hexadecimal) {
		t.Errorf("%s of %T shows a secret", format, value)
	}
}

func TestOtherFieldsArePrinted(t *testing.T) {
	request := &UseBackupCodeRequest{BackupCode: secret, RequestId: plain, Client: &ClientInfo{UserAgent: plain}}
	for _, format := range []string{"%v", "String", "slog"} {
		text := formats(request)[format]
		if strings.Count(text, plain) < 2 || !strings.Contains(text, "[REDACTED]") {
			t.Errorf("%s: %s", format, text)
		}
		if strings.Contains(text, "challenge_token") {
			t.Errorf("%s shows an empty secret", format)
		}
	}
	if request.GetBackupCode() != secret {
		t.Error("printing modified the message")
	}
	if text := fmt.Sprint((*UseBackupCodeRequest)(nil)); text != "<nil>" {
		t.Error(text)
	}
}

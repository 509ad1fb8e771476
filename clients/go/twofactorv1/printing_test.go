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

// printed is a value in all the ordinary ways of printing and logging it, by the way's name.
func printed(value any) map[string]string {
	ways := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%20.5s"} {
		ways[verb] = fmt.Sprintf(verb, value)
		ways["nested "+verb] = fmt.Sprintf(verb, struct{ Inside []any }{[]any{value}})
	}
	ways["error"] = fmt.Errorf("failed with %v", value).Error()
	if stringer, ok := value.(fmt.Stringer); ok {
		ways["String"] = stringer.String()
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("call", "message", value)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("call", "message", value, slog.Group("group", "message", value))
	ways["slog"] = log.String()
	return ways
}

// fill sets every field there is, the secret ones to the secret and other texts to the plain one.
// Of a oneof it sets the member of this number, or the last where there are fewer.
func fill(message protoreflect.Message, member int) {
	fields := message.Descriptor().Fields()
	for index := range fields.Len() {
		field := fields.Get(index)
		if of := field.ContainingOneof(); of != nil && of.Fields().Get(min(member, of.Fields().Len()-1)) != field {
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
	// And one that only a newer contract knows.
	unknown := protowire.AppendTag(nil, 999, protowire.BytesType)
	message.SetUnknown(protowire.AppendString(unknown, secret))
}

func TestNoMessagePrintsItsSecrets(t *testing.T) {
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
			oneofs += inOneofs(t, value)
			for way, text := range printed(value) {
				shows(t, way, text, value)
			}
		}
		return true
	})
	if secrets == 0 || oneofs == 0 {
		t.Error("nothing was tried")
	}
}

// inOneofs prints the members of the oneofs, which are types of their own; it counts those with a secret.
func inOneofs(t *testing.T, message proto.Message) int {
	count := 0
	of := reflect.ValueOf(message).Elem()
	for index := range of.NumField() {
		field := of.Field(index)
		if field.Kind() != reflect.Interface || field.IsNil() || !of.Type().Field(index).IsExported() {
			continue
		}
		count++
		for way, text := range printed(field.Interface()) {
			shows(t, way, text, field.Interface())
		}
	}
	return count
}

func shows(t *testing.T, way, text string, value any) {
	t.Helper()
	hexadecimal := fmt.Sprintf("%x", secret)
	if strings.Contains(text, secret) || strings.Contains(text, hexadecimal) {
		t.Errorf("%s of %T shows a secret", way, value)
	}
}

func TestTheRestOfAMessageIsPrinted(t *testing.T) {
	request := &UseBackupCodeRequest{BackupCode: secret, RequestId: plain, Client: &ClientInfo{UserAgent: plain}}
	for _, way := range []string{"%v", "String", "slog"} {
		text := printed(request)[way]
		if strings.Count(text, plain) < 2 || !strings.Contains(text, "[REDACTED]") {
			t.Errorf("%s: %s", way, text)
		}
		if strings.Contains(text, "challenge_token") {
			t.Errorf("%s shows a secret that is not there", way)
		}
	}
	if request.GetBackupCode() != secret {
		t.Error("printing took the secret out of the message itself")
	}
	if text := fmt.Sprint((*UseBackupCodeRequest)(nil)); text != "<nil>" {
		t.Error(text)
	}
}

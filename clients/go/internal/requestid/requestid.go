// Package requestid makes the request_id of calls whose caller gives none.
package requestid

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"twofactor.example/client/twofactorv1"
)

// namespace is the one that all clients of twofactor share, so that they mean the same call by the same id.
var namespace = uuid.MustParse("f2033512-6d64-53e7-adf0-f759b2b50235")

// Symbols of the backup code's alphabet for the letters that are not in it but look like them.
var lookAlikes = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// Of is the request_id that the request is to travel with: its own where the caller gave one, "" for a method that has
// none. For a code that is typed in it follows from the code and from what it is typed in for, so that a double click
// or a reload is the same call; otherwise it is random, for asking twice means it twice.
func Of(request proto.Message) string {
	field := field(request)
	if field == nil {
		return ""
	}
	if given := request.ProtoReflect().Get(field).String(); given != "" {
		return given
	}
	switch request := request.(type) {
	case *twofactorv1.VerifyEmailCodeRequest:
		return derived(request.GetChallengeToken(), "VerifyEmailCode", normalForm(request.GetCode()))
	case *twofactorv1.VerifyAuthenticatorCodeRequest:
		return derived(request.GetChallengeToken(), "VerifyAuthenticatorCode", normalForm(request.GetCode()))
	case *twofactorv1.UseBackupCodeRequest:
		code := lookAlikes.Replace(normalForm(request.GetBackupCode()))
		return derived(request.GetChallengeToken(), "UseBackupCode", code)
	case *twofactorv1.ConfirmAuthenticatorSetupRequest:
		setup := strings.ToLower(request.GetSetupId())
		return derived(request.GetSessionToken(), "ConfirmAuthenticatorSetup", setup, normalForm(request.GetCode()))
	}
	return uuid.NewString()
}

// With is the request with its request_id: the request itself where it lacks nothing, else a copy. The caller's own is
// not written to: used again for another call, it would carry the id of this one.
func With(request proto.Message) proto.Message {
	id := Of(request)
	field := field(request)
	if id == "" || request.ProtoReflect().Get(field).String() == id {
		return request
	}
	identified := proto.Clone(request)
	identified.ProtoReflect().Set(field, protoreflect.ValueOfString(id))
	return identified
}

func field(request proto.Message) protoreflect.FieldDescriptor {
	return request.ProtoReflect().Descriptor().Fields().ByName("request_id")
}

func derived(parts ...string) string {
	return uuid.NewSHA1(namespace, []byte(strings.Join(parts, "\n"))).String()
}

// normalForm is what the server reads from a code as typed. Whether that is a code is for the server to say.
func normalForm(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Pd):
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, norm.NFKC.String(typed))
}

// Package requestid sets the request_id of requests that have none.
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

// namespace is shared by all twofactor clients, so that they derive the same ids.
var namespace = uuid.MustParse("f2033512-6d64-53e7-adf0-f759b2b50235")

// lookAlikes replaces letters that are not in the alphabet of backup codes by the digits they resemble.
var lookAlikes = strings.NewReplacer("o", "0", "i", "1", "l", "1")

// Of returns the request_id to send with the request: the caller's if it is set, and "" if the request has no such
// field. For methods that take a code, it is derived from the token and the code, so that a double click or a reload is
// the same call. For other methods it is random: two calls are two requests.
func Of(request proto.Message) string {
	field := field(request)
	if field == nil {
		return ""
	}
	if own := request.ProtoReflect().Get(field).String(); own != "" {
		return own
	}
	switch request := request.(type) {
	case *twofactorv1.VerifyEmailCodeRequest:
		return derive(request.GetChallengeToken(), "VerifyEmailCode", normalise(request.GetCode()))
	case *twofactorv1.VerifyAuthenticatorCodeRequest:
		return derive(request.GetChallengeToken(), "VerifyAuthenticatorCode", normalise(request.GetCode()))
	case *twofactorv1.UseBackupCodeRequest:
		code := lookAlikes.Replace(normalise(request.GetBackupCode()))
		return derive(request.GetChallengeToken(), "UseBackupCode", code)
	case *twofactorv1.ConfirmAuthenticatorSetupRequest:
		setup := strings.ToLower(request.GetSetupId())
		return derive(request.GetSessionToken(), "ConfirmAuthenticatorSetup", setup, normalise(request.GetCode()))
	}
	return uuid.NewString()
}

// With returns the request with its request_id: the request itself if nothing has to be set, otherwise a copy. The
// caller's request is not modified, because the caller may use it again for another call.
func With(request proto.Message) proto.Message {
	id := Of(request)
	field := field(request)
	if id == "" || request.ProtoReflect().Get(field).String() == id {
		return request
	}
	prepared := proto.Clone(request)
	prepared.ProtoReflect().Set(field, protoreflect.ValueOfString(id))
	return prepared
}

func field(request proto.Message) protoreflect.FieldDescriptor {
	return request.ProtoReflect().Descriptor().Fields().ByName("request_id")
}

func derive(parts ...string) string {
	return uuid.NewSHA1(namespace, []byte(strings.Join(parts, "\n"))).String()
}

// normalise removes the differences between spellings of a code. It does not validate the code: the server does that.
func normalise(typed string) string {
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

package client

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"twofactor.example/client/twofactorv1"
)

const getSession = twofactorv1.SignInService_GetSession_FullMethodName

// callFailing returns the error of a call to which the server replies with this status.
func callFailing(t *testing.T, code codes.Code, details ...protoadapt.MessageV1) error {
	t.Helper()
	failed, err := status.New(code, "A sentence.").WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	// Prevent retries, so that UNAVAILABLE does not delay the test.
	server := serve(t, []answer{{err: failed.Err(), pushback: "-1"}})
	return server.client(t).invoke(t.Context(), getSession)
}

func info(reason string, metadata ...string) *errdetails.ErrorInfo {
	pairs := map[string]string{}
	for index := 0; index < len(metadata); index += 2 {
		pairs[metadata[index]] = metadata[index+1]
	}
	return &errdetails.ErrorInfo{Domain: "twofactor", Reason: reason, Metadata: pairs}
}

// types maps reasons to their types; other reasons are a plain TwoFactorError.
var types = map[string]error{
	"INVALID_FIELD":             &InvalidField{},
	"CREDENTIALS_MISMATCH":      &CredentialsMismatch{},
	"REAUTHENTICATION_REQUIRED": &ReauthenticationRequired{},
	"REAUTHENTICATION_FAILED":   &ReauthenticationFailed{},
	"CODE_MISMATCH":             &CodeMismatch{},
	"CODE_SUPERSEDED":           &CodeMismatch{},
	"CODE_EXPIRED":              &CodeExpired{},
	"CODE_ALREADY_USED":         &CodeAlreadyUsed{},
	"CHALLENGE_EXPIRED":         &ChallengeOver{},
	"CHALLENGE_CONSUMED":        &ChallengeOver{},
	"CHALLENGE_EXHAUSTED":       &ChallengeOver{},
	"CHALLENGE_NOT_FOUND":       &ChallengeOver{},
	"SESSION_ENDED":             &SessionEnded{},
	"FIRST_FACTOR_SUSPENDED":    &FirstFactorSuspended{},
	"AUTHENTICATOR_DISABLED":    &AuthenticatorDisabled{},
	"ATTEMPTS_THROTTLED":        &Throttled{},
	"DELIVERY_THROTTLED":        &Throttled{},
	"OVERLOADED":                &TryAgain{},
	"CONFLICT":                  &TryAgain{},
	"DEPENDENCY_UNAVAILABLE":    &TryAgain{},
}

func TestEachReasonHasItsType(t *testing.T) {
	found := 0
	for _, name := range twofactorv1.ErrorReason_name {
		reason := strings.TrimPrefix(name, "ERROR_REASON_")
		want, ok := types[reason]
		if ok {
			found++
		} else {
			want = &TwoFactorError{}
		}
		err := callFailing(t, codes.FailedPrecondition, info(reason, "one", "thing"))
		if reflect.TypeOf(err) != reflect.TypeOf(want) {
			t.Errorf("%s: got %T, want %T", reason, err, want)
		}
		var base *TwoFactorError
		if !errors.As(err, &base) || base.Reason != reason || base.Metadata["one"] != "thing" ||
			base.Method != "GetSession" || base.Status != codes.FailedPrecondition {
			t.Errorf("%s: %+v", reason, base)
		}
	}
	if found != len(types) {
		t.Errorf("%d of %d reasons are in the contract", found, len(types))
	}
}

func TestErrorsWithoutAReasonOfTwofactor(t *testing.T) {
	foreign := &errdetails.ErrorInfo{Domain: "proxy.example", Reason: "SESSION_ENDED"}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		for _, err := range []error{callFailing(t, code), callFailing(t, code, foreign)} {
			var again *TryAgain
			if errors.As(err, &again) != (code == codes.Unavailable || code == codes.DeadlineExceeded) {
				t.Errorf("%v: %T", code, err)
			}
			var base *TwoFactorError
			if !errors.As(err, &base) || base.Reason != "" || base.Status != code || base.RetryAfter != nil {
				t.Errorf("%v: %+v", code, base)
			}
		}
	}
}

func TestUnknownReasonsAndDetails(t *testing.T) {
	// A detail of an unknown type, and a reason of a newer server.
	err := callFailing(t, codes.Unavailable, timestamppb.Now(), info("NEWER_REASON"))
	refused, ok := err.(*TwoFactorError)
	if !ok || refused.Reason != "NEWER_REASON" {
		t.Errorf("%T %v", err, err)
	}
}

func TestDetailsOfErrors(t *testing.T) {
	var mismatch *CodeMismatch
	if err := callFailing(t, codes.InvalidArgument, info("CODE_MISMATCH", "attempts_left", "0")); !errors.As(err, &mismatch) ||
		mismatch.AttemptsLeft != 0 {
		t.Error(err)
	}
	if err := callFailing(t, codes.InvalidArgument, info("CODE_SUPERSEDED")); !errors.As(err, &mismatch) ||
		mismatch.AttemptsLeft != -1 {
		t.Error(err)
	}
	var used *BackupCodeAlreadyUsed
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	err := callFailing(t, codes.FailedPrecondition, info("CODE_ALREADY_USED", "used_at", "2026-11-24T08:00:00Z"))
	if !errors.As(err, &used) || used.UsedAt != at {
		t.Error(err)
	}
	var throttled *Throttled
	wait := &errdetails.RetryInfo{RetryDelay: durationpb.New(90 * time.Second)}
	err = callFailing(t, codes.ResourceExhausted, info("ATTEMPTS_THROTTLED"), wait)
	if !errors.As(err, &throttled) || throttled.Wait != 90*time.Second || *throttled.RetryAfter != throttled.Wait {
		t.Error(err)
	}
	var invalid *InvalidField
	violations := []*errdetails.BadRequest_FieldViolation{{Field: "b.c", Description: "too long"}, {Field: "a"}}
	err = callFailing(t, codes.InvalidArgument, info("INVALID_FIELD"), &errdetails.BadRequest{FieldViolations: violations})
	if !errors.As(err, &invalid) || !reflect.DeepEqual(invalid.Fields, []Field{{"b.c", "too long"}, {"a", ""}}) {
		t.Error(err)
	}
	if text := fmt.Sprintf("%v", err); text != "twofactor: GetSession: INVALID_FIELD: A sentence." {
		t.Error(text)
	}
	if of, ok := status.FromError(err); !ok || of.Code() != codes.InvalidArgument || len(of.Details()) != 2 {
		t.Error("status.FromError does not return the gRPC status")
	}
}

func TestCancelledAndExpiredContexts(t *testing.T) {
	client := serve(t, []answer{{}}).client(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.invoke(cancelled, getSession); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	expired, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	err := client.invoke(expired, getSession)
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

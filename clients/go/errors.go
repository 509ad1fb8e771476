package client

import (
	"context"
	"path"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const domain = "twofactor"

// TwoFactorError is a call that did not succeed. Every error of a call is one; those that a front end acts on are, on
// top of that, one of the types below, which embed it:
//
//	var used *client.BackupCodeAlreadyUsed
//	if errors.As(err, &used) {
//		… used.UsedAt …
//	}
//
// Its text holds no secrets. It unwraps to gRPC's own error, and status.FromError takes it as it is. Of a call that was
// cut off, errors.Is(err, context.Canceled) or context.DeadlineExceeded is true.
type TwoFactorError struct {
	// Method is the name of the method that was called.
	Method string
	// Status is gRPC's code.
	Status codes.Code
	// Reason is a name of twofactorv1.ErrorReason without its prefix, CODE_MISMATCH; one of a newer server may not be
	// among them. Empty: no word of the server, but of something in between.
	Reason string
	// Metadata is what the reason tells beside itself; see ErrorReason. May be nil.
	Metadata map[string]string
	// Fields are those that the request must mend.
	Fields []Field
	// RetryAfter is how long the server asks to wait. Nil: it did not say.
	RetryAfter *time.Duration

	cause error
}

// Field is a field of the request that the server did not accept.
type Field struct {
	// Path leads to it from the request's root: password.email.
	Path string
	// Rule says in English what it breaks.
	Rule string
}

type (
	// InvalidField means that the request is malformed: see Fields. Nothing was charged.
	InvalidField struct{ TwoFactorError }
	// CredentialsMismatch means that the first factor is wrong.
	CredentialsMismatch struct{ TwoFactorError }
	// ReauthenticationRequired means that the re-authentication is missing, or not recent enough.
	ReauthenticationRequired struct{ TwoFactorError }
	// ReauthenticationFailed means that the re-authentication is wrong. Five wrong ones end the session.
	ReauthenticationFailed struct{ TwoFactorError }
	// CodeMismatch means that the code is wrong, or that a newer one was mailed (Reason CODE_SUPERSEDED).
	CodeMismatch struct {
		TwoFactorError
		// AttemptsLeft counts what is left of the challenge or setup: 4 to 0. -1: the server did not say.
		AttemptsLeft int
	}
	// CodeExpired means that the mailed code is too old. Offer another one.
	CodeExpired struct{ TwoFactorError }
	// BackupCodeAlreadyUsed means that the backup code has signed somebody in.
	BackupCodeAlreadyUsed struct {
		TwoFactorError
		// UsedAt is when, in UTC.
		UsedAt time.Time
	}
	// CodeAlreadyUsed means that the authenticator's code is spent. Wait for its next one.
	CodeAlreadyUsed struct{ TwoFactorError }
	// ChallengeOver means that nothing more comes of this challenge, for one of four reasons. Start signing in again.
	ChallengeOver struct{ TwoFactorError }
	// SessionEnded means that the person must sign in again.
	SessionEnded struct{ TwoFactorError }
	// FirstFactorSuspended means that nobody signs in until the owner has confirmed by the mailed link.
	FirstFactorSuspended struct{ TwoFactorError }
	// AuthenticatorDisabled means that only the backup code signs in now.
	AuthenticatorDisabled struct{ TwoFactorError }
	// Throttled means that there were too many attempts or mails.
	Throttled struct {
		TwoFactorError
		// Wait is how long, from now on. 0: the server did not say.
		Wait time.Duration
	}
	// TryAgain is nobody's fault, and passes. Whether the change happened may be unknown: the same call, with the same
	// request_id, tells. RetryAfter says when, if the server did.
	TryAgain struct{ TwoFactorError }
)

// Error names the method and the reason, with the server's sentence.
func (e *TwoFactorError) Error() string {
	reason := e.Status.String()
	if e.Reason != "" {
		reason = e.Reason
	}
	return "twofactor: " + e.Method + ": " + reason + ": " + e.GRPCStatus().Message()
}

// Unwrap is gRPC's own error.
func (e *TwoFactorError) Unwrap() error { return e.cause }

// GRPCStatus is for status.FromError. An error that a test made has no more than its code.
func (e *TwoFactorError) GRPCStatus() *status.Status {
	if e.cause == nil {
		return status.New(e.Status, "")
	}
	return status.Convert(e.cause)
}

// Is tells of a call that its context or its deadline ended; gRPC's own errors do not.
func (e *TwoFactorError) Is(target error) bool {
	return target == context.Canceled && e.Status == codes.Canceled ||
		target == context.DeadlineExceeded && e.Status == codes.DeadlineExceeded
}

// As finds the *TwoFactorError in each of the types that embed one, which have this method from it.
func (e *TwoFactorError) As(target any) bool {
	found, ok := target.(**TwoFactorError)
	if ok {
		*found = e
	}
	return ok
}

// typed is the error as the type for its reason.
func (e *TwoFactorError) typed() error {
	switch e.Reason {
	case "INVALID_FIELD":
		return &InvalidField{*e}
	case "CREDENTIALS_MISMATCH":
		return &CredentialsMismatch{*e}
	case "REAUTHENTICATION_REQUIRED":
		return &ReauthenticationRequired{*e}
	case "REAUTHENTICATION_FAILED":
		return &ReauthenticationFailed{*e}
	case "CODE_MISMATCH", "CODE_SUPERSEDED":
		return &CodeMismatch{*e, e.attemptsLeft()}
	case "CODE_EXPIRED":
		return &CodeExpired{*e}
	case "CODE_ALREADY_USED":
		return e.alreadyUsed()
	case "CHALLENGE_EXPIRED", "CHALLENGE_CONSUMED", "CHALLENGE_EXHAUSTED", "CHALLENGE_NOT_FOUND":
		return &ChallengeOver{*e}
	case "SESSION_ENDED":
		return &SessionEnded{*e}
	case "FIRST_FACTOR_SUSPENDED":
		return &FirstFactorSuspended{*e}
	case "AUTHENTICATOR_DISABLED":
		return &AuthenticatorDisabled{*e}
	case "ATTEMPTS_THROTTLED", "DELIVERY_THROTTLED":
		return &Throttled{*e, e.wait()}
	case "OVERLOADED", "CONFLICT", "DEPENDENCY_UNAVAILABLE":
		return &TryAgain{*e}
	case "":
		if e.Status == codes.Unavailable || e.Status == codes.DeadlineExceeded {
			return &TryAgain{*e}
		}
	}
	return e
}

// refused is what gRPC's error of a call to the method (its full name) tells. Unknown details are left alone.
func refused(method string, err error) *TwoFactorError {
	of := status.Convert(err)
	e := &TwoFactorError{Method: path.Base(method), Status: of.Code(), cause: err}
	for _, detail := range of.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			// Something in between may have reasons of its own, by the same names.
			if detail.GetDomain() == domain {
				e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				e.Fields = append(e.Fields, Field{Path: violation.GetField(), Rule: violation.GetDescription()})
			}
		case *errdetails.RetryInfo:
			delay := detail.GetRetryDelay().AsDuration()
			e.RetryAfter = &delay
		}
	}
	return e
}

func (e *TwoFactorError) attemptsLeft() int {
	left, err := strconv.Atoi(e.Metadata["attempts_left"])
	if err != nil {
		return -1
	}
	return left
}

func (e *TwoFactorError) alreadyUsed() error {
	told, ok := e.Metadata["used_at"]
	if !ok {
		return &CodeAlreadyUsed{*e}
	}
	// One that cannot be read stays the zero time: the code is used all the same.
	at, _ := time.Parse(time.RFC3339, told)
	return &BackupCodeAlreadyUsed{*e, at.UTC()}
}

func (e *TwoFactorError) wait() time.Duration {
	if e.RetryAfter == nil {
		return 0
	}
	return *e.RetryAfter
}

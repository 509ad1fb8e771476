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

// TwoFactorError is the error of a call. Errors that a front end handles have one of the types below, which embed it:
//
//	var used *client.BackupCodeAlreadyUsed
//	if errors.As(err, &used) {
//		… used.UsedAt …
//	}
//
// Its text contains no secrets. It unwraps to the gRPC error, and status.FromError accepts it. If the call was cancelled
// or timed out, errors.Is(err, context.Canceled) or errors.Is(err, context.DeadlineExceeded) is true.
type TwoFactorError struct {
	// Method is the name of the method, such as GetSession.
	Method string
	// Status is the gRPC status code.
	Status codes.Code
	// Reason is a name of twofactorv1.ErrorReason without its prefix, such as CODE_MISMATCH, or a reason of a newer
	// server. It is empty if the error was not reported by twofactor, but by gRPC or a proxy.
	Reason string
	// Metadata has the details of the reason; see ErrorReason. It may be nil.
	Metadata map[string]string
	// Fields are the rejected fields of the request.
	Fields []Field
	// RetryAfter is how long to wait before the next call. It is nil if the server did not say.
	RetryAfter *time.Duration

	cause error
}

// Field is a rejected field of the request.
type Field struct {
	// Path is the path from the root of the request, such as password.email.
	Path string
	// Rule describes in English what the field violates.
	Rule string
}

type (
	// InvalidField means that the request is malformed: see Fields. It did not count as an attempt.
	InvalidField struct{ TwoFactorError }
	// CredentialsMismatch means that the first factor was wrong.
	CredentialsMismatch struct{ TwoFactorError }
	// ReauthenticationRequired means that the re-authentication is missing or not recent enough.
	ReauthenticationRequired struct{ TwoFactorError }
	// ReauthenticationFailed means that the re-authentication was wrong. Five failures end the session.
	ReauthenticationFailed struct{ TwoFactorError }
	// CodeMismatch means that the code was wrong, or that a newer one was mailed (Reason CODE_SUPERSEDED).
	CodeMismatch struct {
		TwoFactorError
		// AttemptsLeft are the remaining attempts of the challenge or setup, 4 to 0. It is -1 if the server did not say.
		AttemptsLeft int
	}
	// CodeExpired means that the e-mail code has expired. Offer to send another one.
	CodeExpired struct{ TwoFactorError }
	// BackupCodeAlreadyUsed means that the backup code was used before.
	BackupCodeAlreadyUsed struct {
		TwoFactorError
		// UsedAt is when it was used, in UTC. It is zero if the server sent no valid time.
		UsedAt time.Time
	}
	// CodeAlreadyUsed means that the authenticator code was used before. Wait for the next one.
	CodeAlreadyUsed struct{ TwoFactorError }
	// ChallengeOver means that the challenge is expired, completed, exhausted or unknown. Start the sign-in again.
	ChallengeOver struct{ TwoFactorError }
	// SessionEnded means that the session has ended. Sign in again.
	SessionEnded struct{ TwoFactorError }
	// FirstFactorSuspended means that sign-in is suspended until the owner follows the mailed link.
	FirstFactorSuspended struct{ TwoFactorError }
	// AuthenticatorDisabled means that too many wrong codes disabled the authenticator. Ask for the backup code.
	AuthenticatorDisabled struct{ TwoFactorError }
	// Throttled means that there were too many attempts or mails. This call did not count as an attempt.
	Throttled struct {
		TwoFactorError
		// Wait is how long to wait from now on. It is 0 if the server did not say.
		Wait time.Duration
	}
	// TryAgain means that the outcome is unknown. Repeat the call with the same request_id, after RetryAfter if it is
	// set.
	TryAgain struct{ TwoFactorError }
)

// Error returns the method, the reason and the server's message.
func (e *TwoFactorError) Error() string {
	reason := e.Status.String()
	if e.Reason != "" {
		reason = e.Reason
	}
	return "twofactor: " + e.Method + ": " + reason + ": " + e.GRPCStatus().Message()
}

// Unwrap returns the gRPC error.
func (e *TwoFactorError) Unwrap() error { return e.cause }

// GRPCStatus supports status.FromError. An error that was not returned by a call, as in tests, has only a code.
func (e *TwoFactorError) GRPCStatus() *status.Status {
	if e.cause == nil {
		return status.New(e.Status, "")
	}
	return status.Convert(e.cause)
}

// Is reports whether the call was cancelled or timed out. gRPC errors do not match the errors of package context.
func (e *TwoFactorError) Is(target error) bool {
	return target == context.Canceled && e.Status == codes.Canceled ||
		target == context.DeadlineExceeded && e.Status == codes.DeadlineExceeded
}

// As converts each type that embeds TwoFactorError to *TwoFactorError.
func (e *TwoFactorError) As(target any) bool {
	found, ok := target.(**TwoFactorError)
	if ok {
		*found = e
	}
	return ok
}

// typed returns the error as the type for its reason.
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

// newError parses a gRPC error of a call to the method, which is a full name. Unknown details are ignored.
func newError(method string, err error) *TwoFactorError {
	parsed := status.Convert(err)
	e := &TwoFactorError{Method: path.Base(method), Status: parsed.Code(), cause: err}
	for _, detail := range parsed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			// A proxy may use the same reasons in another domain.
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
	usedAt, ok := e.Metadata["used_at"]
	if !ok {
		return &CodeAlreadyUsed{*e}
	}
	// An invalid time becomes the zero time: the code was used in any case.
	at, _ := time.Parse(time.RFC3339, usedAt)
	return &BackupCodeAlreadyUsed{*e, at.UTC()}
}

func (e *TwoFactorError) wait() time.Duration {
	if e.RetryAfter == nil {
		return 0
	}
	return *e.RetryAfter
}

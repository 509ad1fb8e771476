package client

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"twofactor.example/client/twofactorv1"
)

var unavailable = status.Error(codes.Unavailable, "not now")

// published is what the service config says of one method.
type published struct {
	Timeout     string
	RetryPolicy struct{ MaxAttempts int }
}

func (p published) attempts() int {
	return max(p.RetryPolicy.MaxAttempts, 1)
}

func readPublished(t *testing.T) map[string]published {
	t.Helper()
	content, err := os.ReadFile("../../proto/twofactor/v1/service_config.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != serviceConfig {
		t.Error("the service config here is not the published one: run generate.sh")
	}
	var config struct {
		MethodConfig []struct {
			published
			Name []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	of := map[string]published{}
	for _, entry := range config.MethodConfig {
		for _, name := range entry.Name {
			of["/"+name.Service+"/"+name.Method] = entry.published
		}
	}
	return of
}

func TestEveryMethodIsCalledAsPublished(t *testing.T) {
	config := readPublished(t)
	server := serve(t, []answer{{err: unavailable}})
	client := server.client(t)
	var calls sync.WaitGroup
	for _, method := range methods() {
		calls.Go(func() { _ = client.invoke(t.Context(), method) })
	}
	calls.Wait()
	for _, method := range methods() {
		said, ok := config[method]
		if !ok {
			t.Errorf("nothing is published for %s", method)
			continue
		}
		attempts := server.of(path.Base(method))
		if len(attempts) != said.attempts() {
			t.Errorf("%s: %d attempts, not %d", method, len(attempts), said.attempts())
		}
		timeout, err := time.ParseDuration(said.Timeout)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range attempts {
			if one.timeLeft <= 0 || one.timeLeft > timeout {
				t.Errorf("%s: %v left of %v", method, one.timeLeft, timeout)
			}
			if one.requestID != attempts[0].requestID {
				t.Errorf("%s: a retry carries another request_id", method)
			}
		}
	}
}

func TestARetryAnswersTheCall(t *testing.T) {
	server := serve(t, []answer{{err: unavailable}, {}})
	request := &twofactorv1.UseBackupCodeRequest{}
	if _, err := server.client(t).TwoFactor.UseBackupCode(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if count := len(server.of("UseBackupCode")); count != 2 {
		t.Errorf("%d attempts, not 2", count)
	}
	if request.RequestId != "" {
		t.Error("the caller's request was written to")
	}
}

func TestOnlyUnavailableIsRetried(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		if code == codes.Unavailable {
			continue
		}
		server := serve(t, []answer{{err: status.Error(code, "no")}})
		err := server.client(t).invoke(t.Context(), twofactorv1.TwoFactorService_GetTwoFactor_FullMethodName)
		if status.Code(err) != code {
			t.Errorf("%v, not %v", err, code)
		}
		if count := len(server.of("GetTwoFactor")); count != 1 {
			t.Errorf("%v: %d attempts, not 1", code, count)
		}
	}
}

// Without the server's word there would be three attempts, the second after a tenth of a second.
func TestTheServerHoldsRetriesBack(t *testing.T) {
	for pushback, ends := range map[string]codes.Code{"-1": codes.Unavailable, "60000": codes.DeadlineExceeded} {
		server := serve(t, []answer{{err: unavailable, pushback: pushback}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := server.client(t).invoke(ctx, twofactorv1.TwoFactorService_UseBackupCode_FullMethodName)
		if count := len(server.of("UseBackupCode")); count != 1 {
			t.Errorf("%s: %d attempts, not 1", pushback, count)
		}
		var again *TryAgain
		if !errors.As(err, &again) || again.Status != ends {
			t.Errorf("%s: %v", pushback, err)
		}
	}
}

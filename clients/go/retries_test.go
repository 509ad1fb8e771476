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

var unavailable = status.Error(codes.Unavailable, "unavailable")

// methodConfig is an entry of the service config.
type methodConfig struct {
	Timeout     string
	RetryPolicy struct{ MaxAttempts int }
}

func (c methodConfig) attempts() int {
	return max(c.RetryPolicy.MaxAttempts, 1)
}

func readServiceConfig(t *testing.T) map[string]methodConfig {
	t.Helper()
	content, err := os.ReadFile("../../proto/twofactor/v1/service_config.json")
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != serviceConfig {
		t.Error("service_config.json is out of date: run generate.sh")
	}
	var config struct {
		MethodConfig []struct {
			methodConfig
			Name []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	byMethod := map[string]methodConfig{}
	for _, entry := range config.MethodConfig {
		for _, name := range entry.Name {
			byMethod["/"+name.Service+"/"+name.Method] = entry.methodConfig
		}
	}
	return byMethod
}

func TestEveryMethodFollowsTheServiceConfig(t *testing.T) {
	config := readServiceConfig(t)
	server := serve(t, []answer{{err: unavailable}})
	client := server.client(t)
	var calls sync.WaitGroup
	for _, method := range methods() {
		calls.Go(func() { _ = client.invoke(t.Context(), method) })
	}
	calls.Wait()
	for _, method := range methods() {
		expected, ok := config[method]
		if !ok {
			t.Errorf("the service config has no entry for %s", method)
			continue
		}
		attempts := server.attemptsOf(path.Base(method))
		if len(attempts) != expected.attempts() {
			t.Errorf("%s: %d attempts, want %d", method, len(attempts), expected.attempts())
		}
		timeout, err := time.ParseDuration(expected.Timeout)
		if err != nil {
			t.Fatal(err)
		}
		for _, attempt := range attempts {
			if attempt.timeLeft <= 0 || attempt.timeLeft > timeout {
				t.Errorf("%s: %v left of %v", method, attempt.timeLeft, timeout)
			}
			if attempt.requestID != attempts[0].requestID {
				t.Errorf("%s: a retry has another request_id", method)
			}
		}
	}
}

func TestARetrySucceeds(t *testing.T) {
	server := serve(t, []answer{{err: unavailable}, {}})
	request := &twofactorv1.UseBackupCodeRequest{}
	if _, err := server.client(t).TwoFactor.UseBackupCode(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if count := len(server.attemptsOf("UseBackupCode")); count != 2 {
		t.Errorf("%d attempts, want 2", count)
	}
	if request.RequestId != "" {
		t.Error("the caller's request was modified")
	}
}

func TestOnlyUnavailableIsRetried(t *testing.T) {
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		if code == codes.Unavailable {
			continue
		}
		server := serve(t, []answer{{err: status.Error(code, "error")}})
		err := server.client(t).invoke(t.Context(), twofactorv1.TwoFactorService_GetTwoFactor_FullMethodName)
		if status.Code(err) != code {
			t.Errorf("got %v, want %v", err, code)
		}
		if count := len(server.attemptsOf("GetTwoFactor")); count != 1 {
			t.Errorf("%v: %d attempts, want 1", code, count)
		}
	}
}

// Without the pushback there would be three attempts, the second after 0.1 s.
func TestPushbackOfTheServer(t *testing.T) {
	for pushback, want := range map[string]codes.Code{"-1": codes.Unavailable, "60000": codes.DeadlineExceeded} {
		server := serve(t, []answer{{err: unavailable, pushback: pushback}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := server.client(t).invoke(ctx, twofactorv1.TwoFactorService_UseBackupCode_FullMethodName)
		if count := len(server.attemptsOf("UseBackupCode")); count != 1 {
			t.Errorf("%s: %d attempts, want 1", pushback, count)
		}
		var again *TryAgain
		if !errors.As(err, &again) || again.Status != want {
			t.Errorf("%s: %v", pushback, err)
		}
	}
}

package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/credentials/insecure"

	client "twofactor.example/client"
	"twofactor.example/client/twofactorv1"
)

// signIn returns the session token. It asks for the e-mail code until the code is correct or no attempts are left.
func signIn(ctx context.Context, c *client.Client, email, password string, ask func(string) string) (string, error) {
	started, err := c.SignIn.StartSignIn(ctx, &twofactorv1.StartSignInRequest{
		FirstFactor: &twofactorv1.StartSignInRequest_Password{
			Password: &twofactorv1.PasswordCredential{Email: email, Password: password},
		},
	})
	if err != nil {
		return "", err
	}
	for {
		done, err := c.TwoFactor.VerifyEmailCode(ctx, &twofactorv1.VerifyEmailCodeRequest{
			ChallengeToken: started.GetChallengeToken(),
			Code:           ask("Code sent to " + started.GetChallenge().GetMaskedEmail()),
		})
		var wrong *client.CodeMismatch
		if errors.As(err, &wrong) && wrong.AttemptsLeft > 0 {
			continue
		}
		return done.GetSessionToken(), err
	}
}

// A complete sign-in with an e-mail code on the terminal.
func Example() {
	c, err := client.New("127.0.0.1:50051", insecure.NewCredentials())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	token, err := signIn(context.Background(), c, "ada@example.test", "correct horse battery staple",
		func(question string) (typed string) {
			fmt.Print(question, ": ")
			_, _ = fmt.Scanln(&typed)
			return typed
		})
	if err != nil {
		slog.Error("sign-in failed", "error", err)
		return
	}
	session, err := c.SignIn.GetSession(context.Background(), &twofactorv1.GetSessionRequest{SessionToken: token})
	slog.Info("signed in", "session", session, "error", err)
}

// Messages for a rejected backup code.
func ExampleTwoFactorError() {
	message := func(err error) string {
		var used *client.BackupCodeAlreadyUsed
		var wrong *client.CodeMismatch
		var throttled *client.Throttled
		var over *client.ChallengeOver
		switch {
		case errors.As(err, &used):
			return "This code was used at " + used.UsedAt.Format("15:04") + ". Use the newest one."
		case errors.As(err, &wrong):
			return fmt.Sprintf("Wrong code. %d attempts left.", wrong.AttemptsLeft)
		case errors.As(err, &throttled):
			return "Too many attempts. Try again in " + throttled.Wait.String() + "."
		case errors.As(err, &over):
			return "Please sign in again."
		}
		return "Something went wrong. Try again later."
	}
	fmt.Println(message(&client.CodeMismatch{AttemptsLeft: 3}))
	// Output: Wrong code. 3 attempts left.
}

// Messages hide their secrets when they are printed.
func Example_printing() {
	code := &twofactorv1.BackupCode{Code: "abcd 1234 ef56 7890", Generation: 1}
	fmt.Println(strings.Contains(fmt.Sprintf("%#v", code), "abcd"), strings.Contains(code.String(), "[REDACTED]"))
	// Output: false true
}

func TestReadmeContainsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, _ := strings.Cut(string(readme), "```go\n")
	snippet, _, found := strings.Cut(snippet, "```\n")
	if !found || !strings.Contains(string(example), snippet) {
		t.Error("the example in README.md differs from example_test.go")
	}
}

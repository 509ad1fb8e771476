// Generated from proto/twofactor/v1/service_config.json.
export const SERVICE_CONFIG: string = JSON.stringify({
  "methodConfig": [
    {
      "name": [
        {"service": "twofactor.v1.SignInService", "method": "GetChallenge"},
        {"service": "twofactor.v1.SignInService", "method": "GetSession"},
        {"service": "twofactor.v1.TwoFactorService", "method": "GetTwoFactor"},
        {"service": "twofactor.v1.AccountService", "method": "GetAccount"},
        {"service": "twofactor.v1.SignInService", "method": "ListSessions"},
        {"service": "twofactor.v1.AccountService", "method": "ListIdentities"}
      ],
      "timeout": "2s",
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [
        {"service": "twofactor.v1.SignInService", "method": "SignOut"},
        {"service": "twofactor.v1.TwoFactorService", "method": "SendEmailCode"},
        {"service": "twofactor.v1.TwoFactorService", "method": "VerifyEmailCode"},
        {"service": "twofactor.v1.TwoFactorService", "method": "VerifyAuthenticatorCode"},
        {"service": "twofactor.v1.TwoFactorService", "method": "UseBackupCode"},
        {"service": "twofactor.v1.TwoFactorService", "method": "ConfirmBackupCodeSaved"},
        {"service": "twofactor.v1.TwoFactorService", "method": "ConfirmAuthenticatorSetup"},
        {"service": "twofactor.v1.TwoFactorService", "method": "CancelAuthenticatorSetup"},
        {"service": "twofactor.v1.SignInService", "method": "RevokeSession"},
        {"service": "twofactor.v1.SignInService", "method": "RevokeOtherSessions"},
        {"service": "twofactor.v1.AccountService", "method": "ChangePassword"},
        {"service": "twofactor.v1.AccountService", "method": "CompletePasswordReset"},
        {"service": "twofactor.v1.AccountService", "method": "ConfirmEmailChange"},
        {"service": "twofactor.v1.AccountService", "method": "ReportNotMe"},
        {"service": "twofactor.v1.AccountService", "method": "ConfirmFirstFactor"}
      ],
      "timeout": "5s",
      "retryPolicy": {
        "maxAttempts": 3,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [
        {"service": "twofactor.v1.SignInService", "method": "StartSignIn"},
        {"service": "twofactor.v1.TwoFactorService", "method": "StartAuthenticatorSetup"},
        {"service": "twofactor.v1.TwoFactorService", "method": "RegenerateBackupCode"},
        {"service": "twofactor.v1.TwoFactorService", "method": "RemoveAuthenticator"},
        {"service": "twofactor.v1.AccountService", "method": "CreateAccount"},
        {"service": "twofactor.v1.AccountService", "method": "SetPassword"},
        {"service": "twofactor.v1.AccountService", "method": "StartPasswordReset"},
        {"service": "twofactor.v1.AccountService", "method": "ChangeEmail"},
        {"service": "twofactor.v1.AccountService", "method": "LinkIdentity"},
        {"service": "twofactor.v1.AccountService", "method": "UnlinkIdentity"},
        {"service": "twofactor.v1.AccountService", "method": "CloseAccount"}
      ],
      "timeout": "10s"
    }
  ]
});

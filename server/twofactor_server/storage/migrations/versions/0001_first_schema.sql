-- The first schema. storage/schema declares the result of all revisions, and explains it.

CREATE TABLE accounts (
    account_id uuid NOT NULL,
    email text NOT NULL,
    email_verify_time timestamptz,
    create_time timestamptz NOT NULL,
    password_hash text,
    password_version integer DEFAULT 0 NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (account_id)
);

CREATE TABLE account_emails (
    email text NOT NULL,
    account_id uuid NOT NULL,
    CONSTRAINT pk_account_emails PRIMARY KEY (email)
);

CREATE TABLE account_creations (
    request_id uuid NOT NULL,
    account_id uuid NOT NULL,
    CONSTRAINT pk_account_creations PRIMARY KEY (request_id)
);

CREATE TABLE second_factors (
    account_id uuid NOT NULL,
    method text NOT NULL,
    generation integer NOT NULL,
    totp_secret bytea,
    last_step bigint,
    enable_time timestamptz,
    authenticator_disabled boolean DEFAULT false NOT NULL,
    backup_code_hash text,
    backup_code_create_time timestamptz,
    saved_time timestamptz,
    email_code_failures integer DEFAULT 0 NOT NULL,
    email_code_wait_until timestamptz,
    authenticator_failures integer DEFAULT 0 NOT NULL,
    authenticator_wait_until timestamptz,
    CONSTRAINT pk_second_factors PRIMARY KEY (account_id),
    CONSTRAINT fk_second_factors FOREIGN KEY(account_id) REFERENCES accounts (account_id),
    CONSTRAINT ck_second_factors_method CHECK (method IN ('email', 'authenticator')),
    CONSTRAINT ck_second_factors_authenticator_has_secret CHECK ((method = 'authenticator') = (totp_secret IS NOT NULL)),
    CONSTRAINT ck_second_factors_authenticator_has_backup_code CHECK ((method = 'authenticator') = (backup_code_hash IS NOT NULL)),
    CONSTRAINT ck_second_factors_generation CHECK (generation >= 0 AND (method = 'email' OR generation >= 1))
);

CREATE TABLE spent_backup_codes (
    account_id uuid NOT NULL,
    generation integer NOT NULL,
    fingerprint bytea NOT NULL,
    spend_time timestamptz NOT NULL,
    CONSTRAINT pk_spent_backup_codes PRIMARY KEY (account_id, generation),
    CONSTRAINT fk_spent_backup_codes FOREIGN KEY(account_id) REFERENCES accounts (account_id)
);
CREATE INDEX ix_spent_backup_codes_account_id_fingerprint ON spent_backup_codes (account_id, fingerprint);

CREATE TABLE authenticator_setups (
    account_id uuid NOT NULL,
    setup_id uuid NOT NULL,
    session_id uuid NOT NULL,
    totp_secret bytea,
    attempts smallint DEFAULT 0 NOT NULL,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    end_time timestamptz,
    CONSTRAINT pk_authenticator_setups PRIMARY KEY (account_id, setup_id),
    CONSTRAINT fk_authenticator_setups FOREIGN KEY(account_id) REFERENCES accounts (account_id),
    CONSTRAINT ck_authenticator_setups_attempts CHECK (attempts BETWEEN 0 AND 5)
);
CREATE INDEX ix_authenticator_setups_expire_time ON authenticator_setups (expire_time);
CREATE UNIQUE INDEX uq_authenticator_setups_open ON authenticator_setups (account_id) WHERE end_time IS NULL;

CREATE TABLE challenges (
    account_id uuid NOT NULL,
    challenge_id uuid NOT NULL,
    token_digest bytea NOT NULL,
    caller text NOT NULL,
    email text NOT NULL,
    first_factor text NOT NULL,
    password_version integer NOT NULL,
    remember_me boolean DEFAULT false NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    complete_time timestamptz,
    void_time timestamptz,
    CONSTRAINT pk_challenges PRIMARY KEY (account_id, challenge_id),
    CONSTRAINT uq_challenges_account_id_token_digest UNIQUE (account_id, token_digest),
    CONSTRAINT fk_challenges FOREIGN KEY(account_id) REFERENCES accounts (account_id),
    CONSTRAINT ck_challenges_first_factor CHECK (first_factor IN ('password', 'asserted')),
    CONSTRAINT ck_challenges_attempts CHECK (attempts BETWEEN 0 AND 5)
);
CREATE INDEX ix_challenges_expire_time ON challenges (expire_time);

CREATE TABLE email_codes (
    account_id uuid NOT NULL,
    challenge_id uuid NOT NULL,
    number smallint NOT NULL,
    mac bytea NOT NULL,
    key_id text NOT NULL,
    network_prefix text NOT NULL,
    request_id uuid,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_email_codes PRIMARY KEY (account_id, challenge_id, number),
    CONSTRAINT fk_email_codes FOREIGN KEY(account_id, challenge_id) REFERENCES challenges (account_id, challenge_id) ON DELETE CASCADE
);
CREATE INDEX ix_email_codes_account_id_create_time ON email_codes (account_id, create_time);

CREATE TABLE backup_code_attempts (
    account_id uuid NOT NULL,
    challenge_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    verdict text NOT NULL,
    rejudgements smallint DEFAULT 0 NOT NULL,
    network_prefix text NOT NULL,
    create_time timestamptz NOT NULL,
    CONSTRAINT pk_backup_code_attempts PRIMARY KEY (account_id, challenge_id, fingerprint),
    CONSTRAINT fk_backup_code_attempts FOREIGN KEY(account_id, challenge_id) REFERENCES challenges (account_id, challenge_id) ON DELETE CASCADE,
    CONSTRAINT ck_backup_code_attempts_verdict CHECK (verdict IN ('pending', 'wrong', 'used', 'right'))
);
CREATE INDEX ix_backup_code_attempts_account_id_create_time ON backup_code_attempts (account_id, create_time);

CREATE TABLE sessions (
    account_id uuid NOT NULL,
    session_id uuid NOT NULL,
    challenge_id uuid NOT NULL,
    token_digest bytea NOT NULL,
    first_factor text NOT NULL,
    proof text NOT NULL,
    proof_time timestamptz NOT NULL,
    ip_address text NOT NULL,
    user_agent text NOT NULL,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    last_active_time timestamptz NOT NULL,
    end_time timestamptz,
    CONSTRAINT pk_sessions PRIMARY KEY (account_id, session_id),
    CONSTRAINT uq_sessions_account_id_token_digest UNIQUE (account_id, token_digest),
    CONSTRAINT uq_sessions_account_id_challenge_id UNIQUE (account_id, challenge_id),
    CONSTRAINT fk_sessions FOREIGN KEY(account_id) REFERENCES accounts (account_id),
    CONSTRAINT ck_sessions_first_factor CHECK (first_factor IN ('password', 'asserted')),
    CONSTRAINT ck_sessions_proof CHECK (proof IN ('email_code', 'authenticator', 'backup_code'))
);
CREATE INDEX ix_sessions_expire_time ON sessions (expire_time);

CREATE TABLE reauthentication_attempts (
    account_id uuid NOT NULL,
    session_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    password_version integer NOT NULL,
    verdict text NOT NULL,
    CONSTRAINT pk_reauthentication_attempts PRIMARY KEY (account_id, session_id, fingerprint),
    CONSTRAINT fk_reauthentication_attempts FOREIGN KEY(account_id, session_id) REFERENCES sessions (account_id, session_id) ON DELETE CASCADE,
    CONSTRAINT ck_reauthentication_attempts_verdict CHECK (verdict IN ('pending', 'wrong'))
);

CREATE TABLE replies (
    account_id uuid NOT NULL,
    scope_id uuid NOT NULL,
    request_id uuid NOT NULL,
    method text NOT NULL,
    fingerprint bytea NOT NULL,
    session_id uuid NOT NULL,
    generation integer,
    key_id text NOT NULL,
    sealed bytea,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    CONSTRAINT pk_replies PRIMARY KEY (account_id, scope_id, request_id)
);
CREATE INDEX ix_replies_expire_time ON replies (expire_time);

CREATE TABLE outbox (
    account_id uuid NOT NULL,
    message_id uuid NOT NULL,
    kind text NOT NULL,
    payload bytea,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    due_time timestamptz NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    send_time timestamptz,
    CONSTRAINT pk_outbox PRIMARY KEY (account_id, message_id)
);
CREATE INDEX ix_outbox_due ON outbox (due_time) WHERE payload IS NOT NULL;

CREATE TABLE audit_events (
    account_id uuid NOT NULL,
    event_id uuid NOT NULL,
    time timestamptz NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    factor text,
    caller text NOT NULL,
    call_id text NOT NULL,
    ip_address text NOT NULL,
    user_agent text NOT NULL,
    challenge_id uuid,
    session_id uuid,
    details jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_audit_events PRIMARY KEY (account_id, event_id)
);
CREATE INDEX ix_audit_events_account_id_time ON audit_events (account_id, time);


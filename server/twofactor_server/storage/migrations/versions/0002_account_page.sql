-- storage/schema declares the result of all revisions, and explains it.

ALTER TABLE accounts ADD COLUMN suspend_time timestamptz;

ALTER TABLE accounts ADD COLUMN close_time timestamptz;

ALTER TABLE account_emails ADD COLUMN reserved_until timestamptz;

CREATE INDEX ix_account_emails_account_id ON account_emails (account_id);

CREATE INDEX ix_account_emails_reserved ON account_emails (reserved_until) WHERE reserved_until IS NOT NULL;

ALTER TABLE challenges DROP CONSTRAINT ck_challenges_first_factor;

ALTER TABLE challenges ADD CONSTRAINT ck_challenges_first_factor
    CHECK (first_factor IN ('password', 'asserted', 'oidc', 'github'));

ALTER TABLE sessions DROP CONSTRAINT ck_sessions_first_factor;

ALTER TABLE sessions ADD CONSTRAINT ck_sessions_first_factor
    CHECK (first_factor IN ('password', 'asserted', 'oidc', 'github'));

ALTER TABLE sessions ADD COLUMN remembered boolean DEFAULT false NOT NULL;

ALTER TABLE account_creations ADD COLUMN code_fingerprint bytea;

CREATE TABLE identities (
    account_id uuid NOT NULL,
    identity_id uuid NOT NULL,
    provider text NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    email text NOT NULL,
    link_time timestamptz NOT NULL,
    CONSTRAINT pk_identities PRIMARY KEY (account_id, identity_id),
    CONSTRAINT uq_identities_account_id_issuer_subject UNIQUE (account_id, issuer, subject),
    CONSTRAINT fk_identities FOREIGN KEY (account_id) REFERENCES accounts (account_id)
);

CREATE TABLE identity_owners (
    issuer text NOT NULL,
    subject text NOT NULL,
    account_id uuid NOT NULL,
    CONSTRAINT pk_identity_owners PRIMARY KEY (issuer, subject)
);

CREATE TABLE mailed_links (
    account_id uuid NOT NULL,
    link_id uuid NOT NULL,
    token_digest bytea NOT NULL,
    purpose text NOT NULL,
    details jsonb DEFAULT '{}' NOT NULL,
    totp_secret bytea,
    create_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    void_time timestamptz,
    use_time timestamptz,
    use_fingerprint bytea,
    CONSTRAINT pk_mailed_links PRIMARY KEY (account_id, link_id),
    CONSTRAINT uq_mailed_links_account_id_token_digest UNIQUE (account_id, token_digest),
    CONSTRAINT fk_mailed_links FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT ck_mailed_links_purpose
        CHECK (purpose IN ('reset-password', 'confirm-email', 'not-me', 'confirm-sign-in')),
    CONSTRAINT ck_mailed_links_use CHECK ((use_time IS NULL) = (use_fingerprint IS NULL))
);

CREATE INDEX ix_mailed_links_account_id_create_time ON mailed_links (account_id, create_time);

CREATE INDEX ix_mailed_links_expire_time ON mailed_links (expire_time);

CREATE TABLE second_factor_failures (
    account_id uuid NOT NULL,
    failure_id uuid NOT NULL,
    challenge_id uuid NOT NULL,
    time timestamptz NOT NULL,
    CONSTRAINT pk_second_factor_failures PRIMARY KEY (account_id, failure_id),
    CONSTRAINT fk_second_factor_failures FOREIGN KEY (account_id) REFERENCES accounts (account_id)
);

CREATE INDEX ix_second_factor_failures_account_id_time ON second_factor_failures (account_id, time);

CREATE INDEX ix_second_factor_failures_time ON second_factor_failures (time);

CREATE TABLE first_factor_failures (
    subject bytea NOT NULL,
    network_prefix text NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    wait_until timestamptz,
    last_time timestamptz NOT NULL,
    CONSTRAINT pk_first_factor_failures PRIMARY KEY (subject, network_prefix)
);

CREATE INDEX ix_first_factor_failures_last_time ON first_factor_failures (last_time);

CREATE TABLE first_factor_totals (
    subject bytea NOT NULL,
    times timestamptz[] NOT NULL,
    last_time timestamptz NOT NULL,
    CONSTRAINT pk_first_factor_totals PRIMARY KEY (subject)
);

CREATE INDEX ix_first_factor_totals_last_time ON first_factor_totals (last_time);

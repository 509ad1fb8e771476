ALTER TABLE backup_code_attempts RENAME COLUMN rejudgements TO reverifications;

"""The tables that the console reads, as statements; see bot/store/schema.py for the first ones."""

# `body` is JSON, see bot/store/reports.py; `version` is empty where it is of no version.
REPORTS = """
CREATE TABLE reports (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  kind TEXT NOT NULL,
  version TEXT NOT NULL,
  made_at REAL NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (repository_id, kind, version)
) STRICT
"""

SESSIONS = """
-- Only hashes of what a browser or a program holds; `token` is encrypted, see bot/console/keys.py.
-- `person_id` is the user's number on GitHub; 0 for whoever holds the operator's token.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  person_id INTEGER NOT NULL,
  login TEXT NOT NULL,
  token BLOB,
  made_at REAL NOT NULL,
  expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_person ON sessions (person_id);

CREATE TABLE api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  person_id INTEGER NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  made_at REAL NOT NULL,
  expires_at REAL NOT NULL,
  used_at REAL
) STRICT;
CREATE INDEX api_tokens_of_person ON api_tokens (person_id);
"""

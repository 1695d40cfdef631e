"""The first schema, as one script."""

SCHEMA = """
-- The first schema. Times: GitHub's are its text, ours are epoch seconds. Booleans are 0 and 1.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE heartbeats (
  process TEXT NOT NULL, pid INTEGER NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (process, pid)
) STRICT;

CREATE TABLE installations (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  account_login TEXT NOT NULL,
  account_type TEXT NOT NULL,
  suspended INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  permissions TEXT NOT NULL DEFAULT '{}'
) STRICT;

-- No foreign key to installations: a repository may be heard of first.
CREATE TABLE repositories (
  id INTEGER PRIMARY KEY,
  full_name TEXT NOT NULL COLLATE NOCASE,
  private INTEGER NOT NULL DEFAULT 0,
  installation_id INTEGER,
  archived INTEGER NOT NULL DEFAULT 0,
  removed INTEGER NOT NULL DEFAULT 0,
  config TEXT,
  config_etag TEXT,
  config_errors TEXT NOT NULL DEFAULT '[]',
  mode TEXT CHECK (mode IN ('suggest', 'apply', 'off')),
  watermark TEXT,
  labels_synced_at REAL
) STRICT;
CREATE INDEX repositories_by_name ON repositories (full_name, removed);
CREATE INDEX repositories_by_installation ON repositories (installation_id);

CREATE TABLE labels (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  id INTEGER NOT NULL,
  name TEXT NOT NULL COLLATE NOCASE,
  description TEXT NOT NULL DEFAULT '',
  color TEXT NOT NULL DEFAULT '',
  deleted INTEGER NOT NULL DEFAULT 0,
  made_by_us INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repository_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX labels_by_name ON labels (repository_id, name);

CREATE TABLE issues (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  id INTEGER NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  opened_title TEXT,
  opened_body TEXT,
  state TEXT NOT NULL,
  locked INTEGER NOT NULL,
  is_pull_request INTEGER NOT NULL,
  author_login TEXT,
  author_id INTEGER,
  author_type TEXT,
  author_association TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  closed_at TEXT,
  deleted INTEGER NOT NULL DEFAULT 0,
  arrived_by_transfer INTEGER NOT NULL DEFAULT 0,
  imported INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repository_id, number)
) STRICT;
CREATE INDEX issues_by_change ON issues (repository_id, updated_at);

CREATE TABLE issue_labels (
  repository_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  label_id INTEGER NOT NULL,
  PRIMARY KEY (repository_id, number, label_id),
  FOREIGN KEY (repository_id, number) REFERENCES issues (repository_id, number)
    ON UPDATE CASCADE ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_labels_by_label ON issue_labels (repository_id, label_id);

-- actor_login is '' where nobody is known: NULLs would never count as equal in the unique key.
CREATE TABLE label_events (
  id INTEGER PRIMARY KEY,
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  label_id INTEGER,
  label_name TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('labeled', 'unlabeled')),
  actor_id INTEGER,
  actor_login TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  at TEXT NOT NULL,
  source TEXT NOT NULL,
  UNIQUE (repository_id, number, label_name, action, at, actor_login)
) STRICT;
CREATE INDEX label_events_in_order ON label_events (repository_id, at, id);

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  lane TEXT NOT NULL CHECK (lane IN ('fast', 'slow')),
  priority INTEGER NOT NULL,
  installation_id INTEGER,
  repository_id INTEGER,
  number INTEGER,
  key TEXT,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
  run_at REAL NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  max_attempts INTEGER NOT NULL,
  lease_until REAL,
  leased_by TEXT,
  error TEXT,
  result TEXT,
  created_at REAL NOT NULL,
  finished_at REAL
) STRICT;
CREATE UNIQUE INDEX jobs_waiting_key ON jobs (key) WHERE state = 'waiting' AND key IS NOT NULL;
CREATE INDEX jobs_to_claim ON jobs (lane, priority, run_at, id)
  WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_running ON jobs (repository_id, number) WHERE state = 'running';
CREATE INDEX jobs_by_state ON jobs (state, lane, run_at);

CREATE TABLE deliveries (
  guid TEXT PRIMARY KEY,
  event TEXT NOT NULL,
  action TEXT,
  installation_id INTEGER,
  repository_id INTEGER,
  received_at REAL NOT NULL,
  payload BLOB NOT NULL,
  job_id INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_by_time ON deliveries (received_at);

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  version TEXT NOT NULL,
  at REAL NOT NULL,
  mode TEXT NOT NULL,
  verdicts TEXT NOT NULL,
  neighbours TEXT NOT NULL,
  trigger TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_issue ON decisions (repository_id, number);

CREATE TABLE applied_labels (
  id INTEGER PRIMARY KEY,
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  label_id INTEGER NOT NULL,
  label TEXT NOT NULL,
  version TEXT NOT NULL,
  decision_id INTEGER NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
  intended_at REAL NOT NULL,
  applied_at REAL,
  outcome TEXT NOT NULL CHECK (outcome IN ('intended', 'applied', 'abandoned', 'undone')),
  note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX applied_labels_by_issue ON applied_labels (repository_id, number, outcome);
CREATE INDEX applied_labels_by_time ON applied_labels (repository_id, outcome, applied_at);
CREATE INDEX applied_labels_by_decision ON applied_labels (decision_id);

CREATE TABLE vectors (
  encoder TEXT NOT NULL,
  hash TEXT NOT NULL,
  shape TEXT NOT NULL,
  vector BLOB NOT NULL,
  PRIMARY KEY (encoder, hash)
) STRICT;
"""

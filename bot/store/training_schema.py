"""The tables of trainings and of versions on trial, as statements."""

TRAININGS = """
-- `owner` is the process that follows it, `handle` the one that writes `out`: bot/launchers.
CREATE TABLE trainings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  repository_id INTEGER
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  job_id INTEGER,
  owner TEXT NOT NULL,
  launcher TEXT NOT NULL,
  handle TEXT,
  out TEXT,
  folder TEXT,
  state TEXT NOT NULL CHECK (state IN ('exporting', 'running', 'gating', 'done',
    'published', 'refused', 'failed', 'cancelled')),
  attempt INTEGER NOT NULL DEFAULT 0,
  phase TEXT NOT NULL DEFAULT '',
  step INTEGER,
  total INTEGER,
  loss REAL,
  eta REAL,
  started_at REAL NOT NULL,
  launched_at REAL,
  updated_at REAL NOT NULL,
  ended_at REAL,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX trainings_by_job ON trainings (job_id);
CREATE INDEX trainings_by_repository ON trainings (repository_id);
"""

TRIALS = """
-- `judged` issues are those that people have acted on; `report` compares with the champion.
CREATE TABLE trials (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  version TEXT NOT NULL,
  champion TEXT NOT NULL,
  began_at REAL NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'published', 'ended')),
  judged INTEGER NOT NULL DEFAULT 0,
  report TEXT NOT NULL DEFAULT '{}',
  reason TEXT NOT NULL DEFAULT '',
  ended_at REAL,
  PRIMARY KEY (repository_id, version)
) STRICT;
CREATE UNIQUE INDEX trial_running ON trials (repository_id) WHERE ended_at IS NULL;

-- `scores` are lists of a label's id, its probability, and the verdict.
CREATE TABLE shadow_scores (
  decision_id INTEGER PRIMARY KEY REFERENCES decisions (id) ON DELETE CASCADE,
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  version TEXT NOT NULL,
  scores TEXT NOT NULL
) STRICT;
CREATE INDEX shadow_scores_of_version ON shadow_scores (repository_id, version);
"""

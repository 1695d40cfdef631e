"""The tables of what we say in an issue and are told there; see bot/store/schema.py for others."""

# `deleted`: a person took our comment away. Of commands no name is kept: GitHub's comment says who.
COMMENTS = """
CREATE TABLE explanations (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  comment_id INTEGER NOT NULL,
  digest TEXT NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  at REAL NOT NULL,
  PRIMARY KEY (repository_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE commands (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  comment_id INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (repository_id, comment_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX commands_by_time ON commands (at);

CREATE TABLE switched_off (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (repository_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE suggestions (
  repository_id INTEGER NOT NULL
    REFERENCES repositories (id) ON UPDATE CASCADE ON DELETE CASCADE,
  number INTEGER NOT NULL,
  label_id INTEGER NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('intended', 'pending', 'accepted', 'dismissed', 'gone')),
  at REAL NOT NULL,
  looked_at REAL NOT NULL,
  PRIMARY KEY (repository_id, number, label_id)
) STRICT, WITHOUT ROWID;
"""

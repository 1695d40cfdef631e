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

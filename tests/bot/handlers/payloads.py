"""Strategies for JSON that somebody else wrote, with the keys that GitHub uses."""

from __future__ import annotations

from hypothesis import strategies as st

KEYS = st.sampled_from(
    [
        "account", "action", "body", "changes", "closed_at", "comment", "created_at", "from",
        "full_name", "id", "installation", "issue", "label", "labels", "login", "name", "number",
        "old_issue", "owner", "permissions", "pull_request", "repositories", "repositories_added",
        "repositories_removed", "repository", "sender", "suspended_at", "title", "type",
        "updated_at", "user",
    ]
)  # fmt: skip
ODD = st.sampled_from(
    ["\ud800", "\x00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "acme/rocket", 2**63]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | ODD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
PAYLOADS = st.recursive(
    JSON,
    lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=2),
    max_leaves=30,
)

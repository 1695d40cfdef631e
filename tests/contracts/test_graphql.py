"""What the stand-in serves of GraphQL is a part of GitHub's own schema; so are our queries."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
    parse,
    validate,
)

from demo.github.graphql import schema
from tests.contracts.openapi import ROOT, skip_without_npm

PACKAGE = ROOT / "node_modules/@octokit/graphql-schema"
QUERIES = sorted((ROOT / "bot").rglob("*.graphql"))


@pytest.fixture(scope="module")
def github_schema() -> GraphQLSchema:
    skip_without_npm(PACKAGE)
    return build_schema((PACKAGE / "schema.graphql").read_text(), assume_valid=True)


def test_every_type_and_field_served_is_githubs(github_schema: GraphQLSchema) -> None:
    wrong = []
    for name, ours in schema().type_map.items():
        if is_introspection_type(ours) or is_specified_scalar_type(ours):
            continue
        theirs = github_schema.type_map[name]
        assert type(theirs) is type(ours), name
        if isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
            wrong += differences(ours, theirs)
        elif hasattr(ours, "values"):
            assert set(ours.values) <= set(theirs.values), name
    assert wrong == []


def differences(
    ours: GraphQLObjectType | GraphQLInterfaceType, theirs: GraphQLObjectType | GraphQLInterfaceType
) -> list[str]:
    found = []
    for name, field in ours.fields.items():
        same = theirs.fields.get(name)
        if same is None or str(same.type) != str(field.type):
            found.append(f"{ours.name}.{name}: {field.type}, GitHub has {same and same.type}")
            continue
        for key, argument in field.args.items():
            if str(argument.type) != str(same.args[key].type):
                found.append(f"{ours.name}.{name}({key}): {argument.type}")
    return found


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_our_queries_are_valid_on_github(path: Path, github_schema: GraphQLSchema) -> None:
    assert validate(github_schema, parse(path.read_text())) == []


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_our_queries_are_valid_here(path: Path) -> None:
    assert validate(schema(), parse(path.read_text())) == []

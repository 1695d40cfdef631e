"""GraphQL: to come."""

from flask import Blueprint

routes = Blueprint("graphql", __name__)

"""The edge to GitHub: values in, values out, one error per reaction.

Nothing else in `bot` talks to GitHub.
"""

"""Every way to learn labels from few examples, side by side, behind one interface.

A method is one small file with a function `fit(tasks, resources) -> [Fitted, ...]` and a docstring
that names its source; `training/methods/table.py` lists them, and is the only place that does.
"""

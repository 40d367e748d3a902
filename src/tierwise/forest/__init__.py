"""The trees of LightGBM models as arrays, and compiled loops over them.

Here is what more than one part of the domain does with trees: reading a model's native text, and adding up what the
trees say about many rows.
"""

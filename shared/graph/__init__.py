"""The layered drawing of a graph, step by step; `shared.graph_picture` makes the picture from it."""

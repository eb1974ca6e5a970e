"""The parts of the finishing scripts that bundles carry: Python 3.8, standard library and `kubectl`, nothing else.

`joining` makes one readable file of them; every other module here is part of that file and imports only its siblings.
"""

# The end of every program that pipectl starts: before it stand `SOURCES`, the text of modules by their names, and
# `MODULE`, the one that is run. Nothing is read from a folder, so no other user can change what runs. Works on any
# Python 3.4.

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec


class Embedded:
    """Finds modules in the text of this program."""

    def find_spec(self, name, path=None, target=None):
        if name not in SOURCES:  # noqa: F821
            return None
        return ModuleSpec(name, self, origin="pipectl", is_package="." not in name)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        exec(compile(SOURCES[name], "<" + name + ">", "exec"), module.__dict__)  # noqa: F821


sys.meta_path.insert(0, Embedded())
sys.exit(import_module(MODULE).main(sys.argv[1:]))  # noqa: F821

"""What pipectl runs in Python: it finds interpreters, installs engines, starts them, and ends them.

The modules are embedded in the program, which starts them isolated (`-I`); each that is started has a `main`, which
takes the arguments and gives the exit code. They need CPython 3.10 and its standard library; `probe` runs on any
Python 3.
"""

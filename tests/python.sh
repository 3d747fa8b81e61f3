#!/bin/sh
# Prints the first of the Python versions named that this machine has, from PATH or from pyenv, able to make an environment.
for version; do
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
        # What pyenv puts in PATH is there for every version, and works for some.
        if found=$("$python" -c 'import ensurepip, sys, venv; print(sys._base_executable)' 2>/dev/null); then
            echo "$found"
            exit
        fi
    done
done
exit 1

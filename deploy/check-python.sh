#!/bin/sh
# Says in plain words why no environment can be made. $1: the Python that make found or was given ("" = none).
usable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
[ -n "$1" ] && "$1" -c "$usable" 2>/dev/null && exit 0
{
  echo "error: this needs Python 3.11 or newer, with its modules venv and ensurepip"
  for python in "$1" python3.14 python3.13 python3.12 python3.11 python3 python; do
    [ -n "$python" ] || continue
    version=$("$python" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null) || continue
    if "$python" -c "$usable" 2>/dev/null; then
      echo "  found:  $python is Python $version, which will do: call make without PYTHON="
    elif "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      echo "  found:  $python is Python $version, without venv or ensurepip (on Debian and Ubuntu: apt install python3-venv)"
    else
      echo "  found:  $python is Python $version: too old"
    fi
  done
  echo "  to do:  install it, or name it: make demo PYTHON=/path/to/python3.11"
} >&2
exit 1

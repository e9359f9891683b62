#!/bin/sh
# Makes the virtual environment; on a bare Debian the venv module is a package of its own.
set -eu
python=$1; venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Tractable needs Python 3.11 or newer; $("$python" --version) was found. Try: make PYTHON=python3.11 ..." >&2; exit 1; }
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    else
        echo "Python's venv module is missing. Install it with: sudo apt install python3-venv" >&2; exit 1
    fi
fi
"$python" -m venv "$venv"

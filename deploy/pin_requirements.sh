#!/bin/sh
# Writes requirements/*.txt from pyproject.toml: exact versions with hashes, and no registry's address.
set -eu
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
"$1" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'pip-tools>=7.4'
pin() { # output file, then pip-compile's own arguments
    out=requirements/$1; shift
    "$scratch/venv/bin/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file "$out" "$@"
    sed -i '/^--/d' "$out"
}
pin runtime.txt pyproject.toml
pin build.txt --extra build --constraint requirements/runtime.txt pyproject.toml
pin dev.txt --extra dev --extra build --constraint requirements/runtime.txt pyproject.toml

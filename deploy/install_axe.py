"""Puts axe-core into this virtual environment: the rules that the dashboard's page is held against, by its own test."""

import sys

from npm_part import install

PACKAGE = "axe-core"
VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="

if __name__ == "__main__":
    sys.exit(install("axe-core", PACKAGE, VERSION, INTEGRITY))

"""`python -m tractable`."""

from tractable.cli import main

main()

"""`python -m demo` runs the scenario."""

import sys

from demo.scenario import main

if __name__ == "__main__":
    sys.exit(main())

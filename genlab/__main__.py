"""`python -m genlab`, the same as `genlab`."""

import os
import sys

if __name__ == "__main__":
    # Python puts the current folder first: nothing that lies there is to be imported, and these
    # two modules alone have been by now. It stays where the package itself is run from it.
    ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if not getattr(sys.flags, "safe_path", False) and os.path.realpath(sys.path[0]) != ours:
        del sys.path[0]
    from genlab.cli.main import main

    main()

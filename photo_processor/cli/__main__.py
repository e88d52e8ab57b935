"""`python -m photo_processor.cli`, the same as `photo-processor`."""

import sys

from photo_processor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

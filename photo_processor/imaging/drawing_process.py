"""Draws the SVG on stdin as PNG on stdout, within a limit of memory. Run by `imaging.drawings`, by itself."""

import sys


def main() -> int:
    """Arguments: width and height in px, the font, bytes of memory."""
    width, height, font, memory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import resvg_py

    family = "Source Sans Pro"
    drawn = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode("utf-8-sig"),
        width=width,
        height=height,
        dpi=96.0,
        skip_system_fonts=True,
        font_files=[font],
        font_family=family,
        serif_family=family,
        sans_serif_family=family,
        cursive_family=family,
        fantasy_family=family,
        monospace_family=family,
    )
    sys.stdout.buffer.write(bytes(drawn))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How a command ends."""

DONE, FAILED, WRONG_USAGE, STOPPED = 0, 1, 2, 130

EXITS = {
    DONE: "done",
    FAILED: "a photo failed, the others are done; or the command could not be carried out",
    WRONG_USAGE: "wrong usage: an option, an operation or a recipe is not valid; nothing was done",
    STOPPED: "stopped by Ctrl+C; what is finished stays, no half file is left",
}

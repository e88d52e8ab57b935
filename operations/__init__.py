"""The operations a recipe may hold, and recipes themselves: parsed, described, and ready-made."""

from operations.base import Context, Findings, Known, MattePredictor, OperationParams
from operations.catalogue import OperationInfo, catalogue
from operations.presets import PRESETS, Preset, simple_recipe
from operations.recipes import (
    OPERATIONS,
    AnyOperation,
    assets_needed,
    looks_at_faces,
    models_needed,
    needs_of,
    parse_recipe,
)

__all__ = [
    "OPERATIONS",
    "PRESETS",
    "AnyOperation",
    "Context",
    "Findings",
    "Known",
    "MattePredictor",
    "OperationInfo",
    "OperationParams",
    "Preset",
    "assets_needed",
    "catalogue",
    "looks_at_faces",
    "models_needed",
    "needs_of",
    "parse_recipe",
    "simple_recipe",
]

"""Recipes: parsed, described, and ready-made."""

from photo_processor.recipes.catalogue import OperationInfo, catalogue
from photo_processor.recipes.parse import (
    OPERATIONS,
    AnyOperation,
    assets_needed,
    looks_at_faces,
    models_needed,
    needs_of,
    parse_recipe,
)
from photo_processor.recipes.presets import PRESETS, Preset, simple_recipe

__all__ = [
    "OPERATIONS",
    "PRESETS",
    "AnyOperation",
    "OperationInfo",
    "Preset",
    "assets_needed",
    "catalogue",
    "looks_at_faces",
    "models_needed",
    "needs_of",
    "parse_recipe",
    "simple_recipe",
]

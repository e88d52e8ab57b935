"""The operations a recipe may hold."""

from photo_processor.operations.base import Context, Findings, Known, MattePredictor, OperationParams

__all__ = ["Context", "Findings", "Known", "MattePredictor", "OperationParams"]

"""A model as TLA+ text, so that TLC can be asked the same questions: an outside oracle."""

from .module import Exported, export

__all__ = ["Exported", "export"]

"""The language: text to statements and back, with no meaning and no network.

``parse`` reads a script in any of the dialects, ``render`` writes canonical text, ``redact`` makes text safe to log.
"""

from fairlead.lang.masking import redact
from fairlead.lang.parser import parse
from fairlead.lang.render import render

__all__ = ["parse", "redact", "render"]

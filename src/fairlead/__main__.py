"""``python -m fairlead``."""

from fairlead.cli.main import app

app()

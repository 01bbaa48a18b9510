"""Compiles the statements anew: ``python -m arbo_bo.storage.statements``."""

from arbo_bo.storage.statements.compilation import rewrite

if __name__ == "__main__":
    print("\n".join(f"rewrote {name}" for name in rewrite()) or "nothing has changed")

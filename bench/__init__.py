"""How fast atode is here and now: `python -m bench`. Figures only; nothing fails for being slow."""

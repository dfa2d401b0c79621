"""What alembic runs: the migrations on the connection that `schema.py` gives it."""

from alembic import context

from webapp.service.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()

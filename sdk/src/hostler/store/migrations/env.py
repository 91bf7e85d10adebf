# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs: migrates over the connection that ``upgrade`` hands it."""

from __future__ import annotations

from alembic import context

from hostler.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

"""Migrations, one file each in `versions/`, run by `idp.stores.durable.schema`."""

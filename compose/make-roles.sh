#!/bin/sh
# Carried out once by the image of PostgreSQL, in an empty volume: the database, the role that owns its tables and the
# one that row-level security binds. docs/deployment.md does the same on a server that there is already.
set -e
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE channel_sync LOGIN PASSWORD :'owner_password' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE channel_sync_app LOGIN PASSWORD :'app_password' NOSUPERUSER NOBYPASSRLS;
CREATE DATABASE channel_sync OWNER channel_sync;
\connect channel_sync
GRANT USAGE ON SCHEMA public TO channel_sync_app;
ALTER DEFAULT PRIVILEGES FOR ROLE channel_sync IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO channel_sync_app;
ALTER DEFAULT PRIVILEGES FOR ROLE channel_sync IN SCHEMA public GRANT USAGE ON SEQUENCES TO channel_sync_app;
SQL

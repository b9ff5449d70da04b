//! The durable buffer between the 202 and Postgres.

// Package postgres keeps sessions in PostgreSQL, by pgx beneath database/sql.
package postgres

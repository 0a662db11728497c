// Package tests holds the stores in PostgreSQL and MySQL to what they have in
// common, on real servers: migrations, lost answers, sweeps, roles. It is a module
// of its own, since it needs the drivers.
package tests

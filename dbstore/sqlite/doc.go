// Package sqlite keeps sessions in an SQLite database file, for any number of
// processes on one machine at once. It needs no cgo.
package sqlite

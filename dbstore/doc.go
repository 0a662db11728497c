// Package dbstore keeps sessions in one table of an SQL database, over
// database/sql and without a driver: packages sqlite, postgres and mysql
// beneath it bring one each.
package dbstore

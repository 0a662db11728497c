// Package mysql keeps sessions in MySQL or MariaDB.
package mysql

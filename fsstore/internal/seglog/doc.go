// Package seglog is the form of fsstore for one process: all sessions in a log.
package seglog

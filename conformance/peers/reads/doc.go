// Package reads measures what a signed-in request that only reads costs in CPU time of
// the server and of the database, over HTTP, with our cache, without it, and with scs.
package reads

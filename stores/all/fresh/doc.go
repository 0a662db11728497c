// Package fresh has tests with several processes on one store that keep its records in
// caches: no session that was logged out is shown signed in by any of them, while
// processes are stopped and killed, connections are cut, clocks are set, transactions
// are held open and other servers take over.
package fresh

// Package peers does the same work with this library and with others, and
// compares the answers and the speed. It is a module of its own, so that the
// library does not inherit what it is compared with. There are only tests.
package peers

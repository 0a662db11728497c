// Package conformance is a suite of tests for session stores. It tests whether a
// store keeps the contract of hosts.Store, and of the optional interfaces that it
// implements. The author of a store writes this test:
//
//	package mystore_test
//
//	func TestStore(t *testing.T) {
//		conformance.TestStore(t, func(t *testing.T) hosts.Store {
//			s, err := mystore.Open(t.TempDir())
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { s.Close() })
//			return s
//		})
//	}
//
// and runs it with -race. If several processes can share the store, add the same
// lines with TestShared, whose function opens the store twice. Every case has the
// sentence of the contract that it tests. A failure prints it as "broken promise",
// and what the store did. Check returns the same as values.
//
// TestModel takes the same function. Several requests use the sessions of one user,
// in orders and with faults that a seed chooses. FuzzStore does this for go test
// -fuzz. TestOutage stalls the engine, takes it down and loses its answers, with a
// Proxy in front of it. Faulty wraps a store so that calls fail by a plan, to test
// code that is built on a store.
package conformance

// Package conformance holds a session store to its contract, hosts.Store and
// the optional interfaces beside it. Whoever writes a store writes this test:
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
// and runs it with -race. A store that several processes share adds the same
// lines with TestShared, whose function opens it twice. Every case carries the
// sentence of the contract that it enforces; a failure prints it as "broken
// promise" with what was seen. Check returns the same as values.
//
// TestModel takes the same function: requests meet in the sessions of one user,
// in orders and with faults that a seed chooses; FuzzStore is that for go test
// -fuzz. TestOutage stalls the engine, takes it down and loses its answers, by a
// Proxy before it. Faulty wraps a store so that it fails by plan, to test what is
// built on one.
package conformance

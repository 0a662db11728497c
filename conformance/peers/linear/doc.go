// Package linear asks whether what many clients of a store saw can have been
// one store doing one call after the other: linearizability, for each session,
// of Load, Save and Delete, with porcupine as the judge.
//
// A [Log] records what clients call and are answered, from several goroutines
// or processes, of which any may be killed: what was begun and not answered may
// have been done, then or later. [Check] judges a history. [Work] makes calls
// that meet. A test that kills a server needs no more than these:
//
//	log := linear.NewLog(file)
//	linear.Work{Name: "one", Seed: 1, Clients: 8, Began: linear.Now(), Groups: 20}.Do(ctx, log, store)
//	// meanwhile the server is killed and started again
//	history, err := linear.Read(file)
//	err = linear.Check(history)
package linear

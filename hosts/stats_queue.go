package hosts

// Queued is implemented by stores whose calls may have to wait, to be gathered into
// few commands or for want of connections.
type Queued interface {
	Queues() Queues
}

// Queues are the calls of a store that wait, by what they do. A kind of call that
// never waits is zero.
type Queues struct{ Loads, Saves, Deletes Queue }

// Queue counts calls of one kind.
type Queue struct {
	Waiting  int    // calls that wait now
	Bytes    int    // sealed bytes of those
	UnderWay int    // calls that the backend is asked now, alone or with others
	Calls    uint64 // that were answered, whatever the answer
	Commands uint64 // by which they were: fewer than Calls where some went together
	Refused  uint64 // calls for which there was no room: ErrBusy
}

// Add adds the figures of another part of a store.
func (q *Queue) Add(o Queue) {
	q.Waiting += o.Waiting
	q.Bytes += o.Bytes
	q.UnderWay += o.UnderWay
	q.Calls += o.Calls
	q.Commands += o.Commands
	q.Refused += o.Refused
}

// Add adds the figures of another part of a store.
func (q *Queues) Add(o Queues) {
	q.Loads.Add(o.Loads)
	q.Saves.Add(o.Saves)
	q.Deletes.Add(o.Deletes)
}

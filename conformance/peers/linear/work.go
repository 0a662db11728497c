package linear

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// Calls of one group of sessions: few enough that they are met, and that the
// history of each can be judged.
const (
	groupIDs   = 3
	groupCalls = 24 // of each client
)

// Work is what clients do. Every Group a fresh group of sessions begins, the
// same for all clients and processes with the same Seed and Began.
type Work struct {
	Name    string // of the process, unique
	Seed    uint64
	Clients int
	Exact   bool          // see Log.Record
	Began   int64         // Now, when the first group begins
	Group   time.Duration // [100 ms]
	Timeout time.Duration // [10 s] of a call
	Groups  int           // until the work is done
}

// Now is the clock of Work and of all logs.
func Now() int64 { return now() }

// Do has the clients call the store, and returns when all groups are over, or
// ctx ends.
func (w Work) Do(ctx context.Context, log *Log, store hosts.Store) {
	if w.Group == 0 {
		w.Group = 100 * time.Millisecond
	}
	if w.Timeout == 0 {
		w.Timeout = 10 * time.Second
	}
	var all sync.WaitGroup
	for i := range w.Clients {
		all.Go(func() {
			name := fmt.Sprint(w.Name, ".", i)
			c := client{
				Recorder: log.Record(store, name, w.Exact),
				random:   rand.New(rand.NewChaCha8([32]byte([]byte(fmt.Sprintf("%-32.32s", fmt.Sprint(w.Seed, " ", name)))))),
			}
			for g := max(0, int((now()-w.Began)/int64(w.Group))); g < w.Groups && ctx.Err() == nil; g++ {
				c.group(ctx, w.ids(g), w.Timeout)
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(w.Began + int64(g+1)*int64(w.Group) - now())):
				}
			}
		})
	}
	all.Wait()
}

// ids are the sessions of a group.
func (w Work) ids(group int) (ids [groupIDs]core.ID) {
	random := rand.New(rand.NewPCG(w.Seed, uint64(group)))
	for i := range ids {
		for at := range ids[i] {
			ids[i][at] = byte(random.Uint32())
		}
	}
	return ids
}

// client calls, with what it knows of each session.
type client struct {
	*Recorder
	random *rand.Rand
	ids    [groupIDs]core.ID
	known  [groupIDs]core.Version // last seen
	older  [groupIDs]core.Version
	sent   [groupIDs]hosts.Saving // last
}

func (c *client) group(ctx context.Context, ids [groupIDs]core.ID, timeout time.Duration) {
	*c = client{Recorder: c.Recorder, random: c.random, ids: ids}
	for n := 0; n < groupCalls && ctx.Err() == nil; n++ {
		call, cancel := context.WithTimeout(ctx, timeout)
		if c.random.IntN(25) == 0 {
			go func() {
				runtime.Gosched()
				cancel()
			}()
		}
		c.call(call, c.random.IntN(groupIDs))
		cancel()
	}
}

// call makes one call, mostly about one session.
func (c *client) call(ctx context.Context, i int) {
	if c.random.IntN(3) == 0 {
		ctx = hosts.TouchContext(ctx)
	}
	switch n := c.random.IntN(100); {
	case n < 30:
		r, err := c.Load(ctx, c.ids[i])
		c.saw(i, r, err)
	case n < 65:
		c.save(ctx, i, c.saving(i, c.known[i]))
	case n < 72:
		c.save(ctx, i, c.saving(i, c.older[i]))
	case n < 80 && !c.sent[i].Record.ID.IsZero():
		c.save(ctx, i, c.sent[i])
	case n < 86:
		if c.Delete(ctx, c.ids[i]) == nil {
			c.note(i, core.NoVersion)
		}
	case !c.Batches():
		c.save(ctx, i, c.saving(i, core.NoVersion))
	case n < 93:
		for i, a := range c.LoadMany(ctx, c.ids[:]) {
			c.saw(i, a.Record, a.Err)
		}
	default:
		var saves []hosts.Saving
		for i := range c.ids {
			s := c.saving(i, c.known[i])
			s.Touch = c.random.IntN(3) == 0
			saves = append(saves, s)
		}
		for i, err := range c.SaveMany(ctx, saves) {
			if c.sent[i] = saves[i]; err == nil {
				c.note(i, saves[i].Record.Version)
			}
		}
	}
}

func (c *client) saw(i int, r core.Record, err error) {
	switch c.answerOf(Load, err) {
	case Done:
		c.note(i, r.Version)
	case Missing:
		c.note(i, core.NoVersion)
	}
}

func (c *client) note(i int, v core.Version) {
	if v != c.known[i] {
		c.known[i], c.older[i] = v, c.known[i]
	}
}

func (c *client) save(ctx context.Context, i int, s hosts.Saving) {
	if c.sent[i] = s; c.Save(ctx, s.Record, s.Prev) == nil {
		c.note(i, s.Record.Version)
	}
}

// saving returns a new state of a session.
func (c *client) saving(i int, prev core.Version) hosts.Saving {
	v := core.Version(c.random.Uint64()>>1 | 1)
	at := core.Time(time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli())
	return hosts.Saving{Prev: prev, Record: core.Record{
		ID: c.ids[i], Version: v, User: fmt.Sprint("user ", v%5), CreatedAt: at, SeenAt: at + core.Time(v%1000), ExpiresAt: at + core.Day,
		Sealed: bytes.Repeat(fmt.Append(nil, v), 5+int(v%20)),
	}}
}

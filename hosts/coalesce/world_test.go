package coalesce_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/cachestore"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/coalesce"
	"github.com/stretchr/testify/require"
)

// batcher is memory that does many calls in one command. It notes the commands
// and lets a test hold, fail or spoil them.
type batcher struct {
	hosts.Store
	enter func(ctx context.Context, c command) // before a command is carried out
	fails func(c command) error                // not nil: the command fails as a whole, with this
	leave func(ctx context.Context, c command) // before it is answered
	spoil func(answers []error) []error        // of a batch

	mu       sync.Mutex
	commands []command
	told     map[core.Version][]error // every answer to a save
}

// command is what reached the backend at once.
type command struct {
	many  bool // LoadMany or SaveMany
	ids   []core.ID
	saves []hosts.Saving // none: it loads
	touch bool           // the context says so
}

// Unwrap shows what the memory can beside.
func (b *batcher) Unwrap() hosts.Store { return b.Store }

func newBatcher(t *testing.T) *batcher { return &batcher{Store: memory(t)} }

func memory(t *testing.T) *cachestore.Store {
	t.Helper()
	s, err := cachestore.Open(cachestore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (b *batcher) begin(ctx context.Context, c command) error {
	b.mu.Lock()
	b.commands = append(b.commands, c)
	b.mu.Unlock()
	if b.enter != nil {
		b.enter(ctx, c)
	}
	if b.fails != nil {
		return b.fails(c)
	}
	return nil
}

func (b *batcher) end(ctx context.Context, c command) {
	if b.leave != nil {
		b.leave(ctx, c)
	}
}

func (b *batcher) seen() []command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]command(nil), b.commands...)
}

// sizes returns how many calls each command had.
func (b *batcher) sizes() (all []int) {
	for _, c := range b.seen() {
		all = append(all, len(c.ids))
	}
	return all
}

func (b *batcher) Load(ctx context.Context, id core.ID) (core.Record, error) {
	c := command{ids: []core.ID{id}}
	if err := b.begin(ctx, c); err != nil {
		return core.Record{}, err
	}
	defer b.end(ctx, c)
	return b.Store.Load(ctx, id)
}

func (b *batcher) Save(ctx context.Context, r core.Record, prev core.Version) error {
	c := command{ids: []core.ID{r.ID}, saves: []hosts.Saving{{Record: r, Prev: prev}}, touch: hosts.IsTouch(ctx)}
	err := b.begin(ctx, c)
	if err == nil {
		defer b.end(ctx, c)
		err = b.Store.Save(ctx, r, prev)
	}
	b.tell(r, err)
	return err
}

func (b *batcher) tell(r core.Record, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told == nil {
		b.told = map[core.Version][]error{}
	}
	b.told[r.Version] = append(b.told[r.Version], err)
}

func (b *batcher) LoadMany(ctx context.Context, ids []core.ID) []hosts.Loaded {
	c := command{many: true, ids: ids}
	err := b.begin(ctx, c)
	defer b.end(ctx, c)
	all := make([]hosts.Loaded, len(ids))
	for i, id := range ids {
		if all[i].Err = err; err == nil {
			all[i].Record, all[i].Err = b.Store.Load(ctx, id)
		}
	}
	if b.spoil != nil {
		return make([]hosts.Loaded, len(b.spoil(make([]error, len(ids)))))
	}
	return all
}

func (b *batcher) SaveMany(ctx context.Context, saves []hosts.Saving) []error {
	c := command{many: true, saves: saves}
	for _, s := range saves {
		c.ids = append(c.ids, s.Record.ID)
	}
	err := b.begin(ctx, c)
	defer b.end(ctx, c)
	errs := make([]error, len(saves))
	for i, s := range saves {
		if errs[i] = err; err == nil {
			errs[i] = b.Store.Save(ctx, s.Record, s.Prev)
		}
		b.tell(s.Record, errs[i])
	}
	if b.spoil != nil {
		return b.spoil(errs)
	}
	return errs
}

// desk is a Store over a batcher, in a synctest bubble: the bubble ends
// only when no goroutine is left.
type desk struct {
	*coalesce.Store
	*testing.T
	backend *batcher
	held    chan struct{} // commands wait for it
	free    func()        // holds no more
}

// atDesk runs a test with a Store of the given bounds, whose backend holds
// every command until release.
func atDesk(t *testing.T, o coalesce.Options, test func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, backend: newBatcher(t), held: make(chan struct{})}
		d.free = sync.OnceFunc(func() { close(d.held) })
		d.backend.enter = func(ctx context.Context, _ command) {
			select {
			case <-d.held:
			case <-ctx.Done():
			}
		}
		c, err := coalesce.New(d.backend, o)
		require.NoError(t, err)
		d.Store = c
		defer func() {
			d.free()
			require.NoError(t, c.Close())
		}()
		test(d)
	})
}

// release lets n held commands go, one after the other.
func (d *desk) release(n int) {
	d.Helper()
	for range n {
		synctest.Wait()
		select {
		case d.held <- struct{}{}:
		default:
			d.Fatal("no command is held")
		}
	}
	synctest.Wait()
}

// record returns session number n with a version that follows from both.
func record(n, version int) core.Record {
	at := core.Time(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).UnixMilli())
	return core.Record{
		ID: core.ID{0: 1, 14: byte(n >> 8), 15: byte(n)}, Version: core.Version(1000*n + version + 1), User: "ann",
		CreatedAt: at, SeenAt: at, ExpiresAt: at + core.Hour, Sealed: fmt.Appendf(nil, "state %d of session %d", version, n),
	}
}

// save starts a save and returns its answer.
func (d *desk) save(ctx context.Context, r core.Record, prev core.Version) chan error {
	answer := make(chan error, 1)
	go func() { answer <- d.Save(ctx, r, prev) }()
	synctest.Wait()
	return answer
}

// insert starts n inserts of sessions from first on.
func (d *desk) insert(first, n int) []chan error {
	var all []chan error
	for i := range n {
		all = append(all, d.save(d.Context(), record(first+i, 0), core.NoVersion))
	}
	return all
}

// answered returns an answer that has come, and fails if it has not.
func (d *desk) answered(answer chan error) error {
	d.Helper()
	synctest.Wait()
	select {
	case err := <-answer:
		return err
	default:
		d.Fatal("the call has not returned")
		return nil
	}
}

func (d *desk) waits(answer chan error) {
	d.Helper()
	synctest.Wait()
	require.Empty(d, answer, "the call has returned")
}

func (d *desk) stored(n int) bool {
	_, err := d.backend.Store.Load(d.Context(), record(n, 0).ID)
	return err == nil
}

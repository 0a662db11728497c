package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/feed"
)

// act is what a request does.
type act string

const (
	reading    act = "read"
	setting    act = "set a name of its own"
	wording    act = "set a name that others set, by ID"
	counting   act = "count"
	loggingIn  act = "log in"
	switching  act = "log in as another user"
	renewing   act = "renew"
	refreshing act = "refresh"
	destroying act = "log out"
	revoking   act = "end the session by ID"
	arriving   act = "log in elsewhere"
	sweeping   act = "end all sessions of the user"
)

var (
	quietActs = []act{reading, setting, wording, counting, counting, refreshing}
	allActs   = append(append([]act{loggingIn, loggingIn, switching, renewing, renewing, destroying, revoking, arriving}, quietActs...), markedActs...)
)

// deed is an act that was done, or tried.
type deed struct {
	who         int
	act         act
	begin, end  int // how many calls had happened
	began, over time.Time
	err         error

	shown   string         // the cookie
	opened  core.ID        // the session that it opened
	seen    map[string]any // what was in it
	session core.ID        // that was changed or begun
	name    string         // that was set
	value   any
	given   string // a new cookie
}

// scene is the session of one user, and the requests that meet in it.
type scene struct {
	*stage
	managers []*hosts.Manager
	done     []func()
	clock    *modelClock
	ann, ben string
	id       core.ID
	cookie   string // of the browser that all requests are from

	mu    sync.Mutex
	deeds []*deed
}

// modelClock stands still until a request moves it.
type modelClock struct{ now atomic.Int64 }

func (c *modelClock) Now() core.Time { return core.Time(c.now.Load()) }

// seeded draws everything that a manager draws from a seed.
type seeded struct{ *rand.ChaCha8 }

// modelKey is of no other use.
var modelKey = core.NewSecret("\x83\x9d the model test, not a secret."[:32])

// newScene opens managers, of which the second has the other handle, and signs
// the user in.
func newScene(s *stage) *scene {
	c := &scene{stage: s, clock: new(modelClock)}
	c.clock.now.Store(time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli())
	var entropy [32]byte
	for i := range entropy {
		entropy[i] = byte(s.random.Uint32())
	}
	c.ann, c.ben = fmt.Sprintf("ann %x", entropy[:4]), fmt.Sprintf("ben %x", entropy[:4])
	managers := 1 + s.random.IntN(2)
	if s.caches != nil {
		managers = 2
	}
	for i := range managers {
		entropy[31] = byte(i)
		store := s.seen(i)
		if s.caches != nil {
			var done func()
			store, done = s.caches(i, store)
			c.done = append(c.done, done)
		}
		m, err := hosts.New(store, hosts.Config{
			Key: modelKey, NoCleanup: true, Logger: slog.New(slog.DiscardHandler), Clock: c.clock, Entropy: seeded{rand.NewChaCha8(entropy)},
			Lifetime: 24 * time.Hour, IdleTimeout: 2 * time.Hour, CommitTimeout: 24 * time.Hour,
			Merge: map[string]core.MergeKind{"hits": core.MergeCounter}, LastWinsAll: s.flaw == "forgets reads",
		})
		if err != nil {
			s.broken = fmt.Sprint("the kit is wrong: ", err)
			return c
		}
		c.managers = append(c.managers, m)
	}
	d := &deed{act: arriving}
	c.visit(context.Background(), c.managers[0], d)
	c.id, c.cookie = d.session, d.given
	if d.err == nil {
		d.err = c.managers[0].Set(context.Background(), c.id, "prize", prize)
	}
	if d.err != nil && s.broken == "" {
		s.broken = fmt.Sprint("a first login fails: ", d.err)
	}
	return c
}

// run draws the requests, has them meet, and judges.
func (c *scene) run() {
	defer func() {
		for _, m := range c.managers {
			_ = m.Close() // it has no error
		}
		c.closeCaches()
	}()
	if c.broken != "" {
		return
	}
	acts := slices.Concat(quietActs, markedActs)
	if c.random.IntN(3) > 0 {
		acts = allActs
		if c.finds() {
			acts = append(acts[:len(acts):len(acts)], sweeping)
		}
	}
	if c.caches != nil {
		acts = slices.Concat(acts, slices.Repeat([]act{reading}, 2*len(acts)))
	}
	plans := make([][]act, 2+c.random.IntN(4))
	for i := range plans {
		deeds := 1 + c.random.IntN(3)
		if c.caches != nil {
			deeds += 5 // so that some find something cached
		}
		for range deeds {
			plans[i] = append(plans[i], acts[c.random.IntN(len(acts))])
		}
	}
	c.faults = c.random.IntN(4)
	c.perform(len(plans), func(ctx context.Context, who int) { c.request(ctx, who, plans[who]) })
	if c.caches != nil {
		<-time.After(feed.Lease) // then everything is known to all
	}
	c.judge()
}

// closeCaches stops what asks by itself.
func (c *scene) closeCaches() {
	for _, done := range c.done {
		done()
	}
	c.done = nil
	synctest.Wait()
}

// request does one thing after the other, with one cookie jar.
func (c *scene) request(ctx context.Context, who int, plan []act) {
	m := c.managers[who%len(c.managers)]
	cookie := c.cookie
	for n, a := range plan {
		c.pass(turn{ctx: ctx, what: func() string { return "begins to " + string(a) }})
		if (a == reading || a == counting) && (c.caches == nil || n%8 == 0) {
			c.clock.now.Add(int64(5 * core.Minute)) // a use to be noted
		}
		d := &deed{who: who, act: a, begin: c.now(), began: time.Now(), shown: cookie, value: fmt.Sprintf("%d of %d", n, who)}
		c.visit(ctx, m, d)
		d.end, d.over = c.now(), time.Now()
		if d.given != "" {
			cookie = d.given
		}
		c.mu.Lock()
		c.deeds = append(c.deeds, d)
		c.mu.Unlock()
	}
}

// visit does a deed, as a request with its cookie.
func (c *scene) visit(ctx context.Context, m *hosts.Manager, d *deed) {
	x := m.Attach(&hosts.Request{
		Context: ctx, Cookies: hosts.CookieFields(d.shown), IP: netip.AddrFrom4([4]byte{192, 0, 2, 7}), UserAgent: "model", HTTPS: true,
		Reply: func(field, value string) error {
			if pair, _, _ := strings.Cut(value, ";"); field == "Set-Cookie" && !strings.HasSuffix(pair, "=") && !strings.Contains(pair, core.ChangedSuffix) {
				d.given = pair
			}
			return nil
		},
	})
	defer x.Close()
	d.session = c.id
	switch d.act {
	case wording:
		d.name = "word"
		d.err = m.Set(ctx, c.id, d.name, d.value)
	case refreshing:
		d.err = m.Refresh(ctx, c.id)
	case revoking:
		d.err = m.Destroy(ctx, c.id)
	case destroying:
		d.err = m.Destroy(x, c.id)
	case sweeping:
		_, d.err = m.Revoke(ctx, hosts.Query{User: c.ann})
	case loggingIn:
		c.login(m, x, d, c.ann)
	case switching:
		c.login(m, x, d, c.ben)
	case arriving:
		x.Cookies = hosts.Cookies{}
		c.login(m, x, d, c.ann)
	case adding, updating, rewriting, taking:
		c.marks(ctx, m, x, d)
	default:
		c.open(m, x, d)
	}
}

func (c *scene) login(m *hosts.Manager, x *hosts.Request, d *deed, user string) {
	n, err := m.Login(x, user, 0)
	if d.err = err; err == nil {
		d.session = n.ID
	}
}

// open does a deed in the session that the cookie opens.
func (c *scene) open(m *hosts.Manager, x *hosts.Request, d *deed) {
	if c.caches != nil && d.act == reading {
		d.err = c.glance(m, x, d)
		return
	}
	n, err := m.GetSessionFromCookie(x)
	if err != nil {
		d.err = err
		return
	}
	d.opened, d.session, d.seen = n.ID, n.ID, maps.Clone(n.Data)
	switch d.act {
	case setting:
		d.name = fmt.Sprint("own ", d.who)
		n.Data[d.name] = d.value
		d.err = m.Save(x, n)
	case counting:
		d.name = "hits"
		hits, _ := n.Data["hits"].(int)
		n.Data["hits"] = hits + 1
		d.err = m.Save(x, n)
	case renewing:
		d.err = m.Renew(x, n)
	}
}

// glance reads as a page does, which may be from a cache.
func (c *scene) glance(m *hosts.Manager, x *hosts.Request, d *deed) error {
	s, err := m.Resume(x)
	if err != nil {
		return err
	}
	d.opened, d.session, d.seen = s.ID(), s.ID(), make(map[string]any)
	for _, name := range s.Names() {
		raw, _ := s.Value(name)
		if d.seen[name], err = core.DecodeValue(raw); err != nil {
			return err
		}
	}
	_, err = m.Commit(x, s)
	return err
}

// done and unknown tell what is known of a deed; it is refused if neither is so.
// Of a session that has ended nobody can say whether a save whose answer was
// lost had been stored before.
func (d *deed) done() bool { return d.err == nil }
func (d *deed) unknown() bool {
	return errors.Is(d.err, hosts.ErrUnknown) || errors.Is(d.err, core.ErrEnded)
}

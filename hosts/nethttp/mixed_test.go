package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/rockstar-web/sessions/internal/soak"
	"github.com/stretchr/testify/require"
)

// step is one thing that a handler does, by the middleware's session or by a
// verb of the manager.
type step func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, w http.ResponseWriter, n int) error

// mixedSteps are all of them, but for those that leave the session.
var mixedSteps = map[string]step{
	"get": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		_, err := v.Get(fmt.Sprint("name ", n%3))
		return err
	},
	"put": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		return v.Put(fmt.Sprint("name ", n%3), n)
	},
	"delete": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		return v.Delete(fmt.Sprint("name ", n%3))
	},
	"update": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		return hosts.Update(v, "list", func(l []int) ([]int, error) { _ = v.User(); return append(slices.Clone(l), n), nil })
	},
	"take": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		_, err := v.Take(fmt.Sprint("name ", n%3))
		return err
	},
	"renew": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, _ int) error {
		return v.Renew()
	},
	"refresh": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, _ int) error {
		return v.Refresh()
	},
	"login": func(_ context.Context, _ *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, _ int) error {
		return v.Login("ann", 0)
	},
	"manager login": func(ctx context.Context, m *hosts.Manager, _ *nethttp.Session, _ http.ResponseWriter, _ int) error {
		_, err := m.Login(ctx, "ann", 0)
		return err
	},
	"set by ID": func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		return m.Set(ctx, v.ID(), fmt.Sprint("name ", n%3), n)
	},
	"get by ID": func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		_, err := m.Get(ctx, v.ID(), fmt.Sprint("name ", n%3))
		return err
	},
	"update by ID": func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		return hosts.UpdateByID(ctx, m, v.ID(), "list", func(l []int) ([]int, error) { _ = v.Names(); return append(slices.Clone(l), n), nil })
	},
	"take by ID": func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, n int) error {
		_, err := m.Take(ctx, v.ID(), fmt.Sprint("name ", n%3))
		return err
	},
	"refresh by ID": func(ctx context.Context, m *hosts.Manager, v *nethttp.Session, _ http.ResponseWriter, _ int) error {
		return m.Refresh(ctx, v.ID())
	},
	"the guide's verbs": func(ctx context.Context, m *hosts.Manager, _ *nethttp.Session, _ http.ResponseWriter, n int) error {
		s, err := m.GetSessionFromCookie(ctx)
		if err != nil {
			return err
		}
		s.Data[fmt.Sprint("own ", n)] = n
		return m.Save(ctx, s)
	},
	"write": func(_ context.Context, _ *hosts.Manager, _ *nethttp.Session, w http.ResponseWriter, _ int) error {
		_, err := w.Write([]byte("text "))
		return err
	},
}

// TestMixedVerbs: many requests of one visitor at once, each of which does
// several things in any order. None hangs, none panics, every error is one that
// is documented, and every addition and update that was acknowledged is counted.
func TestMixedVerbs(t *testing.T) {
	for _, firm := range []bool{true, false} { // with what needs a cookie, or without
		t.Run(fmt.Sprint("firm ", firm), func(t *testing.T) { mixedVerbs(t, firm) })
	}
}

func mixedVerbs(t *testing.T, firm bool) {
	s := open(t, setup{})
	b := s.browser()
	b.login("ann")
	names := slices.Sorted(maps.Keys(mixedSteps))
	if !firm {
		names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains([]string{"login", "manager login", "renew"}, name) })
	}
	requests := soak.Rounds(t, 20, 60)
	var added, unsure atomic.Int64
	var all sync.WaitGroup
	for client := range 8 {
		random := rand.New(rand.NewPCG(uint64(client), 7))
		all.Go(func() {
			for range requests {
				tab := b.copy()
				var plan []string
				for range 1 + random.IntN(5) {
					plan = append(plan, names[random.IntN(len(names))])
				}
				sums := random.IntN(2)
				a := tab.send(t.Context(), "POST", func(w http.ResponseWriter, r *http.Request) {
					v, err := nethttp.From(r)
					if s.note(err) != nil {
						t.Error(err)
						return
					}
					if sums == 1 {
						if _, err := v.Add("sum", 1); err != nil {
							t.Error(err)
						}
					}
					for n, name := range plan {
						if err := mixedSteps[name](r.Context(), s.manager, v, w, 100*client+n); err != nil && !documented(err) {
							t.Error(plan, name, err)
						}
					}
				})
				switch {
				case sums == 0:
				case a.status == 200 && !slices.Contains(plan, "write"):
					added.Add(1)
				default: // refused, or what came after the first byte
					unsure.Add(1)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("requests hang")
	}
	require.Positive(t, added.Load())
	if !firm {
		sum := b.value("sum")
		require.GreaterOrEqual(t, sum, int(added.Load()))
		require.LessOrEqual(t, sum, int(added.Load()+unsure.Load()))
	}
}

func documented(err error) bool {
	var refusal *core.Refusal
	for _, known := range []error{hosts.ErrNoValue, hosts.ErrUnavailable, core.ErrConflict, nethttp.ErrHeadersSent, nethttp.ErrCommitted, hosts.ErrNoAnswer, hosts.ErrNoSecret} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &refusal)
}

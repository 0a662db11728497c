package mission

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
	"github.com/stretchr/testify/require"
)

// people are the rows of what the first program that anybody writes must keep.
var people = []row{
	{"E18", whatWasReadMustStillBeSo}, {"E19", additionsCount}, {"E20", updatesAreKept}, {"E21", oneTakes},
	{"E22", lateRequests}, {"E23", everySessionEnds},
}

// crowd has n requests of one browser at once, by turns at the servers, and
// returns their answers.
func (b *browser) crowd(n int, servers []*site, do func(v *nethttp.Session, i int) (string, error)) []answer {
	answers := make([]answer, n)
	var all sync.WaitGroup
	for i := range n {
		s, tab := servers[i%len(servers)], *b
		tab.site = s
		all.Go(func() {
			var err error
			answers[i], err = tab.tryCall("/call", s.within(func(v *nethttp.Session, w http.ResponseWriter) {
				text, err := do(v, i)
				if err != nil {
					status, text := nethttp.Failure(err)
					http.Error(w, text, status)
					return
				}
				fmt.Fprint(w, text)
			}))
			if err != nil {
				s.t.Error(err)
			}
		})
	}
	all.Wait()
	return answers
}

// twoServers returns the site, and a second server on the same sessions.
func twoServers(t *testing.T, b backend, o setup) (*site, []*site) {
	s := open(t, b, o)
	return s, []*site{s, s.twin()}
}

func whatWasReadMustStillBeSo(t *testing.T, b backend) {
	s, servers := twoServers(t, b, setup{})
	ann := s.browser()
	ann.login("/middleware", "ann")
	answers := ann.crowd(20, servers, func(v *nethttp.Session, i int) (string, error) {
		list, err := v.Get("list")
		if err != nil && !errors.Is(err, hosts.ErrNoValue) {
			return "", err
		}
		have, _ := list.([]any)
		return "", v.Put("list", append(slices.Clone(have), i))
	})
	kept := 0
	for _, a := range answers {
		switch a.StatusCode {
		case http.StatusOK:
			kept++
		case http.StatusConflict:
			require.Contains(t, a.body, `"list"`)
			require.Contains(t, a.body, "Update")
		default:
			t.Fatal(a.StatusCode, a.body)
		}
	}
	require.Positive(t, kept)
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		list, err := v.Get("list")
		if have, _ := list.([]any); err != nil || len(have) != kept {
			t.Errorf("%d of %d acknowledged values are kept: %v", len(have), kept, err)
		}
	}).is(http.StatusOK)
	if kept < len(answers) {
		e := s.awaitAny(servers, hosts.EventConflict)
		require.Equal(t, []string{"list"}, e.Names)
	}
}

// awaitAny returns the first event of a kind at any server.
func (s *site) awaitAny(servers []*site, kind hosts.EventKind) hosts.Event {
	late := time.After(patience)
	for {
		for _, one := range servers {
			select {
			case e := <-one.events:
				if e.Kind == kind {
					return e
				}
			case <-late:
				s.t.Fatalf("no event %q", kind)
			default:
			}
		}
	}
}

// additionsCount is the program of the README: one, fifty at once, and one.
func additionsCount(t *testing.T, b backend) {
	s, servers := twoServers(t, b, setup{})
	ann := s.browser()
	add := func(v *nethttp.Session, _ int) (string, error) {
		n, err := v.Add("visits", 1)
		return fmt.Sprint("visit ", n), err
	}
	ann.crowd(1, servers, add)
	for _, a := range ann.crowd(50, servers, add) {
		a.is(http.StatusOK)
	}
	require.Equal(t, "visit 52", ann.crowd(1, servers, add)[0].is(http.StatusOK).body)
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		n, err := s.manager.Add(t.Context(), v.ID(), "visits", 8) // by ID, for programs
		if n != 60 || err != nil {
			t.Error(n, err)
		}
	}).is(http.StatusOK)
}

type cart struct {
	Items []string
	Total int
}

func updatesAreKept(t *testing.T, b backend) {
	s, servers := twoServers(t, b, setup{})
	ann := s.browser()
	id := ann.login("/middleware", "ann")
	put := func(i int) func(cart) (cart, error) {
		return func(c cart) (cart, error) {
			c.Items = append(slices.Clone(c.Items), fmt.Sprint("item ", i))
			c.Total += i
			return c, nil
		}
	}
	for _, a := range ann.crowd(20, servers, func(v *nethttp.Session, i int) (string, error) { return "", hosts.Update(v, "cart", put(i)) }) {
		a.is(http.StatusOK)
	}
	require.NoError(t, hosts.UpdateByID(t.Context(), s.manager, id, "cart", put(20)))
	refused := errors.New("refused")
	require.ErrorIs(t, hosts.UpdateByID(t.Context(), s.manager, id, "cart", func(cart) (cart, error) { return cart{}, refused }), refused)
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		c, err := hosts.Get[cart](v, "cart")
		if err != nil || len(c.Items) != 21 || c.Total != 210 {
			t.Error(c, err)
		}
	}).is(http.StatusOK)
}

func oneTakes(t *testing.T, b backend) {
	s, servers := twoServers(t, b, setup{})
	ann := s.browser()
	id := ann.login("/middleware", "ann")
	require.NoError(t, s.manager.Set(t.Context(), id, "flash", "saved"))
	got := 0
	for _, a := range ann.crowd(10, servers, func(v *nethttp.Session, i int) (string, error) {
		flash, err := v.Take("flash")
		if errors.Is(err, hosts.ErrNoValue) {
			return "", v.Put(fmt.Sprint("other ", i), i)
		}
		return fmt.Sprint(flash), err
	}) {
		if a.is(http.StatusOK).body == "saved" {
			got++
		}
	}
	require.Equal(t, 1, got)
	_, err := s.manager.Take(t.Context(), id, "flash")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	ann.visiting(func(v *nethttp.Session, _ http.ResponseWriter) {
		if names := v.Names(); len(names) != 9+1 { // beside the user_id of the login
			t.Error(names)
		}
	}).is(http.StatusOK)
}

// lateRequests bring a cookie of before a login, and are answered last.
func lateRequests(t *testing.T, b backend) {
	put := func(v *nethttp.Session, w http.ResponseWriter) {
		if err := v.Put("cart", 2); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	for _, before := range []string{"", "ben"} {
		s, servers := twoServers(t, b, setup{})
		ann := s.browser()
		if before != "" {
			ann.login("/middleware", before)
		}
		ann.visiting(put).is(http.StatusOK)
		late := ann.thief()
		ann.login("/middleware", "ann")
		a := late.to(servers[1]).call("/call", servers[1].within(put)).is(http.StatusUnauthorized)
		require.Empty(t, a.cookies(), "it would replace the login's")
		require.Contains(t, a.body, "Nothing of this request was stored")
		ann.get("/middleware/me").is(http.StatusOK)
		for _, one := range servers { // they share the clock
			one.clock.pass(time.Minute)
			break
		}
		late.visiting(put).is(http.StatusOK)
	}
}

func everySessionEnds(t *testing.T, b backend) {
	s := open(t, b, setup{})
	var cookies []string
	var ids []core.ID
	for _, user := range []string{"ann", "ben", "ann"} {
		one := s.browser()
		ids = append(ids, one.login("/middleware", user))
		cookies = append(cookies, one.cookie())
	}
	ann := s.browser()
	name := core.DefaultCookieName
	ann.headers = map[string]string{"Cookie": fmt.Sprintf("%s=%s; %s=%s; %s=forged; %s=%s", name, cookies[0], name, cookies[1], name, name, cookies[2])}
	ann.post("/middleware/logout").is(http.StatusOK)
	for _, id := range ids {
		valid, err := s.manager.IsValid(t.Context(), id)
		require.NoError(t, err)
		require.False(t, valid)
	}
}

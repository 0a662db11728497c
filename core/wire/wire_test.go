package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

var _ hosts.Engine = (*wire.Client)(nil)

const now core.Time = 500_000 * core.Hour

var testKey = core.NewSecret("9f3c1a7be2d840566b0e9d17c4a5f2381d6e7b90a1c3f54e28b7d60c9ea41f53")

// local is a client whose guest runs in the same process. Replies are cut off
// from the guest's memory, which is then scribbled on, as real ones are.
func local(t testing.TB, p core.Policy, keys core.KeyRing) *wire.Client {
	t.Helper()
	server := &wire.Server{}
	c, err := wire.Configure(func(frame []byte) ([]byte, error) {
		own := bytes.Clone(frame)
		reply := bytes.Clone(server.Handle(nil, own))
		clear(own)
		return reply, nil
	}, p, keys)
	require.NoError(t, err)
	return c
}

func pair(t testing.TB, p core.Policy) (*core.Machine, *wire.Client) {
	keys := core.KeyRing{{Bytes: testKey}}
	m, err := core.NewMachine(p, keys)
	require.NoError(t, err)
	return m, local(t, p, keys)
}

// both gives the same call to the core and to the guest: all that comes out
// must be equal, errors included.
func both[A any](t *testing.T, what string, f func(hosts.Engine) (A, error), m *core.Machine, c *wire.Client, same func(a, b A)) (A, error) {
	t.Helper()
	a, errA := f(m)
	b, errB := f(c)
	require.Equal(t, errA == nil, errB == nil, "%s: %v, %v", what, errA, errB)
	if errA != nil {
		require.Equal(t, errA.Error(), errB.Error(), what)
		require.Equal(t, core.ReasonOf(errA), core.ReasonOf(errB), what)
		return a, errA
	}
	same(a, b)
	return a, nil
}

func TestALifeByTheGuestIsTheSame(t *testing.T) {
	policy := core.Policy{IdleTimeout: core.Hour, RenewAfter: 10 * core.Minute, Merge: map[string]core.MergeKind{"n": core.MergeCounter}, Exclusive: []string{"x"}, FormerScopes: []core.Scope{{Path: "/old"}}}
	m, c := pair(t, policy)
	require.Equal(t, m.Policy(), c.Policy())
	require.Equal(t, m.ClearCookie(true), c.ClearCookie(true))
	q := core.Request{Tenant: "acme", IP: "\x7f\x00\x00\x01", UserAgent: "browser"}
	sameSession := func(a, b *core.Session) { t.Helper(); require.Equal(t, a.AppendBytes(nil), b.AppendBytes(nil)) }
	sameEffects := func(a, b core.Effects) {
		t.Helper()
		sameSession(a.Next, b.Next)
		a.Next, b.Next = nil, nil
		require.Equal(t, a, b)
	}
	commit := func(at core.Time, seed byte, s *core.Session) core.Effects {
		t.Helper()
		e, err := both(t, "commit", func(g hosts.Engine) (core.Effects, error) { return g.Commit(s, at, core.Seed{seed}) }, m, c, sameEffects)
		require.NoError(t, err)
		return e
	}
	s := m.New(q)
	require.NoError(t, s.Login("alice", 0))
	require.NoError(t, s.SetValue("n", []byte{1}))
	first := commit(now, 1, s)
	resume := func(at core.Time, r core.Record, cookie string) (*core.Session, error) {
		t.Helper()
		tickets, err := both(t, "identify", func(g hosts.Engine) ([]core.Ticket, error) { return g.Identify([]string{cookie}, "acme", at) },
			m, c, func(a, b []core.Ticket) { require.Equal(t, a, b) })
		if err != nil {
			return nil, err
		}
		return both(t, "resume", func(g hosts.Engine) (*core.Session, error) { return g.Resume(tickets[0], r, q, at) }, m, c, sameSession)
	}
	mine, err := resume(now+core.Minute, *first.Save, first.Cookies[0])
	require.NoError(t, err)
	theirs, err := resume(now+core.Minute, *first.Save, first.Cookies[0])
	require.NoError(t, err)
	require.NoError(t, mine.SetValue("n", []byte{5}))
	require.NoError(t, theirs.SetValue("n", []byte{3}))
	second := commit(now+core.Minute, 2, theirs)
	rebased, err := both(t, "rebase", func(g hosts.Engine) (*core.Session, error) { return g.Rebase(mine, second.Save, now+core.Minute) }, m, c, sameSession)
	require.NoError(t, err)
	third := commit(now+core.Minute, 3, rebased)
	value, _ := third.Next.Value("n")
	require.Equal(t, []byte{7}, value, "both additions")
	type known struct{ applied, known bool }
	for _, version := range []core.Version{second.Save.Version, third.Save.Version, 77} {
		_, err := both(t, "applied", func(g hosts.Engine) (known, error) {
			applied, whole, err := g.Applied(third.Save, version, first.Save.Version, now)
			return known{applied, whole}, err
		}, m, c, func(a, b known) { require.Equal(t, a, b) })
		require.NoError(t, err)
	}
	_, err = both(t, "cookie", func(g hosts.Engine) ([]string, error) { return g.Cookie(third.Next, now, core.Seed{4}) }, m, c,
		func(a, b []string) { require.Equal(t, a, b) })
	require.NoError(t, err)
	renewed, err := resume(now+20*core.Minute, *third.Save, first.Cookies[0])
	require.NoError(t, err)
	require.NotEmpty(t, commit(now+20*core.Minute, 5, renewed).Cookies)
	_, err = resume(now+2*core.Hour, *third.Save, first.Cookies[0])
	require.ErrorIs(t, err, core.ErrIdle)
	_, err = resume(now, *third.Save, "rockstar_session=forged")
	require.ErrorIs(t, err, core.ErrMalformed)
	renewed.End()
	require.Equal(t, third.Save.ID, commit(now+20*core.Minute, 6, renewed).Delete)
	gone, err := both(t, "rebase on nothing", func(g hosts.Engine) (*core.Session, error) { return g.Rebase(mine, nil, now) }, m, c, sameSession)
	require.ErrorIs(t, err, core.ErrEnded)
	require.Nil(t, gone)
}

// What another request has changed is a conflict with its name, also of the guest;
// a login leaves it out, and says so.
func TestConflictsCross(t *testing.T) {
	m, c := pair(t, core.Policy{})
	s := m.New(core.Request{})
	require.NoError(t, s.Login("alice", 0))
	first, err := c.Commit(s, now, core.Seed{1})
	require.NoError(t, err)
	other := first.Next.Clone()
	require.NoError(t, other.SetValue("cart", []byte{2}))
	second, err := c.Commit(other, now, core.Seed{2})
	require.NoError(t, err)
	mine := first.Next.Clone()
	mine.Read("cart")
	require.NoError(t, mine.SetValue("cart", []byte{3}))
	_, err = c.Rebase(mine, second.Save, now)
	require.Equal(t, &core.ConflictError{Name: "cart"}, err)
	byID, err := c.Resume(core.ByID(first.Save.ID), *first.Save, core.Request{AnyTenant: true}, now)
	require.NoError(t, err)
	byID.Read("cart")
	require.NoError(t, byID.SetValue("cart", []byte{3}))
	require.NoError(t, byID.Login("alice", 0))
	next, err := c.Rebase(byID, second.Save, now)
	require.NoError(t, err)
	e, err := c.Commit(next, now, core.Seed{3})
	require.NoError(t, err)
	require.Equal(t, []string{"cart"}, e.Dropped)
	tickets, err := c.Identify(first.Cookies, "", now)
	require.NoError(t, err)
	_, err = c.Resume(tickets[0], *e.Save, core.Request{}, now)
	require.ErrorIs(t, err, core.ErrSuperseded)
	require.True(t, err.(*core.Refusal).Recent, "the login was just now")
	as := e.Next.Clone()
	require.NoError(t, as.Login("bob", 0))
	e, err = c.Commit(as, now, core.Seed{4})
	require.NoError(t, err)
	require.Equal(t, first.Save.ID, e.Trace.ID)
}

func TestErrorsCrossWhole(t *testing.T) {
	_, err := wire.Configure((&bare{}).call, core.Policy{CookieName: "a b"}, core.KeyRing{{Bytes: testKey}})
	var policy *core.PolicyError
	require.ErrorAs(t, err, &policy)
	require.Equal(t, "CookieName", policy.Field)
	for _, keys := range []core.KeyRing{nil, {{Bytes: core.NewSecret("short")}}, {{Bytes: core.NewSecret(make([]byte, 32))}}, {{Bytes: testKey}, {Bytes: testKey}}} {
		_, want := core.NewMachine(core.Policy{}, keys)
		_, err := wire.Configure((&bare{}).call, core.Policy{}, keys)
		require.Error(t, want)
		require.ErrorIs(t, err, want)
	}
	m, c := pair(t, core.Policy{})
	_, err = c.Commit(m.New(core.Request{}), now, core.Seed{})
	require.ErrorIs(t, err, core.ErrSeed)
	down := errors.New("the guest is down")
	c.Call = func([]byte) ([]byte, error) { return nil, down }
	_, err = c.Identify(nil, "", now)
	require.ErrorIs(t, err, down)
	for _, reply := range [][]byte{nil, {0}, {1}, {1, 255, 0, 0}, {2, 0}, {2, 255, 0, 0}, {3, 1}, {4}, {99}, {0, 1, 0, 0, 0}, {0, 255, 255, 255, 255}} {
		c.Call = func([]byte) ([]byte, error) { return reply, nil }
		_, err = c.Identify(nil, "", now)
		require.ErrorIs(t, err, wire.ErrMalformed, "%v", reply)
	}
	c.Call = func([]byte) ([]byte, error) { return []byte{wire.StatusUnknownMachine}, nil }
	_, err = c.Identify(nil, "", now)
	require.ErrorIs(t, err, wire.ErrMachine)
}

type bare struct{ wire.Server }

func (b *bare) call(frame []byte) ([]byte, error) { return b.Handle(nil, frame), nil }

// recorded returns every kind of frame that a client sends, and the replies.
func recorded(t testing.TB) (frames, replies [][]byte) {
	server := &wire.Server{}
	call := func(frame []byte) ([]byte, error) {
		frames = append(frames, bytes.Clone(frame))
		reply := server.Handle(nil, frame)
		replies = append(replies, bytes.Clone(reply))
		return reply, nil
	}
	c, err := wire.Configure(call, core.Policy{FormerScopes: []core.Scope{{Path: "/a"}}, Merge: map[string]core.MergeKind{"m": core.MergeSet}, Exclusive: []string{"x"}}, core.KeyRing{{Bytes: testKey}})
	require.NoError(t, err)
	s := c.New(core.Request{Tenant: "acme"})
	require.NoError(t, s.Login("alice", 0))
	require.NoError(t, s.SetValue("v", []byte{1}))
	e, err := c.Commit(s, now, core.Seed{1})
	require.NoError(t, err)
	tickets, err := c.Identify(e.Cookies, "acme", now)
	require.NoError(t, err)
	s, err = c.Resume(tickets[0], *e.Save, core.Request{Tenant: "acme"}, now)
	require.NoError(t, err)
	_, _, err = c.Applied(e.Save, 1, 2, now)
	require.NoError(t, err)
	_, err = c.Cookie(s, now, core.Seed{2})
	require.NoError(t, err)
	_, err = c.Rebase(s, e.Save, now)
	require.NoError(t, err)
	state := s.AppendBytes(nil)
	number := []byte{1, 0, 0, 0}
	for _, frame := range [][]byte{
		append([]byte{wire.OpApply}, append(bytes.Clone(number), append(bytes.Clone(state), wire.ChangeSet, 1, 0, 'k', 1, 0, 0, 0, 7, wire.ChangeRenew)...)...),
		append([]byte{wire.OpFold}, append(bytes.Clone(number), append(bytes.Clone(state), state...)...)...),
		append([]byte{wire.OpApply}, append(bytes.Clone(number), wire.AppendUpdate(wire.AppendAdd(wire.AppendRead(bytes.Clone(state), "r"), "n", -2), "u", []byte{2})...)...),
		wire.AppendQuiet(nil, 1, s),
		wire.AppendClearCookie(nil, 1, true),
		wire.AppendNew(nil, 1, core.Request{Tenant: "acme"}),
		wire.AppendKeepID(nil, 1, core.Seed{3}, c.New(core.Request{})),
		wire.AppendInspect(nil, 1, now, "acme", strings.TrimPrefix(strings.SplitN(e.Cookies[0], ";", 2)[0], core.DefaultCookieName+"=")),
	} {
		reply, err := call(frame)
		require.NoError(t, err)
		require.Equal(t, wire.StatusOK, reply[0])
	}
	return frames, replies
}

// Every truncation, every byte more and every length that lies gets a status.
func TestMalformedFramesGetAStatus(t *testing.T) {
	frames, _ := recorded(t)
	server := &wire.Server{}
	require.Equal(t, wire.StatusOK, server.Handle(nil, frames[0])[0])
	ask := func(frame []byte) byte {
		reply := server.Handle([]byte("kept"), frame)
		require.Equal(t, "kept", string(reply[:4]))
		require.LessOrEqual(t, reply[4], wire.StatusConflict)
		return reply[4]
	}
	require.Equal(t, wire.StatusMalformed, ask(nil))
	require.Equal(t, wire.StatusUnknownOp, ask([]byte{0}))
	require.Equal(t, wire.StatusUnknownOp, ask([]byte{wire.OpCheckStamp + 1}))
	require.Equal(t, wire.StatusUnknownMachine, ask([]byte{wire.OpClearCookie, 0, 0, 0, 0}))
	require.Equal(t, wire.StatusUnknownMachine, ask([]byte{wire.OpClearCookie, 255, 255, 255, 255}))
	require.Equal(t, wire.StatusMalformed, ask(make([]byte, wire.MaxFrame+1)))
	for _, frame := range frames {
		for n := 1; n < len(frame); n++ {
			if frame[0] == wire.OpApply && ask(frame[:n]) == wire.StatusOK {
				continue // cut between two changes
			}
			require.Equal(t, wire.StatusMalformed, ask(frame[:n]), "op %d cut to %d of %d", frame[0], n, len(frame))
		}
		require.Equal(t, wire.StatusMalformed, ask(append(bytes.Clone(frame), 0)), "op %d", frame[0])
		for i := 1; i < len(frame); i++ {
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				bad := bytes.Clone(frame)
				bad[i] = v
				ask(bad)
				server = &wire.Server{}
				server.Handle(nil, frames[0])
			}
		}
	}
}

func TestMachinesAreBounded(t *testing.T) {
	frames, _ := recorded(t)
	server := &wire.Server{}
	for range wire.MaxMachines {
		require.Equal(t, wire.StatusOK, server.Handle(nil, frames[0])[0])
	}
	require.Equal(t, wire.StatusError, server.Handle(nil, frames[0])[0])
}

func TestRecordsComeBack(t *testing.T) {
	want := core.Record{ID: core.ID{1}, Version: 2, Tenant: "acme", User: "alice", CreatedAt: 3, SeenAt: 4, ExpiresAt: -5, Sealed: []byte("sealed")}
	b := wire.AppendRecord(nil, &want)
	got, err := wire.ReadRecord(b)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for n := range b {
		_, err := wire.ReadRecord(b[:n])
		require.ErrorIs(t, err, wire.ErrMalformed, n)
	}
	_, err = wire.ReadRecord(append(b, 0))
	require.ErrorIs(t, err, wire.ErrMalformed)
}

func FuzzServer(f *testing.F) {
	frames, _ := recorded(f)
	for _, frame := range frames {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		server := &wire.Server{}
		server.Handle(nil, frames[0])
		if reply := server.Handle(nil, frame); len(reply) == 0 || reply[0] > wire.StatusUnknownMachine {
			t.Errorf("reply %v", reply)
		}
	})
}

func FuzzClient(f *testing.F) {
	_, replies := recorded(f)
	for op, reply := range replies {
		f.Add(byte(op), reply)
	}
	f.Fuzz(func(t *testing.T, op byte, reply []byte) {
		_, c := pair(t, core.Policy{})
		c.Call = func([]byte) ([]byte, error) { return reply, nil }
		s := c.New(core.Request{})
		switch op % 6 {
		case 0:
			_, _ = c.Identify(nil, "", now)
		case 1:
			_, _ = c.Resume(core.Ticket{}, core.Record{}, core.Request{}, now)
		case 2:
			_, _ = c.Commit(s, now, core.Seed{1})
		case 3:
			_, _ = c.Rebase(s, nil, now)
		case 4:
			_, _, _ = c.Applied(&core.Record{}, 1, 2, now)
		case 5:
			_, _ = c.Cookie(s, now, core.Seed{1})
		}
	})
}

// TestCodesByText: an error's code is found by its text.
func TestCodesByText(t *testing.T) {
	c, err := wire.Configure((&bare{}).call, core.Policy{}, core.KeyRing{{Bytes: testKey}})
	require.NoError(t, err)
	_, err = c.Commit(c.New(core.Request{}), now, core.Seed{})
	require.ErrorIs(t, err, core.ErrSeed)
	seen := map[string]byte{}
	for code := byte(1); wire.CodeName(code) != "unlisted"; code++ {
		sentinel := errors.Unwrap(wire.ErrorOf([]byte{wire.StatusError, code, 0, 0}))
		require.NotContains(t, seen, sentinel.Error(), "two errors of one text")
		seen[sentinel.Error()] = code
	}
	require.Greater(t, len(seen), 20)
}

package hosts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestCreateAndItsFields(t *testing.T) {
	m := open(t, nil, hosts.Config{IdleTimeout: 2 * time.Hour})
	ann := newBrowser()
	ann.tenant = "acme"
	x := ann.ask(m)
	n, err := m.Create(x)
	require.NoError(t, err)
	require.Equal(t, "acme 192.0.2.7 Tests/1.0", n.TenantID+" "+n.IPAddress+" "+n.UserAgent)
	require.True(t, n.CreatedAt.Equal(m.clock.time()))
	require.True(t, n.ExpiresAt.Equal(m.clock.time().Add(24*time.Hour)))
	m.gone(n.ID) // nothing is stored before Save
	id := n.ID
	require.NoError(t, m.Save(x, n))
	require.Equal(t, id, n.ID)
	require.NoError(t, m.SetCookie(x, n))
	m.clock.pass(time.Hour)
	ann.agent = "Tests/2.0"
	again, err := ann.session(m)
	require.NoError(t, err)
	require.Equal(t, id, again.ID)
	require.Equal(t, "Tests/1.0", again.UserAgent)
	require.Equal(t, "Tests/2.0", again.LastUserAgent)
	require.True(t, again.CreatedAt.Equal(n.CreatedAt))
	require.True(t, again.LastSeenAt.Equal(m.clock.time()))
	require.True(t, again.IdleExpiresAt.Equal(m.clock.time().Add(2*time.Hour)))
	require.True(t, again.ExpiresAt.Equal(n.ExpiresAt), "a use moves no deadline")
	other, err := m.Create(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, id, other.ID)
}

// Remember-me is a lifetime of the session's own: it survives uses and
// refreshes, and a later login without one ends it.
func TestExpiresAtMovesTheLifetime(t *testing.T) {
	month := 30 * 24 * time.Hour
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	x := ann.ask(m)
	n, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	n.ExpiresAt = m.clock.time().Add(month)
	require.NoError(t, m.Save(x, n))
	require.True(t, n.ExpiresAt.Equal(m.clock.time().Add(month)))
	require.Equal(t, int(month.Seconds()), ann.set[len(ann.set)-1].MaxAge, "the cookie follows")
	m.clock.pass(10 * 24 * time.Hour)
	touched, err := ann.session(m)
	require.NoError(t, err)
	require.True(t, touched.ExpiresAt.Equal(n.ExpiresAt))
	x = ann.ask(m)
	require.NoError(t, m.Refresh(x, n.ID))
	require.Equal(t, int(month.Seconds()), ann.set[len(ann.set)-1].MaxAge)
	refreshed, err := ann.session(m)
	require.NoError(t, err)
	require.True(t, refreshed.ExpiresAt.Equal(m.clock.time().Add(month)))
	refreshed.Data["name"] = 1
	require.NoError(t, m.Save(t.Context(), refreshed))
	require.True(t, refreshed.ExpiresAt.Equal(m.clock.time().Add(month)), "an ordinary save moves nothing")

	refreshed.ExpiresAt = m.clock.time().Add(time.Minute)
	require.NoError(t, m.Save(t.Context(), refreshed))
	m.clock.pass(time.Minute)
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrExpired, "it can be shortened")

	for _, wrong := range []time.Time{{}, m.clock.time(), m.clock.time().Add(401 * 24 * time.Hour)} {
		n := m.create()
		n.ExpiresAt, n.Data["name"] = wrong, 1
		err := m.Save(t.Context(), n)
		require.ErrorIs(t, err, core.ErrLifetime)
		require.ErrorContains(t, err, "ExpiresAt "+wrong.UTC().Format(time.RFC3339))
		require.Empty(t, m.data(n.ID))
	}
}

func TestUserIDIsALogin(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	guest := newBrowser()
	x := guest.ask(m)
	n, err := m.Create(x)
	require.NoError(t, err)
	n.Data["cart"] = "book"
	require.NoError(t, m.Save(x, n))
	require.NoError(t, m.SetCookie(x, n))
	anonymous, id := guest.clone(), n.ID

	n.UserID = "ann"
	require.NoError(t, m.Save(x, n))
	require.NoError(t, m.SetCookie(x, n))
	require.Equal(t, id, n.ID, "stable for life")
	require.Equal(t, "book", n.Data["cart"])
	_, err = anonymous.session(m)
	require.ErrorIs(t, err, core.ErrSuperseded, "the cookie from before is worthless")

	anns := guest.clone()
	n.UserID = "ben"
	n.Data["role"] = "admin"
	require.NoError(t, m.Save(x, n))
	require.NoError(t, m.SetCookie(x, n))
	require.NotEqual(t, id, n.ID)
	want := map[string]any{"role": "admin"} // put there for ben; the cart was ann's
	require.Equal(t, want, n.Data)
	require.Equal(t, want, m.data(n.ID))
	m.gone(id)
	_, err = anns.session(m)
	require.ErrorIs(t, err, core.ErrSuperseded)

	n.UserID = ""
	err = m.Save(x, n)
	require.ErrorIs(t, err, core.ErrBadUser)
	require.ErrorContains(t, err, "Destroy the session")
	n.UserID = "a\x00b"
	require.ErrorIs(t, m.Save(x, n), core.ErrBadUser)
	n.UserID = "ben"
	require.NoError(t, m.Save(x, n))
}

func TestDataIsWhatIsStored(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	n := m.create()
	n.Data["a"], n.Data["b"], n.Data["c"] = 1, "two", []any{3.5, nil}
	mine := n.Data
	require.NoError(t, m.Save(t.Context(), n))
	delete(n.Data, "b")
	require.NoError(t, m.Set(t.Context(), n.ID, "theirs", true))
	require.NoError(t, m.Delete(t.Context(), n.ID, "c"))
	require.NoError(t, m.Save(t.Context(), n))
	want := map[string]any{"a": 1, "theirs": true}
	require.Equal(t, want, n.Data, "others' changes are adopted")
	require.Equal(t, want, mine, "in the program's map")
	require.Equal(t, want, m.data(n.ID))
	n.Data = nil
	require.NoError(t, m.Save(t.Context(), n))
	require.Empty(t, m.data(n.ID))
	require.NotNil(t, n.Data)
}

// A Save that is refused leaves the stored session, and this one, as they were:
// mended, it can be saved.
func TestStructsInAProgramsSession(t *testing.T) {
	type item struct {
		Name  string
		Count int32
	}
	m := open(t, nil, hosts.Config{})
	n, err := m.Create(t.Context())
	require.NoError(t, err)
	n.Data = nil
	_, err = hosts.Get[item](n, "item")
	require.ErrorIs(t, err, hosts.ErrNoValue)
	want := item{"pear", 3}
	require.NoError(t, hosts.Put(n, "item", want))
	require.NoError(t, m.Save(t.Context(), n))
	loaded, err := m.Load(t.Context(), n.ID)
	require.NoError(t, err)
	for _, s := range []*hosts.Session{n, loaded} {
		got, err := hosts.Get[item](s, "item")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestRefusedSaveChangesNothing(t *testing.T) {
	m := open(t, nil, hosts.Config{SessionSize: 2048})
	ann := newBrowser()
	ann.login(m, "ann")
	before, err := ann.session(m)
	require.NoError(t, err)
	before.Data["kept"] = "as it was"
	require.NoError(t, m.Save(t.Context(), before))
	record, err := m.store.Load(t.Context(), before.ID)
	require.NoError(t, err)
	for _, c := range []struct {
		change func(n *hosts.Session)
		want   error
		tells  string
	}{
		{func(n *hosts.Session) { n.Data["bad"] = make(chan int) }, core.ErrType, `"bad" of type chan int`},
		{func(n *hosts.Session) { n.Data["bad"] = []any{struct{}{}} }, core.ErrType, "struct {}"},
		{func(n *hosts.Session) { n.Data[""] = 1 }, core.ErrValueName, "1 to 128 bytes"},
		{func(n *hosts.Session) { n.Data[strings.Repeat("n", 129)] = 1 }, core.ErrValueName, "1 to 128 bytes"},
		{func(n *hosts.Session) { n.Data["big"] = make([]byte, 2048) }, core.ErrTooLarge, "2048"},
		{func(n *hosts.Session) { n.ExpiresAt = time.Time{} }, core.ErrLifetime, "ExpiresAt"},
		{func(n *hosts.Session) { n.UserID = strings.Repeat("u", 256) }, core.ErrBadUser, "UserID"},
	} {
		n, err := ann.session(m)
		require.NoError(t, err)
		n.UserID, n.Data["new"] = "ben", 1 // a login too, which must not happen
		good := *n
		c.change(n)
		err = m.Save(t.Context(), n)
		require.ErrorIs(t, err, c.want)
		require.ErrorContains(t, err, c.tells)
		now, err := m.store.Load(t.Context(), n.ID)
		require.NoError(t, err)
		require.Equal(t, record, now)
		*n = good
		for name := range n.Data {
			if name != "kept" {
				delete(n.Data, name)
			}
		}
		n.UserID = "ann" // nothing is left of the login
		require.NoError(t, m.Save(t.Context(), n))
		require.Equal(t, before.ID, n.ID)
	}
}

// Values that fit together are stored whatever the order of the map.
func TestSizesAreJudgedTogether(t *testing.T) {
	m := open(t, nil, hosts.Config{SessionSize: 1024})
	n := m.create()
	n.Data["a"], n.Data["b"] = make([]byte, 900), []byte{}
	require.NoError(t, m.Save(t.Context(), n))
	for range 20 {
		n.Data["a"], n.Data["b"] = n.Data["b"], n.Data["a"]
		require.NoError(t, m.Save(t.Context(), n))
	}
	require.InDelta(t, 900, n.Size(), 20)
}

func TestGrowingLargeIsWarnedAboutOnce(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	n := m.create()
	for i := range 3 {
		n.Data[fmt.Sprint(i)] = make([]byte, 3000)
		require.NoError(t, m.Save(t.Context(), n))
	}
	require.Equal(t, 1, m.log.count("session has grown large"))
	require.Equal(t, 1, m.log.count("limit=65536"))
}

func TestSaveAfterTheEnd(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	x := ann.ask(m)
	own, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	elsewhere, err := m.Load(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, m.Destroy(x, id))
	require.ErrorIs(t, m.Save(x, own), core.ErrEnded)
	require.ErrorIs(t, m.SetCookie(x, own), hosts.ErrNoSecret)
	elsewhere.Data["name"] = 1
	require.ErrorIs(t, m.Save(t.Context(), elsewhere), core.ErrEnded)
	elsewhere.ExpiresAt = elsewhere.ExpiresAt.Add(time.Hour)
	require.ErrorIs(t, m.Save(t.Context(), elsewhere), core.ErrEnded)
	m.gone(id)
	for _, n := range []*hosts.Session{nil, {}} {
		require.ErrorContains(t, m.Save(t.Context(), n), "use Create, Load or GetSessionFromCookie")
	}
	_, err = ann.session(m)
	require.ErrorIs(t, err, core.ErrNoCookie)
}

// A request that came with a cookie from before a login writes nothing into
// the session that has signed in since.
func TestSupersededRequestWritesNothing(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	planted := ann.clone()
	x := planted.ask(m)
	n, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	ann.login(m, "ann")
	n.Data["planted"] = true
	require.ErrorIs(t, m.Save(x, n), core.ErrSuperseded)
	require.NotContains(t, m.data(n.ID), "planted")
	signed, err := m.Login(x, "eve", 0)
	require.NoError(t, err, "a login never fails for being superseded")
	require.NotEqual(t, n.ID, signed.ID)
	require.Empty(t, signed.Data)
}

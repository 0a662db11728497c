package hosts_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

// life plays one of every kind of event.
func (s *site) life(t *testing.T) (first, second *hosts.Session) {
	ann := newBrowser()
	first = ann.login(s, "ann") // created, login, renewed or not
	x := ann.ask(s)
	n, err := s.GetSessionFromCookie(x) // resumed
	require.NoError(t, err)
	n.Data["card"] = "4111-1111"
	require.NoError(t, s.Save(x, n))
	require.NoError(t, s.Renew(x, n))      // renewed
	require.NoError(t, s.Refresh(x, n.ID)) // refreshed
	second, err = s.Login(x, "ben", 0)     // ended, created, login
	require.NoError(t, err)
	require.NoError(t, s.Destroy(x, second.ID)) // ended
	x.Close()
	_, err = s.CleanupExpired(t.Context()) // swept
	require.NoError(t, err)
	forged := newBrowser()
	forged.name, forged.value = s.Policy().CookieName, "x"
	_, err = forged.session(s) // refused
	require.ErrorIs(t, err, core.ErrMalformed)
	return first, second
}

func TestEveryKindOfEvent(t *testing.T) {
	m := open(t, nil, hosts.Config{NoCleanup: true})
	first, second := m.life(t)
	all := m.events(hosts.EventCreated, hosts.EventResumed, hosts.EventLogin, hosts.EventRenewed, hosts.EventRefreshed,
		hosts.EventRefused, hosts.EventEnded, hosts.EventSwept)
	require.Len(t, all, len(m.told), "a kind that is not listed")
	var told []string
	for _, e := range all {
		told = append(told, fmt.Sprintf("%s %s %s %s", e.Kind, e.ID, e.User, e.Reason))
		require.Equal(t, m.clock.Now(), e.At)
		require.Zero(t, e.Dropped)
		if e.Kind != hosts.EventSwept {
			require.Equal(t, "192.0.2.7", e.IP, e.Kind)
			require.Equal(t, "Tests/1.0", e.UserAgent, e.Kind)
		}
	}
	a, b := first.ID.String(), second.ID.String()
	require.Equal(t, []string{
		"session created " + a + " ann none",
		"session login " + a + " ann none",
		"session resumed " + a + " ann none",
		"session renewed " + a + " ann none",
		"session refreshed " + a + " ann none",
		"session ended " + a + "  superseded",
		"session created " + b + " ben none",
		"session login " + b + " ben none",
		"session ended " + b + " ben ended",
		"sessions swept " + core.ID{}.String() + "  none",
		"session refused " + core.ID{}.String() + "  malformed",
	}, told)
	require.ErrorIs(t, all[len(all)-1].Err, core.ErrMalformed)
}

// No event and no log line holds a cookie, a secret, a value or a key.
func TestEventsAndLogsHoldNoSecret(t *testing.T) {
	m := open(t, nil, hosts.Config{WarnSize: 1})
	ann := newBrowser()
	for range 20 {
		m.life(t)
		ann.login(m, "ann")
	}
	require.NoError(t, m.Close())
	text := m.log.String()
	for _, e := range m.told {
		text += fmt.Sprintf("%+v %#v\n", e, e)
	}
	require.Contains(t, text, "ann")
	require.NotContains(t, text, "4111-1111")
	require.NotContains(t, text, string(key.Bytes()))
	for _, c := range ann.set {
		raw, err := base64.RawURLEncoding.DecodeString(c.Value)
		require.NoError(t, err)
		for at := 0; at+12 <= len(c.Value); at += 4 {
			require.NotContains(t, text, c.Value[at:at+12])
		}
		require.NotContains(t, text, string(raw[21:40]))
	}
}

// A hook that stands still loses events, which are counted, and holds nobody up.
func TestSlowHookLosesEventsNotRequests(t *testing.T) {
	var heard, dropped atomic.Uint64
	stand, standing := make(chan struct{}), make(chan struct{}, 1)
	m := open(t, nil, hosts.Config{OnEvent: func(e hosts.Event) {
		select {
		case standing <- struct{}{}:
		default:
		}
		<-stand
		heard.Add(1)
		dropped.Add(e.Dropped)
	}})
	newBrowser().login(m, "ann")
	<-standing
	forged := newBrowser()
	forged.name, forged.value = m.Policy().CookieName, "x"
	const many = 5000
	for range many {
		_, err := forged.session(m)
		require.ErrorIs(t, err, core.ErrMalformed)
	}
	close(stand)
	require.NoError(t, m.Close())
	require.EqualValues(t, many+2, heard.Load()+dropped.Load())
	require.LessOrEqual(t, heard.Load(), uint64(4096+1))
	require.Positive(t, dropped.Load())
}

// The next event that is handed out tells the losses, in the log too.
func TestLossesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stand := make(chan struct{})
		var m *site
		forged := newBrowser()
		first := true
		m = open(t, nil, hosts.Config{OnEvent: func(hosts.Event) {
			if first {
				first = false
				<-stand
			}
		}})
		forged.name, forged.value = m.Policy().CookieName, "x"
		lose := func(n int) {
			for range n {
				_, err := forged.session(m)
				require.ErrorIs(t, err, core.ErrMalformed)
			}
		}
		lose(1)
		synctest.Wait()
		lose(4096 + 7)
		closed := make(chan error)
		go func() { closed <- m.Close() }()
		synctest.Wait()
		close(stand)
		require.NoError(t, <-closed)
		require.Equal(t, 1, m.log.count("dropped=7"), m.log.count("dropped"))
	})
}

func TestHookThatPanicsIsContained(t *testing.T) {
	var heard atomic.Int64
	m := open(t, nil, hosts.Config{OnEvent: func(e hosts.Event) {
		if heard.Add(1)%2 == 1 {
			panic("a nil map, say")
		}
	}})
	for range 3 {
		newBrowser().login(m, "ann")
	}
	require.NoError(t, m.Close())
	require.EqualValues(t, 6, heard.Load())
	require.Equal(t, 3, m.log.count(`msg="sessions: OnEvent panics`))
	require.Equal(t, 3, m.log.count("a nil map, say"))
}

// Close hands out what waits; afterwards nothing is heard.
func TestCloseFlushesEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := 0
		m := open(t, nil, hosts.Config{OnEvent: func(hosts.Event) {
			<-time.After(time.Minute) // of the bubble
			heard++
		}})
		for range 10 {
			newBrowser().login(m, "ann")
		}
		require.NoError(t, m.Close())
		require.Equal(t, 20, heard)
		newBrowser().login(m, "ann")
		synctest.Wait()
		require.Equal(t, 20, heard)
	})
}

func TestEventsInTheLog(t *testing.T) {
	var text bytes.Buffer
	m := open(t, nil, hosts.Config{RenewAfter: 10 * time.Minute, NoCleanup: true, BindIPv4Bits: 32,
		Logger: slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	first, _ := m.life(t)
	moved := newBrowser()
	moved.login(m, "eve")
	thief := moved.clone()
	m.clock.pass(10 * time.Minute)
	_, err := moved.session(m) // renews
	require.NoError(t, err)
	_, err = moved.session(m)
	require.NoError(t, err)
	m.clock.pass(time.Minute)
	_, err = thief.session(m)
	require.ErrorIs(t, err, core.ErrTheft)
	require.NoError(t, m.Close())
	var lines []map[string]any
	for line := range strings.Lines(text.String()) {
		var l map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		delete(l, "time")
		lines = append(lines, l)
	}
	id := first.ID.String()
	require.Contains(t, lines, map[string]any{"level": "INFO", "msg": "session login", "session": id, "user": "ann", "ip": "192.0.2.7"})
	require.Contains(t, lines, map[string]any{"level": "DEBUG", "msg": "session resumed", "session": id, "user": "ann", "ip": "192.0.2.7"})
	require.Contains(t, lines, map[string]any{"level": "DEBUG", "msg": "sessions swept", "count": 0.0})
	require.Contains(t, lines, map[string]any{"level": "INFO", "msg": "session refused", "ip": "192.0.2.7", "reason": "malformed",
		"error": core.ErrMalformed.Error()})
	last := lines[len(lines)-1]
	require.Equal(t, "WARN", last["level"])
	require.Equal(t, "theft", last["reason"])
	require.Equal(t, "eve", last["user"])
}

// A logger that wants less hears less, and a manager without one is silent
// but for warnings.
func TestLogLevels(t *testing.T) {
	var text bytes.Buffer
	m := open(t, nil, hosts.Config{Logger: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	m.life(t)
	m.signedIn(1, "ann")
	require.NoError(t, m.Close())
	require.Empty(t, text.String())
	require.NotEmpty(t, m.told)

	usual := slog.Default()
	defer slog.SetDefault(usual)
	slog.SetDefault(slog.New(slog.NewTextHandler(&text, nil)))
	quiet, err := hosts.New(memory(t), hosts.Config{Key: key})
	require.NoError(t, err)
	b := newBrowser()
	b.plain, b.ip = true, netip.Addr{}
	_, err = quiet.Login(b.asking(t.Context(), quiet), "ann", 0)
	require.NoError(t, err)
	require.NoError(t, quiet.Close())
	require.Equal(t, 1, strings.Count(text.String(), "\n"), text.String())
	require.Contains(t, text.String(), "level=WARN")
}

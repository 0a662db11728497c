package demo

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rockstar-web/sessions"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/console"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

const maxShown = 300 // bytes of a value on the page

type preferences struct {
	Theme   string    `session:"theme"`
	Changed time.Time `session:"changed"`
}

var (
	themes     = []string{"auto", "light", "dark"}
	chosen     = sessions.Value[preferences]("preferences").LastWins() // a nested map
	remembered = sessions.Value[bool]("remember")
)

// preferencesOf falls back to the defaults for whatever is not there.
func preferencesOf(v *nethttp.Session) preferences {
	p, err := chosen.Get(v)
	if err != nil || !slices.Contains(themes, p.Theme) {
		p.Theme = themes[0]
	}
	return p
}

type shownValue struct {
	Name, Type, Text string
}

type sessionPage struct {
	Stored                               bool
	ID                                   core.ID
	Created, Login, Seen, Ends, IdleEnds time.Time
	HasIdle, Remembered                  bool
	IP, UserAgent, Device                string
	DataSize, DataLimit                  int
	CookieName                           string
	CookieSize, CookieLimit              int
	Values                               []shownValue
	Themes                               []string
	Store, Retention                     string
	Cleanup                              string // empty where the store forgets by itself
}

func (s *site) sessionPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	p := s.manager.Policy()
	out := sessionPage{
		Stored: v.Stored(), ID: v.ID(),
		Created: v.CreatedAt(), Login: v.LoginAt(), Seen: v.LastSeenAt(), Ends: v.ExpiresAt(), IdleEnds: v.IdleExpiresAt(),
		HasIdle: p.IdleTimeout != 0, IP: v.IPAddress().String(), UserAgent: v.UserAgent(), Device: console.DeviceOf(v.UserAgent()),
		DataSize: v.Size(), DataLimit: p.SessionSize, CookieName: p.CookieName, CookieSize: s.cookieSize(r),
		CookieLimit: core.MaxCookieSize, Themes: themes, Store: s.backend,
		Retention: left(time.Duration(p.Retention) * time.Millisecond),
	}
	if _, sweeps := hosts.As[hosts.Sweeper](s.manager.Store()); sweeps {
		out.Cleanup = left(s.cleanup)
	}
	if out.Remembered, err = remembered.Get(v); err != nil {
		s.failed(w, r, err)
		return
	}
	for _, name := range slices.Sorted(slices.Values(v.Names())) {
		if name == "flash" {
			continue // this page takes it
		}
		value, err := v.Get(name)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		out.Values = append(out.Values, shownValue{name, typeName(value), valueText(value)})
	}
	s.show(w, r, http.StatusOK, "session", "This session", out)
}

// inMemory is where sessions end with the process.
const inMemory = "the server's memory"

// backendOf says where sessions are, without what an address may give away.
func backendOf(store string) string {
	scheme, _, _ := strings.Cut(store, ":")
	kind, _, _ := strings.Cut(scheme, "+")
	switch kind {
	case "memory", "cache":
		return inMemory
	case "file", "filesystem":
		return "a file on the server"
	case "postgres", "postgresql":
		return "PostgreSQL"
	case "mysql", "mariadb":
		return "MySQL"
	case "redis", "rediss":
		return "Redis"
	}
	return "a database file on the server"
}

func (s *site) postRefresh(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		err = v.Refresh()
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, "/session", "refreshed")
}

func (s *site) postPreferences(w http.ResponseWriter, r *http.Request) {
	theme := r.PostForm.Get("theme")
	if !slices.Contains(themes, theme) {
		s.trouble(w, r, http.StatusBadRequest, "There is no such theme.", "bad_value")
		return
	}
	v, err := nethttp.From(r)
	if err == nil {
		err = chosen.Put(v, preferences{theme, s.now()})
	}
	if err != nil {
		s.pageTrouble(w, r, err)
		return
	}
	s.again(w, r, "/session", "preferences")
}

package hosts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// Config sets up a Manager. Only a key is required: every other zero value is
// the safe default that stands in brackets. A bad value is refused by New with
// the field, the value and what is allowed.
type Config struct {
	Key  core.Secret  // of 32 bytes, or their 64 hexadecimal digits (openssl rand -hex 32): KeyFromEnv, core.ParseKey, core.NewSecret
	Keys core.KeyRing // instead of Key, to rotate keys

	CookieName    string // [rockstar_session]; __Host-Http-name is recommended
	CookiePath    string // [/]
	CookieDomain  string // [none: this host only]
	AllowInsecure bool   // leaves out Secure: for plain HTTP in development
	// SecureByRequest sets Secure on answers to requests that came by HTTPS, here
	// or at a trusted proxy, and on no others: for programs that serve both.
	SecureByRequest bool
	AllowScripts    bool          // leaves out HttpOnly
	SameSite        core.SameSite // [Lax]
	Partitioned     bool
	EndWithBrowser  bool         // sessions without a lifetime of their own end when the browser is closed
	FormerScopes    []core.Scope // where the cookie lived before; expired there, too

	Lifetime          time.Duration // [24 h]
	AnonymousLifetime time.Duration // [1 h] while nobody is signed in
	MaxLifetime       time.Duration // [400 days] since the login, whatever refreshes
	IdleTimeout       time.Duration // [none]
	RenewAfter        time.Duration // [off] age of a secret at which it is renewed
	RenewGrace        time.Duration // [30 s]
	Retention         time.Duration // [1 h] for which expired records stay, so that the reason is known
	CleanupInterval   time.Duration // [1 h]; NoCleanup leaves it to CleanupExpired
	NoCleanup         bool
	CommitTimeout     time.Duration // [5 s] for storing a request's changes, also when it was aborted; loads end with their context

	BindIPv4Bits  int  // [off] 32: the address must stay; 24: its network
	BindIPv6Bits  int  // [off] 128, or 64 for the network
	BindUserAgent bool // the user agent must stay

	// MaxPerUser limits the live sessions of one user of a tenant [no limit]. AtLimit says
	// what a login beyond it does [EndOldest]. The store must be a Finder: each login
	// searches it once, and twice with Refuse.
	MaxPerUser int
	AtLimit    AtLimit

	// DeviceOf names the kind of device that a user agent stands for, such as
	// console.DeviceOf: "Chrome on macOS". Set, it makes a login with a kind that none of
	// the user's other live sessions has an EventNewDevice [off]. The store must be a
	// Finder: each login searches it once, for MaxPerUser as well.
	DeviceOf func(userAgent string) string

	// Credentials returns a stamp of everything whose change ends the sessions of a user,
	// such as their password's hash and roles, joined by fmt.Sprintf with %q. If it differs
	// from the stamp of the login, the session has ended: 401 with the reason
	// credentials_changed. An empty stamp means that there is no such user. It is called
	// for each request of a signed-in visitor, and again before the request's changes are
	// stored; its error is a 503. ctx has no session.
	Credentials func(ctx context.Context, tenant, user string) (stamp string, err error)
	// CredentialsCache is how long an answer of Credentials is cached [not at all]. For
	// that time an old session may go on after a change.
	CredentialsCache time.Duration

	SessionSize int // [64 KiB] limit of all data of one session
	WarnSize    int // [4 KiB] a warning is logged when a session passes it

	// Cache is for sessions.New: the bytes of memory for a cache in front of the store, so
	// that reads need no store call, and logouts are still final [off]. Programs that call
	// hosts.New wrap the store in a cachestore.Cached instead.
	Cache int64
	// Owned is closed with the manager, after it: a cache that was made for it alone.
	Owned io.Closer

	Merge     map[string]core.MergeKind // names whose concurrent changes add up
	Exclusive []string                  // names that must not have changed underneath

	// LastWins names values that may be put from one which another request has
	// changed since it was read; LastWinsAll allows it for every name.
	LastWins    []string
	LastWinsAll bool

	Logger  *slog.Logger // [slog.Default, for warnings only] when set, events too
	OnEvent func(Event)  // called from one goroutine; a slow one loses events, not requests; a panic is logged
	// Observer is called when commits and calls of the store begin and end, to measure and
	// trace them [none]: that of hosts/metrics or hosts/otel, or both by Observers.
	Observer Observer
	Clock    Clock                                           // [the system's]
	Entropy  Entropy                                         // [crypto/rand] read by one goroutine at a time
	Engine   func(core.Policy, core.KeyRing) (Engine, error) // [the core natively] what decides, such as the core as WebAssembly
}

// Defaults of a Config that the core's policy does not have.
const (
	DefaultCleanupInterval = time.Hour
	DefaultCommitTimeout   = 5 * time.Second
	DefaultKeyVariable     = "SESSION_ENCRYPTION_KEY"
	DefaultKeysVariable    = "SESSION_ENCRYPTION_KEYS" // of several keys
	DevelopmentVariable    = "SESSION_DEVELOPMENT"     // see sessions.DevelopmentVariable
)

// ConfigError names the field of a Config that is refused, and what is allowed.
type ConfigError = core.PolicyError

// engine makes what decides from the config's policy and keys.
func (c *Config) engine() (Engine, error) {
	keys := c.Keys
	switch {
	case !c.Key.IsZero() && len(c.Keys) > 0:
		return nil, &ConfigError{Field: "Key", Value: "set", Allowed: "either Key or Keys"}
	case !c.Key.IsZero():
		keys = core.KeyRing{{Bytes: c.Key}}
	}
	configure := c.Engine
	if configure == nil {
		configure = native
	}
	m, err := configure(core.Policy{
		CookieName: c.CookieName, CookiePath: c.CookiePath, CookieDomain: c.CookieDomain,
		AllowInsecure: c.AllowInsecure, AllowScripts: c.AllowScripts, SameSite: c.SameSite,
		Partitioned: c.Partitioned, EndWithBrowser: c.EndWithBrowser, FormerScopes: slices.Clone(c.FormerScopes),
		Lifetime: core.Milliseconds(c.Lifetime), AnonymousLifetime: core.Milliseconds(c.AnonymousLifetime), MaxLifetime: core.Milliseconds(c.MaxLifetime),
		IdleTimeout: core.Milliseconds(c.IdleTimeout), RenewAfter: core.Milliseconds(c.RenewAfter), RenewGrace: core.Milliseconds(c.RenewGrace),
		Retention: core.Milliseconds(c.Retention), BindIPv4Bits: c.BindIPv4Bits, BindIPv6Bits: c.BindIPv6Bits,
		BindUserAgent: c.BindUserAgent, SessionSize: c.SessionSize, WarnSize: c.WarnSize,
		Merge: maps.Clone(c.Merge), Exclusive: slices.Clone(c.Exclusive),
		SecureByRequest: c.SecureByRequest, LastWins: slices.Clone(c.LastWins), LastWinsAll: c.LastWinsAll,
	}, keys)
	if errors.Is(err, core.ErrKeyLength) && !c.Key.IsZero() {
		return nil, fmt.Errorf("config field Key: %w, found %d", err, len(c.Key.Bytes()))
	}
	if err != nil {
		return nil, fmt.Errorf("session config: %w", err)
	}
	return m, nil
}

func (c *Config) fill() error {
	for _, d := range []struct {
		field     string
		value     *time.Duration
		otherwise time.Duration
	}{
		{"CleanupInterval", &c.CleanupInterval, DefaultCleanupInterval},
		{"CommitTimeout", &c.CommitTimeout, DefaultCommitTimeout},
	} {
		if *d.value < 0 {
			return fmt.Errorf("session config: %w", &ConfigError{Field: d.field, Value: d.value.String(), Allowed: "a positive duration; zero for the default of " + d.otherwise.String()})
		}
		if *d.value == 0 {
			*d.value = d.otherwise
		}
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	return c.checkCredentials()
}

type systemClock struct{}

func (systemClock) Now() core.Time { return core.TimeOf(time.Now()) }

// addressBytes is how the core keeps an address: 4 or 16 bytes, or none.
func addressBytes(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return string(b[:])
	}
	b := a.As16()
	return string(b[:])
}

func addressText(b string) string {
	if a, ok := netip.AddrFromSlice([]byte(b)); ok {
		return a.String()
	}
	return ""
}

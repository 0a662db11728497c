package core

import "slices"

// SameSite is the cookie attribute of that name (RFC 6265bis). Its zero value
// is Lax.
type SameSite uint8

// The values of SameSite.
const (
	SameSiteLax SameSite = iota
	SameSiteStrict
	SameSiteNone // needs Secure
)

// Scope is where a cookie lives in a browser.
type Scope struct{ Path, Domain string }

// MergeKind says how concurrent changes of one value add up.
type MergeKind uint8

// The kinds of merge. Names without one follow the later commit.
const (
	MergeCounter MergeKind = iota + 1 // int and int64: both differences are applied
	MergeSet                          // []string and []any: both requests' additions and removals
)

// Policy is everything that the core decides by. Its zero value is safe and
// complete: NewMachine fills in the defaults that stand in brackets.
type Policy struct {
	CookieName     string   // [rockstar_session]; a prefix such as __Host-Http- or __Secure- is held to its rules
	CookiePath     string   // [/]
	CookieDomain   string   // [none: this host only]
	AllowInsecure  bool     // leaves out Secure: for plain HTTP in development
	AllowScripts   bool     // leaves out HttpOnly
	SameSite       SameSite // [Lax]
	Partitioned    bool     // CHIPS; needs Secure. With it, or with SameSiteNone, the cookie's other kind is expired
	EndWithBrowser bool     // a cookie without Max-Age, but for sessions with a lifetime of their own: they are remembered
	// SecureByRequest sets Secure on answers to requests that came by HTTPS and
	// on no others, for programs that serve both.
	SecureByRequest bool
	FormerScopes    []Scope // also expired whenever the cookie is set or cleared: none is the present one, in no spelling

	Lifetime          Time // [24 h] of a signed-in session, moved on by Refresh
	AnonymousLifetime Time // [1 h] of a session without a user
	MaxLifetime       Time // [400 days] no refresh goes past this since the login
	IdleTimeout       Time // [none]
	RenewAfter        Time // [off] age of a secret at which it is renewed
	RenewGrace        Time // [30 s] for which the previous secret lives on: longer than any message travels
	Retention         Time // [1 h] for which a record outlives its expiry, so that the reason can be told

	BindIPv4Bits  int  // [off] leading bits of an IPv4 address that must stay; see ErrIPFamily
	BindIPv6Bits  int  // [off] the same for IPv6
	BindUserAgent bool // the user agent must stay

	SessionSize int // [64 KiB] of all names and values, in bytes
	WarnSize    int // [4 KiB]

	Merge       map[string]MergeKind
	Exclusive   []string // names that must not have changed underneath
	LastWins    []string // names that may be put from a value which has changed since it was read
	LastWinsAll bool     // every name may, but for those in Exclusive
}

func (p *Policy) exclusive(name string) bool { return slices.Contains(p.Exclusive, name) }

func (p *Policy) lastWins(name string) bool {
	return slices.Contains(p.LastWins, name) || p.LastWinsAll && !p.exclusive(name)
}

// The defaults of a Policy.
const (
	DefaultCookieName        = "rockstar_session"
	DefaultLifetime          = 24 * Hour
	DefaultAnonymousLifetime = Hour
	DefaultRenewGrace        = 30 * Second
	DefaultRetention         = Hour
	DefaultSessionSize       = 64 << 10
	DefaultWarnSize          = 4 << 10
)

// PolicyError tells which field of a Policy is refused, and what is allowed.
type PolicyError struct{ Field, Value, Allowed string }

func (e *PolicyError) Error() string {
	return e.Field + " is " + quote(e.Value) + "; allowed: " + e.Allowed
}

func (p Policy) withDefaults() Policy {
	if p.CookieName == "" {
		p.CookieName = DefaultCookieName
	}
	if p.CookiePath == "" {
		p.CookiePath = "/"
	}
	p.Lifetime = orDefault(p.Lifetime, DefaultLifetime)
	p.AnonymousLifetime = orDefault(p.AnonymousLifetime, min(DefaultAnonymousLifetime, p.Lifetime))
	p.MaxLifetime = orDefault(p.MaxLifetime, MaxLifetime)
	p.RenewGrace = orDefault(p.RenewGrace, DefaultRenewGrace)
	p.Retention = orDefault(p.Retention, DefaultRetention)
	p.SessionSize = orDefault(p.SessionSize, DefaultSessionSize)
	p.WarnSize = orDefault(p.WarnSize, DefaultWarnSize)
	return p
}

func orDefault[T int | Time](given, otherwise T) T {
	if given == 0 {
		return otherwise
	}
	return given
}

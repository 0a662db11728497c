package core

// Request is what the core wants to know of the request that a session is in.
type Request struct {
	Tenant    string // resolved by the host
	AnyTenant bool   // the caller acts for no tenant: operators, background work
	IP        string // 4 or 16 bytes, not text; empty if unknown
	UserAgent string // bytes as they came
	NoCookie  bool   // a periodic renewal must not begin here: HEAD, prefetch, upgrade, headers sent
	HTTPS     bool   // it came by HTTPS, for Policy.SecureByRequest

	// Superseded: its cookie was refused with Refusal.Recent, so that the
	// browser may have a later one by now. Only a login begins a session.
	Superseded bool
	// SignIn: its session was refused with ErrIPFamily, and a Login may follow,
	// for which alone Resume opens it, and New begins one in its place.
	SignIn bool
	// CrossSite is how it came without a cookie of the session, if another site
	// sent it. The browser may hold one: see Policy.SameSite.
	CrossSite CrossSite
}

// CrossSite says that a request came from another site, by Fetch Metadata.
type CrossSite uint8

// The kinds of request in which a browser leaves out cookies with SameSite.
const (
	CrossSiteNone       CrossSite = iota // it came from this site, or nobody says from where
	CrossSiteNavigation                  // a top-level navigation by GET or HEAD: Lax cookies are sent
	CrossSiteOther                       // any other: only cookies with SameSite=None are
	crossSites
)

// Barred returns why this request must not begin a session, but by a login: the
// browser may hold the cookie of one that it did not send, which a new cookie
// would replace. It is ErrSuperseded, ErrCrossSite or nil.
func (s *Session) Barred() error {
	p := &s.m.policy
	switch {
	case s.state != StateNew || s.login:
		return nil
	case s.req.Superseded:
		return ErrSuperseded
	case s.req.SignIn:
		return ErrIPFamily
	case p.SameSite == SameSiteNone || p.Partitioned:
		return nil
	case s.req.CrossSite == CrossSiteOther, s.req.CrossSite == CrossSiteNavigation && p.SameSite == SameSiteStrict:
		return ErrCrossSite
	}
	return nil
}

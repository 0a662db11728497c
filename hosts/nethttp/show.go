package nethttp

import (
	"net/netip"
	"time"

	"github.com/rockstar-web/sessions/core"
)

// CreatedAt returns when the session began; the zero Time while it is new, as
// with the other times.
func (v *Session) CreatedAt() time.Time { return view(v, at((*core.Session).CreatedAt)) }

// LoginAt returns when the user signed in; the zero Time if nobody has.
func (v *Session) LoginAt() time.Time { return view(v, at((*core.Session).LoginAt)) }

// LastSeenAt returns the last use that was noted before this request's: uses
// are noted at most sixteen times in an idle timeout.
func (v *Session) LastSeenAt() time.Time { return view(v, at((*core.Session).SeenAt)) }

// ExpiresAt returns the end of the lifetime, which only Refresh and a login
// move.
func (v *Session) ExpiresAt() time.Time { return view(v, at((*core.Session).Deadline)) }

// IdleExpiresAt returns when the session ends without further use: ExpiresAt
// where there is no idle timeout.
func (v *Session) IdleExpiresAt() time.Time { return view(v, at((*core.Session).ExpiresAt)) }

// IPAddress returns the address of the creating request; it is not valid where
// that was unknown.
func (v *Session) IPAddress() netip.Addr {
	return view(v, func(s *core.Session) netip.Addr {
		a, _ := netip.AddrFromSlice([]byte(s.IP()))
		return a
	})
}

// UserAgent returns the user agent of the creating request.
func (v *Session) UserAgent() string { return view(v, (*core.Session).UserAgent) }

// Size returns the bytes of all names and values, which Config.SessionSize bounds.
func (v *Session) Size() int { return view(v, (*core.Session).Size) }

func at(f func(*core.Session) core.Time) func(*core.Session) time.Time {
	return func(s *core.Session) time.Time {
		if t := f(s); t != 0 {
			return time.UnixMilli(int64(t))
		}
		return time.Time{}
	}
}

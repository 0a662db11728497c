package nethttp

import (
	"context"

	"github.com/rockstar-web/sessions/hosts"
)

// SignOutEverywhere ends every session of the signed-in user in this tenant, this
// one included and last, and returns how many there were. After an error it may be
// called once more: this session lives until the others have ended. It needs a
// store that is a hosts.Finder (else hosts.ErrNoFinder), and somebody who is signed
// in (else ErrNotSignedIn).
func (v *Session) SignOutEverywhere(ctx context.Context) (ended int, err error) {
	own := v.Stored()
	if ended, err = v.endOthers(ctx); err != nil {
		return ended, err
	}
	if err := v.Destroy(); err != nil {
		return ended, err
	}
	if own {
		ended++
	}
	return ended, nil
}

// SignOutOthers ends every other session of the signed-in user in this tenant and
// returns how many there were. This session gets a new secret, so that a stolen
// copy of its cookie ends, too: call it before the answer begins, or it does
// nothing and returns ErrHeadersSent. It needs what SignOutEverywhere needs.
func (v *Session) SignOutOthers(ctx context.Context) (ended int, err error) {
	if v.User() == "" {
		return 0, ErrNotSignedIn
	}
	if err := v.Renew(); err != nil {
		return 0, err
	}
	return v.endOthers(ctx)
}

func (v *Session) endOthers(ctx context.Context) (int, error) {
	user, tenant, id := v.User(), v.Tenant(), v.ID()
	if user == "" {
		return 0, ErrNotSignedIn
	}
	return v.request.middleware.manager.Revoke(ctx, hosts.Query{Tenant: tenant, User: user}, id)
}

package migrate

import (
	"context"
	"errors"
	"net/http"

	"github.com/rockstar-web/sessions/core"
)

// answer is the Reply of a request with an old cookie: with the session of ours
// ends the old one.
func (a *arrival) answer(field, value string) error {
	err := a.reply(field, value)
	if field != "Set-Cookie" || a.over || !a.ends(value) {
		return err
	}
	if failed := a.read(a.x); failed != nil {
		return errors.Join(err, a.failed("read an old session", failed))
	}
	return errors.Join(err, a.bury(a.x))
}

// ends reports whether a cookie that is set means that the request's session is over: it
// is removed, or is of another session and the user's is gone.
func (a *arrival) ends(value string) bool {
	manager := a.mw.Manager()
	p := manager.Policy()
	c, err := http.ParseSetCookie(value)
	switch {
	case err != nil || c.Name != p.CookieName:
		return false
	case c.MaxAge < 0:
		return c.Path == p.CookiePath && c.Domain == p.CookieDomain // and not where it lived before
	case a.ours == nil || a.ours.User() == "":
		return false
	}
	tickets, err := manager.Engine().Identify([]string{c.Name + "=" + c.Value}, a.x.Tenant, manager.Now())
	if err != nil || tickets[0].ID == a.ours.ID() {
		return false
	}
	r, err := manager.Store().Load(a.x, a.ours.ID())
	return errors.Is(err, core.ErrNotFound) || err == nil && r.User != a.ours.User()
}

// bury ends the old session for good: nothing becomes of it any more, its store
// has it no longer, and neither has the browser.
func (a *arrival) bury(ctx context.Context) error {
	a.over = true
	a.expire()
	if a.old == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := a.books.bury(ctx, a.x.Tenant, a.old); err != nil {
		return a.failed("end a moved session", err)
	}
	return a.failed("end an old session", a.o.Source.End(ctx, a.old.Token))
}

// drop ends the old session in its store and in the browser, and leaves what it has
// become alive: the browser has sent our cookie. A failure is no reason to fail the
// request: the browser sends the old cookie again.
func (a *arrival) drop() {
	if a.o.KeepOld || a.over {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.x), endTime)
	defer cancel()
	if err := a.read(ctx); err != nil || a.old == nil {
		_ = a.failed("read an old session", err)
		return
	}
	if err := a.books.shut(ctx, a.x.Tenant, a.old); err != nil {
		_ = a.failed("close an old session", err)
		return
	}
	if err := a.o.Source.End(ctx, a.old.Token); err != nil {
		_ = a.failed("end an old session", err)
		return
	}
	a.expire()
}

// expire removes the old cookie from the browser, where it was set. Too late for
// that is no failure: what the cookie is of has ended.
func (a *arrival) expire() {
	c := a.cookie
	c.Value, c.MaxAge = "", -1
	_ = a.reply("Set-Cookie", c.String())
	_ = a.reply("Cache-Control", "no-store")
}

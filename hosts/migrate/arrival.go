package migrate

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
)

// endTime bounds what is done after the client may have gone.
const endTime = 5 * time.Second

// arrival is one request with an old cookie. It is used under the lock of the
// request's session.
type arrival struct {
	*Mover
	x     *hosts.Request
	r     *http.Request
	reply func(field, value string) error // the request's own
	old   *Old
	load  load
	ours  *core.Session // that the request's own cookie is of, or that it has got
	deeds core.Effects  // of the session that was planted last
	over  bool          // the old session was ended
}

// await has the old session moved when the request's session is asked for.
func (m *Mover) await(x *hosts.Request, r *http.Request) {
	if x.Arriving != nil {
		return // a Handler around this one sees to it
	}
	a := &arrival{Mover: m, x: x, r: r, reply: x.Reply}
	x.Arriving, x.Reply = a.arrive, a.answer
}

// arrive gives the visitor who has no session of ours, or only an anonymous one,
// the session that the old one has become.
func (a *arrival) arrive(x *hosts.Request) error {
	manager := a.mw.Manager()
	ours, err := manager.Resume(x)
	var refusal *core.Refusal
	if err != nil && !errors.As(err, &refusal) {
		return err
	}
	a.ours = ours
	if ours != nil && ours.User() != "" {
		a.drop()
		return nil
	}
	if err := a.read(x); err != nil || a.old == nil {
		return a.failed("read an old session", err)
	}
	if ours == nil && manager.New(x).Barred() != nil {
		return nil // the browser may have a cookie of ours that it did not send
	}
	if a.old.Values != nil {
		if a.load = a.pack(a.old); a.load.user == "" && len(a.load.items) == 0 {
			return nil
		}
	}
	n, planted, err := a.books.enter(x, x.Tenant, a.old, a.plant)
	switch {
	case errors.Is(err, errNothing):
		return nil
	case errors.Is(err, errOver):
		return a.bury(x)
	case err != nil:
		return a.failed("move an old session", err)
	}
	if planted {
		a.nobody(a.old, a.load)
		manager.Tell(x, &a.deeds)
	}
	return a.adopt(n)
}

// read loads the old session, once. One that has expired has no values.
func (a *arrival) read(ctx context.Context) (err error) {
	if a.old != nil {
		return nil
	}
	old, err := a.o.Source.Load(ctx, a.r)
	if errors.Is(err, ErrUnreadable) || errors.Is(err, ErrNotOpened) {
		a.unread(err)
		return nil
	}
	if err != nil || old == nil {
		return err
	}
	if core.TimeOf(old.Expires) <= a.mw.Manager().Now() {
		old.Values = nil
	}
	a.old = old
	return nil
}

func (a *arrival) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return a.mw.Manager().Unavailable(what, err)
}

// plant makes the session that the old one becomes: a planter.
func (a *arrival) plant(seed core.Seed) (*core.Record, error) {
	manager := a.mw.Manager()
	s := manager.New(a.x)
	if err := a.fill(s); err != nil {
		return nil, err
	}
	e, err := manager.Engine().Commit(s, manager.Now(), seed)
	if err != nil {
		return nil, err
	}
	if e.Save == nil { // none of the values had room
		return nil, errNothing
	}
	a.deeds = e
	return e.Save, nil
}

// fill puts into a session what moves, and what the visitor's session of ours has
// beside it.
func (a *arrival) fill(s *core.Session) error {
	begin := func(lifetime core.Time) error { return s.Login(a.load.user, lifetime) }
	if a.load.user == "" {
		begin = s.SetLifetime
	}
	if err := begin(a.lifetime()); err != nil {
		return err
	}
	for _, v := range a.load.items {
		if err := s.SetValue(v.name, v.raw); err != nil {
			a.unfit(v.name, err)
		}
	}
	if a.ours == nil {
		return nil
	}
	for _, name := range a.ours.Names() {
		if _, ok := s.Value(name); ok {
			continue
		}
		raw, _ := a.ours.Value(name)
		if err := s.SetValue(name, raw); err != nil {
			a.unfit(name, err)
		}
	}
	return nil
}

// lifetime of what is moved now.
func (a *arrival) lifetime() core.Time {
	manager := a.mw.Manager()
	rest := core.TimeOf(a.old.Expires) - manager.Now()
	if a.o.Lifetime != 0 {
		rest = core.Milliseconds(a.o.Lifetime)
	}
	return min(max(rest, 1), manager.Policy().MaxLifetime)
}

// adopt makes the session of a nonce the request's.
func (a *arrival) adopt(n nonce) error {
	manager, now := a.mw.Manager(), a.mw.Manager().Now()
	ticket, pair, err := a.mint(n, now)
	if err != nil {
		return err
	}
	r, err := manager.Store().Load(a.x, ticket.ID)
	if errors.Is(err, core.ErrNotFound) {
		return a.bury(a.x)
	}
	if err != nil {
		return a.failed("load a moved session", err)
	}
	s, err := manager.Engine().Resume(ticket, r, a.x.Core(), now)
	switch {
	case errors.Is(err, core.ErrExpired) || errors.Is(err, core.ErrIdle):
		return a.bury(a.x)
	case errors.Is(err, core.ErrTheft):
		return nil // the browser has, or had, a later cookie: no reason to end the session
	case err == nil && a.ours != nil && a.ours.ID() == s.ID():
		a.drop()
		return a.signIn()
	case err == nil && a.ours != nil && s.User() == "":
		return nil // the visitor's own is as good
	case err == nil:
		if err := a.give(s, now); err != nil {
			return err
		}
	}
	a.x.Cookies = hosts.CookieFields(pair)
	if a.ours, err = manager.Resume(a.x); err == nil {
		return a.signIn()
	}
	var refusal *core.Refusal
	if errors.As(err, &refusal) {
		return nil // as if the browser had sent it
	}
	return err
}

// mint makes the cookie that the session of a nonce was given first.
func (a *arrival) mint(n nonce, now core.Time) (t core.Ticket, pair string, err error) {
	engine, seed := a.mw.Manager().Engine(), a.books.seed(a.old.Token, n)
	s := engine.New(core.Request{Tenant: a.x.Tenant})
	if err := s.Keep(seed); err != nil {
		return t, "", err
	}
	e, err := engine.Commit(s, now, seed)
	if err != nil {
		return t, "", err
	}
	for _, set := range e.Cookies {
		c, err := http.ParseSetCookie(set)
		if err != nil || c.Value == "" {
			continue // where the cookie lived before
		}
		pair = c.Name + "=" + c.Value
		tickets, err := engine.Identify([]string{pair}, a.x.Tenant, now)
		if err != nil {
			return t, "", err
		}
		return tickets[0], pair, nil
	}
	return t, "", errors.New("migrate: the manager's engine sets no cookie for a new session")
}

// give sets the cookie of a moved session. Where it is too late for that the next
// request is given it.
func (a *arrival) give(s *core.Session, now core.Time) error {
	var seed core.Seed
	rand.Read(seed[:])
	cookies, err := a.mw.Manager().Engine().Cookie(s, now, seed)
	for _, c := range cookies {
		_ = a.reply("Set-Cookie", c)
	}
	_ = a.reply("Cache-Control", "no-store")
	return err
}

// signIn follows a login at a server with the old code: the session was moved
// while nobody was signed in.
func (a *arrival) signIn() error {
	if a.ours.User() != "" || a.load.user == "" {
		return nil
	}
	manager := a.mw.Manager()
	stamp, err := manager.StampOf(a.x, a.x.Tenant, a.load.user)
	if err != nil {
		return err
	}
	l := hosts.Login{Lifetime: time.Duration(a.lifetime()) * time.Millisecond, Stamp: core.NewSecret(stamp)}
	if err := manager.SignIn(a.x, a.load.user, l); errors.Is(err, hosts.ErrNoStamp) {
		return nil // there is no such user any more
	} else if err != nil {
		return err
	}
	s := a.x.Current()
	for _, v := range a.load.items {
		if err := s.SetValue(v.name, v.raw); err != nil {
			a.unfit(v.name, err)
		}
	}
	s, err = manager.Commit(a.x, s)
	a.ours = s
	return err
}

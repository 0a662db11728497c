package hosts_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/stretchr/testify/require"
)

func TestVerbsByIDWithAndWithoutARequest(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	x := ann.ask(m)
	for _, ctx := range []context.Context{t.Context(), x, context.WithValue(x, whoKey{}, 1)} {
		require.NoError(t, m.Set(ctx, id, "a", 1))
		require.NoError(t, m.Set(ctx, id, "b", []string{"x"}))
		v, err := m.Get(ctx, id, "b")
		require.NoError(t, err)
		require.Equal(t, []string{"x"}, v)
		require.NoError(t, m.Delete(ctx, id, "a"))
		require.NoError(t, m.Delete(ctx, id, "a"))
		_, err = m.Get(ctx, id, "a")
		require.ErrorIs(t, err, hosts.ErrNoValue)
		require.NoError(t, m.Clear(ctx, id))
		_, err = m.Get(ctx, id, "b")
		require.ErrorIs(t, err, hosts.ErrNoValue)
		ok, err := m.IsValid(ctx, id)
		require.True(t, ok && err == nil)
		ok, err = m.IsExpired(ctx, id)
		require.False(t, ok || err != nil)
		require.NoError(t, m.Refresh(ctx, id))
	}
	missing := core.ID{1}
	for _, err := range []error{
		m.Set(x, missing, "a", 1), m.Delete(x, missing, "a"), m.Clear(x, missing), m.Refresh(x, missing),
		func() error { _, err := m.Get(x, missing, "a"); return err }(),
		func() error { _, err := m.IsExpired(x, missing); return err }(),
	} {
		require.ErrorIs(t, err, core.ErrNotFound)
	}
	m.clock.pass(24 * time.Hour)
	ok, err := m.IsExpired(t.Context(), id)
	require.True(t, ok && err == nil)
	ok, err = m.IsValid(t.Context(), id)
	require.False(t, ok || err != nil)
	require.NoError(t, m.Store().(interface{ Close() error }).Close())
	_, err = m.IsValid(t.Context(), id)
	require.ErrorIs(t, err, hosts.ErrClosed)
	_, err = m.IsExpired(t.Context(), id)
	require.ErrorIs(t, err, hosts.ErrClosed)
	require.ErrorIs(t, err, hosts.ErrUnavailable)
}

func TestNoAnswerAndNoSecret(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	id := ann.login(m, "ann").ID
	mute := ann.ask(m)
	mute.Reply = nil
	own, err := m.GetSessionFromCookie(mute)
	require.NoError(t, err)
	for _, ctx := range []context.Context{t.Context(), mute} {
		_, err := m.Login(ctx, "ann", 0)
		require.ErrorIs(t, err, hosts.ErrNoAnswer)
		require.ErrorIs(t, m.Renew(ctx, own), hosts.ErrNoAnswer)
		require.ErrorIs(t, m.SetCookie(ctx, own), hosts.ErrNoAnswer)
		require.ErrorIs(t, m.ClearCookie(ctx), hosts.ErrNoAnswer)
	}
	_, err = ann.session(m)
	require.NoError(t, err, "nothing of it was stored")
	_, err = m.GetSessionFromCookie(t.Context())
	require.ErrorContains(t, err, "pass the *hosts.Request")

	// What was loaded by its ID never becomes the visitor's.
	boss := newBrowser()
	boss.login(m, "boss")
	x := boss.ask(m)
	_, err = m.GetSessionFromCookie(x)
	require.NoError(t, err)
	byID, err := m.Load(x, id)
	require.NoError(t, err)
	require.ErrorIs(t, m.SetCookie(x, byID), hosts.ErrNoSecret)
	require.ErrorIs(t, m.Renew(x, byID), hosts.ErrNoSecret)
	require.ErrorIs(t, m.SetCookie(x, nil), hosts.ErrNoSecret)
	byID.Data["note"] = "seen by the boss"
	require.NoError(t, m.Save(x, byID))
	byID.UserID = "carl"
	require.NoError(t, m.Save(x, byID))
	require.ErrorIs(t, m.SetCookie(x, byID), hosts.ErrNoSecret)
	n, err := m.Login(x, "boss", 0)
	require.NoError(t, err)
	require.NotEqual(t, byID.ID, n.ID)
	x.Close()
	require.Zero(t, m.log.count("cookie was not set"))
	unsaved, err := m.Create(x)
	require.NoError(t, err)
	require.ErrorIs(t, m.SetCookie(x, unsaved), hosts.ErrNoSecret)
}

// What a verb did to the visitor's session is done once, whoever else shows it.
func TestVerbsAreNotDoneAgainByAnEarlierView(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	x := ann.ask(m)
	early, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	_, err = m.Login(x, "ann", 0)
	require.NoError(t, err)
	early.Data["name"] = 1
	require.ErrorIs(t, m.Save(x, early), core.ErrSuperseded)
	page, _, err := m.Sessions(t.Context(), hosts.Query{User: "ann"}, core.ID{}, 0)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Empty(t, page[0].Data)
}

// An answer that has begun takes no cookie: its error reaches the caller.
func TestReplyThatFails(t *testing.T) {
	sent := errors.New("the header is sent")
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	x := ann.ask(m)
	x.Reply = func(string, string) error { return sent }
	n, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	require.ErrorIs(t, m.Refresh(x, n.ID), sent)
	require.ErrorIs(t, m.SetCookie(x, n), sent)
	n.Data["name"] = 1
	require.NoError(t, m.Save(x, n), "this needs no cookie")
	require.ErrorIs(t, m.Destroy(x, n.ID), sent)
	m.gone(n.ID)
}

// SetCookie gives what the request has made of the session since.
func TestSetCookieGivesTheLatest(t *testing.T) {
	m := open(t, nil, hosts.Config{})
	ann := newBrowser()
	ann.login(m, "ann")
	x := ann.ask(m)
	n, err := m.GetSessionFromCookie(x)
	require.NoError(t, err)
	before := ann.clone()
	_, err = m.Login(x, "ann", 30*24*time.Hour)
	require.NoError(t, err)
	require.NoError(t, m.SetCookie(x, n))
	require.Equal(t, 30*86400, ann.set[len(ann.set)-1].MaxAge)
	_, err = ann.session(m)
	require.NoError(t, err)
	_, err = before.session(m)
	require.ErrorIs(t, err, core.ErrSuperseded)
}

package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// endedOthers stands in ?ended= for the ID of one session.
const endedOthers = "others"

// serve answers a request of a user.
func (c *console) serve(w http.ResponseWriter, r *http.Request, s *nethttp.Session) error {
	texts := english
	if c.Texts != nil {
		texts = c.Texts(r).filled()
	}
	if r.Method == http.MethodPost {
		return c.post(w, r, s, texts)
	}
	p, err := c.page(r.Context(), s, texts, r.URL.Query())
	if err != nil {
		return err
	}
	return c.show(w, r, http.StatusOK, p)
}

// post ends what a form names, and shows the page anew.
func (c *console) post(w http.ResponseWriter, r *http.Request, s *nethttp.Session, texts Texts) error {
	if err := r.ParseForm(); err != nil {
		return c.refuse(w, r, s, texts, http.StatusBadRequest, texts.BadForm)
	}
	one, all := r.PostForm["end"], r.PostForm["others"]
	switch {
	case len(all) == 1 && len(one) == 0:
		if _, err := s.SignOutOthers(r.Context()); err != nil {
			return err
		}
		again(w, endedOthers)
		return nil
	case len(one) != 1 || len(all) != 0:
		return c.refuse(w, r, s, texts, http.StatusBadRequest, texts.BadForm)
	}
	id, err := core.ParseID(one[0])
	switch {
	case err != nil:
		return c.refuse(w, r, s, texts, http.StatusBadRequest, texts.BadForm)
	case id == s.ID():
		return c.refuse(w, r, s, texts, http.StatusConflict, texts.Own)
	}
	if err := c.end(r.Context(), s.User(), id); err != nil {
		return err
	}
	again(w, id.String())
	return nil
}

// end ends a session of the user. One of somebody else is as one that there is not.
func (c *console) end(ctx context.Context, user string, id core.ID) error {
	other, err := c.manager.Load(ctx, id)
	if _, refused := errors.AsType[*core.Refusal](err); refused || err == nil && other.UserID != user {
		return nil
	}
	if err != nil {
		return err
	}
	return c.manager.Destroy(ctx, id)
}

// again leads to the page, so that a reload posts nothing twice. The path is left to the
// browser: that of the request may lack what a router has cut off.
func again(w http.ResponseWriter, ended string) {
	w.Header().Set("Location", "?ended="+ended)
	w.WriteHeader(http.StatusSeeOther)
}

// refuse shows the page with what was not done.
func (c *console) refuse(w http.ResponseWriter, r *http.Request, s *nethttp.Session, texts Texts, status int, why string) error {
	p, err := c.page(r.Context(), s, texts, nil)
	if err != nil {
		return err
	}
	p.Trouble = why
	return c.show(w, r, status, p)
}

// page finds the user's sessions.
func (c *console) page(ctx context.Context, s *nethttp.Session, texts Texts, query url.Values) (Page, error) {
	after, err := core.ParseID(query.Get("after"))
	if err != nil {
		after = core.ID{} // the first page
	}
	list, next, err := c.manager.Sessions(ctx, hosts.Query{User: s.User()}, after, c.Limit)
	if err != nil {
		return Page{}, err
	}
	isOwn := func(one *hosts.Session) bool { return one.ID == s.ID() }
	if after.IsZero() && !slices.ContainsFunc(list, isOwn) { // it is on a later page, and here
		own, err := c.manager.Load(ctx, s.ID())
		if err != nil {
			return Page{}, err
		}
		list = append(list, own)
	}
	p := Page{Texts: texts, User: s.User(), Style: styleURL, Alone: after.IsZero() && next.IsZero() && len(list) == 1}
	if !next.IsZero() {
		p.Next = next.String()
	}
	for _, one := range list {
		p.Devices = append(p.Devices, Device{
			ID: one.ID, This: isOwn(one), Name: ParseUserAgent(one.LastUserAgent).name(&texts),
			FirstSeen: one.CreatedAt, LastUsed: one.LastSeenAt, Ends: one.ExpiresAt,
			Address: one.LastIPAddress, UserAgent: Printable(one.LastUserAgent),
		})
	}
	slices.SortFunc(p.Devices, func(a, b Device) int {
		return cmp.Or(compareBool(b.This, a.This), b.LastUsed.Compare(a.LastUsed), slices.Compare(a.ID[:], b.ID[:]))
	})
	p.Notice = p.noticeOf(query.Get("ended"))
	return p, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// noticeOf says what was done. A link from elsewhere can have it said only where it is so.
func (p *Page) noticeOf(ended string) string {
	id, err := core.ParseID(ended)
	switch {
	case ended == endedOthers && p.Alone:
		return p.Texts.EndedOthers
	case err == nil && !slices.ContainsFunc(p.Devices, func(d Device) bool { return d.ID == id }):
		return p.Texts.Ended
	}
	return ""
}

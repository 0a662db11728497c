package demo

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/hosts"
	"github.com/rockstar-web/sessions/hosts/nethttp"
)

// maxDevices is how many sessions of a user are shown.
const maxDevices = 200

type deviceLine struct {
	ID                    core.ID
	Device, UserAgent, IP string
	Created, Seen, Ends   time.Time
	This, Remembered      bool
}

type devicesView struct {
	Devices []deviceLine
	More    bool
}

func (s *site) devicesPage(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	list, next, err := s.manager.Sessions(r.Context(), hosts.Query{User: v.User()}, core.ID{}, maxDevices)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	out := devicesView{More: !next.IsZero()}
	for _, one := range list {
		remembered, _ := one.Data["remember"].(bool)
		out.Devices = append(out.Devices, deviceLine{
			ID: one.ID, Device: device(one.UserAgent), UserAgent: one.UserAgent, IP: one.LastIPAddress,
			Created: one.CreatedAt, Seen: one.LastSeenAt, Ends: one.ExpiresAt,
			This: one.ID == v.ID(), Remembered: remembered,
		})
	}
	slices.SortFunc(out.Devices, func(a, b deviceLine) int { return b.Seen.Compare(a.Seen) })
	s.show(w, r, http.StatusOK, "devices", "Devices", out)
}

// postDeviceSignOut ends one session of the user's own.
func (s *site) postDeviceSignOut(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	id, err := core.ParseID(r.PathValue("id"))
	if err != nil {
		s.trouble(w, r, http.StatusNotFound, "There is no such session.", "not_found")
		return
	}
	if id == v.ID() {
		s.postSignOut(w, r)
		return
	}
	ctx, cancel := detached(r)
	defer cancel()
	notice, err := s.endOwn(ctx, v.User(), id)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, "/devices", notice)
}

func (s *site) endOwn(ctx context.Context, user string, id core.ID) (notice string, err error) {
	other, err := s.manager.Load(ctx, id)
	var refusal *core.Refusal
	switch {
	case errors.As(err, &refusal) || err == nil && other.UserID != user:
		return "no-device", nil // somebody else's looks like none
	case err != nil:
		return "", err
	}
	return "device", s.manager.Destroy(ctx, id)
}

func (s *site) postSignOutEverywhere(w http.ResponseWriter, r *http.Request) {
	v, err := nethttp.From(r)
	if err == nil {
		ctx, cancel := detached(r)
		defer cancel()
		_, err = v.SignOutEverywhere(ctx)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.again(w, r, "/signed-out/everywhere", "")
}

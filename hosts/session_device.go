package hosts

import (
	"context"
	"fmt"
	"slices"

	"github.com/rockstar-web/sessions/core"
)

// checkDevices refuses Config.DeviceOf where nothing can come of it.
func (c *Config) checkDevices(store Store) error {
	refuse := func(allowed string) error {
		return fmt.Errorf("session config: %w", &ConfigError{Field: "DeviceOf", Value: "set", Allowed: allowed})
	}
	_, finds := As[Finder](store)
	switch {
	case c.DeviceOf == nil:
	case !finds:
		return refuse(fmt.Sprintf("nothing with a %T, which cannot list a user's sessions: %v", store, ErrNoFinder))
	case c.OnEvent == nil && c.Logger == nil:
		return refuse("nothing without OnEvent or Logger, which hear of new devices")
	}
	return nil
}

// loggedIn does what a stored login entails, before the visitor gets the cookie. Limit and
// devices share one search. What was committed is s: one that did not sign in has begun anew
// on the device that it was on, see core.Session.RenewWith.
func (m *Manager) loggedIn(ctx context.Context, x *Request, s *core.Session, e *core.Effects) error {
	devices := m.deviceOf != nil && x != nil && !x.again && s.SignsIn() && m.events.wanted(EventNewDevice)
	if e.Did&core.DidLogin == 0 || m.maxPerUser == 0 && !devices {
		return nil
	}
	ctx, cancel := m.lasting(ctx)
	defer cancel()
	own := e.Next
	all, failed := m.liveOf(ctx, own)
	if m.maxPerUser != 0 {
		if err := m.keepLimit(ctx, x, own, all, failed); err != nil {
			return err
		}
	}
	if devices && failed == nil { // else it is reported, and the login stands
		m.tellDevice(x, own, all)
	}
	return nil
}

// tellDevice emits an event if none of the user's other sessions is of this kind of device.
func (m *Manager) tellDevice(x *Request, own *core.Session, all []*core.Session) {
	others := slices.DeleteFunc(slices.Clone(all), func(s *core.Session) bool { return s.ID() == own.ID() })
	device := m.deviceOf(own.LastUserAgent())
	for _, s := range others {
		if m.deviceOf(s.LastUserAgent()) == device {
			return
		}
	}
	m.emit(x, Event{Kind: EventNewDevice, ID: own.ID(), Tenant: own.Tenant(), User: own.User(), Count: len(others)})
}

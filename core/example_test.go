package core_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/core"
)

// One request signs alice in, and a later one finds her session. The time and
// the randomness are arguments; what is to be stored comes back as a value.
func Example() {
	key, err := core.ParseKey("5e0c1b7f93a2d84466f1c09be57a3d18249fbb06c7e1d530a86f42917cd3e5b0")
	if err != nil {
		panic(err)
	}
	m, err := core.NewMachine(core.Policy{}, core.KeyRing{{Bytes: key}})
	if err != nil {
		panic(err)
	}
	now := 500_000 * core.Hour

	s := m.New(core.Request{})
	if err := s.Login("alice", 0); err != nil {
		panic(err)
	}
	effects, err := m.Commit(s, now, core.Seed{1})
	if err != nil {
		panic(err)
	}
	stored := *effects.Save
	cookie, attributes, _ := strings.Cut(effects.Cookies[0], ";")
	fmt.Println(attributes)

	tickets, err := m.Identify([]string{cookie}, "", now+core.Hour)
	if err != nil {
		panic(err)
	}
	s, err = m.Resume(tickets[0], stored, core.Request{}, now+core.Hour)
	fmt.Println(s.User(), err)

	_, err = m.Resume(tickets[0], stored, core.Request{}, now+core.Day)
	fmt.Println(err, errors.Is(err, core.ErrExpired))
	// Output:
	//  Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax
	// alice <nil>
	// session expired true
}

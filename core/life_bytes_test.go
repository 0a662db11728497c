package core

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rockstar-web/sessions/internal/soak"
)

// handOver sends a session through its bytes to a machine of the same policy
// that has no keys, and back.
func handOver(t *testing.T, m *Machine, s *Session) *Session {
	t.Helper()
	rules, err := NewRules(m.Policy())
	require.NoError(t, err)
	for _, to := range []*Machine{rules, m} {
		b := s.AppendBytes([]byte("before"))[len("before"):]
		next, rest, err := to.ReadSession(append(bytes.Clone(b), "behind"...))
		require.NoError(t, err)
		require.Equal(t, "behind", string(rest))
		require.Equal(t, b, next.AppendBytes(nil), "the same bytes again")
		s = next
	}
	return s
}

// only drops the error of a verb for somebody who is signed in where nobody is.
func only(s *Session, err error) error {
	if s.User() == "" {
		return nil
	}
	return err
}

// handovers are sessions in every state, with everything that a request may do.
func handovers(t *testing.T) (*Machine, map[string]*Session) {
	m := testMachine(t, Policy{IdleTimeout: Hour, RenewAfter: 10 * Minute})
	q := Request{Tenant: "acme", IP: "\x7f\x00\x00\x01", UserAgent: "browser\xff", NoCookie: true}
	stored := func() *Session { return signIn(t, m, q, 0, testNow).resume(t, m, testNow) }
	all := map[string]*Session{"new": m.New(q), "loaded": stored(), "by ID": m.New(Request{AnyTenant: true})}
	for name, do := range map[string]func(*Session) error{
		"changed": func(s *Session) error { return s.SetValue("n", []byte{1}) },
		"cleared": func(s *Session) error { return s.ClearValues() },
		"login":   func(s *Session) error { return s.Login("alice", Day) },
		"other":   func(s *Session) error { return s.Login("bob", 0) },
		"renewed": func(s *Session) error { return s.Renew() },
		"refresh": func(s *Session) error { return s.Refresh() },
		"relimit": func(s *Session) error { return s.SetLifetime(Minute) },
		"ended":   func(s *Session) error { s.End(); return nil },
		"kept":    func(s *Session) error { return s.Keep(Seed{1}) },
		"proven": func(s *Session) error {
			return s.LoginWith("alice", Login{Stamp: NewSecret("1"), Methods: []string{"pwd", "otp"}})
		},
		"confirmed": func(s *Session) error { return only(s, s.Confirm("pwd")) },
		"stamped":   func(s *Session) error { return only(s, s.RenewWith("2")) },
		"adopting":  func(s *Session) error { return only(s, s.Adopt("3")) },
		"outdated":  func(s *Session) error { s.Outdate(); return nil },
		"marked": func(s *Session) error {
			s.Read("read")
			s.Read("missing")
			if _, err := s.AddValue("counter", -7); err != nil {
				return err
			}
			return s.UpdateValue("updated", []byte{1})
		},
	} {
		for where, s := range map[string]*Session{"new ": m.New(q), "stored ": stored()} {
			require.NoError(t, do(s))
			all[where+name] = s
		}
	}
	return m, all
}

// What a session's bytes carry is what Commit sees: the effects are the same.
func TestBytesCarryTheWholeSession(t *testing.T) {
	m, all := handovers(t)
	for name, s := range all {
		for _, now := range []Time{testNow, testNow + 5*Minute, testNow + 30*Minute} {
			again := handOver(t, m, s)
			require.Equal(t, m.Pending(s, now), m.Pending(again, now), name)
			want, wantErr := m.Commit(s, now, Seed{9})
			got, gotErr := m.Commit(again, now, Seed{9})
			require.Equal(t, wantErr, gotErr, name)
			require.Equal(t, want.Save, got.Save, name)
			require.Equal(t, want.Delete, got.Delete, name)
			require.Equal(t, want.Prev, got.Prev, name)
			require.Equal(t, want.Cookies, got.Cookies, name)
			require.Equal(t, want.Did, got.Did, name)
			if want.Next != nil {
				require.Equal(t, want.Next.AppendBytes(nil), got.Next.AppendBytes(nil), name)
				handOver(t, m, want.Next)
			}
		}
	}
}

func TestSessionBytesThatAreRefused(t *testing.T) {
	m, all := handovers(t)
	every, at := soak.Rounds(t, 3, 1), 0
	for name, s := range all {
		b := s.AppendBytes(nil)
		for n := range len(b) {
			_, _, err := m.ReadSession(b[:n])
			require.ErrorIs(t, err, ErrBytes, "%s cut to %d", name, n)
		}
		for i := range b { // whatever a byte becomes, what is read is written as it is
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff, b[i] ^ 1} {
				if at++; at%every != 0 {
					continue
				}
				bad := bytes.Clone(b)
				bad[i] = v
				again, rest, err := m.ReadSession(bad)
				if err != nil {
					require.ErrorIs(t, err, ErrBytes)
					continue
				}
				require.LessOrEqual(t, len(rest), len(bad))
				_, _ = m.Commit(again, testNow, Seed{1})
			}
		}
	}
}

func FuzzReadSession(f *testing.F) {
	m, err := NewRules(Policy{})
	require.NoError(f, err)
	f.Add(m.New(Request{Tenant: "acme"}).AppendBytes(nil))
	s := m.New(Request{})
	require.NoError(f, s.LoginWith("alice", Login{Stamp: NewSecret("1"), Methods: []string{"pwd", "otp"}}))
	f.Add(s.AppendBytes(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := m.ReadSession(b)
		if err != nil {
			return
		}
		if !bytes.Equal(b[:len(b)-len(rest)], s.AppendBytes(nil)) {
			again, _, err := m.ReadSession(s.AppendBytes(nil)) // unknown pairs of a later format
			require.NoError(t, err)
			require.Equal(t, s.AppendBytes(nil), again.AppendBytes(nil))
		}
		_, _ = m.Commit(s, testNow, Seed{1})
	})
}

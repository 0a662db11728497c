package core

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFormerScopes: to expire the cookie that was just set would sign everybody
// out, so a scope that is one cookie with the present one for a browser, in
// whatever spelling, is refused.
func TestFormerScopes(t *testing.T) {
	for _, c := range []struct {
		path, domain string
		former       Scope
		same         bool
	}{
		{"/", "", Scope{"/", ""}, true},
		{"", "", Scope{"/", ""}, true}, // the default path
		{"/app", "", Scope{"/app", ""}, true},
		{"/app", "", Scope{"/app ", ""}, true}, // browsers drop white space
		{"/app ", "", Scope{"/app", ""}, true},
		{"/app", "", Scope{"/app/", ""}, false},
		{"/app", "", Scope{"/App", ""}, false}, // paths have a case
		{"/app", "", Scope{"/%61pp", ""}, false},
		{"/app", "", Scope{"/", ""}, false},
		{"/", "example.com", Scope{"/", "example.com"}, true},
		{"/", "example.com", Scope{"/", ".example.com"}, true},
		{"/", ".example.com", Scope{"/", "example.com"}, true},
		{"/", "example.com", Scope{"/", "EXAMPLE.Com"}, true},
		{"/", ".Example.com", Scope{"/", ".exAMPLE.com"}, true},
		{"/", "example.com", Scope{"/app", "example.com"}, false},
		{"/", "example.com", Scope{"/", "www.example.com"}, false},
		{"/", "example.com", Scope{"/", ""}, false}, // of one host only: another cookie
		{"/", "", Scope{"/", "example.com"}, false},
		{"/", "", Scope{"/", "localhost"}, true}, // of one host only, whatever is written
		{"/", "", Scope{"/", ".LocalHost"}, true},
		{"/", "localhost", Scope{"/", ""}, true},
		{"/", "localhost", Scope{"/", ".localhost"}, true},
		{"/app", "localhost", Scope{"/", ""}, false},
		{"/", "", Scope{"/", "app.localhost"}, false},
	} {
		p := Policy{CookiePath: c.path, CookieDomain: c.domain, FormerScopes: []Scope{{"/another", ""}, c.former}}
		_, err := NewMachine(p, KeyRing{{Bytes: NewSecret(testKey[:KeyLen])}})
		if !c.same {
			require.NoError(t, err, "%+v", c)
			continue
		}
		var refused *PolicyError
		require.ErrorAs(t, err, &refused, "%+v", c)
		require.Equal(t, "FormerScopes", refused.Field)
		require.Contains(t, refused.Value, c.former.Path)
		require.Contains(t, refused.Allowed, "present")
	}
	for _, twice := range [][]Scope{
		{{"/a", ""}, {"/a", ""}}, {{"/a", "x.com"}, {"/b", ""}, {"/a ", ".X.com"}}, {{"/a", ""}, {"/a", "localhost"}},
	} {
		_, err := NewRules(Policy{FormerScopes: twice})
		require.ErrorContains(t, err, "once", "%+v", twice)
	}
}

// TestTwoKinds: with SameSite=None or Partitioned browsers may keep the cookie
// of before Partitioned was switched beside the present one. It is expired first:
// a browser that does not know Partitioned ends up with what stands last.
func TestTwoKinds(t *testing.T) {
	kind := func(field string) string {
		k := "set"
		if strings.Contains(field, "Max-Age=0") {
			k = "expire"
		}
		for _, part := range []string{"; Path=/old", "; Partitioned"} {
			if strings.Contains(field, part) {
				k += part[1:]
			}
		}
		return k
	}
	kinds := func(fields []string) (all []string) {
		for _, f := range fields {
			all = append(all, kind(f))
		}
		return all
	}
	old := []Scope{{"/old", ""}}
	for _, c := range []struct {
		p           Policy
		given, gone []string
	}{
		{Policy{}, []string{"set"}, []string{"expire"}},
		{Policy{SameSite: SameSiteStrict, FormerScopes: old}, []string{"set", "expire Path=/old"}, []string{"expire", "expire Path=/old"}},
		{Policy{SameSite: SameSiteNone}, []string{"expire Partitioned", "set"}, []string{"expire Partitioned", "expire"}},
		{Policy{Partitioned: true}, []string{"expire", "set Partitioned"}, []string{"expire", "expire Partitioned"}},
		{Policy{Partitioned: true, SameSite: SameSiteNone, FormerScopes: old},
			[]string{"expire", "set Partitioned", "expire Path=/old", "expire Path=/old Partitioned"},
			[]string{"expire", "expire Partitioned", "expire Path=/old", "expire Path=/old Partitioned"}},
	} {
		m := testMachine(t, c.p)
		s := m.New(Request{})
		require.NoError(t, s.Login("alice", 0))
		require.Equal(t, c.given, kinds(commit(t, m, s, testNow, 1).Cookies), "%+v", c.p)
		require.Equal(t, c.gone, kinds(m.ClearCookie(true)), "%+v", c.p)
	}
}

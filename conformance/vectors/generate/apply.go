package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

// applied adds changes to a session, and shows what comes of them.
func (g *generator) applied(name, about string, m setup, s *core.Session, changes []byte, expect string) {
	if g.err == nil {
		g.add("apply/"+name, about, m, append(wire.AppendApply(nil, number, s), changes...), expect, in("session", s.AppendBytes(nil)), in("changes", changes))
	}
}

func applies(g *generator) {
	alice := func() *core.Session { return plain.change(g, t0, nothing) }
	visitor := func() *core.Session { return plain.fresh(g, nothing) }
	gone := func() *core.Session { return plain.change(g, t0, end) }
	one := func(op byte) []byte { return []byte{op} }
	for _, c := range []struct {
		name, about string
		s           *core.Session
		changes     []byte
		expect      string
	}{
		{"nothing", "No change.", alice(), nil, "ok"},
		{"set", "A value is set.", alice(), wire.AppendSet(nil, "b", []byte{2}), "ok"},
		{"replace", "A value is replaced.", alice(), wire.AppendSet(nil, "a", []byte{2}), "ok"},
		{"delete", "A value is deleted.", alice(), wire.AppendDelete(nil, "a"), "ok"},
		{"delete-missing", "A missing value is no error.", alice(), wire.AppendDelete(nil, "zz"), "ok"},
		{"clear", "All values are removed.", alice(), one(wire.ChangeClear), "ok"},
		{"login", "A visitor signs in.", visitor(), wire.AppendLogin(nil, "alice", 0), "ok"},
		{"login-same", "The same user signs in again.", alice(), wire.AppendLogin(nil, "alice", core.Day), "ok"},
		{"login-other", "Another user signs in: nothing is carried along.", alice(), wire.AppendLogin(nil, "bob", 0), "ok"},
		{"login-nobody", "A user has a name.", alice(), wire.AppendLogin(nil, "", 0), "error bad_user"},
		{"login-control", "Without control characters.", alice(), wire.AppendLogin(nil, "a\x7f", 0), "error bad_user"},
		{"login-not-utf8", "In UTF-8.", alice(), wire.AppendLogin(nil, "a\xff", 0), "error bad_user"},
		{"login-255", "Of at most 255 bytes.", visitor(), wire.AppendLogin(nil, strings.Repeat("é", 127)+"x", 0), "ok"},
		{"login-256", "Of at most 255 bytes.", visitor(), wire.AppendLogin(nil, strings.Repeat("é", 128), 0), "error bad_user"},
		{"login-negative", "A lifetime is not negative.", alice(), wire.AppendLogin(nil, "alice", -1), "error lifetime"},
		{"login-longest", "A lifetime of MaxLifetime.", alice(), wire.AppendLogin(nil, "alice", core.MaxLifetime), "ok"},
		{"login-too-long", "And no more.", alice(), wire.AppendLogin(nil, "alice", core.MaxLifetime+1), "error lifetime"},
		{"renew", "A privilege change.", alice(), one(wire.ChangeRenew), "ok"},
		{"refresh", "A refresh.", alice(), one(wire.ChangeRefresh), "ok"},
		{"lifetime", "A lifetime of its own.", alice(), wire.AppendLifetime(nil, 1), "ok"},
		{"lifetime-zero", "None is not one.", alice(), wire.AppendLifetime(nil, 0), "error lifetime"},
		{"lifetime-too-long", "At most MaxLifetime.", alice(), wire.AppendLifetime(nil, core.MaxLifetime+1), "error lifetime"},
		{"end", "The end.", alice(), one(wire.ChangeEnd), "ok"},
		{"end-twice", "Ending is never refused.", gone(), one(wire.ChangeEnd), "ok"},
		{"set-ended", "An ended session takes no value.", gone(), wire.AppendSet(nil, "a", []byte{1}), "refused ended"},
		{"delete-ended", "Nor loses one.", gone(), wire.AppendDelete(nil, "a"), "refused ended"},
		{"clear-ended", "Nor all.", gone(), one(wire.ChangeClear), "refused ended"},
		{"login-ended", "Nobody signs in to it.", gone(), wire.AppendLogin(nil, "alice", 0), "refused ended"},
		{"renew-ended", "It has no secret to renew.", gone(), one(wire.ChangeRenew), "refused ended"},
		{"refresh-ended", "It is not refreshed.", gone(), one(wire.ChangeRefresh), "refused ended"},
		{"lifetime-ended", "It has no lifetime.", gone(), wire.AppendLifetime(nil, core.Minute), "refused ended"},
		{"several", "Several changes, one after the other.", visitor(), append(wire.AppendLogin(wire.AppendSet(nil, "a", []byte{1}), "bob", 0), wire.ChangeRefresh), "ok"},
		{"second-refused", "The first that is refused ends them all.", alice(), wire.AppendSet(wire.AppendSet(nil, "b", []byte{2}), "", []byte{1}), "error value_name"},
		{"unknown-change", "A change that does not exist.", alice(), one(99), "malformed"},
		{"cut", "A change that ends too early.", alice(), wire.AppendSet(nil, "b", []byte{2})[:5], "malformed"},
	} {
		g.applied(c.name, c.about, plain, c.s, c.changes, c.expect)
	}
	proofs(g, alice, visitor, gone)
	names(g)
}

// proofs are the changes that are about who the user is, and the check of a stamp.
func proofs(g *generator, alice, visitor, gone func() *core.Session) {
	login := core.Login{Lifetime: core.Day, Stamp: core.NewSecret("hash 1"), Methods: []string{"pwd", "otp"}}
	stamped := func() *core.Session {
		return plain.fresh(g, func(s *core.Session) error { return s.LoginWith("alice", login) })
	}
	for _, c := range []struct {
		name, about string
		s           *core.Session
		changes     []byte
		expect      string
	}{
		{"login-with", "A login with a stamp and methods.", visitor(), wire.AppendLoginWith(nil, "alice", login), "ok"},
		{"login-with-nothing", "And without.", visitor(), wire.AppendLoginWith(nil, "alice", core.Login{}), "ok"},
		{"login-with-long-stamp", "A stamp has at most 4096 bytes.", visitor(), wire.AppendLoginWith(nil, "alice", core.Login{Stamp: core.NewSecret(strings.Repeat("x", 4097))}), "error stamp"},
		{"login-with-space", "A method has no space.", visitor(), wire.AppendLoginWith(nil, "alice", core.Login{Methods: []string{"a b"}}), "error method"},
		{"login-with-many", "At most 8 of them.", visitor(), wire.AppendLoginWith(nil, "alice", core.Login{Methods: strings.Split("a b c d e f g h i", " ")}), "error method"},
		{"renew-with", "Renewed under a new stamp.", alice(), wire.AppendRenewWith(nil, "hash 2"), "ok"},
		{"renew-with-nothing", "An empty one is none.", alice(), wire.AppendRenewWith(nil, ""), "error stamp"},
		{"renew-with-nobody", "Nobody is signed in.", visitor(), wire.AppendRenewWith(nil, "hash 2"), "error nobody"},
		{"confirm", "A proof anew.", alice(), wire.AppendConfirm(nil, []string{"otp"}), "ok"},
		{"confirm-nothing", "By a method.", alice(), wire.AppendConfirm(nil, nil), "error method"},
		{"confirm-nobody", "Of somebody.", visitor(), wire.AppendConfirm(nil, []string{"otp"}), "error nobody"},
		{"confirm-ended", "In a session that lives.", gone(), wire.AppendConfirm(nil, []string{"otp"}), "refused ended"},
		{"adopt", "A stamp for a session without.", alice(), wire.AppendAdopt(nil, "hash 1"), "ok"},
		{"adopt-stamped", "One that there is stays.", stamped(), wire.AppendAdopt(nil, "hash 2"), "ok"},
		{"outdate", "The end by a change of credentials.", alice(), []byte{wire.ChangeOutdate}, "ok"},
		{"outdate-ended", "Ending is never refused.", gone(), []byte{wire.ChangeOutdate}, "ok"},
		{"confirm-cut", "A change that ends too early.", alice(), wire.AppendConfirm(nil, []string{"otp"})[:6], "malformed"},
	} {
		g.applied(c.name, c.about, plain, c.s, c.changes, c.expect)
	}
	if g.err != nil {
		return
	}
	for _, c := range []struct {
		name, about string
		s           *core.Session
		stamp       string
	}{
		{"none", "The session has no stamp.", alice(), "hash 1"}, {"same", "It has this one.", stamped(), "hash 1"},
		{"other", "It has another.", stamped(), "hash 2"}, {"empty", "No stamp is empty.", stamped(), ""},
	} {
		g.add("check_stamp/"+c.name, c.about, plain, wire.AppendCheckStamp(nil, number, c.s, c.stamp), "ok")
	}
}

func names(g *generator) {
	for _, c := range []struct{ name, value, expect string }{
		{"name-empty", "", "error value_name"}, {"name-longest", strings.Repeat("x", 128), "ok"}, {"name-too-long", strings.Repeat("x", 129), "error value_name"},
		{"name-not-utf8", "a\xff", "error value_name"}, {"name-unicode", "日本", "ok"}, {"name-control", "\x00\n", "ok"},
	} {
		g.applied(c.name, "Names of values are 1 to 128 bytes of UTF-8.", plain, plain.change(g, t0, nothing), wire.AppendSet(nil, c.value, []byte{1}), c.expect)
	}
	// A session of 1024 bytes: two for each name and value, and their own.
	small := plain.with(func(p *core.Policy) { p.SessionSize = 1024 })
	for n, expect := range map[int]string{1024: "ok", 1025: "too_large big"} {
		text := append([]byte{0x59, 0, 0}, bytes.Repeat([]byte{7}, n-2-3-3)...)
		text[1], text[2] = byte((n-8)>>8), byte(n-8)
		g.applied(fmt.Sprintf("size-%d", n), "SessionSize bounds all names and values, and is 1024 here.", small, small.fresh(g, nothing), wire.AppendSet(nil, "big", text), expect)
	}
}

// values are one of each type, and the ends of its encodings.
func values(g *generator) {
	zone := func(east int) *time.Location { return time.FixedZone("", east) }
	for _, c := range []struct {
		name  string
		value any
	}{
		{"nil", nil}, {"false", false}, {"true", true}, {"int-0", 0}, {"int-23", 23}, {"int-24", 24}, {"int-255", 255}, {"int-256", 256}, {"int-65535", 65535},
		{"int-65536", 65536}, {"int-2p32", 1 << 32}, {"int-max", math.MaxInt64}, {"int-minus-1", -1}, {"int-minus-25", -25}, {"int-min", math.MinInt64},
		{"int64", int64(7)}, {"int64-min", int64(math.MinInt64)}, {"uint64", uint64(7)}, {"uint64-max", uint64(math.MaxUint64)},
		{"float-0", 0.0}, {"float-minus-0", math.Copysign(0, -1)}, {"float-half", 1.5}, {"float-single", 100000.0}, {"float-double", 0.1}, {"float-inf", math.Inf(1)},
		{"float-minus-inf", math.Inf(-1)}, {"float-nan", math.NaN()}, {"float-subnormal-half", 5.960464477539063e-08}, {"float-max", math.MaxFloat64}, {"float-whole", 3.0},
		{"text-empty", ""}, {"text", "hello"}, {"text-unicode", "naïve 日本 😀"}, {"text-not-utf8", "a\xffb"}, {"text-24", strings.Repeat("x", 24)}, {"text-256", strings.Repeat("x", 256)},
		{"bytes-empty", []byte{}}, {"bytes", []byte{0, 1, 255}}, {"time", time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)},
		{"time-nanoseconds", time.Date(2026, 11, 25, 12, 0, 0, 123456789, zone(3600))}, {"time-west", time.Date(1969, 12, 31, 23, 59, 59, 0, zone(-18000))},
		{"time-zero", time.Time{}}, {"duration", 90 * time.Second}, {"duration-negative", -time.Nanosecond},
		{"strings", []string{"admin", "editor"}}, {"strings-empty", []string{}}, {"strings-not-utf8", []string{"\xff"}}, {"ints", []int{1, -2, 300}}, {"list", []any{1, "two", nil, []any{3.5}}},
		{"list-empty", []any{}}, {"map", map[string]any{"b": 1, "a": 2, "aa": 3}}, {"map-empty", map[string]any{}}, {"map-nested", map[string]any{"x": map[string]any{"y": []any{true}}}},
		{"string-map", map[string]string{"k": "v", "a": "b"}},
	} {
		encoded, err := core.AppendValue(nil, c.value)
		g.must(err)
		if g.err == nil {
			s := plain.fresh(g, nothing)
			g.add("value/"+c.name, "A value of Go type "+fmt.Sprintf("%T", c.value)+", in its one encoding.", plain, append(wire.AppendApply(nil, number, s), wire.AppendSet(nil, "v", encoded)...), "ok",
				in("value", fmt.Sprintf("%v", c.value)), in("cbor", encoded))
		}
	}
	deep := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 0x80) }
	g.applied("nesting-16", "Lists and maps nest up to 16 deep.", plain, plain.fresh(g, nothing), wire.AppendSet(nil, "v", deep(15)), "ok")
	g.applied("nesting-17", "And no deeper.", plain, plain.fresh(g, nothing), wire.AppendSet(nil, "v", deep(16)), "error nesting")
}

// badTime has a whole second of nanoseconds.
var badTime = []byte{0xd9, 0xbe, 2, 0x83, 0, 0x1a, 0x3b, 0x9a, 0xca, 0, 0}

// badValues are no deterministic CBOR, or of no type that a session keeps.
func badValues(g *generator) {
	for name, v := range map[string][]byte{
		"empty": {}, "two-values": {1, 1}, "int-not-shortest": {0x18, 23}, "int-16-not-shortest": {0x19, 0, 255}, "int-32-not-shortest": {0x1a, 0, 0, 255, 255},
		"int-64-not-shortest": {0x1b, 0, 0, 0, 0, 255, 255, 255, 255}, "int-too-large": {0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0}, "int-too-small": {0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"text-cut": {0x62, 'a'}, "text-not-utf8": {0x61, 0xff}, "text-indefinite": {0x7f, 0x61, 'a', 0xff}, "text-length-not-shortest": {0x78, 1, 'a'},
		"list-cut": {0x82, 1}, "list-indefinite": {0x9f, 1, 0xff}, "list-lies": {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"map-cut": {0xa1, 0x61, 'a'}, "map-disorder": {0xa2, 0x61, 'b', 1, 0x61, 'a', 1}, "map-duplicate": {0xa2, 0x61, 'a', 1, 0x61, 'a', 1}, "map-int-key": {0xa1, 1, 1}, "map-length-order": {0xa2, 0x62, 'a', 'a', 1, 0x61, 'b', 1},
		"float-double-as-half": {0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, "float-single-as-half": {0xfa, 0x3f, 0xc0, 0, 0}, "float-other-nan": {0xf9, 0x7e, 1}, "undefined": {0xf7}, "simple": {0xf8, 0xff}, "reserved": {0x1c},
		"unknown-tag": {0xc0, 0x61, 'a'}, "tag-not-shortest": {0xda, 0, 0, 0xbe, 0, 1}, "int64-of-text": {0xd9, 0xbe, 0, 0x61, 'a'}, "uint64-negative": {0xd9, 0xbe, 1, 0x20},
		"time-short": {0xd9, 0xbe, 2, 0x82, 0, 0}, "bytes-text-utf8": {0xd9, 0xbe, 4, 0x41, 'a'},
		"strings-of-int": {0xd9, 0xbe, 5, 0x81, 1}, "ints-of-text": {0xd9, 0xbe, 6, 0x81, 0x61, 'a'}, "string-map-of-int": {0xd9, 0xbe, 7, 0xa1, 0x61, 'a', 1}, "tag-alone": {0xd9, 0xbe, 0},
	} {
		s := plain.fresh(g, nothing)
		if g.err == nil {
			g.add("bad_value/"+name, "Bytes that are no value.", plain, append(wire.AppendApply(nil, number, s), wire.AppendSet(nil, "v", v)...), "error bad_value", in("cbor", v))
		}
	}
	g.applied("time-out-of-range", "A time is within the years 1 to 9999, its nanoseconds within a second.", plain, plain.fresh(g, nothing), wire.AppendSet(nil, "v", badTime), "error time")
}

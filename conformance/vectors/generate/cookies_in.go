package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/rockstar-web/sessions/conformance/vectors"
	"github.com/rockstar-web/sessions/core"
	"github.com/rockstar-web/sessions/core/wire"
)

func (g *generator) identify(name, about string, m setup, now core.Time, tenant string, expect string, fields ...string) {
	shown := []vectors.Field{in("now", now), in("tenant", tenant)}
	for _, f := range fields {
		shown = append(shown, in("cookie", f))
	}
	g.add("identify/"+name, about, m, wire.AppendIdentify(nil, number, now, tenant, fields), expect, shown...)
}

func identifies(g *generator) {
	h := plain.alice(g)
	c, v := h.cookie, h.value()
	g.identify("one", "One authentic cookie.", plain, t0, "acme", "ok", c)
	g.identify("none", "No Cookie field.", plain, t0, "acme", "refused none")
	g.identify("empty-field", "An empty Cookie field.", plain, t0, "acme", "refused none", "")
	g.identify("others-only", "Cookies of other names.", plain, t0, "acme", "refused none", "a=1; b=2; Rockstar_session="+v+"; rockstar_session2="+v)
	g.identify("among-others", "Between cookies of other names.", plain, t0, "acme", "ok", "a=1; "+c+"; b=2")
	g.identify("two-fields", "In the second of two Cookie fields.", plain, t0, "acme", "ok", "a=1", c)
	g.identify("no-space", "Pairs without a space behind the semicolon.", plain, t0, "acme", "ok", "a=1;"+c+";b=2")
	g.identify("white-space", "White space around the pair.", plain, t0, "acme", "ok", "a=1;\t "+c+" \t; b=2")
	g.identify("quoted", "Quotes are no part of the grammar: they make the value malformed.", plain, t0, "acme", "refused malformed", `rockstar_session="`+v+`"`)
	g.identify("percent", "Nothing is decoded.", plain, t0, "acme", "refused malformed", "rockstar_session=%"+v[1:])
	g.identify("no-value", "A name without a value.", plain, t0, "acme", "refused malformed", "rockstar_session=")
	g.identify("no-equals", "A name alone is no pair.", plain, t0, "acme", "refused none", "rockstar_session")
	g.identify("twice", "The same cookie twice is one ticket.", plain, t0, "acme", "ok", c+"; "+c)
	g.identify("forged-before", "A forged cookie does not hide an authentic one.", plain, t0, "acme", "ok", "rockstar_session=forged; "+c)
	planted := "rockstar_session=" + strings.Repeat("A", len(v)) + "; "
	g.identify("planted-before", "Cookies that do not open hide nothing: 400 that a neighbouring host has planted.", plain, t0, "acme", "ok", strings.Repeat(planted, 400)+c)
	most := core.MaxCookieBytes / len(v)
	g.identify("tried", "The last value of the length that is tried.", plain, t0, "acme", "ok", strings.Repeat(planted, most-1)+c)
	g.identify("not-tried", "The next is not.", plain, t0, "acme", "refused malformed", strings.Repeat(planted, most)+c)
	g.identify("commas", "A comma is part of a value: it parts no cookies.", plain, t0, "acme", "refused none", "lang=en, "+c)
	later := plain.then(g, h, t0+core.Hour, 2, (*core.Session).Renew)
	g.identify("generations", "Of two generations of one session the later counts, in either order.", plain, t0+core.Hour, "acme", "ok", c+"; "+later.cookie)
	g.identify("generations-reversed", "Of two generations of one session the later counts, in either order.", plain, t0+core.Hour, "acme", "ok", later.cookie+"; "+c)
	other := plain.begin(g, visitor, t0+2*core.Hour, 7, loginAlice)
	g.identify("newest-first", "Two sessions: the one that was sealed in the later hour first.", plain, t0+2*core.Hour, "acme", "ok", c+"; "+other.cookie)
	g.identify("other-tenant", "Sealed for another tenant.", plain, t0, "globex", "refused not_authentic", c)
	g.identify("long-tenant", "A tenant longer than any session's.", plain, t0, strings.Repeat("x", 300), "refused not_authentic", c)
	named := plain.with(func(p *core.Policy) { p.CookieName = "other" })
	g.identify("other-name", "Sealed for another cookie name.", named, t0, "acme", "refused not_authentic", "other="+v)
	host := plain.with(func(p *core.Policy) { p.CookieName = "__Host-session" })
	g.identify("host-prefix", "A __Host- name.", host, t0, "acme", "ok", host.alice(g).cookie)
	g.identify("record-purpose", "A sealed record is no cookie.", plain, t0, "acme", "refused malformed", "rockstar_session="+base64.RawURLEncoding.EncodeToString(h.record.Sealed))
}

// cookieForms changes the value, byte by byte of its parts, and its age.
func cookieForms(g *generator) {
	h := plain.alice(g)
	if g.err != nil {
		return
	}
	raw, err := base64.RawURLEncoding.DecodeString(h.value())
	g.must(err)
	encoded := func(b []byte) string { return "rockstar_session=" + base64.RawURLEncoding.EncodeToString(b) }
	for _, part := range []struct {
		name, expect string
		at           int
	}{
		{"version", "refused malformed", 0}, {"key-id", "refused unknown_key", 1}, {"key-id-end", "refused unknown_key", 4},
		{"epoch", "refused not_authentic", 5}, {"epoch-low", "refused not_authentic", 8}, {"nonce", "refused not_authentic", 9}, {"nonce-end", "refused not_authentic", 20},
		{"id", "refused not_authentic", 21}, {"secret", "refused not_authentic", 40}, {"generation", "refused not_authentic", 76},
		{"tag", "refused not_authentic", 77}, {"tag-end", "refused not_authentic", 92},
	} {
		bad := append([]byte(nil), raw...)
		bad[part.at] ^= 0x40
		if part.name == "epoch-low" {
			bad[part.at] = raw[part.at] ^ 1
		}
		g.identify("changed-"+part.name, fmt.Sprintf("Byte %d is changed.", part.at), plain, t0+core.Hour, "acme", part.expect, encoded(bad))
	}
	v := h.value()
	for name, bad := range map[string]string{
		"short": v[:len(v)-1], "long": v + "A", "padded": v + "=", "plus": "+" + v[1:], "slash": "/" + v[1:],
		"line-end": v[:10] + "\n" + v[11:], "not-ascii": "\xff" + v[1:], "comma": v[:20] + "," + v[21:],
	} {
		g.identify("form-"+name, "The value is not 124 characters of base64url.", plain, t0, "acme", "refused malformed", "rockstar_session="+bad)
	}
	for _, e := range ends {
		// Sealed an hour ahead of the clock is allowed, more is not.
		g.identify("epoch-ahead-"+e.name, "The epoch may be one hour ahead of the clock.", plain, t0-core.Hour+e.shift, "acme", map[core.Time]string{-1: "refused not_authentic"}[e.shift]+map[core.Time]string{0: "ok", 1: "ok"}[e.shift], h.cookie)
		oldest := t0 + core.Hour + core.MaxLifetime
		g.identify("epoch-old-"+e.name, "An epoch older than the longest lifetime opens nothing.", plain, oldest+e.shift, "acme", at(e.shift, "ok", "refused expired"), h.cookie)
		until := keyA
		until.OpenUntil = t0 + core.Minute
		g.identify("open-until-"+e.name, "A key opens cookies until its OpenUntil.", plain.ring(until, keyB), t0+core.Minute+e.shift, "acme", at(e.shift, "ok", "refused unknown_key"), h.cookie)
		from := keyB
		from.SealFrom = t0 + core.Minute
		g.identify("old-key-"+e.name, "From the moment that its successor seals, a key's cookies are to be sealed anew.", plain.ring(keyA, from), t0+core.Minute+e.shift, "acme", "ok", h.cookie)
	}
	g.identify("unknown-key", "Sealed under a key that is not in the ring.", plain.ring(keyB), t0, "acme", "refused unknown_key", h.cookie)
	g.identify("three-keys", "The key is found by its ID among others.", plain.ring(keyB, keyC, keyA), t0, "acme", "ok", h.cookie)
}

func inspections(g *generator) {
	h := plain.alice(g)
	inspect := func(name, about string, m setup, tenant, value, expect string) {
		g.add("inspect/"+name, about, m, wire.AppendInspect(nil, number, t0, tenant, value), expect, in("now", t0), in("tenant", tenant), in("value", value))
	}
	inspect("good", "An authentic value.", plain, "acme", h.value(), "ok")
	inspect("renewed", "A value of the second chain.", plain, "acme", plain.then(g, h, t0, 2, (*core.Session).Renew).value(), "ok")
	inspect("other-tenant", "Sealed for another tenant.", plain, "globex", h.value(), "refused not_authentic")
	inspect("unknown-key", "Sealed under another key.", plain.ring(keyB), "acme", h.value(), "refused unknown_key")
	inspect("empty", "No value.", plain, "acme", "", "refused malformed")
	inspect("long", "More than a value.", plain, "acme", h.value()+h.value(), "refused malformed")
}

package wire

import (
	"slices"

	"github.com/rockstar-web/sessions/core"
)

// The flags of a policy, as bits of one byte.
const (
	flagAllowInsecure byte = 1 << iota
	flagAllowScripts
	flagPartitioned
	flagEndWithBrowser
	flagBindUserAgent
	flagSecureByRequest
	flagLastWinsAll
	policyFlags
)

// appendPolicy appends
//
//	lp2 name | lp2 path | lp2 domain | flags 1 | SameSite 1
//	n 4, n times lp2 path lp2 domain                                   former scopes
//	8 each: lifetime, anonymous, max, idle, renew after, renew grace, retention
//	4 each: IPv4 bits, IPv6 bits, session size, warn size
//	n 4, n times lp2 name kind 1                                       merge
//	n 4, n times lp4 name                                              exclusive
//	n 4, n times lp4 name                                              last wins
func appendPolicy(dst []byte, p *core.Policy) []byte {
	dst = appendShort(appendShort(appendShort(dst, p.CookieName), p.CookiePath), p.CookieDomain)
	var flags byte
	for i, on := range [...]bool{p.AllowInsecure, p.AllowScripts, p.Partitioned, p.EndWithBrowser, p.BindUserAgent,
		p.SecureByRequest, p.LastWinsAll} {
		if on {
			flags |= 1 << i
		}
	}
	dst = append(dst, flags, byte(p.SameSite))
	dst = le.AppendUint32(dst, uint32(len(p.FormerScopes)))
	for _, s := range p.FormerScopes {
		dst = appendShort(appendShort(dst, s.Path), s.Domain)
	}
	for _, t := range [...]core.Time{p.Lifetime, p.AnonymousLifetime, p.MaxLifetime, p.IdleTimeout, p.RenewAfter, p.RenewGrace, p.Retention} {
		dst = appendTime(dst, t)
	}
	for _, n := range [...]int{p.BindIPv4Bits, p.BindIPv6Bits, p.SessionSize, p.WarnSize} {
		dst = le.AppendUint32(dst, uint32(n))
	}
	names := make([]string, 0, len(p.Merge))
	for name := range p.Merge { // sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	dst = le.AppendUint32(dst, uint32(len(names)))
	for _, name := range names {
		dst = append(appendShort(dst, name), byte(p.Merge[name]))
	}
	return appendStrings(appendStrings(dst, p.Exclusive), p.LastWins)
}

func (r *reader) policy() core.Policy {
	p := core.Policy{CookieName: string(r.Short()), CookiePath: string(r.Short()), CookieDomain: string(r.Short())}
	flags := r.Byte()
	r.Bad = r.Bad || flags >= policyFlags
	p.AllowInsecure, p.AllowScripts = flags&flagAllowInsecure != 0, flags&flagAllowScripts != 0
	p.Partitioned, p.EndWithBrowser = flags&flagPartitioned != 0, flags&flagEndWithBrowser != 0
	p.BindUserAgent = flags&flagBindUserAgent != 0
	p.SecureByRequest, p.LastWinsAll = flags&flagSecureByRequest != 0, flags&flagLastWinsAll != 0
	p.SameSite = core.SameSite(r.Byte())
	for range r.count(4) {
		p.FormerScopes = append(p.FormerScopes, core.Scope{Path: string(r.Short()), Domain: string(r.Short())})
	}
	for _, t := range [...]*core.Time{&p.Lifetime, &p.AnonymousLifetime, &p.MaxLifetime, &p.IdleTimeout, &p.RenewAfter, &p.RenewGrace, &p.Retention} {
		*t = r.time()
	}
	for _, n := range [...]*int{&p.BindIPv4Bits, &p.BindIPv6Bits, &p.SessionSize, &p.WarnSize} {
		*n = int(int32(r.Uint32())) // negative ones are for the policy's own check
	}
	if n := r.count(3); n > 0 {
		p.Merge = make(map[string]core.MergeKind, n)
		for range n {
			name := string(r.Short())
			p.Merge[name] = core.MergeKind(r.Byte())
		}
	}
	p.Exclusive, p.LastWins = r.strings(), r.strings()
	return p
}

// appendKeys appends n 4 and n times lp2 bytes, created 8, seal from 8, open
// until 8.
func appendKeys(dst []byte, keys core.KeyRing) []byte {
	dst = le.AppendUint32(dst, uint32(len(keys)))
	for i := range keys {
		k := &keys[i]
		dst = appendShort(dst, string(k.Bytes.Bytes()))
		dst = appendTime(appendTime(appendTime(dst, k.Created), k.SealFrom), k.OpenUntil)
	}
	return dst
}

func (r *reader) keys() core.KeyRing {
	n := r.count(26)
	keys := make(core.KeyRing, 0, n)
	for range n {
		keys = append(keys, core.Key{Bytes: core.NewSecret(r.Short()), Created: r.time(), SealFrom: r.time(), OpenUntil: r.time()})
	}
	return keys
}

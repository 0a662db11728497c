package core

import "strings"

// identify is Machine.Identify under the keys of the ring.
func (r *ring) identify(cookies []string, name, tenant string, now Time) ([]Ticket, error) {
	var (
		o       *opening
		tickets []Ticket
		refused = ErrNoCookie
		tried   int
	)
	for _, field := range cookies {
		for field != "" && len(tickets) < MaxCookies && tried+cookieLen <= MaxCookieBytes {
			value, rest, ok := nextCookie(field, name)
			field = rest
			if !ok {
				continue
			}
			if len(value) != cookieLen {
				refused = worse(refused, ErrMalformed)
				continue
			}
			tried += cookieLen
			if o == nil {
				o = new(opening)
				tickets = o.tickets[:0]
			}
			t, err := r.openCookie(o, name, value, tenant, now)
			if err != nil {
				refused = worse(refused, err)
				continue
			}
			tickets = insertTicket(tickets, t)
		}
	}
	if len(tickets) == 0 {
		return nil, refused
	}
	return tickets, nil
}

// nextCookie cuts the first pair off a Cookie field and reports whether it
// bears the name. Names are compared as they are: nothing is decoded.
func nextCookie(field, name string) (value, rest string, ok bool) {
	pair := field
	if i := strings.IndexByte(field, ';'); i >= 0 {
		pair, rest = field[:i], field[i+1:]
	}
	for pair != "" && (pair[0] == ' ' || pair[0] == '\t') {
		pair = pair[1:]
	}
	if len(pair) <= len(name) || pair[len(name)] != '=' || pair[:len(name)] != name {
		return "", rest, false
	}
	value = pair[len(name)+1:]
	for value != "" && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	return value, rest, true
}

// worse keeps the refusal of the cookie that came closest to being opened.
func worse(a *Refusal, err error) *Refusal {
	b, ok := err.(*Refusal)
	if !ok {
		return ErrMalformed
	}
	if closeness(b.Reason) > closeness(a.Reason) {
		return b
	}
	return a
}

func closeness(r Reason) int {
	switch r {
	case ReasonNone:
		return 0
	case ReasonMalformed:
		return 1
	case ReasonUnknownKey:
		return 2
	case ReasonNotAuthentic:
		return 3
	}
	return 4
}

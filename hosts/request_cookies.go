package hosts

// Cookies are a request's Cookie header fields, as they came. They lie behind two
// pointers, as a core.Secret does, so that they are not printed with what holds
// them. The zero value is none.
type Cookies struct{ at **[]string }

// CookieFields makes Cookies of a request's header fields, such as r.Header["Cookie"].
func CookieFields(fields ...string) Cookies { return new(CookieRoom).Keep(fields) }

// CookieRoom is memory for Cookies, in that of a host.
type CookieRoom struct {
	at     *[]string
	fields []string
}

// Keep is CookieFields in this memory, which is not to be used again or copied.
func (r *CookieRoom) Keep(fields []string) Cookies {
	r.fields = fields
	r.at = &r.fields
	return Cookies{&r.at}
}

// Fields returns the header fields, which are not to be changed.
func (c Cookies) Fields() []string {
	if c.at == nil {
		return nil
	}
	return **c.at
}

// String says whether there are any, and shows none.
func (c Cookies) String() string {
	if len(c.Fields()) == 0 {
		return "no cookies"
	}
	return "cookies"
}

// GoString is String, for %#v.
func (c Cookies) GoString() string { return c.String() }

// MarshalText is String, for JSON and logs.
func (c Cookies) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

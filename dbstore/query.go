package dbstore

import (
	"net/url"
	"strconv"

	"github.com/rockstar-web/sessions/hosts"
)

// TakeQuery moves options of a store from the query of a URL to where they
// belong, each a *string, *bool or *int. What it does not know stays for the
// driver.
func TakeQuery(q url.Values, to map[string]any) error {
	for name, target := range to {
		if !q.Has(name) {
			continue
		}
		text := q.Get(name)
		q.Del(name)
		allowed := ""
		switch target := target.(type) {
		case *string:
			*target = text
		case *bool:
			v, err := strconv.ParseBool(text)
			if *target = v; err != nil {
				allowed = "true or false"
			}
		case *int:
			v, err := strconv.Atoi(text)
			if *target = v; err != nil {
				allowed = "a number"
			}
		}
		if allowed != "" {
			return &hosts.ConfigError{Field: "URL parameter " + name, Value: text, Allowed: allowed}
		}
	}
	return nil
}

package sessionctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// String is a value in a line.
func (c content) String() string {
	text := fmt.Sprintf("%s: %s, %s", shown(c.Name), c.Type, bytesOf(c.Size))
	if c.Value == nil && c.Type != "<nil>" {
		return text // not to be shown
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c.Value); err != nil {
		return text + ": " + err.Error()
	}
	return text + ": " + escaped(string(bytes.TrimSpace(b.Bytes())))
}

// readable makes a value of a session what JSON can hold: numbers that are
// none, moments of any year and text that is no text become strings.
func readable(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case string:
		if !utf8.ValidString(v) {
			return fmt.Sprintf("%q", v)
		}
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case time.Duration:
		return v.String()
	case []any:
		for i := range v {
			v[i] = readable(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = readable(v[name])
		}
	}
	return v
}
